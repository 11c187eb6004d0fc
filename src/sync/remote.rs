//! An event as a list of Google's shows it.
//!
//! Owns what is read of one. Never judges it. Invariant: an event that names no appointment is none of these.

use jiff::Timestamp;

use super::{Owner, Shown};
use crate::model::{Etag, EventId, Revision};

/// An event of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEvent {
    /// Its id in the calendar that was listed.
    pub event: EventId,
    /// Its present state.
    pub etag: Etag,
    /// When it was made, by Google's clock; `None`: Google does not say.
    pub created_at: Option<Timestamp>,
    /// The appointment that it says it shows.
    pub owner: Owner,
    /// The revision that it says it shows; `None`: it says none that could be one.
    pub revision: Option<Revision>,
    /// What it shows in our fields.
    pub shown: Shown,
}
