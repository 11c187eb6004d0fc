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
    pub async fn accept(&self, acceptances: Vec<Acceptance>, now: Timestamp) -> Result<Vec<Link>, Error> {
        query!(self, write, acceptances::accept(acceptances, now))
    }

    /// The link of one appointment.
    pub async fn link(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Link>, Error> {
        let (organisation, appointment) = (organisation.clone(), appointment.clone());
        query!(self, read, links::link(&organisation, &appointment))
    }

    /// Up to `limit` links by appointment id, those after `after`, of one status if one is given.
    pub async fn links(
        &self,
        organisation: &OrganisationId,
        status: Option<SyncStatus>,
        after: Option<&AppointmentId>,
        limit: i64,
    ) -> Result<Vec<Link>, Error> {
        let (organisation, after) = (organisation.clone(), after.cloned());
        query!(self, read, links::links(&organisation, status, after.as_ref(), limit))
    }

    /// The highest accepted revision of each of these appointments that is known.
    pub async fn revisions(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<HashMap<AppointmentId, Revision>, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.to_vec());
        query!(self, read, links::revisions(&organisation, &appointments))
    }

    /// Makes links due now: those named that are refused or pending, or all that are refused. Queues none where nothing
    /// is connected.
    pub async fn retry(
        &self,
        organisation: &OrganisationId,
        appointments: Option<&[AppointmentId]>,
        now: Timestamp,
    ) -> Result<Retry, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.map(<[_]>::to_vec));
        query!(self, long, requests::retry(&organisation, appointments, now))
    }

    /// Makes due now what was never sent, is pending or refused, and what is upcoming with its event in another calendar
    /// than the target. One run at a time. Queues none where nothing is connected.
    pub async fn catch_up(&self, organisation: &OrganisationId, now: Timestamp) -> Result<CatchUp, Error> {
        let organisation = organisation.clone();
        query!(self, long, requests::catch_up(&organisation, now))
    }

    /// How many links of `organisation` stand how.
    pub async fn counts(&self, organisation: &OrganisationId, now: Timestamp) -> Result<Counts, Error> {
        let organisation = organisation.clone();
        query!(self, read, links::counts(&organisation, now))
    }

    /// Up to `limit` links by appointment id, those after `after`, that have an event and are not over at `now`.
    pub async fn upcoming_placed(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
        after: Option<&AppointmentId>,
        limit: i64,
    ) -> Result<Vec<Link>, Error> {
        let (organisation, after) = (organisation.clone(), after.cloned());
        query!(self, read, links::upcoming_placed(&organisation, now, after.as_ref(), limit))
    }

    /// Notes that the event of a link was deleted at the disconnect. `false` in another epoch.
    pub async fn forget_placement(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (organisation, appointment) = (organisation.clone(), appointment.clone());
        query!(self, write, links::forget_placement(&organisation, &appointment, epoch, now))
    }

    /// How many leases of `organisation` have not lapsed.
    pub async fn live_leases(&self, organisation: &OrganisationId, now: Timestamp) -> Result<i64, Error> {
        let organisation = organisation.clone();
        query!(self, read, links::live_leases(&organisation, now))
    }

    /// Erases the snapshots of appointments that were over before `over_before` and that nobody holds a lease of, and
    /// answers how many.
    pub async fn erase_snapshots(&self, over_before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        query!(self, long, links::erase_snapshots(over_before, now))
    }
}
