//! Which event of an appointment may exist, and where.
//!
//! Owns the states that an event can be in, and what is left of it once it is gone. Never says more than was confirmed:
//! a placement that is reserved or moving leaves open what came of the call. Invariant: what follows a vanished event
//! is of a later generation, since an id at Google is never free again.

use super::{CalendarId, Etag, EventId, Fingerprint, Generation};

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
    /// A confirmed event is on its way from `from` to the calendar of `place`; it stands at one of the two, or at both while it
    /// is copied, since it cannot be moved.
    Moving {
        /// Where it goes.
        place: Place,
        /// Where it comes from, in another calendar.
        from: Origin,
    },
}

/// Where an event stands that is moved, or copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The calendar that it leaves.
    pub calendar: CalendarId,
    /// Its id there: the one that it goes to, unless that calendar has used it up.
    pub event: EventId,
}

impl Origin {
    /// The same as a place of this generation.
    pub fn place(&self, generation: Generation) -> Place {
        Place { calendar: self.calendar.clone(), event: self.event.clone(), generation }
    }
}

impl From<Place> for Origin {
    fn from(Place { calendar, event, generation: _ }: Place) -> Self {
        Self { calendar, event }
    }
}

/// One event in one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The calendar's id at Google, or the alias that stands for it while it is sealed.
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
