//! Probes: whether the database takes what is written, when somebody last wrote, and when nobody did.
//!
//! Owns the silences between two processes. Never says what becomes of what was written in one: a comparison does.
//! Invariant: a silence is noted before anything that the process behind it does.

use jiff::Timestamp;

use super::{Error, Store};
use crate::model::OrganisationId;

/// A span in which nobody wrote to this database, as far as it knows: no process ran, or it was restored from a backup that
/// was made when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// When the last probe before was written.
    pub began_at: Timestamp,
    /// When the first one after was.
    pub ended_at: Timestamp,
}

impl Silence {
    /// Whether this instant lies within.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.began_at < at && at < self.ended_at
    }
}

impl Store {
    /// Whether the database takes what this role writes, in every table. Nothing is changed.
    pub async fn takes_writes(&self) -> Result<bool, Error> {
        query!(self, write, probes::takes_writes())
    }

    /// Writes the first probe of a process. A silence of a minute or more before it is noted: where this database was
    /// restored from a backup, what Google shows of that time was written by a state that was lost.
    pub async fn begin_probes(&self, now: Timestamp) -> Result<(), Error> {
        query!(self, write, probes::begin(now))
    }

    /// The silences of which an organisation may lack something: all since everything of it was last replaced.
    pub async fn silences(&self, organisation: &OrganisationId) -> Result<Vec<Silence>, Error> {
        let organisation = organisation.clone();
        query!(self, read, probes::silences(&organisation))
    }

    /// Writes what the clock says, so that a database which only reads is noticed.
    pub async fn probe(&self, now: Timestamp) -> Result<(), Error> {
        query!(self, write, probes::write(now))
    }

    /// The latest instant that a probe wrote. One ahead of now: the clock was set back since, and what was computed by it
    /// has not been brought nearer yet.
    pub async fn latest_probe(&self) -> Result<Timestamp, Error> {
        query!(self, read, probes::latest())
    }
}
