//! The Google account of an organisation: connected, looked after, disconnected.
//!
//! Owns four objects: [`Consents`] lead to a grant, [`Grants`] give access tokens for it, [`Integrations`] tell of
//! the account, change its settings and end it, and [`Audit`] keeps who did what. Never writes or deletes an event (that
//! is `delivery`), never speaks gRPC or HTML, never lets a token out but for a call of `google`.
//!
//! Invariant: a refresh token is plain only while a call needs it, an access token as long as its process keeps it; whatever
//! began before a disconnect gets none but one that its process still keeps.

mod audit;
mod consents;
mod grants;
mod integrations;
mod sealed_calendars;
mod secrets;

use jiff::SignedDuration;

pub use audit::{Audit, AuditEntry, AuditEvent, AuditPlace};
pub use consents::{
    CONSENT_LIFETIME, COOKIE_NAME, Callback, Completed, ConsentOutcome, ConsentRedirect, ConsentSettings, ConsentStart,
    Consents, HANDLE, Question, Returned, browser_cookie_name, cookie_name, handle_in, handle_of, own_cookie_name,
};
pub use grants::{ACCOUNT_PAGE, Access, AccessError, Grants, MAX_TOKENS, ReadError};
pub use integrations::{
    CalendarList, Disconnected, Erasure, Integrations, OfferedCalendar, Overview, OverviewFilter, ProblemNotice,
    Progress, SettingsRequest, State, Status, list as list_integrations,
};

use crate::crypto::OpenError;
use crate::store;
pub use crate::store::Error as StoreError;

/// Says why a call about an integration could not be served, by what its caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is connected.
    #[error("no Google account is connected")]
    NotConnected,
    /// A disconnect is under way.
    #[error("the Google account is being disconnected")]
    Disconnecting,
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
    /// Google holds the account read-only for hours, or this service has no units left for it.
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
    /// As many watch already as may at a time.
    #[error("too many watch at a time")]
    TooManyWatchers,
    /// No other account waits to be confirmed.
    #[error("no other account waits to be confirmed")]
    NoPendingAccount,
    /// The return URL is not allowed.
    #[error("the return URL is not allowed")]
    ReturnUrlNotAllowed,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// A stored secret does not open: the keyring lacks its key, or the database was tampered with.
    #[error("a stored secret does not open")]
    Sealed(#[source] OpenError),
}
