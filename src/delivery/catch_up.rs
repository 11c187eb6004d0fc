//! The catch-up that a person asks for.
//!
//! Owns when one may begin. Never sends anything: it makes links due, and the worker sends them. Invariant: where a
//! problem lasts until a person acts, and is not tried again by itself, nothing is queued.

use super::{Delivery, Error};
use crate::model::{Change, OrganisationId, Reason};
use crate::store::Integration;

impl Delivery {
    /// Catches up, and answers how many links it queued: those that were not due already. They join the catch-up that is
    /// under way. 0 where nothing may be sent. What is in step is compared with Google: that goes on after the answer.
    ///
    /// A problem that is tried again by itself is tried again now, unless Google asked to wait. A target that was out of
    /// reach is asked first: while it is, nothing is queued.
    pub async fn sync_now(&self, organisation: &OrganisationId) -> Result<i32, Error> {
        let integration = self.0.store.integration(organisation).await?.filter(Integration::is_connected);
        let integration = integration.ok_or(Error::NotConnected)?;
        match integration.problem.as_ref().map(|problem| problem.reason) {
            Some(Reason::ReconnectRequired) => return Err(Error::ReconnectRequired),
            Some(Reason::CalendarUnavailable) if !self.0.is_target_open(&integration).await? => {
                return Err(Error::CalendarUnavailable);
            }
            Some(
                Reason::NotConnected
                | Reason::CalendarUnavailable
                | Reason::GoogleUnavailable
                | Reason::GoogleThrottled
                | Reason::EventRefused
                | Reason::GoogleMisconfigured
                | Reason::AccountUnavailable
                | Reason::KeyringIncomplete
                | Reason::Internal,
            )
            | None => {}
        }
        if !integration.is_enabled {
            return Ok(0);
        }
        let queued = self.0.store.catch_up(organisation, self.0.clock.now()).await?;
        self.0.store.ask_comparison(organisation, self.0.clock.now()).await?;
        self.0.notifier.notify(&Change::Links(organisation.clone()));
        self.0.notifier.notify_due();
        self.0.notifier.notify_listing();
        Ok(queued)
    }
}
