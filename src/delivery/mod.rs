//! Appointments on their way to Google.
//!
//! Owns the accepts, the catch-up, the worker that brings each link in step, and whose turn it is. Never decides what to
//! call (that is `sync`), never speaks gRPC.
//!
//! Invariant: what was accepted is durable before the answer, and stays due until Google shows it, refuses it for good,
//! or a person has to act.

mod accept_batcher;
mod attempt;
mod snapshot;
mod throttle_counter;
mod turns;
mod worker;

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::{Clock, Entropy};
use crate::connection::{Connections, Error};
use crate::crypto::Keyring;
use crate::google::Google;
use crate::model::{Appointment, AppointmentId, OrganisationId, Problem, Reason, Revision, SyncStatus};
use crate::notifier::Notifier;
use crate::quota::Quota;
use crate::store::{Acceptance, CatchUp, Integration, Store};
pub use crate::store::{Link, LinkError, Retry};
pub use worker::Worker;

/// Accepts appointments and tells of their links. A clone is another handle.
#[derive(Clone)]
pub struct Delivery(Arc<Parts>);

struct Parts {
    store: Store,
    google: Google,
    connections: Connections,
    keyring: Arc<Keyring>,
    clock: Clock,
    entropy: Entropy,
    notifier: Notifier,
    quota: Arc<Quota>,
    accept_batcher: accept_batcher::AcceptBatcher,
    throttle_counter: throttle_counter::ThrottleCounter,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

impl Delivery {
    /// Puts the parts together and starts the batcher; the worker is started by [`Worker::run`].
    #[expect(clippy::too_many_arguments, reason = "the composition root names each part once")]
    pub fn new(
        store: Store,
        google: Google,
        connections: Connections,
        keyring: Arc<Keyring>,
        clock: Clock,
        entropy: Entropy,
        notifier: Notifier,
        quota: Arc<Quota>,
    ) -> Self {
        let accept_batcher = accept_batcher::AcceptBatcher::start(store.clone(), clock.clone());
        let throttle_counter = throttle_counter::ThrottleCounter::default();
        Self(Arc::new(Parts {
            store,
            google,
            connections,
            keyring,
            clock,
            entropy,
            notifier,
            quota,
            accept_batcher,
            throttle_counter,
        }))
    }

    /// Accepts an appointment durably, and answers its link; with `wait`, once Google has it or the time is up.
    pub async fn accept(
        &self,
        organisation: &OrganisationId,
        appointment: Appointment,
        wait: Option<SignedDuration>,
    ) -> Result<Link, Error> {
        let parts = &*self.0;
        // Listening begins before the accept, so that no settle falls between.
        let listener = wait.map(|wait| (parts.notifier.listen_changed(organisation), parts.clock.now() + wait));
        let acceptance = Acceptance {
            organisation: organisation.clone(),
            appointment: appointment.id.clone(),
            revision: appointment.revision,
            snapshot: snapshot::seal(&parts.keyring, &parts.entropy, organisation, &appointment),
            starts_at: appointment.slot.as_ref().map(|slot| slot.start_at),
            ends_at: appointment.slot.as_ref().map(|slot| slot.end_at),
        };
        let mut link = parts.accept_batcher.accept(acceptance).await?;
        parts.notifier.notify_changed(organisation);
        if link.sync_status == SyncStatus::Pending {
            parts.notifier.notify_due();
        }
        let Some((mut listener, deadline)) = listener else { return Ok(link) };
        let mut is_over = false;
        while link.sync_status == SyncStatus::Pending && !is_over {
            let standstill = self.standstill(organisation).await?;
            if standstill.is_some_and(|problem| problem.retry_at.is_none_or(|retry_at| retry_at > deadline)) {
                // Nothing is sent before the time is up: there is nothing to wait for.
                break;
            }
            tokio::select! {
                () = listener.changed() => {}
                () = parts.clock.sleep_until(deadline) => is_over = true,
            }
            // At the end too: what a claim has written since then is told by no notifier.
            if let Some(now) = parts.store.link(organisation, &appointment.id).await? {
                link = now;
            }
        }
        self.explain(organisation, std::slice::from_mut(&mut link)).await?;
        Ok(link)
    }

