//! Extended properties, and the limits at which Google drops, cuts or refuses them.
//!
//! Owns those limits. It never reads a property's meaning. Invariant: a kept key has at most 44 characters and its
//! value at most 1024.

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::world::Object;

const LONGEST_KEY: usize = 44;
const LONGEST_VALUE: usize = 1024;
const MOST_PROPERTIES: usize = 300;
const MOST_BYTES: usize = 32 * 1024;

/// Drops long keys and cuts long values without a word; refuses too many or too much.
pub(crate) fn limit(body: &mut Object) -> Result<(), Refusal> {
    let Some(extended) = body.get_mut("extendedProperties") else { return Ok(()) };
    let unfit = || Refusal::invalid("Invalid value for: extendedProperties");
    let extended = extended.as_object_mut().ok_or_else(unfit)?;
    let (mut count, mut bytes) = (0, 0);
    for kind in ["private", "shared"] {
        let Some(properties) = extended.get_mut(kind) else { continue };
        let properties = properties.as_object_mut().ok_or_else(unfit)?;
        properties.retain(|key, value| !value.is_null() && key.chars().count() <= LONGEST_KEY);
        for (key, value) in properties.iter_mut() {
            let text = value.as_str().ok_or_else(unfit)?;
            if let Some((cut, _)) = text.char_indices().nth(LONGEST_VALUE) {
                *value = json!(text[..cut]);
            }
            bytes += key.len() + value.as_str().map_or(0, str::len);
        }
        count += properties.len();
    }
    extended.retain(|_, properties| properties.as_object().is_some_and(|properties| !properties.is_empty()));
    if count > MOST_PROPERTIES || bytes > MOST_BYTES {
        return Err(unfit());
    }
    if extended.is_empty() {
        body.remove("extendedProperties");
    }
    Ok(())
}

/// Reads `privateExtendedProperty=key=value`.
pub(crate) fn constraint(parameter: &str) -> Result<(&str, &str), Refusal> {
    parameter.split_once('=').ok_or_else(|| Refusal::parameter("privateExtendedProperty"))
}

/// Whether the body names attendees, or anything that means them.
pub(crate) fn names_attendees(body: &Object) -> bool {
    body.get("attendees").and_then(Value::as_array).is_some_and(|attendees| !attendees.is_empty())
}
