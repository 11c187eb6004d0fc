//! Who may call, and for whom.
//!
//! Owns the API keys' digests and the organisations that each stands for. Never holds a key, and never looks anything
//! up. Invariant: whether a key is known takes the same time whichever it is, and no organisation is acted for that the
//! key does not stand for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::model::OrganisationId;

/// The organisations that a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Organisations {
    /// Every one.
    All,
    /// These alone.
    Only(BTreeSet<OrganisationId>),
}

/// Everybody who may call. A clone is the same list.
#[derive(Clone)]
pub struct Callers(Option<Arc<[Key]>>);

struct Key {
    hash: [u8; 32],
    caller: Caller,
}

/// Whoever makes a call.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    name: Arc<str>,
    organisations: Arc<Organisations>,
}

impl Callers {
    /// Those who hold one of these keys: the name for the log, the SHA-256 of the key, and whom it stands for.
    pub fn new(keys: impl IntoIterator<Item = (String, [u8; 32], Organisations)>) -> Self {
        let key = |(name, hash, organisations): (String, _, _)| Key {
            hash,
            caller: Caller { name: name.into(), organisations: Arc::new(organisations) },
        };
        Self(Some(keys.into_iter().map(key).collect()))
    }

    /// Anybody, for every organisation: only where nobody else can reach the address.
    pub fn anybody() -> Self {
        Self(None)
    }

    /// Whoever holds the key in these headers; `None` if that is nobody.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Option<Caller> {
        let Some(keys) = &self.0 else {
            return Some(Caller { name: "anybody".into(), organisations: Arc::new(Organisations::All) });
        };
        let hash: [u8; 32] = Sha256::digest(bearer(headers)?).into();
        // Every entry is compared, so that the time tells neither which one it was nor how close a guess came.
        let mut found = Choice::from(0);
        let mut position = 0u64;
        for (index, key) in (0u64..).zip(keys.iter()) {
            let equal = key.hash.ct_eq(&hash);
            position.conditional_assign(&index, equal);
            found |= equal;
        }
        let known = bool::from(found).then_some(position)?;
        keys.get(usize::try_from(known).ok()?).map(|key| key.caller.clone())
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Callers(anybody)"),
            Some(keys) => f.debug_list().entries(keys.iter().map(|key| &key.caller)).finish(),
        }
    }
}

impl Caller {
    /// Whether it may act for this organisation.
    pub(super) fn stands_for(&self, organisation: &OrganisationId) -> bool {
        match &*self.organisations {
            Organisations::All => true,
            Organisations::Only(organisations) => organisations.contains(organisation),
        }
    }

    /// What the log calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// The token of the one `authorization` header; two of them are none.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?.as_bytes(), values.next()) else { return None };
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token.trim_ascii()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let only = |ids: &[&str]| {
            Organisations::Only(ids.iter().map(|id| OrganisationId::parse(id).expect("well formed")).collect())
        };
        Callers::new([
            ("backend".to_owned(), Sha256::digest("key-one").into(), only(&["practice-1", "practice-2"])),
            ("operator".to_owned(), Sha256::digest("key-two").into(), Organisations::All),
        ])
    }

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, value.parse().expect("a header value"))).collect()
    }

    #[test]
    fn a_key_stands_for_its_own_organisations_and_no_other() {
        let [one, three] = ["practice-1", "practice-3"].map(|id| OrganisationId::parse(id).expect("well formed"));
        let backend = callers().identify(&headers(&["Bearer key-one"])).expect("a known key");
        assert_eq!(backend.name(), "backend");
        assert!(backend.stands_for(&one) && !backend.stands_for(&three));
        let operator = callers().identify(&headers(&["bearer key-two"])).expect("a known key");
        assert_eq!(operator.name(), "operator");
        assert!(operator.stands_for(&one) && operator.stands_for(&three));
    }

    #[test]
    fn whatever_is_not_exactly_one_known_key_is_nobody() {
        for values in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Bearer key-on"],
            &["Bearer key-one2"],
            &["Basic key-one"],
            &["key-one"],
            &["Bearer key-one", "Bearer key-one"],
        ] {
            assert!(callers().identify(&headers(values)).is_none(), "{values:?}");
        }
        assert!(Callers::new([]).identify(&headers(&["Bearer key-one"])).is_none(), "no key opens an empty list");
        assert!(Callers::anybody().identify(&HeaderMap::new()).is_some(), "an open service needs none");
    }

    #[test]
    fn debug_shows_names_and_no_digest() {
        let shown = format!("{:?}", callers());
        assert!(shown.contains("backend") && !shown.contains("hash"), "{shown}");
    }
}
