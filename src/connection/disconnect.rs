//! The end of a connection: nothing more is claimed, late workers are fenced, events go if asked, the grant is revoked, the tokens
//! are erased. It succeeds with a dead grant and with Google away.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use parking_lot::Mutex;

use super::{Connections, Error};
use crate::crypto::{ExposeSecret, Sealed, Secret};
use crate::error_chain::error_chain;
use crate::model::{AppointmentId, CalendarId, GoogleUserId, OrganisationId, Place, Placement, RemoteEvents};
use crate::store::{Integration, Link};
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

/// One disconnect of an organisation at a time.
#[derive(Debug, Default)]
pub(super) struct Disconnects(Mutex<HashMap<OrganisationId, Turn>>);

impl Disconnects {
    fn turn(&self, organisation: &OrganisationId) -> Turn {
        self.0.lock().entry(organisation.clone()).or_default().clone()
    }
}

impl Connections {
    /// Disconnects. Idempotent; a caller that goes away does not break it off.
    pub async fn disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        let (connections, organisation) = (self.clone(), organisation.clone());
        let run = tokio::spawn(async move { connections.run_disconnect(&organisation, remote_events).await });
        match run.await {
            Ok(outcome) => outcome,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    /// Finishes the disconnects that a crash broke off; their events stay.
    pub async fn resume_disconnects(&self) -> Result<(), Error> {
        for organisation in self.0.store.unfinished_disconnects().await? {
            self.disconnect(&organisation, RemoteEvents::Keep).await?;
        }
        Ok(())
    }

    async fn run_disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        let turn = self.0.disconnects.turn(organisation);
        let _turn = turn.lock().await;
        self.0.store.cancel_consents(organisation).await?;
        let begun = self.0.store.begin_disconnect(organisation, self.0.clock.now()).await?;
        let Some(integration) = begun else { return Ok(Disconnected::default()) };
        self.0.tokens.forget(organisation);
        self.0.notifier.notify_changed(organisation);
        self.wait_for_calls(organisation).await?;
        let outcome = match remote_events {
            RemoteEvents::Keep => Disconnected::default(),
            RemoteEvents::DeleteUpcoming => self.delete_upcoming(&integration).await?,
        };
        if let (Some(google_user_id), Some(refresh_token)) = (&integration.google_user_id, &integration.refresh_token) {
            self.revoke(organisation, google_user_id, refresh_token).await?;
        }
        self.0.store.finish_disconnect(organisation, integration.epoch, self.0.clock.now()).await?;
        tracing::info!(
            organisation.id = %organisation,
            deleted_events = outcome.deleted_events,
            remaining_events = outcome.remaining_events,
            "a Google account is disconnected"
        );
        self.0.notifier.notify_changed(organisation);
        Ok(outcome)
    }

    /// Waits until no call to Google is under way; a worker that died holds its lease until it lapses.
    async fn wait_for_calls(&self, organisation: &OrganisationId) -> Result<(), Error> {
        loop {
            let mut listener = self.0.notifier.listen_changed(organisation);
            let now = self.0.clock.now();
            if self.0.store.live_leases(organisation, now).await? == 0 {
                return Ok(());
            }
            tokio::select! {
                () = listener.changed() => {}
                () = self.0.clock.sleep_until(now + SignedDuration::from_secs(1)) => {}
            }
        }
    }

    /// Revokes a grant at Google, unless another organisation needs it. What fails is logged and holds nothing up.
    pub(super) async fn revoke(
        &self,
        organisation: &OrganisationId,
        google_user_id: &GoogleUserId,
        refresh_token: &Sealed,
    ) -> Result<(), Error> {
        if self.0.store.others_share(google_user_id, organisation).await? {
            return Ok(());
        }
        let token = match self.open(organisation, "refresh_token", refresh_token) {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(
                    organisation.id = %organisation, error = %error_chain(&error),
                    "a grant could not be revoked"
                );
                return Ok(());
            }
        };
        if let Err(error) = self.0.google.revoke(&token).await {
            tracing::warn!(
                organisation.id = %organisation, error = %error_chain(&error),
                "a grant could not be revoked; it ends by itself, or in the account's own settings"
            );
        }
        Ok(())
    }

    async fn delete_upcoming(&self, integration: &Integration) -> Result<Disconnected, Error> {
        let organisation = &integration.organisation;
        let mut outcome = Disconnected::default();
        let token = self.last_access_token(integration).await;
        let mut failures = 0;
        let mut after = None;
        loop {
            let now = self.0.clock.now();
            let page = self.0.store.upcoming_placed(organisation, now, after.as_ref(), PAGE).await?;
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
                    let now = self.0.clock.now();
                    self.0.store.forget_placement(organisation, &appointment, integration.epoch, now).await?;
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

    /// An access token for the last calls. The integration is fenced already, so it is not stored any more.
    async fn last_access_token(&self, integration: &Integration) -> Option<Secret> {
        let organisation = &integration.organisation;
        let is_fresh =
            integration.token_expires_at.is_some_and(|at| at > self.0.clock.now() + SignedDuration::from_mins(2));
        if let Some(sealed) = integration.access_token.as_ref().filter(|_| is_fresh) {
            return self.open(organisation, "access_token", sealed).ok();
        }
        let refresh_token = self.open(organisation, "refresh_token", integration.refresh_token.as_ref()?).ok()?;
        let refreshed = self.0.google.refresh(&refresh_token).await.ok()?;
        Some(refreshed.access_token.expose_secret().into())
    }

    /// Deletes a link's event wherever it may stand; answers whether it is gone.
    async fn delete_event(&self, token: &Secret, account: &GoogleUserId, link: Link) -> (AppointmentId, bool) {
        for place in places(&link.placement) {
            self.0.quota.take(account, 1).await;
            let answer = self.0.google.call(token, &Call::Delete { place, etag: None }).await;
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
