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

use tokio_util::sync::CancellationToken;

use super::{Error, Grants};
use crate::clock::Clock;
use crate::model::{OrganisationId, RemoteEvents};
use crate::notifier::Notifier;
use crate::store::{Integration, Store};

use calendar_lists::CalendarLists;
pub use disconnect::Disconnected;
use disconnect::Disconnects;
pub use erasure::Erasure;
pub use overview::{Overview, OverviewFilter, list};
use problems::Listeners;
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
    disconnects: Disconnects,
    watches: Watches,
    calendar_lists: CalendarLists,
    listeners: Listeners,
}

impl Integrations {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(store: Store, grants: Grants, clock: Clock, notifier: Notifier) -> Self {
        let disconnects = Disconnects::new(store.clone(), grants.clone(), clock.clone(), notifier.clone());
        Self {
            store,
            grants,
            clock,
            notifier,
            disconnects,
            watches: Watches::default(),
            calendar_lists: CalendarLists::default(),
            listeners: Listeners::default(),
        }
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

    /// Disconnects, and answers once that has ended, or what stands after ten seconds. Idempotent; a caller that goes away
    /// does not break it off, and neither does a restart.
    pub async fn disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        self.disconnects.run(organisation, remote_events).await
    }

    /// Seals the calendars of organisations that are not connected, as the end of a disconnect does.
    pub async fn seal_calendars(&self) -> Result<(), Error> {
        self.grants.seal_all_calendars().await
    }

    /// Ends disconnects that nobody waits for any more, until `stop`.
    pub async fn finish_disconnects(&self, stop: CancellationToken) {
        self.disconnects.finish_all(stop).await;
    }
}
