//! Erasures: of some appointments, and of everything of an organisation.
//!
//! Owns what of an erasure is still to be done, and which erasures go on by themselves. Never deletes an event: what
//! stands at Google is owed first, and the worker deletes it.
//!
//! Invariant: the link of an appointment that is being erased keeps no snapshot, and its row stays until nothing of it
//! is owed, no search for its event is to come, and nobody holds it: whatever call is under way for it has ended by
//! then. The link is told to nobody meanwhile.

use jiff::Timestamp;

use super::{Error, Store};
use crate::model::{AppointmentId, OrganisationId};

/// What of an erasure is still to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureLeft {
    /// How many appointments are still there.
    pub appointments: i64,
    /// How many events are still to be deleted at Google.
    pub events: i64,
    /// How many of them are parked, or belong to an account that is not connected: a person has to act first.
    pub parked: i64,
    /// How many of the appointments owe nothing any more, and wait for the account to be searched for their events.
    pub unsearched: i64,
}

impl ErasureLeft {
    /// Whether nothing is left.
    pub fn is_none(&self) -> bool {
        self.appointments == 0 && self.events == 0
    }
}

impl Store {
    /// Erases appointments (a few hundred): what is known of them at once, their events as soon as Google lets. Answers how
    /// many were known.
    pub async fn erase_appointments(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
        now: Timestamp,
    ) -> Result<i64, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.to_vec());
        query!(self, long, erasures::appointments(&organisation, &appointments, now))
    }

    /// Erases the appointments of an organisation that were accepted before that; answers how many were known.
    pub async fn erase_accepted_before(
        &self,
        organisation: &OrganisationId,
        accepted_before: Timestamp,
        now: Timestamp,
    ) -> Result<i64, Error> {
        let organisation = organisation.clone();
        query!(self, long, erasures::accepted_before(&organisation, accepted_before, now))
    }

    /// What is left of the erasure of these appointments; of an organisation, where none are named.
    pub async fn erasure_left(
        &self,
        organisation: &OrganisationId,
        appointments: Option<&[AppointmentId]>,
    ) -> Result<ErasureLeft, Error> {
        let (organisation, appointments) = (organisation.clone(), appointments.map(<[_]>::to_vec));
        query!(self, read, erasures::left(&organisation, appointments.as_deref()))
    }

    /// Erases the rest of an organisation that is not connected any more, and answers whether nothing is left. Events that
    /// could not be deleted hold it up, unless they are left where they are; so do grants that nobody keeps.
    pub async fn finish_erasure(
        &self,
        organisation: &OrganisationId,
        leaves_events: bool,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let organisation = organisation.clone();
        query!(self, long, erasures::finish(&organisation, leaves_events, now))
    }

    /// Goes on with the erasures of up to a hundred organisations that wait for nobody but us; answers of how many something
    /// was erased, or a search was asked for.
    pub async fn go_on_erasing(&self, now: Timestamp) -> Result<usize, Error> {
        let mut erased = 0;
        for organisation in query!(self, read, erasures::under_way())? {
            erased += usize::from(query!(self, long, erasures::go_on(&organisation, now))?);
        }
        Ok(erased)
    }
}
