//! The calendars of an organisation that is not connected: sealed at the end of a disconnect, opened for the next
//! connection.
//!
//! Owns the form in which a calendar is sealed. Never asks Google. Invariant: no address of an account that is disconnected
//! can be read in the database, and whoever connects again finds what was kept.

use serde::{Deserialize, Serialize};

use super::{Error, Grants};
use crate::crypto::{ExposeSecret as _, OpenError};
use crate::model::{CalendarId, OrganisationId};
use crate::store::{Guarded, OpenedCalendar, SealedCalendar};

/// What is sealed of a calendar.
#[derive(Serialize, Deserialize)]
struct ReadableCalendar {
    id: CalendarId,
    name: String,
}

impl Grants {
    /// Seals the calendars of an organisation that is not connected.
    pub(super) async fn seal_calendars(&self, organisation: &OrganisationId) -> Result<(), Error> {
        let readable = self.store.readable_calendars(organisation).await?;
        if readable.is_empty() {
            return Ok(());
        }
        let seal = |(id, name): (CalendarId, String)| {
            let alias = CalendarId::new(format!("{}{}", CalendarId::SEALED, self.secrets().random_token()));
            let readable = ReadableCalendar { id: id.clone(), name };
            let json = serde_json::to_string(&readable).expect("two texts are JSON");
            let calendar = self.secrets().seal_calendar(organisation, &alias, &json.into());
            (id, SealedCalendar { alias, calendar })
        };
        let sealed = readable.into_iter().map(seal).collect();
        match self.store.seal_calendars(organisation, sealed, self.clock.now()).await? {
            // An account was connected meanwhile.
            Guarded::Done | Guarded::Fenced => Ok(()),
        }
    }

    /// Seals the calendars of every organisation that is not connected.
    pub(super) async fn seal_all_calendars(&self) -> Result<(), Error> {
        for organisation in self.store.with_readable_calendars().await? {
            self.seal_calendars(&organisation).await?;
        }
        Ok(())
    }

    /// The calendars that are sealed of an organisation.
    pub(super) async fn opened_calendars(&self, organisation: &OrganisationId) -> Result<Vec<OpenedCalendar>, Error> {
        let open = |SealedCalendar { alias, calendar }| {
            let json = self.secrets().open_calendar(organisation, &alias, &calendar)?;
            let ReadableCalendar { id, name } =
                serde_json::from_str(json.expose_secret()).map_err(|_| OpenError::Unreadable)?;
            Ok(OpenedCalendar { alias, id, name })
        };
        let sealed = self.store.sealed_calendars(organisation).await?;
        sealed.into_iter().map(open).collect::<Result<_, _>>().map_err(Error::Sealed)
    }
}