    /// The link of one appointment.
    pub async fn link(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Link>, Error> {
        let mut link = self.0.store.link(organisation, appointment).await?;
        self.explain(organisation, link.as_mut_slice()).await?;
        Ok(link)
    }

    /// Up to `limit` links by appointment id, those after `after`.
    pub async fn links(
        &self,
        organisation: &OrganisationId,
        status: Option<SyncStatus>,
        after: Option<&AppointmentId>,
        limit: i64,
    ) -> Result<Vec<Link>, Error> {
        let mut links = self.0.store.links(organisation, status, after, limit).await?;
        self.explain(organisation, &mut links).await?;
        Ok(links)
    }

    /// Why nothing of this organisation is sent at present, and until when.
    async fn standstill(&self, organisation: &OrganisationId) -> Result<Option<Problem>, Error> {
        let integration = self.0.store.integration(organisation).await?.filter(Integration::is_connected);
        let now = self.0.clock.now();
        let problem = integration.and_then(|integration| integration.problem);
        Ok(problem.filter(|problem| problem.retry_at.is_none_or(|retry_at| retry_at > now)))
    }

    /// Tells of links that wait for their integration why they wait, and that they are not due before it is well.
    async fn explain(&self, organisation: &OrganisationId, links: &mut [Link]) -> Result<(), Error> {
        if !links.iter().any(|link| link.sync_status == SyncStatus::Pending) {
            return Ok(());
        }
        if let Some(problem) = self.standstill(organisation).await? {
            for link in links.iter_mut().filter(|link| link.sync_status == SyncStatus::Pending) {
                link.last_error = Some(LinkError { reason: problem.reason, detail: None });
                link.next_attempt_at = problem.retry_at;
            }
        }
        Ok(())
    }

    /// Those of the given appointments that are unknown (`None`) or held at an older revision, in the order given.
    pub async fn missing_or_stale(
        &self,
        organisation: &OrganisationId,
        held: &[(AppointmentId, Revision)],
    ) -> Result<Vec<(AppointmentId, Option<Revision>)>, Error> {
        let ids: Vec<_> = held.iter().map(|(id, _)| id.clone()).collect();
        let known = self.0.store.revisions(organisation, &ids).await?;
        let missing_or_stale = held.iter().filter_map(|(id, revision)| match known.get(id) {
            Some(known) if known >= revision => None,
            known => Some((id.clone(), known.copied())),
        });
        Ok(missing_or_stale.collect())
    }

    /// Tries links again that are refused or wait: those named, or all that are refused.
    pub async fn retry(
        &self,
        organisation: &OrganisationId,
        appointments: Option<&[AppointmentId]>,
    ) -> Result<Retry, Error> {
        let retry = self.0.store.retry(organisation, appointments, self.0.clock.now()).await?;
        self.0.notifier.notify_changed(organisation);
        self.0.notifier.notify_due();
        Ok(retry)
    }

    /// Catches up, and answers how many links it queued; 0 where a catch-up is under way, or nothing may be sent.
    pub async fn sync_now(&self, organisation: &OrganisationId) -> Result<i32, Error> {
        let integration = self.0.store.integration(organisation).await?.filter(Integration::is_connected);
        let integration = integration.ok_or(Error::NotConnected)?;
        match integration.problem.map(|problem| problem.reason) {
            Some(Reason::ReconnectRequired) => return Err(Error::ReconnectRequired),
            Some(Reason::CalendarUnavailable) => return Err(Error::CalendarUnavailable),
            Some(
                Reason::NotConnected
                | Reason::GoogleUnavailable
                | Reason::GoogleThrottled
                | Reason::EventRefused
                | Reason::GoogleMisconfigured,
            )
            | None => {}
        }
        if !integration.is_enabled {
            return Ok(0);
        }
        let queued = match self.0.store.catch_up(organisation, self.0.clock.now()).await? {
            CatchUp::AlreadyRunning => 0,
            CatchUp::Queued(count) => count,
        };
        self.0.notifier.notify_changed(organisation);
        self.0.notifier.notify_due();
        Ok(queued)
    }
}
