//! Links: what is known of each appointment and its event.
//!
//! Owns which links are told, what is counted of them, and which snapshots a sweep erases. Never reads a snapshot, and
//! never tells of a link that is being erased. Invariant: links are listed by appointment id, so that a page goes on
//! where the one before has ended.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Error, Link, Store};
use crate::model::{AppointmentId, OrganisationId, Revision, SyncStatus};

/// What one sweep of old snapshots did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedSnapshots {
    /// How many snapshots it erased.
    pub count: u64,
    /// Whether another query was changing some that are to be erased: they are left, and it is worth looking again soon.
    pub is_any_held: bool,
}

/// How many links of an organisation stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To be sent, or being sent.
    pub pending: i64,
    /// Shown by Google at the latest revision.
    pub synced: i64,
    /// Refused for good.
    pub error: i64,
    /// Never sent, though they are not over yet and an event should stand.
    pub unsent: i64,
    /// Not over yet, with an event.
    pub upcoming_events: i64,
    /// To be sent by the catch-up that is under way.
    pub catching_up: i64,
    /// Refused for good in the latest catch-up.
    pub catch_up_failed: i64,
    /// To be made pending yet by the catch-up that is under way: it has not reached them. One, at the least, as long as
    /// it may find any.
    pub unreached: i64,
    /// When the first of those that Google was away for is tried again.
    pub unavailable_until: Option<Timestamp>,
    /// When the first of those that wait for a key of the keyring is tried again.
    pub unopened_until: Option<Timestamp>,
}

impl Store {
    /// The link of one appointment.
    pub async fn link(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Link>, Error> {
        let (organisation, appointment) = (organisation.clone(), appointment.clone());
        query!(self, read, links::link(&organisation, &appointment))
    }

    /// The links of those of `appointments` that are known, by appointment id. A few hundred at once.
    pub async fn some_links(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<Vec<Link>, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.to_vec());
        query!(self, read, links::some(&organisation, &appointments))
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

    /// The highest accepted revision of each of these appointments that is known, and reads.
    pub async fn revisions(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<HashMap<AppointmentId, Revision>, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.to_vec());
        query!(self, read, links::revisions(&organisation, &appointments))
    }

    /// How many links of `organisation` stand how.
    pub async fn counts(&self, organisation: &OrganisationId, now: Timestamp) -> Result<Counts, Error> {
        let organisation = organisation.clone();
        query!(self, read, links::counts(&organisation, now))
    }

    /// Erases the snapshots of appointments that were over before `over_before`. What waits to be sent, is leased or has an
    /// event that is owed is never touched; what another query is changing at that moment is left, and told. What was
    /// refused rests then: it cannot be sent again.
    pub async fn erase_snapshots(&self, over_before: Timestamp, now: Timestamp) -> Result<ErasedSnapshots, Error> {
        query!(self, long, links::erase_snapshots(over_before, now))
    }
}
