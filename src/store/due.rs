//! What is due, and when the next is.

use jiff::{SignedDuration, Timestamp};

use super::{Error, Found, Store};
use crate::model::{GoogleUserId, OrganisationId};

/// An organisation that has due links, or owes deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOrganisation {
    /// Which.
    pub organisation: OrganisationId,
    /// Whose quota its calls count against.
    pub google_user_id: GoogleUserId,
}

impl Store {
    /// The organisations that have a due link or a due deletion and may be served: connected, enabled, without a problem or
    /// with one whose `retry_at` has come. One that is being disconnected is served as far as it deletes. Of those that do not
    /// read, one with an unknown title privacy is served as far as it deletes.
    pub async fn due_organisations(&self, now: Timestamp) -> Result<Found<DueOrganisation>, Error> {
        query!(self, read, due::due_organisations(now))
    }

    /// The earliest instant after `now` at which something becomes due: an attempt, the lapse of a lease, or the retry of
    /// a problem.
    pub async fn next_due_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        query!(self, read, due::next_due_at(now))
    }

    /// Brings what lies ahead of `now` nearer by `by`: it was reckoned by a clock that was set back since. Of the leases, of
    /// whatever kind, those alone that end later than `longest_lease` from now: the others were taken by the clock as it is.
    pub async fn bring_nearer(
        &self,
        by: SignedDuration,
        longest_lease: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Error> {
        query!(self, long, due::bring_nearer(by, longest_lease, now))
    }
}
