//! Comparisons of Google's events with the links of an organisation.
//!
//! Owns when a comparison is due, the lease under which one process at a time makes it, and what becomes of what it
//! found: that is made due or owed here, and the worker mends it. Never lists events, and never judges which of them
//! are wrong: `delivery` does. Invariant: what is asked under a claim changes nothing once its lease is somebody
//! else's.

use jiff::Timestamp;

use super::{Error, Guarded, Lease, Store};
use crate::model::{AppointmentId, CalendarId, Epoch, Etag, GoogleUserId, OrganisationId, Place};

/// A comparison under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonClaim {
    /// Whose events are compared.
    pub organisation: OrganisationId,
    /// The integration's epoch.
    pub epoch: Epoch,
    /// When it was due.
    pub due_at: Timestamp,
    /// How many have failed in a row.
    pub attempts: i32,
    /// The lease under which the account is read.
    pub lease: Lease,
}

/// The time since Google's events were listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeWindow {
    /// When the lists were begun.
    pub since: Timestamp,
    /// Nothing is changed later, by any process's clock, before what was found is mended.
    pub until: Timestamp,
}

impl ChangeWindow {
    /// Whether a link that was changed last at this instant was changed meanwhile. What lies further ahead was changed
    /// before the clock was set back.
    pub fn covers(&self, changed_at: Timestamp) -> bool {
        self.since <= changed_at && changed_at <= self.until
    }
}

/// What a comparison found of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// The present state of its event; `None`: there is none at Google.
    pub etag: Option<Etag>,
    /// Whether the event is to be written again.
    pub is_due: bool,
}

impl Store {
    /// Makes the comparison of `organisation` due now.
    pub async fn ask_comparison(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, comparisons::ask(&organisation, now))
    }

    /// Makes the comparison of `organisation` due at `by`, unless it is due before.
    pub async fn bring_comparison_forward(&self, organisation: &OrganisationId, by: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, comparisons::bring_forward(&organisation, by))
    }

    /// Notes that an event was not where it was written, so that the next comparison, due at `compare_by` at the latest,
    /// looks for it in every calendar of the account.
    pub async fn note_vanished(&self, organisation: &OrganisationId, compare_by: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, comparisons::note_vanished(&organisation, compare_by))
    }

    /// Gives the lease of a comparison or a search back that was broken off.
    pub async fn give_back_reading(&self, organisation: &OrganisationId, lease: Lease) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, comparisons::give_back(&organisation, lease))
    }

    /// Whether a search or a comparison is due that a claim passed by, since another query was changing its integration.
    pub async fn is_reading_due(&self, now: Timestamp) -> Result<bool, Error> {
        Ok(query!(self, read, searches::is_any_due(now))? || query!(self, read, comparisons::is_any_due(now))?)
    }

    /// Leases the comparison that has been due for longest and may be made, if there is one.
    pub async fn claim_comparison(&self, lease: Lease, now: Timestamp) -> Result<Option<ComparisonClaim>, Error> {
        query!(self, write, comparisons::claim(lease, now))
    }

    /// Renews the lease. Whoever is fenced stops.
    pub async fn renew_comparison(&self, claim: &ComparisonClaim, until: Timestamp) -> Result<Guarded, Error> {
        let claim = claim.clone();
        query!(self, write, comparisons::renew(&claim, until))
    }

    /// Notes that the target was compared: of how many appointments Google shows a higher revision than is held, that a
    /// problem which was to be tried again by `now` is over, and that the events were looked for everywhere that had
    /// vanished when so many were counted (see [`Integration::vanished_count`]); `None`: they were not.
    ///
    /// [`Integration::vanished_count`]: super::Integration::vanished_count
    pub async fn note_compared(
        &self,
        claim: &ComparisonClaim,
        behind_count: i32,
        looked_for: Option<i32>,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let claim = claim.clone();
        query!(self, write, comparisons::note_compared(&claim, behind_count, looked_for, now))
    }

    /// Gives the lease back: the next comparison is due at `next_at`, or now if it was asked for meanwhile. `unlisted_at`
    /// says when the target could not be listed, which is told from the second time in a row; `None`: it could, or it is
    /// told elsewhere why not.
    pub async fn end_comparison(
        &self,
        claim: &ComparisonClaim,
        (next_at, attempts): (Timestamp, i32),
        unlisted_at: Option<Timestamp>,
    ) -> Result<Guarded, Error> {
        let claim = claim.clone();
        query!(self, write, comparisons::end(&claim, (next_at, attempts), unlisted_at))
    }

    /// Makes due again what is owed in these calendars, which can be listed, and was parked: because they were out of
    /// reach, or because the event was the only one of an appointment that was not known, and is again.
    pub async fn try_owed_again(
        &self,
        organisation: &OrganisationId,
        calendars: &[CalendarId],
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, calendars) = (organisation.clone(), calendars.to_vec());
        query!(self, write, comparisons::try_owed_again(&organisation, &calendars, now))
    }

    /// Makes due what is to be written again, behind the live edits and as part of the catch-up; notes the present state
    /// of the other events; and owes the deletion of `surplus`, events of `account`. A link that has changed `within` the
    /// time since the lists were begun, or that a worker holds, is left as it is. Renews the lease; whoever is fenced has
    /// changed nothing.
    pub async fn mend(
        &self,
        claim: &ComparisonClaim,
        account: &GoogleUserId,
        (mends, surplus): (Vec<Mend>, Vec<(AppointmentId, Place)>),
        within: ChangeWindow,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (claim, account) = (claim.clone(), account.clone());
        query!(self, long, comparisons::mend(&claim, &account, (&mends, &surplus), within, until, now))
    }
}
