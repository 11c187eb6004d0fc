//! Leases of links and of owed deletions: renewed, renewed together with a placement, and given back.
//!
//! Owns what becomes of a lease that was taken. Never takes one: claims do. Invariant: a lease that another worker has
//! taken over stays that worker's own. At the start of the only process there is, nobody else is left: all of them are
//! given back then, and those of comparisons and refreshes with them.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Claimed, Error, Guarded, Store};
use crate::model::{AppointmentId, OrganisationId, Place, Placement};

/// A lease that is held, and of which appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedAppointment {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// Proves whose the lease is.
    pub token: Uuid,
}

impl Store {
    /// Renews leases until `until`, lapsed or not, whose attempts are under way: the wall clock passed them by. What another
    /// worker has taken over stays its own. One that has no owner any more, since its link stands for another event, is
    /// renewed as well: the call for the one before may be under way.
    pub async fn renew_leases(&self, leased: &[LeasedAppointment], until: Timestamp) -> Result<(), Error> {
        let leased = leased.to_vec();
        query!(self, write, leases::renew_all(&leased, until))
    }

    /// Renews a lease. Whoever is fenced does not call Google any more.
    pub async fn renew_lease(&self, claimed: &Claimed, until: Timestamp, now: Timestamp) -> Result<Guarded, Error> {
        let claimed = claimed.clone();
        query!(self, write, leases::renew(&claimed, until, now))
    }

    /// Renews a lease that lives, whichever epoch the integration is in by now, as long as it has its grant: a disconnect that
    /// has begun waits for what is under way.
    pub async fn renew_lease_in_any_epoch(
        &self,
        claimed: &Claimed,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let claimed = claimed.clone();
        query!(self, write, leases::renew_in_any_epoch(&claimed, until, now))
    }

    /// Renews a lease and stores a placement with it.
    pub async fn reserve(
        &self,
        claimed: &Claimed,
        placement: &Placement,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (claimed, placement) = (claimed.clone(), placement.clone());
        query!(self, write, leases::reserve(&claimed, &placement, until, now))
    }

    /// Does the same where the placement no longer names places in which events may stand still: their deletion is owed from
    /// then on, and parked, since their calendars are out of reach.
    pub async fn leave_behind(
        &self,
        claimed: &Claimed,
        placement: &Placement,
        places: &[Place],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (claimed, placement, places) = (claimed.clone(), placement.clone(), places.to_vec());
        query!(self, write, leases::leave_behind(&claimed, (&placement, &places), until, now))
    }

    /// Gives leases back with nothing recorded, and answers of how many links they still stood. So does whoever was fenced,
    /// once no call of its own is under way: until then nobody else calls for the same event.
    pub async fn release(&self, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Error> {
        let lease_tokens = lease_tokens.to_vec();
        query!(self, write, leases::release(&lease_tokens, now))
    }

    /// Gives back every lease, whoever holds it (a revocation's, and that of the end of a disconnect, lapse): for the start
    /// of the only process there is. Answers of how many links.
    pub async fn release_all(&self) -> Result<u64, Error> {
        query!(self, write, leases::release_all())
    }

    /// How many leases of `organisation` have not lapsed, of links, of owed deletions, and of the search
    /// that a disconnect waits for.
    pub async fn live_leases(&self, organisation: &OrganisationId, now: Timestamp) -> Result<i64, Error> {
        let organisation = organisation.clone();
        query!(self, read, leases::live(&organisation, now))
    }
}
