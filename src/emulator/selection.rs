//! Partial answers: the `fields` parameter.
//!
//! Owns its little grammar, `a,b/c,items(id,start/date)` with `*` for all. It never touches an error body. Invariant:
//! what is not selected does not leave.

use serde_json::{Map, Value};

/// A parsed `fields` parameter: names, each with what is selected below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection(Vec<(String, Selection)>);

impl Selection {
    /// Reads `fields`; none if it is malformed.
    pub(crate) fn parse(fields: &str) -> Option<Self> {
        let mut rest = fields;
        let selection = Self::list(&mut rest)?;
        rest.is_empty().then_some(selection)
    }

    fn list(rest: &mut &str) -> Option<Self> {
        let mut names = Vec::new();
        loop {
            names.push(Self::one(rest)?);
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(Self(names)),
            }
        }
    }

    fn one(rest: &mut &str) -> Option<(String, Self)> {
        let end = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        *rest = after;
        if let Some(after) = rest.strip_prefix('/') {
            *rest = after;
            return Some((name.to_owned(), Self(vec![Self::one(rest)?])));
        }
        if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let below = Self::list(rest)?;
            *rest = rest.strip_prefix(')')?;
            return Some((name.to_owned(), below));
        }
        Some((name.to_owned(), Self::default()))
    }

    /// What of `value` is selected.
    pub(crate) fn apply(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.apply(item)).collect()),
            Value::Object(mut object) => {
                let mut chosen = Map::new();
                for (name, below) in &self.0 {
                    if name == "*" {
                        chosen.extend(std::mem::take(&mut object).into_iter().map(|(key, v)| (key, below.apply(v))));
                    } else if let Some(value) = object.remove(name) {
                        chosen.insert(name.clone(), below.apply(value));
                    }
                }
                Value::Object(chosen)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Selection;

    #[test]
    fn paths_lists_and_groups_select_what_they_name() {
        let whole = json!({"id": 1, "start": {"date": 2, "zone": 3}, "items": [{"id": 4, "etag": 5}], "etag": 6});
        let selection = Selection::parse("id,start/date,items(id)").expect("the grammar allows it");
        assert_eq!(selection.apply(whole), json!({"id": 1, "start": {"date": 2}, "items": [{"id": 4}]}));
    }

    #[test]
    fn malformed_fields_are_no_selection() {
        for fields in ["", "a,", "a(b", "a)", "/a", "a//b"] {
            assert_eq!(Selection::parse(fields), None, "{fields}");
        }
    }
}
