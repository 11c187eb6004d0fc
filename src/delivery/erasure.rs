//! The erasure of appointments: here at once, at Google by the worker.
//!
//! Owns how long its caller waits, and what it is told. Never deletes an event itself. Invariant: what was erased is told to
//! nobody any more, from the first answer on.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Delivery, Error};
use crate::model::{AccountSearch, AppointmentId, Change, OrganisationId};
use crate::store::{ErasureLeft, Integration};

/// How long a caller waits for the end.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// How long a look may be off.
const POLL: SignedDuration = SignedDuration::from_secs(1);

/// How far the erasure of some appointments is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// How many of them were known before this call.
    pub known: i64,
    /// Whether nothing is left of any of them, here and at Google.
    pub is_done: bool,
    /// How many events are still to be deleted at Google.
    pub remaining_events: i64,
    /// How much of the account was searched for events that a person has moved; `None`: it was not, or it is not done.
    pub search: Option<AccountSearch>,
}

impl Delivery {
    /// Erases appointments, and answers once that is done, or what stands after ten seconds or while nothing can be deleted.
    /// Idempotent; it goes on by itself.
    pub async fn erase_appointments(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<Erased, Error> {
        let inner = &*self.0;
        let known = inner.store.erase_appointments(organisation, appointments, inner.clock.now()).await?;
        inner.notifier.notify(&Change::Links(organisation.clone()));
        inner.notifier.notify_due();
        inner.notifier.notify_listing();
        let waited = inner.clock.within(LONGEST_CALL, self.until_erased(organisation, appointments)).await;
        let left = match waited {
            Some(left) => left?,
            None => inner.store.erasure_left(organisation, Some(appointments)).await?,
        };
        inner.store.truncate_log().await?;
        let is_done = left.is_none();
        let integration = inner.store.integration(organisation).await?.filter(|_| is_done);
        let search = integration.and_then(|it| it.last_search);
        Ok(Erased { known, is_done, remaining_events: left.events, search })
    }

    async fn until_erased(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<ErasureLeft, Error> {
        let inner = &*self.0;
        loop {
            let mut listener = inner.notifier.listen(organisation);
            let left = inner.store.erasure_left(organisation, Some(appointments)).await?;
            let integration = inner.store.integration(organisation).await?;
            let is_served = |it: &Integration| it.is_erasure_served() && it.problem.is_none();
            let is_waited_for = left.events > left.parked || left.unsearched > 0;
            if left.is_none() || !is_waited_for || !integration.as_ref().is_some_and(is_served) {
                return Ok(left);
            }
            tokio::select! {
                biased;
                () = listener.changed() => {}
                () = inner.clock.sleep(POLL) => {}
            }
        }
    }
}
