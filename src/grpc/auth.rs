//! Who may call, and for whom.
//!
//! Owns the API keys' digests, the organisations that each stands for, and the client that it may be bound to. Never
//! holds a key, and never looks anything up. Invariant: whether a key is known takes the same time whichever it is, no
//! organisation is acted for that the key does not stand for, and a key that was withdrawn ends the streams it opened.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, header};
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio_util::sync::CancellationToken;

use crate::model::{ANYBODY, OrganisationId};

/// The organisations that a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Organisations {
    /// Every organisation, also those that come later.
    All,
    /// These organisations and no others.
    Only(BTreeSet<OrganisationId>),
}

/// An API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name, for the log.
    pub name: String,
    /// The SHA-256 of the key.
    pub hash: [u8; 32],
    /// Whom it stands for.
    pub organisations: Organisations,
    /// The name that the certificate of whoever shows it has to be made out to; `None`: any, or none.
    pub client_name: Option<String>,
}

/// Everybody who may call. A clone is the same list.
#[derive(Clone)]
pub struct Callers(Arc<RwLock<Known>>);

struct Known {
    /// `None`: no key is asked for, and anybody may call.
    keys: Option<Vec<(ApiKey, Caller)>>,
    wants_certificate: bool,
}

/// Whoever makes a call.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    name: Arc<str>,
    organisations: Arc<Organisations>,
    withdrawn: CancellationToken,
}

impl Callers {
    /// Those who hold one of these keys.
    pub fn new(keys: impl IntoIterator<Item = ApiKey>) -> Self {
        let keys = keys.into_iter().map(|key| {
            let caller = Caller::new(&key.name, key.organisations.clone());
            (key, caller)
        });
        Self(Arc::new(RwLock::new(Known { keys: Some(keys.collect()), wants_certificate: false })))
    }

    /// Anybody, for every organisation: only where nobody else can reach the address.
    pub fn anybody() -> Self {
        Self(Arc::new(RwLock::new(Known { keys: None, wants_certificate: false })))
    }

    /// Wants a client's certificate of each of them.
    pub fn with_certificate(self) -> Self {
        self.0.write().wants_certificate = true;
        self
    }

    /// Knows these keys from now on. The streams of a key that is not among them end, as those of one whose entry
    /// changed. Where anybody may call, that stays so unless there are keys.
    pub fn replace(&self, keys: impl IntoIterator<Item = ApiKey>) {
        let mut known = self.0.write();
        let mut keys = keys.into_iter().peekable();
        if known.keys.is_none() && keys.peek().is_none() {
            return;
        }
        let mut before = known.keys.take().unwrap_or_default();
        let keys = keys.map(|key| match before.iter().position(|(other, _)| *other == key) {
            Some(position) => before.swap_remove(position),
            None => {
                let caller = Caller::new(&key.name, key.organisations.clone());
                (key, caller)
            }
        });
        known.keys = Some(keys.collect());
        before.iter().for_each(|(_, caller)| caller.withdrawn.cancel());
    }

    /// Knows none but these from now on, as far as it knew them. Where anybody may call, that stays so.
    pub fn keep(&self, keys: impl IntoIterator<Item = ApiKey>) {
        let keys: Vec<_> = keys.into_iter().collect();
        if let Some(known) = &mut self.0.write().keys {
            let withdrawn = known.extract_if(.., |(key, _)| !keys.contains(key));
            withdrawn.for_each(|(_, caller)| caller.withdrawn.cancel());
        }
    }

    /// Whoever holds the key in these headers, and a certificate made out to these names; `None` if that is nobody.
    pub(super) fn identify(&self, headers: &HeaderMap, client_names: &[String]) -> Option<Caller> {
        let known = self.0.read();
        if known.wants_certificate && client_names.is_empty() {
            return None;
        }
        let Some(keys) = &known.keys else { return Some(Caller::new(ANYBODY, Organisations::All)) };
        let hash: [u8; 32] = Sha256::digest(bearer(headers)?).into();
        // Every entry is compared, so that the time tells neither which one it was nor how close a guess came.
        let mut found = Choice::from(0);
        let mut position = 0u64;
        for (index, (key, _)) in (0u64..).zip(keys.iter()) {
            let equal = key.hash.ct_eq(&hash);
            position.conditional_assign(&index, equal);
            found |= equal;
        }
        let position = bool::from(found).then_some(position)?;
        let (key, caller) = keys.get(usize::try_from(position).ok()?)?;
        let is_shown_by_its_client = key.client_name.as_ref().is_none_or(|name| client_names.contains(name));
        is_shown_by_its_client.then(|| caller.clone())
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.read().keys {
            None => f.write_str("Callers(anybody)"),
            Some(keys) => f.debug_list().entries(keys.iter().map(|(_, caller)| caller)).finish(),
        }
    }
}

