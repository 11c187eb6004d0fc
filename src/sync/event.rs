//! The event as it is written to Google.

use std::fmt;

use jiff::Timestamp;

/// The content of an event. A patient can be known by it: `Debug` withholds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The title.
    pub summary: String,
    /// The text.
    pub description: String,
    /// The place; empty for none.
    pub location: String,
    /// The first instant.
    pub start_at: Timestamp,
    /// The instant after the last.
    pub end_at: Timestamp,
    /// The IANA zone it is shown in.
    pub time_zone: String,
    /// The page of the appointment in Cassius.
    pub source_url: Option<String>,
    /// The organisation.
    pub organisation: String,
    /// The appointment.
    pub appointment: String,
    /// The revision that this renders.
    pub revision: i64,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event(withheld)")
    }
}
