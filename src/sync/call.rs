//! The calls that an attempt may make of Google, and the meanings of Google's answers.
//!
//! Owns these words, and what a call costs of Google's quota. Never makes a call, and never reads an answer: `google`
//! tells it in these words. Invariant: of every answer it is decided whether it says that the call was not carried out.

use jiff::SignedDuration;

use super::{Event, Shown};
use crate::model::{AppointmentId, CalendarId, Etag, OrganisationId, Place};

/// One call of Google Calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Inserts the event under the id that `place` names.
    Insert {
        /// The calendar, and the id that the event gets there.
        place: Place,
        /// The event as it is to stand.
        event: Event,
        /// Whether the event names its zone; else Google shows it in the calendar's own.
        names_zone: bool,
    },
    /// Merges our fields into the event; what the user set beside them stays.
    Patch {
        /// The calendar and id of the event that is written to.
        place: Place,
        /// The event as it is to stand.
        event: Event,
        /// As for `Insert`.
        names_zone: bool,
        /// The state that it must still be in: a call that arrives late cannot undo a newer one.
        etag: Etag,
    },
    /// Deletes the event.
    Delete {
        /// The calendar and id of the event that is deleted.
        place: Place,
        /// The state that it must still be in; `None`: any, since none was confirmed.
        etag: Option<Etag>,
    },
    /// Moves the event from one calendar to another; it keeps its id.
    Move {
        /// The calendar that it goes to, and the id that it keeps.
        place: Place,
        /// The calendar that it leaves.
        from: CalendarId,
    },
    /// Reads the event.
    Get {
        /// The calendar and id of the event that is read.
        place: Place,
    },
    /// Asks whether the calendar exists and may be written to.
    Probe {
        /// The calendar's id at Google.
        calendar: CalendarId,
    },
}

impl Call {
    /// What the call costs of Google's quota, in units: a patch three, any other one.
    pub fn units(&self) -> u32 {
        match self {
            Self::Patch { .. } => 3,
            Self::Insert { .. } | Self::Delete { .. } | Self::Move { .. } | Self::Get { .. } | Self::Probe { .. } => 1,
        }
    }

    /// The calendar that the call is about; of a move, the one that the event goes to.
    pub fn calendar(&self) -> &CalendarId {
        match self {
            Self::Insert { place, .. }
            | Self::Patch { place, .. }
            | Self::Delete { place, .. }
            | Self::Move { place, .. }
            | Self::Get { place } => &place.calendar,
            Self::Probe { calendar } => calendar,
        }
    }

    /// Google's name of the method, for the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Insert { .. } => "events.insert",
            Self::Patch { .. } => "events.patch",
            Self::Delete { .. } => "events.delete",
            Self::Move { .. } => "events.move",
            Self::Get { .. } => "events.get",
            Self::Probe { .. } => "events.list",
        }
    }
}

/// Whose event it is, by its private properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The organisation named there.
    pub organisation: OrganisationId,
    /// The appointment named there.
    pub appointment: AppointmentId,
}

/// Says which budget of Google is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// The account's calls a minute.
    Account,
    /// The operator's project's calls a minute.
    Project,
    /// None: the account is held read-only, for hours.
    ReadOnly,
}

/// What Google's answer means.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Answer {
    /// An insert or a patch succeeded, and the event is alive.
    Stored {
        /// Its new state.
        etag: Etag,
        /// The event's page at Google; `None`: the answer names none.
        html_link: Option<String>,
    },
    /// A move succeeded, and the event is alive.
    Moved {
        /// Its new state.
        etag: Etag,
        /// The event's page at Google; `None`: the answer names none.
        html_link: Option<String>,
        /// What it shows in our fields: somebody may have changed them before it was moved.
        shown: Box<Shown>,
    },
    /// The event that was read is alive.
    Found {
        /// The state that the event is in now.
        etag: Etag,
        /// The event's page at Google; `None`: the answer names none.
        html_link: Option<String>,
        /// Whose it is; `None`: it names no appointment.
        owner: Option<Owner>,
    },
    /// The event was there and is gone: 410, or `cancelled` in the answer.
    Gone,
    /// 404: the event, or its calendar.
    NotFound,
    /// The event was deleted.
    Deleted,
    /// The id is taken, by a live event or by a deleted one.
    AlreadyExists,
    /// The event is no longer in the state that the call named.
    Changed,
    /// The calendar exists and may be written to.
    CalendarOpen,
    /// The calendar exists and may not be written to.
    CalendarReadOnly,
    /// The calendar does not exist for this account.
    CalendarMissing,
    /// 403: the account may not do this to this event, or to its calendar.
    NotPermitted {
        /// Google's word for why.
        reason: String,
    },
    /// 403 with a word that we do not know: about the event, its calendar or the whole account.
    Forbidden {
        /// Google's word for why.
        reason: String,
    },
    /// 403: the whole account may not use Google Calendar (any more).
    AccountRefused {
        /// Google's word for why.
        reason: String,
    },
    /// The request is refused for good.
    Refused {
        /// Google's word for why.
        reason: String,
    },
    /// Too many calls.
    Throttled {
        /// Whose budget is exhausted.
        scope: ThrottleScope,
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The access token is not honoured.
    Unauthorized,
    /// The grant lacks a scope.
    ScopeMissing,
    /// The operator's project may not use the API.
    Misconfigured,
    /// No usable answer: the call may have been carried out.
    Unavailable {
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
}

impl Answer {
    /// Whether it says that the call was not carried out.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound
            | Self::NotPermitted { .. }
            | Self::Forbidden { .. }
            | Self::AccountRefused { .. }
            | Self::Refused { .. }
            | Self::Throttled { .. }
            | Self::Unauthorized
            | Self::ScopeMissing
            | Self::Misconfigured => true,
            Self::Stored { .. }
            | Self::Moved { .. }
            | Self::Found { .. }
            | Self::Gone
            | Self::Deleted
            | Self::AlreadyExists
            | Self::Changed
            | Self::CalendarOpen
            | Self::CalendarReadOnly
            | Self::CalendarMissing
            | Self::Unavailable { .. } => false,
        }
    }

    /// Its name in the log.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}
