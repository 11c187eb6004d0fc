//! The worker: finds what is due, claims no more than it has room and quota for, and attempts it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attempt::LEASE;
use super::turns::Turns;
use super::{Delivery, Parts};
use crate::error_chain::error_chain;
use crate::model::OrganisationId;
use crate::quota::Scope;
use crate::store::{self, Wanted};

/// How many attempts are under way at a time, over all organisations.
const PLACES: usize = 64;
/// The longest time between two looks: what another process made due is found by then.
const POLL: SignedDuration = SignedDuration::from_secs(5);
/// How long the project's spent quota is left to grow again: what is claimed then is claimed together, not unit by unit.
const GATHER: SignedDuration = SignedDuration::from_millis(50);
/// How long attempts under way may take to end when the worker is stopped.
const DRAIN: SignedDuration = SignedDuration::from_secs(8);

/// Brings every due link in step with Google, as long as it runs.
#[derive(Debug)]
pub struct Worker {
    parts: Arc<Parts>,
    turns: Turns,
    attempts: JoinSet<()>,
    under_way: HashMap<Id, (OrganisationId, Uuid)>,
}

/// When to look for work again.
struct Next {
    at: Timestamp,
    /// Whether nothing could be claimed before, whatever becomes due.
    is_fixed: bool,
}

impl Worker {
    /// Runs until `stop`; then lets what is under way end, and gives back the leases of what did not.
    pub async fn run(delivery: Delivery, stop: CancellationToken) {
        let worker =
            Self { parts: delivery.0, turns: Turns::default(), attempts: JoinSet::new(), under_way: HashMap::new() };
        worker.work(stop).await;
    }

    async fn work(mut self, stop: CancellationToken) {
        let parts = self.parts.clone();
        let mut is_store_away = false;
        while !stop.is_cancelled() {
            // Listening begins before looking, so that nothing falls between.
            let notifier = parts.notifier.listen_due();
            let next = match self.round().await {
                Ok(next) => {
                    is_store_away = false;
                    next
                }
                Err(error) => {
                    // Once, not every second of an outage.
                    if !std::mem::replace(&mut is_store_away, true) {
                        tracing::warn!(error = %error_chain(&error), "the worker cannot look for work");
                    }
                    Next { at: parts.clock.now() + SignedDuration::from_secs(1), is_fixed: false }
                }
            };
            tokio::pin!(notifier);
            loop {
                tokio::select! {
                    () = &mut notifier, if !next.is_fixed => break,
                    () = parts.clock.sleep_until(next.at) => break,
                    Some(ended) = self.attempts.join_next_with_id() => {
                        self.ended(ended);
                        if !next.is_fixed {
                            break;
                        }
                    }
                    () = stop.cancelled() => break,
                }
            }
            while let Some(ended) = self.attempts.try_join_next_with_id() {
                self.ended(ended);
            }
        }
        self.drain().await;
    }

    /// Claims and starts what there is room for; answers when to look again.
    async fn round(&mut self) -> Result<Next, store::Error> {
        let parts = self.parts.clone();
        let now = parts.clock.now();
        let room = PLACES - self.attempts.len();
        let mut next = Next { at: now + POLL, is_fixed: false };
        if room == 0 {
            return Ok(next);
        }
        let due = parts.store.due_organisations(now).await?;
        let mut wanted = Vec::new();
        for due in self.turns.order(due, |due| &due.organisation) {
            if wanted.len() == room {
                break;
            }
            match parts.quota.try_take(&due.google_user_id, 1) {
                Ok(()) => wanted.push(Wanted { organisation: due.organisation, count: 1 }),
                Err(wait) if wait.scope == Scope::Project => {
                    next = Next { at: next.at.min(wait.until.max(now + GATHER)), is_fixed: true };
                    break;
                }
                Err(wait) => next.at = next.at.min(wait.until),
            }
        }
        let claimed = if wanted.is_empty() {
            Vec::new()
        } else {
            let token = Uuid::from_bytes(parts.entropy.bytes());
            let place = {
                let parts = parts.clone();
                move |claimed: &store::Claimed| parts.first_placement(claimed)
            };
            parts.store.claim(&wanted, token, now + LEASE, now, place).await?
        };
        if claimed.is_empty() && !next.is_fixed {
            if let Some(due_at) = parts.store.next_due_at(now).await? {
                next.at = next.at.min(due_at);
            }
            return Ok(next);
        }
        for claimed in claimed {
            self.turns.begin(&claimed.organisation);
            let (organisation, token) = (claimed.organisation.clone(), claimed.lease.token);
            let parts = parts.clone();
            let attempt = self.attempts.spawn(async move { parts.attempt(claimed).await });
            self.under_way.insert(attempt.id(), (organisation, token));
        }
        // Where there was quota for what was due, there may be more of both.
        Ok(if next.is_fixed { next } else { Next { at: now, is_fixed: false } })
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(failure) => failure.id(),
        };
        let Some((organisation, _)) = self.under_way.remove(&id) else { return };
        self.turns.end(&organisation);
        if let Err(failure) = ended
            && failure.is_panic()
        {
            tracing::error!(organisation.id = %organisation, "an attempt panicked; it is made again when its lease lapses");
        }
    }

    async fn drain(mut self) {
        let deadline = self.parts.clock.now() + DRAIN;
        loop {
            let parts = self.parts.clone();
            tokio::select! {
                ended = self.attempts.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => return,
                },
                () = parts.clock.sleep_until(deadline) => break,
            }
        }
        self.attempts.shutdown().await;
        let tokens: Vec<_> = self.under_way.values().map(|(_, token)| *token).collect();
        if let Err(error) = self.parts.store.release(&tokens, self.parts.clock.now()).await {
            tracing::warn!(
                error = %error_chain(&error),
                "leases could not be given back; they lapse by themselves"
            );
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}
