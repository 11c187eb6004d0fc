//! What people granted: codes, access tokens, refresh tokens.
//!
//! Owns their lives. It never draws them. Invariant: what is revoked, used or expired never works again.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Refresh tokens an account may hold for one client; the oldest die first.
const MOST_REFRESH_TOKENS: usize = 100;
/// A refresh token that was unused for so long is dead (6 months).
const UNUSED: SignedDuration = SignedDuration::from_hours(24 * 182);
/// Life of a refresh token while the consent screen stands in "Testing".
const TESTING: SignedDuration = SignedDuration::from_hours(24 * 7);

/// All grants to the one client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    by_id: BTreeMap<u64, Grant>,
    next: u64,
    access: HashMap<String, AccessToken>,
    codes: HashMap<String, Code>,
}

/// One consent that was exchanged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Timestamp,
}

/// A bearer token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub(crate) grant: u64,
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Timestamp,
}

/// An authorization code, waiting for its exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    /// `access_type=offline` together with `prompt=consent`, or the first consent.
    pub(crate) brings_refresh_token: bool,
    pub(crate) expires_at: Timestamp,
}

/// A PKCE challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Challenge {
    Plain(String),
    S256(String),
}

impl Grants {
    /// Remembers a code.
    pub(crate) fn add_code(&mut self, code: String, meaning: Code) {
        self.codes.insert(code, meaning);
    }

    /// Takes a code, which works once.
    pub(crate) fn take_code(&mut self, code: &str, now: Timestamp) -> Option<Code> {
        self.codes.retain(|_, code| code.expires_at > now);
        self.codes.remove(code)
    }

    /// The account a code is for, without taking it.
    pub(crate) fn account_of_code(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(|code| code.account.as_str())
    }

    /// Adds a grant and answers its id.
    pub(crate) fn add(&mut self, grant: Grant) -> u64 {
        if grant.refresh_token.is_some() {
            let mut held: Vec<u64> = self
                .by_id
                .iter()
                .filter(|(_, other)| other.account == grant.account && other.refresh_token.is_some())
                .map(|(id, _)| *id)
                .collect();
            while held.len() >= MOST_REFRESH_TOKENS {
                if let Some(oldest) = self.by_id.get_mut(&held.remove(0)) {
                    oldest.refresh_token = None;
                }
            }
        }
        self.next += 1;
        self.by_id.insert(self.next, grant);
        self.next
    }

    /// Whether the account has granted anything that still stands.
    pub(crate) fn stands(&self, account: &str) -> bool {
        self.by_id.values().any(|grant| grant.account == account)
    }

    /// Every scope the account has granted.
    pub(crate) fn scopes(&self, account: &str) -> impl Iterator<Item = &String> {
        self.by_id.values().filter(move |grant| grant.account == account).flat_map(|grant| &grant.scopes)
    }

    /// The live grant of a refresh token.
    pub(crate) fn by_refresh_token(&self, token: &str, now: Timestamp, testing: bool) -> Option<(u64, &Grant)> {
        let (id, grant) =
            self.by_id.iter().find(|(_, grant)| grant.refresh_token.as_deref() == Some(token) && !token.is_empty())?;
        let unused = now.duration_since(grant.used_at) > UNUSED;
        let outlived = testing && now.duration_since(grant.created_at) > TESTING;
        (!unused && !outlived).then_some((*id, grant))
    }

    /// Notes that a grant's refresh token was used.
    pub(crate) fn used(&mut self, id: u64, now: Timestamp) {
        if let Some(grant) = self.by_id.get_mut(&id) {
            grant.used_at = now;
        }
    }

    /// Remembers an access token.
    pub(crate) fn add_access_token(&mut self, token: String, meaning: AccessToken, now: Timestamp) {
        if self.access.len() >= 10_000 {
            self.access.retain(|_, token| token.expires_at > now);
        }
        self.access.insert(token, meaning);
    }

    /// Whose access token it is; an expired one still names its account.
    pub(crate) fn owner(&self, token: &str) -> Option<&str> {
        self.access.get(token).map(|token| token.account.as_str())
    }

    /// A live access token.
    pub(crate) fn access(&self, token: &str, now: Timestamp) -> Option<&AccessToken> {
        self.access.get(token).filter(|token| token.expires_at > now)
    }

    /// Ends everything an account granted; whether there was anything.
    pub(crate) fn revoke(&mut self, account: &str) -> bool {
        let stood = self.stands(account);
        self.by_id.retain(|_, grant| grant.account != account);
        self.access.retain(|_, token| token.account != account);
        self.codes.retain(|_, code| code.account != account);
        stood
    }

    /// Expires the access tokens of an account; its refresh tokens live on.
    pub(crate) fn expire_access_tokens(&mut self, account: &str, now: Timestamp) {
        for token in self.access.values_mut().filter(|token| token.account == account) {
            token.expires_at = token.expires_at.min(now);
        }
    }
}