impl Caller {
    fn new(name: &str, organisations: Organisations) -> Self {
        Self { name: name.into(), organisations: Arc::new(organisations), withdrawn: CancellationToken::new() }
    }

    /// Cancelled when its key is no longer known.
    pub(super) fn withdrawn(&self) -> &CancellationToken {
        &self.withdrawn
    }

    /// Whether it may act for this organisation.
    pub(super) fn stands_for(&self, organisation: &OrganisationId) -> bool {
        match &*self.organisations {
            Organisations::All => true,
            Organisations::Only(organisations) => organisations.contains(organisation),
        }
    }

    /// The organisations that it may act for; `None`: every one.
    pub(super) fn only(&self) -> Option<&BTreeSet<OrganisationId>> {
        match &*self.organisations {
            Organisations::All => None,
            Organisations::Only(organisations) => Some(organisations),
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
            key("backend", "key-one", only(&["practice-1", "practice-2"])),
            key("operator", "key-two", Organisations::All),
        ])
    }

    fn key(name: &str, key: &str, organisations: Organisations) -> ApiKey {
        ApiKey { name: name.to_owned(), hash: Sha256::digest(key).into(), organisations, client_name: None }
    }

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, value.parse().expect("a header value"))).collect()
    }

    #[test]
    fn a_key_stands_for_its_own_organisations_and_no_other() {
        let [one, three] = ["practice-1", "practice-3"].map(|id| OrganisationId::parse(id).expect("well formed"));
        let backend = callers().identify(&headers(&["Bearer key-one"]), &[]).expect("a known key");
        assert_eq!(backend.name(), "backend");
        assert!(backend.stands_for(&one) && !backend.stands_for(&three));
        let operator = callers().identify(&headers(&["bearer key-two"]), &[]).expect("a known key");
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
            assert!(callers().identify(&headers(values), &[]).is_none(), "{values:?}");
        }
        assert!(Callers::new([]).identify(&headers(&["Bearer key-one"]), &[]).is_none(), "no key opens an empty list");
        assert!(Callers::anybody().identify(&HeaderMap::new(), &[]).is_some(), "an open service needs none");
    }

    #[test]
    fn a_key_that_is_bound_to_a_client_is_nobodys_without_its_certificate() {
        let bound = ApiKey { client_name: Some("backend".to_owned()), ..key("backend", "key", Organisations::All) };
        let callers = Callers::new([bound, key("free", "other", Organisations::All)]);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let knows = |callers: &Callers, key: &str, held: &[&str]| {
            callers.identify(&headers(&[&format!("Bearer {key}")]), &names(held)).is_some()
        };
        assert!(knows(&callers, "key", &["other", "backend"]));
        assert!(!knows(&callers, "key", &["other"]) && !knows(&callers, "key", &[]));
        assert!(knows(&callers, "other", &[]));
        let callers = callers.with_certificate();
        assert!(knows(&callers, "other", &["anyone"]) && !knows(&callers, "other", &[]));
    }

    #[test]
    fn a_withdrawn_key_is_nobodys_and_ends_what_it_opened_while_the_others_stay() {
        let callers = callers();
        let identify = |key: &str| callers.identify(&headers(&[&format!("Bearer {key}")]), &[]);
        let [one, two] = ["key-one", "key-two"].map(|key| identify(key).expect("a known key"));
        callers.replace([key("operator", "key-two", Organisations::All), key("new", "key-three", Organisations::All)]);
        assert!(one.withdrawn().is_cancelled() && !two.withdrawn().is_cancelled());
        assert!(identify("key-one").is_none() && identify("key-two").is_some() && identify("key-three").is_some());
        callers.replace([key("renamed", "key-two", Organisations::All)]);
        assert!(two.withdrawn().is_cancelled(), "its entry changed");
    }

    #[test]
    fn debug_shows_names_and_no_digest() {
        let shown = format!("{:?}", callers());
        assert!(shown.contains("backend") && !shown.contains("hash"), "{shown}");
    }
}
