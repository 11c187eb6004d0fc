//! Claims: due links, leased to one worker at a time.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, LinkError, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, CalendarId, Epoch, GoogleUserId, OrganisationId, Placement, Revision, TitlePrivacy};

/// The right to work on one link until it lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Proves whose it is.
    pub token: Uuid,
    /// When it lapses.
    pub until: Timestamp,
}

/// An organisation that has due links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOrganisation {
    /// Which.
    pub organisation: OrganisationId,
    /// Whose quota its calls count against.
    pub google_user_id: GoogleUserId,
}

/// How many links of one organisation a worker has room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub organisation: OrganisationId,
    /// How many at most.
    pub count: i64,
}

/// A link under a lease, as it stood when it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment.
    pub appointment: AppointmentId,
    /// The revision of the snapshot.
    pub revision: Revision,
    /// How often it had been asked to be sent.
    pub demand: i64,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// 0 for a live edit, 1 for a catch-up.
    pub lane: i16,
    /// The appointment, sealed; `None` once it was erased.
    pub snapshot: Option<Sealed>,
    /// Where its event stands.
    pub placement: Placement,
    /// The lease.
    pub lease: Lease,
    /// The integration's epoch.
    pub epoch: Epoch,
    /// The target calendar.
    pub target: CalendarId,
    /// How much of the patient's name a title shows.
    pub title_privacy: TitlePrivacy,
}

/// What an attempt came to. The placement is recorded in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Google shows `revision`.
    Synced {
        /// Where the event stands.
        placement: Placement,
        /// The event's page at Google.
        html_link: Option<String>,
        /// The revision that it shows.
        revision: Revision,
    },
    /// It failed, and is tried again.
    Later {
        /// Where the event stands.
        placement: Placement,
        /// When.
        next_attempt_at: Timestamp,
        /// Why.
        error: LinkError,
    },
    /// Google refuses it for good.
    Refused {
        /// Where the event stands.
        placement: Placement,
        /// Why.
        error: LinkError,
    },
    /// The whole integration is in trouble: the link stays as due as it was.
    Parked {
        /// Where the event stands.
        placement: Placement,
    },
}

impl Store {
    /// The organisations that have a due link and may be served: connected, enabled, without a problem or with one whose
    /// `retry_at` has come.
    pub async fn due_organisations(&self, now: Timestamp) -> Result<Vec<DueOrganisation>, Error> {
        query!(self, read, due::due_organisations(now))
    }

    /// The earliest instant after `now` at which something becomes due: an attempt, the lapse of a lease, or the retry of
    /// a problem.
    pub async fn next_due_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        query!(self, read, due::next_due_at(now))
    }

    /// Leases due links until `until`: live edits first, then the longest due. One transaction.
    ///
    /// `begin` sees each claimed link and may choose another placement, which is stored with the lease; what else it
    /// answers comes back beside the link. The lease of the n-th claimed link has the token `lease_token` + n: a caller draws one random token for each claim.
    pub async fn claim<T, F>(
        &self,
        wanted: &[Wanted],
        lease_token: Uuid,
        until: Timestamp,
        now: Timestamp,
        begin: F,
    ) -> Result<Vec<(Claimed, T)>, Error>
    where
        T: Send + 'static,
        F: FnMut(&Claimed) -> (Option<Placement>, T) + Send + 'static,
    {
        let wanted = wanted.to_vec();
        query!(self, write, claims::claim(wanted, lease_token, until, now, begin))
    }

    /// Renews a lease. `false`: it was taken over, or the integration is in another epoch; call Google no more.
    pub async fn hold(&self, claimed: &Claimed, until: Timestamp, now: Timestamp) -> Result<bool, Error> {
        let claimed = claimed.clone();
        query!(self, write, leases::hold(&claimed, until, now))
    }

    /// Renews a lease and stores a placement with it. `false` as for [`Store::hold`], and nothing is stored.
    pub async fn reserve(
        &self,
        claimed: &Claimed,
        placement: &Placement,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (claimed, placement) = (claimed.clone(), placement.clone());
        query!(self, write, leases::reserve(&claimed, &placement, until, now))
    }

    /// Records what an attempt came to, and gives the lease back. `false`: it was taken over, and nothing is recorded.
    ///
    /// Where the link was asked to be sent again meanwhile, it stays as due as that request left it.
    pub async fn settle(&self, claimed: &Claimed, settlement: &Settlement, now: Timestamp) -> Result<bool, Error> {
        let (claimed, settlement) = (claimed.clone(), settlement.clone());
        query!(self, write, settlements::settle(&claimed, &settlement, now))
    }

    /// Gives leases back with nothing recorded, and answers how many still stood.
    pub async fn release(&self, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Error> {
        let lease_tokens = lease_tokens.to_vec();
        query!(self, write, leases::release(&lease_tokens, now))
    }

    /// Gives back every lease, whoever holds it: for the start of the only process there is.
    pub async fn release_all(&self) -> Result<u64, Error> {
        query!(self, write, leases::release_all())
    }
}
