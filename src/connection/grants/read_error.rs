//! Why a reading call of Google brought nothing.
//!
//! Owns what it is worth to whoever reads. Never names what only a call about settings or consents can meet. Invariant: a
//! token that is not honoured asks nobody to connect again: whether the grant is dead, a refresh tells.

use jiff::SignedDuration;

use super::AccessError;
use crate::connection::Error;
use crate::crypto::OpenError;
use crate::google::CalendarError;
use crate::store;
use crate::sync::ThrottleScope;

/// Says why a reading call of Google brought nothing, by what its caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The account was disconnected, or connected anew, since the work began.
    #[error("no Google account is connected")]
    NotConnected,
    /// The grant is dead, or lacks a scope.
    #[error("the Google account has to be connected again")]
    ReconnectRequired,
    /// The calendar is gone, or may not be written to.
    #[error("the calendar is not available")]
    CalendarUnavailable,
    /// Google is away, or asks for patience.
    #[error("Google is unavailable")]
    GoogleUnavailable {
        /// How long Google asked to wait; `None`: it did not say.
        retry_after: Option<SignedDuration>,
    },
    /// Google holds the account read-only for hours.
    #[error("Google asks for patience")]
    GoogleThrottled {
        /// How long to wait; `None`: Google did not say.
        retry_after: Option<SignedDuration>,
    },
    /// The operator's Google project or OAuth client is wrong.
    #[error("the service's Google project is not set up")]
    GoogleMisconfigured,
    /// Google refuses the account as a whole.
    #[error("Google refuses the account")]
    AccountUnavailable,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// A stored token does not open.
    #[error("a stored secret does not open")]
    Sealed(#[source] OpenError),
}

impl From<AccessError> for ReadError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Fenced => Self::NotConnected,
            AccessError::ReconnectRequired => Self::ReconnectRequired,
            AccessError::Unavailable { retry_after } => Self::GoogleUnavailable { retry_after },
            AccessError::Misconfigured => Self::GoogleMisconfigured,
            AccessError::Store(error) => Self::Store(error),
            AccessError::Sealed(error) => Self::Sealed(error),
        }
    }
}

impl From<CalendarError> for ReadError {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::ScopeMissing => Self::ReconnectRequired,
            CalendarError::AccountRefused => Self::AccountUnavailable,
            // The refresh between has proven the grant: that a token is not honoured passes.
            CalendarError::Unauthorized => Self::GoogleUnavailable { retry_after: None },
            CalendarError::NotFound | CalendarError::NotPermitted | CalendarError::Refused { .. } => {
                Self::CalendarUnavailable
            }
            CalendarError::Throttled { scope: ThrottleScope::ReadOnly, retry_after } => {
                Self::GoogleThrottled { retry_after }
            }
            CalendarError::Throttled { scope: ThrottleScope::Project | ThrottleScope::Account, retry_after }
            | CalendarError::Unavailable { retry_after } => Self::GoogleUnavailable { retry_after },
            CalendarError::Misconfigured => Self::GoogleMisconfigured,
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotConnected => Self::NotConnected,
            ReadError::ReconnectRequired => Self::ReconnectRequired,
            ReadError::CalendarUnavailable => Self::CalendarUnavailable,
            ReadError::GoogleUnavailable { retry_after } => Self::GoogleUnavailable { retry_after },
            ReadError::GoogleThrottled { retry_after } => Self::GoogleThrottled { retry_after },
            ReadError::GoogleMisconfigured => Self::GoogleMisconfigured,
            ReadError::AccountUnavailable => Self::AccountUnavailable,
            ReadError::Store(error) => Self::Store(error),
            ReadError::Sealed(error) => Self::Sealed(error),
        }
    }
}
