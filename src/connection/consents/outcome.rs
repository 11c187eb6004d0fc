//! How a consent stands when the browser is back: its outcome, or what is asked first.
//!
//! Owns the words alone, and which of Google's each stands for. Never decides. Invariant: the word that leaves with the
//! browser names no account and no practice.

use super::ticket::handle_of_hash;
use crate::crypto::{ExposeSecret as _, Secret, digest};
use crate::model::GrantEnd;

/// How a consent ended: the word that is added to the return URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ConsentOutcome {
    /// The account is connected.
    Connected,
    /// The person refused.
    Denied,
    /// The administrator of the person's Google organisation does not allow it.
    Blocked,
    /// The permission to write events was not given.
    MissingScope,
    /// The ticket or the state is unknown, used, expired, or of another browser.
    Expired,
    /// Another account is connected, and this one waits for a person's word.
    OtherAccount,
    /// The account was revoked while its grant was on its way: nothing is connected, and the next consent will be.
    TryAgain,
    /// Google did not complete it: no refresh token, an unreadable answer, Google away.
    Failed,
}

impl ConsentOutcome {
    /// The word, as the return URL carries it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How a consent ends that Google refuses with this word, whether its callback says it or the token endpoint does.
    pub(super) fn of_refusal(word: &str) -> Self {
        match word {
            "access_denied" => Self::Denied,
            "admin_policy_enforced" | "org_internal" | "policy_enforced" => Self::Blocked,
            _ => Self::Failed,
        }
    }
}

/// A consent that came back from Google.
#[derive(Debug, Clone)]
pub struct Completed {
    /// How it ended.
    pub outcome: ConsentOutcome,
    /// What became of a grant that Google gave and nobody keeps; `None`: there was none.
    pub grant_end: Option<GrantEnd>,
    /// Where the browser goes; `None`: nowhere in particular.
    pub return_url: Option<String>,
    /// The digest of the ticket that it began with; `None`: no consent was found.
    pub(super) ticket_hash: Option<Vec<u8>>,
}

impl Completed {
    /// Whether it began with this ticket, which has served now.
    pub fn began_with(&self, ticket: &Secret) -> bool {
        self.ticket_hash.as_deref() == Some(&digest(ticket.expose_secret().as_bytes()))
    }

    /// The handle that its connect URL named it by; `None`: no consent was found.
    pub fn handle(&self) -> Option<String> {
        self.ticket_hash.as_deref().map(handle_of_hash)
    }
}

/// What Google sent back with the browser.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The one-time state.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<Secret>,
    /// Google's error word, such as `access_denied`.
    pub error: Option<String>,
    /// Who says that it answers (`iss` of RFC 9207); `None`: it did not say.
    pub issuer: Option<String>,
}

/// What a browser that came back from Google is answered.
#[derive(Debug, Clone)]
pub enum Returned {
    /// The consent has ended.
    Ended(Completed),
    /// The person is asked first.
    Asked(Question),
}

impl Returned {
    /// The answer to what is no consent, or none any more.
    pub(super) fn expired(return_url: Option<String>) -> Self {
        Self::Ended(Completed { outcome: ConsentOutcome::Expired, grant_end: None, return_url, ticket_hash: None })
    }
}

/// What a person is asked before a grant is kept: is this account to show the appointments of that practice?
#[derive(Debug, Clone)]
pub struct Question {
    /// The practice, as Cassius named it.
    pub practice: String,
    /// The address of the account.
    pub account: String,
    /// Comes back with the person's answer, once.
    pub state: Secret,
    /// Where the browser goes afterwards; `None`: nowhere in particular.
    pub return_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_googles_is_a_refusal_a_block_or_a_failure() {
        for (word, outcome) in [
            ("access_denied", ConsentOutcome::Denied),
            ("admin_policy_enforced", ConsentOutcome::Blocked),
            ("org_internal", ConsentOutcome::Blocked),
            ("policy_enforced", ConsentOutcome::Blocked),
            ("account_deleted", ConsentOutcome::Failed),
            ("invalid_grant", ConsentOutcome::Failed),
            ("deleted_client", ConsentOutcome::Failed),
            ("server_error", ConsentOutcome::Failed),
            ("Access_Denied", ConsentOutcome::Failed),
            ("", ConsentOutcome::Failed),
        ] {
            assert_eq!(ConsentOutcome::of_refusal(word), outcome, "{word}");
        }
    }
}
