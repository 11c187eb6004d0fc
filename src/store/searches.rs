//! Searches of an account for events that are to be deleted.
//!
//! A person may have moved an event to where no link and nothing that is owed says that it stands. Before a disconnect
//! that deletes ends, and before an erasure is done, the calendars of the account are looked through once.
//!
//! Owns when a search is due, by whom it is made, and what comes of it. Never lists events: `delivery` does. Invariant: one
//! process at a time searches or mends the events of an organisation, since a search is made under the lease of a
//! comparison; what only counts lists without one.

use jiff::Timestamp;

use super::{Error, Guarded, Lease, Store};
use crate::model::{AccountSearch, AppointmentId, Epoch, GoogleUserId, OrganisationId, Place, RemoteEvents};

/// A search under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchClaim {
    /// Whose events are searched for.
    pub organisation: OrganisationId,
    /// The integration's epoch.
    pub epoch: Epoch,
    /// Since when it is asked for.
    pub asked_at: Timestamp,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// The lease under which the account is read.
    pub lease: Lease,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    /// The disconnect that it was made for, by what that deletes; `None`: it was made for erased appointments alone.
    pub disconnect: Option<RemoteEvents>,
    /// The erased appointments that it was made for.
    pub erased: Vec<AppointmentId>,
    /// The events that it found, of whatever appointment.
    pub found: Vec<(AppointmentId, Place)>,
    /// Whether that is all.
    pub end: SearchEnd,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEnd {
    /// It is over, and has seen so much.
    Over(AccountSearch),
    /// Something did not answer: it is made again then.
    Again(Timestamp),
}

impl Store {
    /// Leases the search that has been due for longest and may be made, if there is one.
    pub async fn claim_search(&self, lease: Lease, now: Timestamp) -> Result<Option<SearchClaim>, Error> {
        if !query!(self, read, searches::is_any_due(now))? {
            return Ok(None);
        }
        query!(self, write, searches::claim(lease, now))
    }

    /// Renews the lease. Whoever is fenced does not call Google any more.
    pub async fn renew_search(&self, claim: &SearchClaim, until: Timestamp) -> Result<Guarded, Error> {
        let claim = claim.clone();
        query!(self, write, searches::renew(&claim, until))
    }

    /// The erased appointments of which nothing is owed any more, and for whose events the account is still to be searched.
    pub async fn unsearched_appointments(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Vec<AppointmentId>, Error> {
        let organisation = organisation.clone();
        query!(self, read, searches::unsearched(&organisation, now))
    }

    /// Owes the deletion of what a search has found, unless a link stands there, and ends the search, or puts it off. Events
    /// of `account`. Whoever is fenced has changed nothing.
    pub async fn end_search(
        &self,
        claim: &SearchClaim,
        account: &GoogleUserId,
        searched: Searched,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (claim, account) = (claim.clone(), account.clone());
        query!(self, long, searches::end(&claim, &account, &searched, now))
    }
}
