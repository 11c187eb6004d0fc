//! The integrations of all organisations: what the settings pages show and change.
//!
//! Owns the status and who watches it, the list of all and what is wrong with them, the settings, and the end of a
//! connection. Never opens a token: `Grants` does. Invariant: what a watcher was told last is what a reader finds, as
//! soon as changes rest.

mod calendar_lists;
mod disconnect;
mod erasure;
mod overview;
mod problems;
mod settings;
mod status;
mod watches;

use super::{Error, Grants};
use crate::clock::Clock;
use crate::model::OrganisationId;
use crate::notifier::Notifier;
use crate::store::{Integration, Store};

use calendar_lists::CalendarLists;
pub use disconnect::Disconnected;
pub use erasure::Erasure;
pub use overview::{Overview, OverviewFilter, list};
pub use problems::ProblemNotice;
pub use settings::{CalendarList, OfferedCalendar, SettingsRequest};
pub use status::{Progress, State, Status};
use watches::Watches;

/// The integrations. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Integrations {
    store: Store,
    grants: Grants,
    clock: Clock,
    notifier: Notifier,
    watches: Watches,
    calendar_lists: CalendarLists,
}

impl Integrations {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(store: Store, grants: Grants, clock: Clock, notifier: Notifier) -> Self {
        let (watches, calendar_lists) = (Watches::default(), CalendarLists::default());
        Self { store, grants, clock, notifier, watches, calendar_lists }
    }

    /// The integration, if an account is connected.
    async fn connected(&self, organisation: &OrganisationId) -> Result<Integration, Error> {
        let integration = self.store.integration(organisation).await?;
        integration.filter(Integration::is_connected).ok_or(Error::NotConnected)
    }

    /// The status; an organisation never seen is not connected.
    pub async fn status(&self, organisation: &OrganisationId) -> Result<Status, Error> {
        let now = self.clock.now();
        let parts = self.store.status_parts(organisation, now).await?;
        if let Some(column) = parts.integration.as_ref().and_then(|integration| integration.misread) {
            tracing::error!(organisation.id = %organisation, column, "a stored instant of an integration does not read");
        }
        Ok(Status::of(parts, now))
    }

    /// Notes and tells which integrations are connected and do not say to what.
    pub async fn note_incomplete(&self) -> Result<(), Error> {
        Ok(self.grants.note_incomplete().await?)
    }

    /// Seals the calendars of organisations that are not connected, as the end of a disconnect does.
    pub async fn seal_calendars(&self) -> Result<(), Error> {
        self.grants.seal_all_calendars().await
    }
}
