//! Claims of owed deletions: leased to one worker at a time.
//!
//! Owns what a worker is told of one that it claims, and how an attempt to delete it can end. Never deletes an event: the
//! worker does.
//!
//! Invariant: no two calls of one appointment are under way at a time: a row is attempted under a lease like a link,
//! and while the appointment has a link, that link is under the same lease.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Found, Guarded, Lease, LinkError, OwedCause, Store};
use crate::model::{AppointmentId, Epoch, GoogleUserId, OrganisationId, Place};

/// An owed deletion under a lease, as it stood when it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedClaim {
    /// Whose event it is.
    pub organisation: OrganisationId,
    /// The account that wrote it.
    pub google_user_id: GoogleUserId,
    /// The account that is connected now, and with which it is deleted.
    pub connected: GoogleUserId,
    /// The appointment that it shows.
    pub appointment: AppointmentId,
    /// Where it may stand.
    pub place: Place,
    /// Why the event is no longer wanted.
    pub cause: OwedCause,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// The lease under which alone the deletion may be settled.
    pub lease: Lease,
    /// The integration's epoch.
    pub epoch: Epoch,
}

/// What an attempt to delete comes to in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwedSettlement {
    /// The event is gone: nothing is owed any more.
    Gone {
        /// Whether it stood there until it was deleted, as far as is known.
        was_deleted: bool,
    },
    /// It failed, and is tried again.
    Later {
        /// The instant before which it is not attempted again.
        next_attempt_at: Timestamp,
        /// What is told of the failure.
        error: LinkError,
    },
    /// Google refuses it: it stays owed, and is tried again when an account connects or a person asks.
    Refused {
        /// What is told of the failure.
        error: LinkError,
    },
    /// Nothing could be done at present: the row stays as due as it is.
    Unchanged,
}

impl Store {
    /// Leases a due deletion of each of these organisations until `until`, as many as it is named times, the longest due
    /// first. One transaction. Tokens are drawn as for [`Store::claim`].
    ///
    /// None is claimed while the link of its appointment is under a lease. One whose link stands at exactly that event is
    /// no longer owed, and dropped. One that does not read is parked.
    pub async fn claim_owed(
        &self,
        organisations: &[OrganisationId],
        lease_token: Uuid,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Found<OwedClaim>, Error> {
        if organisations.is_empty() {
            return Ok(Found::default());
        }
        let organisations = organisations.to_vec();
        query!(self, write, owed_claims::claim(organisations, lease_token, until, now))
    }

    /// Renews the lease of an owed deletion. Whoever is fenced does not call Google any more.
    pub async fn renew_owed_lease(
        &self,
        claimed: &OwedClaim,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let claimed = claimed.clone();
        query!(self, write, owed_claims::renew(&claimed, until, now))
    }
}
