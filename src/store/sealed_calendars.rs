//! Calendars of organisations that are not connected: the id of a primary calendar is an address.
//!
//! Once an account is disconnected, an alias takes the place of each calendar in the integration, its links and what is
//! owed, and the calendar's id and name are kept sealed. The next connection puts them back, so that it finds what was
//! kept and what is owed.
//!
//! Owns which calendars can still be read, and which are sealed. Never seals or opens one: its callers do. Invariant:
//! no alias takes the place of a calendar while an account is connected.

use jiff::Timestamp;

use super::{Error, Guarded, Store};
use crate::crypto::Sealed;
use crate::model::{CalendarId, OrganisationId};

/// A calendar that an alias stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCalendar {
    /// What stands in the place of the calendar's id.
    pub alias: CalendarId,
    /// Its id and name, sealed.
    pub calendar: Sealed,
}

/// A calendar that is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCalendar {
    /// What stood for it.
    pub alias: CalendarId,
    /// The calendar's id at Google.
    pub id: CalendarId,
    /// Its name, empty if unknown.
    pub name: String,
}

impl Store {
    /// Some of the organisations that are not connected, and of which a calendar can be read still.
    pub async fn with_readable_calendars(&self) -> Result<Vec<OrganisationId>, Error> {
        query!(self, read, sealed_calendars::organisations())
    }

    /// The calendars of an organisation that can be read, with their names: the target's is known, the others' are empty.
    pub async fn readable_calendars(&self, organisation: &OrganisationId) -> Result<Vec<(CalendarId, String)>, Error> {
        let organisation = organisation.clone();
        query!(self, read, sealed_calendars::readable(&organisation))
    }

    /// Puts an alias in the place of each of these calendars. Fenced where an account is connected.
    pub async fn seal_calendars(
        &self,
        organisation: &OrganisationId,
        calendars: Vec<(CalendarId, SealedCalendar)>,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, long, sealed_calendars::seal(&organisation, &calendars, now))
    }

    /// The sealed calendars of an organisation.
    pub async fn sealed_calendars(&self, organisation: &OrganisationId) -> Result<Vec<SealedCalendar>, Error> {
        let organisation = organisation.clone();
        query!(self, read, sealed_calendars::sealed(&organisation))
    }
}
