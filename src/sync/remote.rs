//! An event as a list of Google's shows it.
//!
//! Owns what is read of one. Never judges it.

use super::{Owner, Shown};
use crate::model::{Etag, EventId};

/// An event of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEvent {
    /// Its id.
    pub event: EventId,
    /// Its present state.
    pub etag: Etag,
    /// The appointment that it says it shows.
    pub owner: Owner,
    /// What it shows in our fields.
    pub shown: Shown,
}
