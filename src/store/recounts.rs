//! Recounts: what is kept of the links, held against them.
//!
//! Owns whose counts are held against their links next. Never changes a link. Invariant: a recount holds the queue, so
//! that no link is queued or settled while it counts.

use jiff::Timestamp;

use super::{Error, Store};

/// What a recount found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// Whose counts they are, as it is stored.
    pub organisation: String,
    /// Whether they were right; if not, they are now.
    pub was_right: bool,
}

impl Store {
    /// Holds the counts of one organisation against its links, the one that has waited longest and was not recounted since
    /// `before`, and sets right what is wrong. `None`: it is nobody's turn.
    pub async fn recount(&self, before: Timestamp, now: Timestamp) -> Result<Option<Recount>, Error> {
        query!(self, long, recounts::recount(before, now))
    }
}
