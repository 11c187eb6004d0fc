//! What can go wrong, by what the caller does next.
//!
//! Owns the errors of the OAuth and reading calls. Never holds a body, a URL, a token (but for the [`Orphan`] that a caller
//! may want to revoke, withheld) or an e-mail.
//!
//! Invariant: what asks for different next steps is told apart; some variants are told apart for the log alone.

use jiff::SignedDuration;

use crate::crypto::Secret;
use crate::model::GoogleUserId;
use crate::sync::{Answer, ThrottleScope};

/// A token that Google gave in an exchange that failed all the same. Nobody keeps it; the caller may revoke it, which
/// ends every grant of that account to the project.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The refresh token if there is one, else the access token.
    pub token: Secret,
    /// Whose it is, as the token endpoint says, also where its id token is not fit for a consent; `None`: it does not say.
    pub google_user_id: Option<GoogleUserId>,
}

/// Says why an authorization code did not become a grant.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Google gave no refresh token: the consent has to be given anew.
    #[error("Google gave no refresh token")]
    NoRefreshToken(Orphan),
    /// The user left out a permission that is needed.
    #[error("the permission to write events was not given")]
    MissingScope {
        /// The scopes, one of which is needed.
        missing: Vec<String>,
        /// What was given nonetheless.
        orphan: Orphan,
    },
    /// The id token cannot be trusted: the consent is refused.
    #[error("the id token is refused")]
    IdToken {
        /// What is wrong with it.
        #[source]
        fault: IdTokenFault,
        /// What was given nonetheless.
        orphan: Orphan,
    },
    /// Google refuses the code: used before, expired, or not ours. The consent has to be given anew.
    #[error("Google refuses the code: {0}")]
    Rejected(String),
    /// The OAuth client is set up wrong: the operator has to act.
    #[error("Google refuses the OAuth client: {0}")]
    Misconfigured(String),
    /// Google is away or cannot be understood; the code may be spent.
    #[error("Google gave no usable answer")]
    Unavailable,
}

impl ExchangeError {
    /// What Google gave nonetheless, and nobody keeps.
    pub fn orphan(&self) -> Option<&Orphan> {
        match self {
            Self::NoRefreshToken(orphan) | Self::MissingScope { orphan, .. } | Self::IdToken { orphan, .. } => {
                Some(orphan)
            }
            Self::Rejected(_) | Self::Misconfigured(_) | Self::Unavailable => None,
        }
    }
}

/// Says what is wrong with an id token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    /// There is none.
    #[error("there is no id token")]
    Missing,
    /// It is not one.
    #[error("it is not an id token")]
    Malformed,
    /// Somebody else issued it.
    #[error("it comes from another issuer")]
    Issuer,
    /// It is for another client.
    #[error("it is for another client")]
    Audience,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// It answers another consent.
    #[error("it belongs to another consent")]
    Nonce,
    /// It names no account or no e-mail.
    #[error("it does not name the account")]
    NoAccount,
}

/// Says why a refresh token gave no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The grant is dead, for good: only a new consent helps.
    #[error("Google no longer honours the grant")]
    GrantDead,
    /// The OAuth client is set up wrong: the operator has to act, the tokens are not to blame.
    #[error("Google refuses the OAuth client")]
    Misconfigured,
    /// Google is away or cannot be understood: try again later.
    #[error("Google gave no usable answer")]
    Unavailable {
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
}

/// Says why a token may still be alive after a revocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// Google is away: it may or may not have been revoked.
    #[error("Google gave no usable answer")]
    Unavailable,
    /// Google will not do it.
    #[error("Google refuses to revoke the token (HTTP status {status})")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
}

/// Says why Google's calendars could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The access token is not valid: refresh it once.
    #[error("the access token is not valid")]
    Unauthorized,
    /// The grant lacks the scope for it.
    #[error("the grant lacks a scope")]
    ScopeMissing,
    /// There is no such calendar.
    #[error("there is no such calendar")]
    NotFound,
    /// The account may not see it.
    #[error("the account may not see that")]
    NotPermitted,
    /// Google refuses the account as a whole.
    #[error("Google refuses the account")]
    AccountRefused,
    /// Too much was asked.
    #[error("Google asks for patience")]
    Throttled {
        /// Whose limit it is.
        scope: ThrottleScope,
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The operator's Google project is set up wrong.
    #[error("the Google project is not set up for Calendar")]
    Misconfigured,
    /// Refused for good.
    #[error("Google refuses: {reason}")]
    Refused {
        /// Google's word for why.
        reason: String,
    },
    /// Google is away or cannot be understood.
    #[error("Google gave no usable answer")]
    Unavailable {
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
}

impl From<Answer> for CalendarError {
    /// Reads the refusal of a call that only reads; what such a call cannot be answered counts as no usable answer.
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Unauthorized => Self::Unauthorized,
            Answer::ScopeMissing => Self::ScopeMissing,
            Answer::NotFound | Answer::Gone | Answer::CalendarMissing => Self::NotFound,
            Answer::NotPermitted { .. } | Answer::CalendarReadOnly => Self::NotPermitted,
            Answer::Forbidden { .. } | Answer::AccountRefused { .. } => Self::AccountRefused,
            Answer::Throttled { scope, retry_after } => Self::Throttled { scope, retry_after },
            Answer::Misconfigured => Self::Misconfigured,
            Answer::Refused { reason } => Self::Refused { reason },
            Answer::Unavailable { retry_after } => Self::Unavailable { retry_after },
            Answer::Stored { .. }
            | Answer::Moved { .. }
            | Answer::Found { .. }
            | Answer::Deleted
            | Answer::AlreadyExists
            | Answer::Changed
            | Answer::CalendarOpen => Self::Unavailable { retry_after: None },
        }
    }
}
