//! The erasure of an organisation: its appointments, its events at Google, its account, and then every row.
//!
//! Owns what its caller is told. Never deletes an event: what stands at Google is owed, and a disconnect deletes it.
//! Invariant: once it is done, no row of the organisation is left but the audit's.

use super::Integrations;
use crate::connection::Error;
use crate::model::{AccountSearch, Change, OrganisationId};

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Whether nothing is left.
    pub is_done: bool,
    /// How many events are still to be deleted, or could not be.
    pub remaining_events: i64,
    /// How much of the account was searched for events that a person has moved; `None`: it was not, or has not ended yet, or
    /// nothing is known of the organisation any more. What was searched in part is told here before it is done.
    pub search: Option<AccountSearch>,
}

impl Integrations {
    /// Erases an organisation, and answers once that is done, or what stands after ten seconds. Idempotent; it goes on by
    /// itself. Once the account is disconnected, `leaves_events` gives up what could not be deleted.
    pub async fn erase(&self, organisation: &OrganisationId, leaves_events: bool) -> Result<Erasure, Error> {
        self.store.begin_erasure(organisation, self.clock.now()).await?;
        self.grants.forget(organisation);
        self.notifier.notify(&Change::Integration(organisation.clone()));
        self.notifier.notify_due();
        self.wait_a_while(organisation).await?;
        let stands = self.store.integration(organisation).await?.filter(|it| it.refresh_token.is_none());
        let search = stands.and_then(|it| it.last_search);
        let is_done = self.store.finish_erasure(organisation, leaves_events, self.clock.now()).await?;
        let left = self.store.erasure_left(organisation, None).await?;
        self.store.truncate_log().await?;
        self.notifier.notify(&Change::Integration(organisation.clone()));
        if is_done {
            tracing::info!(organisation.id = %organisation, ?search, "an organisation is erased");
        }
        Ok(Erasure { is_done, remaining_events: left.events, search })
    }
}
