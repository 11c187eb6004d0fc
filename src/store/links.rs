//! Links: what is known of each appointment and its event. The row is the queue.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, Epoch, OrganisationId, Placement, Reason, Revision, SyncStatus};

/// A state of an appointment, to be kept and sent.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment.
    pub appointment: AppointmentId,
    /// Which state of it.
    pub revision: Revision,
    /// The state itself, sealed.
    pub snapshot: Sealed,
    /// When the appointment begins; `None` where a cancelled one does not say.
    pub starts_at: Option<Timestamp>,
    /// When it ends; `None` where a cancelled one does not say: the instant that stands is kept.
    pub ends_at: Option<Timestamp>,
}

/// Why the latest attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError {
    /// Why.
    pub reason: Reason,
    /// Google's own word for it; never anything of the appointment.
    pub detail: Option<String>,
}

/// A link, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment.
    pub appointment: AppointmentId,
    /// The highest revision that was accepted.
    pub revision: Revision,
    /// The revision that Google shows.
    pub synced_revision: Option<Revision>,
    /// How it stands.
    pub sync_status: SyncStatus,
    /// Where its event stands.
    pub placement: Placement,
    /// The event's page at Google.
    pub html_link: Option<String>,
    /// When it was last brought in step.
    pub last_synced_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// Why the latest attempt failed.
    pub last_error: Option<LinkError>,
    /// When the appointment begins.
    pub starts_at: Option<Timestamp>,
    /// When the appointment ends.
    pub ends_at: Option<Timestamp>,
}

/// What a request to retry came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// So many links are due now.
    Queued(i32),
    /// These appointments are unknown; nothing was queued.
    Unknown(Vec<AppointmentId>),
}

/// What a request to catch up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// The one before has not ended; nothing was queued.
    AlreadyRunning,
    /// So many links are due now.
    Queued(i32),
}

/// How many links of an organisation stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To be sent, or being sent.
    pub pending: i64,
    /// In step.
    pub synced: i64,
    /// Refused for good.
    pub error: i64,
    /// Not over yet, with an event.
    pub upcoming_events: i64,
    /// To be sent by the catch-up that is under way.
    pub catching_up: i64,
    /// Refused for good in the latest catch-up.
    pub catch_up_failed: i64,
    /// When the first of those that Google was away for is tried again.
    pub unavailable_until: Option<Timestamp>,
}

impl Store {
    /// Keeps new states of appointments (at most 500, no key twice), and answers the links as they stand then, in the
    /// order given.
    ///
    /// A revision that is not newer changes nothing. A newer one is pending and due now where an enabled integration is
    /// connected (a problem does not matter), and rests otherwise. A lease that lives stays.
    pub async fn accept(&self, _acceptances: Vec<Acceptance>, _now: Timestamp) -> Result<Vec<Link>, Error> {
        unimplemented!()
    }

    /// The link of one appointment.
    pub async fn link(
        &self,
        _organisation: &OrganisationId,
        _appointment: &AppointmentId,
    ) -> Result<Option<Link>, Error> {
        unimplemented!()
    }

    /// Up to `limit` links by appointment id, those after `after`, of one status if one is given.
    pub async fn links(
        &self,
        _organisation: &OrganisationId,
        _status: Option<SyncStatus>,
        _after: Option<&AppointmentId>,
        _limit: i64,
    ) -> Result<Vec<Link>, Error> {
        unimplemented!()
    }

    /// The highest accepted revision of each of these appointments that is known.
    pub async fn revisions(
        &self,
        _organisation: &OrganisationId,
        _appointments: &[AppointmentId],
    ) -> Result<HashMap<AppointmentId, Revision>, Error> {
        unimplemented!()
    }

    /// Makes links due now: those named that are refused or pending, or all that are refused. Queues none where nothing
    /// is connected.
    pub async fn retry(
        &self,
        _organisation: &OrganisationId,
        _appointments: Option<&[AppointmentId]>,
        _now: Timestamp,
    ) -> Result<Retry, Error> {
        unimplemented!()
    }

    /// Makes due now what was never sent, is pending or refused, and what is upcoming with its event in another calendar
    /// than the target. One run at a time. Queues none where nothing is connected.
    pub async fn catch_up(&self, _organisation: &OrganisationId, _now: Timestamp) -> Result<CatchUp, Error> {
        unimplemented!()
    }

    /// How many links of `organisation` stand how.
    pub async fn counts(&self, _organisation: &OrganisationId, _now: Timestamp) -> Result<Counts, Error> {
        unimplemented!()
    }

    /// Up to `limit` links by appointment id, those after `after`, that have an event and are not over at `now`.
    pub async fn upcoming_placed(
        &self,
        _organisation: &OrganisationId,
        _now: Timestamp,
        _after: Option<&AppointmentId>,
        _limit: i64,
    ) -> Result<Vec<Link>, Error> {
        unimplemented!()
    }

    /// Notes that the event of a link was deleted at the disconnect. `false` in another epoch.
    pub async fn forget_placement(
        &self,
        _organisation: &OrganisationId,
        _appointment: &AppointmentId,
        _epoch: Epoch,
        _now: Timestamp,
    ) -> Result<bool, Error> {
        unimplemented!()
    }

    /// How many leases of `organisation` have not lapsed.
    pub async fn live_leases(&self, _organisation: &OrganisationId, _now: Timestamp) -> Result<i64, Error> {
        unimplemented!()
    }

    /// Erases the snapshots of appointments that were over before `over_before` and that nobody holds a lease of, and
    /// answers how many.
    pub async fn erase_snapshots(&self, _over_before: Timestamp, _now: Timestamp) -> Result<u64, Error> {
        unimplemented!()
    }
}
