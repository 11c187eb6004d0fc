//! One call, one answer.

use jiff::SignedDuration;

use super::event::Event;
use crate::model::{CalendarId, Etag, Place};

/// What is asked of Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Creates an event under the id of its place.
    Insert {
        /// Where.
        place: Place,
        /// What.
        event: Event,
    },
    /// Changes an event; `etag` makes it fail if the event is no longer in that state.
    Patch {
        /// Where.
        place: Place,
        /// What.
        event: Event,
        /// The state it must be in.
        etag: Option<Etag>,
    },
    /// Removes an event.
    Delete {
        /// Where.
        place: Place,
    },
    /// Moves an event from another calendar to its place.
    Move {
        /// Where to.
        place: Place,
        /// Where from.
        from: CalendarId,
    },
    /// Reads an event.
    Get {
        /// Where.
        place: Place,
    },
    /// Asks whether a calendar exists and may be written to.
    Probe {
        /// Which.
        calendar: CalendarId,
    },
}

/// The appointment that an event says it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its organisation.
    pub organisation: String,
    /// The appointment.
    pub appointment: String,
}

/// Says whose limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// One account's, for a minute.
    User,
    /// The whole project's, for a minute.
    Project,
    /// One account's, for hours.
    Account,
}

/// What Google answered, by what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The event is written and alive.
    Stored {
        /// Its state.
        etag: Etag,
        /// Its page.
        html_link: Option<String>,
    },
    /// The event is alive.
    Found {
        /// Its state.
        etag: Etag,
        /// Its page.
        html_link: Option<String>,
        /// Whose it says it is.
        owner: Option<Owner>,
    },
    /// The event was there and is deleted.
    Gone,
    /// The event or the calendar is not there.
    NotFound,
    /// The event is deleted by this call.
    Deleted,
    /// The id was used before.
    AlreadyExists,
    /// The event is not in the state that was required.
    Changed,
    /// The calendar may be written to.
    CalendarOpen,
    /// The calendar may not be written to.
    CalendarReadOnly,
    /// The calendar is not there.
    CalendarMissing,
    /// The account may not do that there.
    NotPermitted,
    /// Refused for good.
    Refused {
        /// Google's word.
        reason: String,
    },
    /// Too much was asked.
    Throttled {
        /// Whose limit it is.
        scope: ThrottleScope,
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The access token is not valid.
    Unauthorized,
    /// The grant lacks a scope.
    ScopeMissing,
    /// The operator's project is not set up.
    Misconfigured,
    /// No answer: the call may have been carried out.
    Unavailable {
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
}
