//! What a comparison reads: where events may stand, and the links that they are held against.
//!
//! Owns what is told of a link that is compared. Never changes anything. Invariant: what is owed is told whichever account
//! wrote it, but where one is named.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, CalendarId, EventId, GoogleUserId, OrganisationId, Placement, Revision, SyncStatus};

/// A link, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedLink {
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// The highest revision that was accepted; `None`: it does not read.
    pub revision: Option<Revision>,
    /// How it stands.
    pub sync_status: SyncStatus,
    /// Where its event stands.
    pub placement: Placement,
    /// The appointment, sealed; `None` once it was erased.
    pub snapshot: Option<Sealed>,
    /// When the appointment ends; `None`: it was never said.
    pub ends_at: Option<Timestamp>,
    /// When the link was last changed.
    pub updated_at: Timestamp,
    /// Until when a worker holds it; `None`: none does.
    pub lease_until: Option<Timestamp>,
}

impl Store {
    /// Where events may stand: the calendars of the links of upcoming appointments, and of what is owed, whichever account
    /// wrote it.
    pub async fn compared_calendars(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Vec<CalendarId>, Error> {
        let organisation = organisation.clone();
        query!(self, read, compared::calendars(&organisation, None, now))
    }

    /// The same, of what is owed in `account` alone: the calendars of another one say nothing of it.
    pub async fn searched_calendars(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        now: Timestamp,
    ) -> Result<Vec<CalendarId>, Error> {
        let (organisation, account) = (organisation.clone(), account.clone());
        query!(self, read, compared::calendars(&organisation, Some(&account), now))
    }

    /// The events whose deletion is owed, whichever account wrote them.
    pub async fn owed_events(&self, organisation: &OrganisationId) -> Result<HashSet<(CalendarId, EventId)>, Error> {
        let organisation = organisation.clone();
        query!(self, read, compared::owed_events(&organisation))
    }

    /// Up to `limit` links of appointments that are not over at `now`, by appointment id, those after `after`.
    pub async fn upcoming_links(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
        after: Option<&AppointmentId>,
        limit: i64,
    ) -> Result<Vec<ComparedLink>, Error> {
        let (organisation, after) = (organisation.clone(), after.cloned());
        query!(self, read, compared::upcoming(&organisation, now, after.as_ref(), limit))
    }

    /// The links of these appointments, which have them.
    pub async fn links_of(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<Vec<ComparedLink>, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.to_vec());
        query!(self, read, compared::links_of(&organisation, &appointments))
    }
}
