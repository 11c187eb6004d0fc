//! The status of an integration and of a link: what a person is told.

use jiff::Timestamp;

use super::CalendarId;

/// Says how far the sync of an appointment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// Stored and not to be sent: nothing is connected, or it was accepted while the sync was off or before the first
    /// connection, and no catch-up has taken it up since.
    None,
    /// To be sent, or being sent.
    Pending,
    /// Google shows it; for a cancelled one: no event stands there.
    Synced,
    /// Refused for good.
    Error,
}

/// Says why a call failed, or what stands in the way: the words of `error_reason.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing is connected.
    NotConnected,
    /// The grant is dead, or a needed scope was not given.
    ReconnectRequired,
    /// The calendar is gone, or may not be written to.
    CalendarUnavailable,
    /// Google is away.
    GoogleUnavailable,
    /// Google asks for patience.
    GoogleThrottled,
    /// Google refuses one event for good.
    EventRefused,
    /// The operator's Google project or OAuth client is wrong.
    GoogleMisconfigured,
    /// Google refuses the account as a whole.
    AccountUnavailable,
}

impl Reason {
    /// The word itself, as callers and operators know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "NOT_CONNECTED",
            Self::ReconnectRequired => "RECONNECT_REQUIRED",
            Self::CalendarUnavailable => "CALENDAR_UNAVAILABLE",
            Self::GoogleUnavailable => "GOOGLE_UNAVAILABLE",
            Self::GoogleThrottled => "GOOGLE_THROTTLED",
            Self::EventRefused => "EVENT_REFUSED",
            Self::GoogleMisconfigured => "GOOGLE_MISCONFIGURED",
            Self::AccountUnavailable => "ACCOUNT_UNAVAILABLE",
        }
    }
}

/// What is wrong with an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub reason: Reason,
    /// Since when it stands.
    pub since_at: Timestamp,
    /// When the service tries again by itself; `None`: a person has to act first.
    pub retry_at: Option<Timestamp>,
}

/// Says what becomes of the events at Google when an account is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteEvents {
    /// They stay.
    Keep,
    /// Those of appointments not yet over are deleted.
    DeleteUpcoming,
}

/// A Google calendar, as the account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Its name.
    pub name: String,
    /// Its IANA zone, empty if unknown.
    pub time_zone: String,
    /// Its colour as `#rrggbb`, empty if unknown.
    pub color: String,
    /// Whether it is the account's primary one.
    pub is_primary: bool,
}
