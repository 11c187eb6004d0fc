//! How an integration and a link stand.

use jiff::Timestamp;

use super::{CalendarId, Etag, EventId, Fingerprint, Generation};

/// Says how an appointment stands at Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// Stored and not to be sent: nothing was connected and enabled when it was accepted. It is sent once it changes, or
    /// once a catch-up takes it, while there is an integration that is connected and enabled.
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

impl Reason {
    /// The word itself, as callers and operators know it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotConnected => "NOT_CONNECTED",
            Self::ReconnectRequired => "RECONNECT_REQUIRED",
            Self::CalendarUnavailable => "CALENDAR_UNAVAILABLE",
            Self::GoogleUnavailable => "GOOGLE_UNAVAILABLE",
            Self::GoogleThrottled => "GOOGLE_THROTTLED",
            Self::EventRefused => "EVENT_REFUSED",
            Self::GoogleMisconfigured => "GOOGLE_MISCONFIGURED",
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

/// Where the event of an appointment stands, as far as is known.
///
/// It is stored **before** the first call that could change it: whatever becomes of the call, the next attempt knows
/// which events may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// No event stands anywhere; the next one is of this generation.
    Absent {
        /// The generation of the next event.
        generation: Generation,
    },
    /// An event is about to be inserted, or was, and no answer has confirmed it.
    Reserved(Place),
    /// Google has confirmed the event at least once.
    Written {
        /// Where it stands.
        place: Place,
        /// The state that Google confirmed last.
        etag: Etag,
        /// The content that Google confirmed last; `None` while a call that changes it is under way or unanswered.
        fingerprint: Option<Fingerprint>,
    },
    /// A confirmed event is on its way from `from` to the calendar of `place`; it stands in one of the two.
    Moving {
        /// Where it goes.
        place: Place,
        /// The calendar that it leaves.
        from: CalendarId,
        /// The content that Google confirmed last, as for `Written`: a move changes none of it.
        fingerprint: Option<Fingerprint>,
    },
}

/// One event in one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The calendar.
    pub calendar: CalendarId,
    /// The event's id, chosen before the first call.
    pub event: EventId,
    /// Which event of its appointment this is.
    pub generation: Generation,
}

impl Placement {
    /// The placement of an appointment that never had an event.
    pub const NEVER: Self = Self::Absent { generation: Generation::FIRST };

    /// Where an event may stand.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Absent { .. } => None,
            Self::Reserved(place) | Self::Written { place, .. } | Self::Moving { place, .. } => Some(place),
        }
    }

    /// What is left when the event is gone: nothing, and the next generation.
    #[must_use]
    pub fn vanished(&self) -> Self {
        match self {
            Self::Absent { generation } => Self::Absent { generation: *generation },
            Self::Reserved(place) | Self::Written { place, .. } | Self::Moving { place, .. } => {
                Self::Absent { generation: place.generation.next() }
            }
        }
    }
}
