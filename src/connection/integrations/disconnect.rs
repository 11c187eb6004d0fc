//! The end of a connection: nothing more is claimed, late workers are fenced, events go if asked, the grant is revoked,
//! the tokens are erased.
//!
//! Owns the order of these steps. Never fails because of Google: it succeeds with a dead grant and with Google away.
//! Invariant: no call of a worker is under way when the grant is revoked.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use parking_lot::Mutex;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::connection::{Error, Grants};
use crate::crypto::Secret;
use crate::google::Google;
use crate::model::{AppointmentId, CalendarId, GoogleUserId, OrganisationId, Place, Placement, RemoteEvents};
use crate::notifier::Notifier;
use crate::quota::Quota;
use crate::store::{Integration, Link, Revocation, Store};
use crate::sync::{Answer, Call};

/// How many events are deleted at the same time.
const MAX_CONCURRENT_DELETES: usize = 3;
/// How many deletions may fail in a row before Google counts as away, and the rest is left.
const MAX_FAILURES: u32 = 3;
/// How many links are read at a time.
const PAGE: i64 = 200;

/// What a disconnect came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disconnected {
    /// How many events were deleted.
    pub deleted_events: u32,
    /// How many were to be deleted and could not be.
    pub remaining_events: u32,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

/// The disconnects, one of an organisation at a time. A clone is another handle.
#[derive(Debug, Clone)]
pub(super) struct Disconnects {
    store: Store,
    google: Google,
    grants: Grants,
    clock: Clock,
    notifier: Notifier,
    quota: Arc<Quota>,
    turns: Arc<Mutex<HashMap<OrganisationId, Turn>>>,
}

impl Disconnects {
    pub(super) fn new(
        store: Store,
        google: Google,
        grants: Grants,
        clock: Clock,
        notifier: Notifier,
        quota: Arc<Quota>,
    ) -> Self {
        Self { store, google, grants, clock, notifier, quota, turns: Arc::default() }
    }

    /// Disconnects, in a task of its own: a caller that goes away does not break it off.
    pub(super) async fn run(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        let span = tracing::info_span!("disconnect", organisation.id = %organisation);
        let (disconnects, organisation) = (self.clone(), organisation.clone());
        let run = async move { disconnects.disconnect(&organisation, remote_events).await };
        match tokio::spawn(run.instrument(span)).await {
            Ok(outcome) => outcome,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    async fn disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        let turn = self.turns.lock().entry(organisation.clone()).or_default().clone();
        let _turn = turn.lock().await;
        self.store.cancel_consents(organisation).await?;
        let begun = self.store.begin_disconnect(organisation, self.clock.now()).await?;
        let Some(integration) = begun else { return Ok(Disconnected::default()) };
        self.grants.forget(organisation);
        self.notifier.notify_changed(organisation);
        self.wait_for_calls(organisation).await?;
        let outcome = match remote_events {
            RemoteEvents::Keep => Disconnected::default(),
            RemoteEvents::DeleteUpcoming => self.delete_upcoming(&integration).await?,
        };
        while self.grants.end(&integration).await? == Revocation::UnderWay {
            self.clock.sleep_until(self.clock.now() + SignedDuration::from_secs(1)).await;
        }
        tracing::info!(
            deleted_events = outcome.deleted_events,
            remaining_events = outcome.remaining_events,
            "a Google account is disconnected"
        );
        self.notifier.notify_changed(organisation);
        Ok(outcome)
    }

    /// Waits until no call to Google is under way; a worker that died holds its lease until it lapses.
    async fn wait_for_calls(&self, organisation: &OrganisationId) -> Result<(), Error> {
        loop {
            let mut listener = self.notifier.listen_changed(organisation);
            let now = self.clock.now();
            if self.store.live_leases(organisation, now).await? == 0 {
                return Ok(());
            }
            tokio::select! {
                () = listener.changed() => {}
                () = self.clock.sleep_until(now + SignedDuration::from_secs(1)) => {}
            }
        }
    }

    async fn delete_upcoming(&self, integration: &Integration) -> Result<Disconnected, Error> {
        let organisation = &integration.organisation;
        let mut outcome = Disconnected::default();
        let token = self.grants.last_access_token(integration).await;
        let mut failures = 0;
        let mut after = None;
        loop {
            let now = self.clock.now();
            let page = self.store.upcoming_placed(organisation, now, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(outcome) };
            after = Some(last.appointment.clone());
            let (token, account) = match (&token, &integration.google_user_id) {
                (Some(token), Some(account)) if failures < MAX_FAILURES => (token, account),
                _ => {
                    outcome.remaining_events += u32::try_from(page.len()).unwrap_or(u32::MAX);
                    continue;
                }
            };
            // Whoever asks a Google that is away for each event waits for hours.
            let is_away = AtomicBool::new(false);
            let delete = async |link: Link| match is_away.load(Ordering::Relaxed) {
                false => self.delete_event(token, account, link).await,
                true => (link.appointment, false),
            };
            let mut deletions = stream::iter(page).map(delete).buffer_unordered(MAX_CONCURRENT_DELETES);
            while let Some((appointment, is_deleted)) = deletions.next().await {
                if is_deleted {
                    let now = self.clock.now();
                    // Fenced: the organisation has connected anew, and the next attempt finds that the event is gone.
                    let _ = self.store.forget_placement(organisation, &appointment, integration.epoch, now).await?;
                    outcome.deleted_events += 1;
                    failures = 0;
                } else {
                    outcome.remaining_events += 1;
                    failures += 1;
                }
                is_away.store(failures >= MAX_FAILURES, Ordering::Relaxed);
            }
        }
    }

    /// Deletes a link's event wherever it may stand; answers whether it is gone.
    async fn delete_event(&self, token: &Secret, account: &GoogleUserId, link: Link) -> (AppointmentId, bool) {
        for place in places(&link.placement) {
            let _permit = self.quota.take(account, 1).await;
            let answer = self.google.call(token, &Call::Delete { place, etag: None }).await;
            if !matches!(answer, Answer::Deleted | Answer::Gone | Answer::NotFound) {
                return (link.appointment, false);
            }
        }
        (link.appointment, true)
    }
}

/// Everywhere that the event may stand.
fn places(placement: &Placement) -> Vec<Place> {
    let elsewhere = |from: &CalendarId, place: &Place| Place { calendar: from.clone(), ..place.clone() };
    match placement {
        Placement::Absent { .. } => Vec::new(),
        Placement::Reserved(place) | Placement::Written { place, .. } => vec![place.clone()],
        Placement::Moving { place, from, .. } => vec![place.clone(), elsewhere(from, place)],
    }
}
