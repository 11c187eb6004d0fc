//! How an integration and a link stand.

use jiff::Timestamp;

use super::{CalendarId, Etag, EventId, Fingerprint, Generation};

/// Says how an appointment stands at Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// Stored and not to be sent: nothing is connected and enabled.
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

/// Where the event of an appointment stands, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// No event stands anywhere; the next one is of this generation.
    Absent {
        /// The generation of the next event.
        generation: Generation,
    },
    /// An event is about to be written, or was, and no answer has confirmed it.
    Reserved {
        /// The calendar that it is written to.
        calendar: CalendarId,
        /// Its id, chosen before the first call.
        event: EventId,
        /// Its generation.
        generation: Generation,
    },
    /// Google confirmed the event.
    Written {
        /// The calendar that holds it.
        calendar: CalendarId,
        /// Its id.
        event: EventId,
        /// Its generation.
        generation: Generation,
        /// The state that Google confirmed last.
        etag: Option<Etag>,
        /// The content that Google confirmed last.
        fingerprint: Fingerprint,
    },
}

impl Placement {
    /// The generation of the present event, or of the next one.
    pub fn generation(&self) -> Generation {
        match self {
            Self::Absent { generation } | Self::Reserved { generation, .. } | Self::Written { generation, .. } => {
                *generation
            }
        }
    }

    /// The calendar and the id of the event that may stand there.
    pub fn event(&self) -> Option<(&CalendarId, &EventId)> {
        match self {
            Self::Absent { .. } => None,
            Self::Reserved { calendar, event, .. } | Self::Written { calendar, event, .. } => Some((calendar, event)),
        }
    }

    /// What is left when the event is gone: nothing, and the next generation.
    #[must_use]
    pub fn vanished(&self) -> Self {
        match self {
            Self::Absent { generation } => Self::Absent { generation: *generation },
            Self::Reserved { generation, .. } | Self::Written { generation, .. } => {
                Self::Absent { generation: generation.next() }
            }
        }
    }
}
