//! Our fields of an event as Google shows them, held against the ones that should stand.
//!
//! Owns which of its fields are ours, and when they show the same. Never looks at what a user may set beside them.
//! Invariant: a field of ours is compared, or left out by name.

use std::fmt;

use jiff::Timestamp;

use super::Event;

/// Our fields of an event, as Google shows them. A patient can be known by it: `Debug` withholds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// The title; empty: it has none.
    pub summary: String,
    /// The description, in the HTML that Google shows; empty: it has none.
    pub description: String,
    /// The place, possibly empty.
    pub location: String,
    /// The first instant; `None`: it has none, since it lasts whole days.
    pub start_at: Option<Timestamp>,
    /// The instant after the last; `None` as for the start.
    pub end_at: Option<Timestamp>,
    /// The page of the appointment; Google tells it to the creator of the event alone.
    pub source_url: Option<String>,
    /// Whether that is known: there is none where none is told.
    pub is_source_told: bool,
    /// Whether its details are hidden from those who merely see the calendar.
    pub is_private: bool,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(withheld)")
    }
}

impl Shown {
    /// Whether it shows the same as `event`. Instants count in whole seconds, as Google keeps them; the zone that they are
    /// shown in does not count, since an event may have been written without its own.
    pub fn is_as(&self, event: &Event) -> bool {
        let Self { summary, description, location, start_at, end_at, source_url, is_source_told, is_private } = self;
        // Taken apart by name: a new field of the event does not compile until it is compared here, or left out.
        let Event {
            summary: wanted_summary,
            description: wanted_description,
            location: wanted_location,
            start_at: wanted_start_at,
            end_at: wanted_end_at,
            source_url: wanted_source_url,
            time_zone: _,
            organisation: _,
            appointment: _,
            revision: _,
        } = event;
        let is_at = |shown: &Option<Timestamp>, wanted: &Timestamp| {
            shown.is_some_and(|shown| shown.as_second() == wanted.as_second())
        };
        summary == wanted_summary
            && description == wanted_description
            && location == wanted_location
            && is_at(start_at, wanted_start_at)
            && is_at(end_at, wanted_end_at)
            && (source_url == wanted_source_url || source_url.is_none() && !is_source_told)
            && *is_private
    }
}
