//! What does not read: a value that this version does not know, or that no version wrote, or left out.
//!
//! Owns how such a row is told. Never shows the value itself, only whose it is and in which column. Invariant: a row of
//! which a value does not read is left out of what is due, and told beside it, so that the others go on.

use jiff::Timestamp;

use super::{Error, Guarded, Store};

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Whose it is, as it is stored.
    pub organisation: String,
    /// The appointment, as it is stored; `None`: it is the integration itself.
    pub appointment: Option<String>,
    /// The column that does not read.
    pub column: &'static str,
}

/// What was found: the rows that read, and those that do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The rows that read.
    pub rows: Vec<T>,
    /// The rows that do not read, each with its column.
    pub unreadable: Vec<Unreadable>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), unreadable: Vec::new() }
    }
}

impl Store {
    /// The integrations that are connected and do not say to which account or calendar, each with the column that is empty,
    /// but for those that stand still for a reason that is told already. Nothing of theirs is ever due.
    pub async fn incomplete_integrations(&self, now: Timestamp) -> Result<Vec<Unreadable>, Error> {
        query!(self, read, unreadable::incomplete(now))
    }

    /// Notes at an integration that it does not read: it is not served before `retry_at`. Fenced where it is not served for
    /// another reason.
    pub async fn note_unreadable(
        &self,
        unreadable: &Unreadable,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = unreadable.organisation.clone();
        query!(self, write, unreadable::note_unreadable(organisation, retry_at, now))
    }
}
