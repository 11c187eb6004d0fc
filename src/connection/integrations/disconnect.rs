//! The end of a connection: a state that is begun by a call and carried on by the worker, until somebody ends it.
//!
//! Owns who ends it, and how long a caller waits for that. Never deletes an event: what is to be deleted is owed, and the
//! worker deletes it under lease and quota; what a person has moved is searched for before the end, and owed then. Never
//! fails because of Google: a dead grant, or a Google that is away for a day, leaves events that are told as remaining,
//! whether a disconnect owes them, an erasure, or any other cause.
//!
//! Invariant: no write is under way when the grant is revoked, and one process alone revokes it. A question that was asked
//! before (a list of calendars, a page of a comparison) may still be answered; nothing follows from its answer.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Integrations;
use crate::connection::Error;
use crate::error_chain::error_chain;
use crate::model::{AccountSearch, Change, GrantEnd, OrganisationId, RemoteEvents};
use crate::notifier::Listener;
use crate::store::{DisconnectStep, Integration, Revocation};

/// How long a caller waits for the end.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// How long the one that ends a disconnect may take, before another one does it. It outlives the call that revokes.
const FINISHING: SignedDuration = SignedDuration::from_secs(30);
/// How long a caller's look may be off: what lapses, and what another process does, is found by then.
const CALLER_POLL: SignedDuration = SignedDuration::from_secs(1);
/// The same where nobody waits.
const POLL: SignedDuration = SignedDuration::from_secs(5);

/// What a disconnect has come to so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disconnected {
    /// How many events were deleted.
    pub deleted_events: i64,
    /// How many are still to be deleted, or could not be.
    pub remaining_events: i64,
    /// What became of the grant; `None`: it has not ended yet, or there was none.
    pub grant_end: Option<GrantEnd>,
    /// How much of the account was searched for events that a person has moved; `None`: it was not, or it has not ended
    /// yet.
    pub search: Option<AccountSearch>,
}

impl Integrations {
    /// Begins a disconnect, or changes what the one under way does with the events, and answers once it has ended, or what
    /// stands after ten seconds. Idempotent; a caller that goes away does not break it off, and neither does a restart.
    pub async fn disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        let begun = self.store.begin_disconnect(organisation, remote_events, self.clock.now()).await?;
        self.grants.forget(organisation);
        if begun.is_some() {
            self.notifier.notify(&Change::Integration(organisation.clone()));
            self.notifier.notify_due();
            // What is not at its end by then goes on without this caller.
            self.wait_a_while(organisation).await?;
        }
        let left = self.store.owed_left(organisation).await?;
        let now = self.store.integration(organisation).await?;
        let ended = now.as_ref().filter(|it| it.refresh_token.is_none());
        let (grant_end, search) = (ended.and_then(|it| it.grant_end), ended.and_then(|it| it.last_search));
        let taken = match begun {
            Some(_) => now.map_or(0, |it| i64::from(it.disconnect_total)),
            None => left.events,
        };
        let deleted_events = (taken - left.events).max(0);
        Ok(Disconnected { deleted_events, remaining_events: left.events + left.untaken, grant_end, search })
    }

    async fn wait_for_end(&self, organisation: &OrganisationId) -> Result<(), Error> {
        loop {
            let mut listener = self.notifier.listen(organisation);
            if self.advance_disconnect(organisation).await? {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = listener.changed() => {}
                () = self.clock.sleep(CALLER_POLL) => {}
            }
        }
    }

    /// Takes a disconnect as far as it goes, in a task of its own: a caller that goes away does not break it off. Answers
    /// whether it has ended.
    async fn advance_disconnect(&self, organisation: &OrganisationId) -> Result<bool, Error> {
        let span = tracing::error_span!("disconnect", organisation.id = %organisation);
        let (integrations, organisation) = (self.clone(), organisation.clone());
        let step = async move { integrations.disconnect_step(&organisation).await };
        match tokio::spawn(step.instrument(span)).await {
            Ok(outcome) => outcome,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    async fn disconnect_step(&self, organisation: &OrganisationId) -> Result<bool, Error> {
        let now = self.clock.now();
        match self.store.advance_disconnect(organisation, now + FINISHING, now).await? {
            DisconnectStep::Ended => Ok(true),
            DisconnectStep::Waiting => Ok(false),
            DisconnectStep::MoreOwed => {
                self.notifier.notify_due();
                Ok(false)
            }
            DisconnectStep::ToSearch => {
                self.notifier.notify_listing();
                Ok(false)
            }
            DisconnectStep::Finish(integration) => {
                self.end_disconnect(&integration).await?;
                Ok(true)
            }
        }
    }

    async fn end_disconnect(&self, integration: &Integration) -> Result<(), Error> {
        let organisation = &integration.organisation;
        loop {
            match self.grants.end(integration).await? {
                Revocation::Shared | Revocation::Leased => {
                    let left = self.store.owed_left(organisation).await?;
                    tracing::info!(remaining_events = left.events, "a Google account is disconnected");
                    break;
                }
                // This process was frozen for so long that another one has ended it.
                Revocation::Ended => break,
                Revocation::UnderWay => self.clock.sleep(CALLER_POLL).await,
            }
        }
        self.grants.forget(organisation);
        // Another account that waited for a person's word has ended with it.
        self.grants.end_unkept(Some(organisation)).await?;
        self.grants.seal_calendars(organisation).await?;
        self.store.truncate_log().await?;
        self.notifier.notify(&Change::Integration(organisation.clone()));
        Ok(())
    }

    /// Waits for the end of what is under way, as long as a caller waits.
    pub(super) async fn wait_a_while(&self, organisation: &OrganisationId) -> Result<(), Error> {
        self.clock.within(LONGEST_CALL, self.wait_for_end(organisation)).await.transpose()?;
        Ok(())
    }

    /// Goes on with disconnects, whether or not their caller still waits, until `stop`. Any number of processes may do so at a
    /// time.
    pub async fn finish_disconnects(&self, stop: CancellationToken) {
        let mut is_failing = false;
        while !stop.is_cancelled() {
            let listeners = match self.advance_disconnects().await {
                Ok(listeners) => {
                    is_failing = false;
                    listeners
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(error = %error_chain(&error), "disconnects under way cannot be looked after");
                    }
                    Vec::new()
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = any_changed(listeners) => {}
                () = self.clock.sleep(POLL) => {}
            }
        }
    }

    /// Takes every disconnect as far as it goes, and answers who is to be listened to.
    async fn advance_disconnects(&self) -> Result<Vec<Listener>, Error> {
        let mut listeners = Vec::new();
        for organisation in self.store.unfinished_disconnects().await? {
            let listener = self.notifier.listen(&organisation);
            if !self.advance_disconnect(&organisation).await? {
                listeners.push(listener);
            }
        }
        Ok(listeners)
    }
}

async fn any_changed(mut listeners: Vec<Listener>) {
    if listeners.is_empty() {
        return std::future::pending().await;
    }
    let changes = listeners.iter_mut().map(|listener| Box::pin(listener.changed()));
    futures_util::future::select_all(changes).await;
}
