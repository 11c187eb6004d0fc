//! What goes on beside calls and deliveries.
//!
//! Owns how often each is done, but where a room below has its own pace (disconnects, changes of many links, comparisons):
//! health follows the database, disconnects, erasures and changes of many links go on, Google's events are compared, counts
//! are held against their links, grants that nobody keeps are ended, integrations that are incomplete are told of, what is
//! old is erased, and how it all stands is measured. Never decides what is old. Invariant: one that fails is done again in
//! its time, and logged, but for a measurement: a database that is away is told of elsewhere.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::connection::{Audit, Consents, Integrations};
use crate::delivery::Delivery;
use crate::error_chain::error_chain;
use crate::grpc::Health;
use crate::metrics;
use crate::store::{ErasedSnapshots, IntegrationCount, PoolUse, QueueCounts, Store};

/// How often the process tries whether the database takes writes.
const PROBE: SignedDuration = SignedDuration::from_secs(5);
/// How often the process measures how integrations and queues stand.
const MEASURE: SignedDuration = SignedDuration::from_secs(15);
/// How often the audit is looked through.
const SWEEP: SignedDuration = SignedDuration::from_hours(1);
/// How often snapshots are looked through.
const ERASE: SignedDuration = SignedDuration::from_mins(1);
/// How long what another query holds is left alone.
const LOCKED_ROWS_RETRY: Duration = Duration::from_secs(1);
/// How often the process looks for what is kept of organisations that are not connected.
const FORGET: SignedDuration = SignedDuration::from_hours(1);

/// How often the counts of an organisation are held against its links.
const RECOUNT: SignedDuration = SignedDuration::from_hours(24);
/// How many organisations are recounted at a time, and how long the pause is then: ten thousand take less than a day.
const RECOUNTED_AT_ONCE: usize = 20;
const RECOUNT_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// How often the process looks for grants that nobody keeps.
const REVOKE: SignedDuration = SignedDuration::from_mins(1);

/// How often the process looks for integrations that are incomplete.
const INCOMPLETE: SignedDuration = SignedDuration::from_mins(1);

/// Ends the grants that nobody keeps.
pub(super) async fn end_unkept_grants(consents: Consents, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        if let Err(error) = consents.end_unkept_grants().await {
            tracing::warn!(error = %error_chain(&error), "grants that nobody keeps could not be looked for");
        }
        clock.sleep(REVOKE).await;
    }
}

/// Goes on with the disconnects under way, whoever began them.
pub(super) async fn finish_disconnects(integrations: Integrations, close: CancellationToken) {
    integrations.finish_disconnects(close).await;
}

/// Tells of integrations that are connected and do not say to what.
pub(super) async fn note_incomplete(integrations: Integrations, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        if let Err(error) = integrations.note_incomplete().await {
            tracing::warn!(error = %error_chain(&error), "integrations that are incomplete could not be looked for");
        }
        clock.sleep(INCOMPLETE).await;
    }
}

/// Holds Google's events against the links, as it is asked for, and once a day.
pub(super) async fn compare(delivery: Delivery, close: CancellationToken) {
    delivery.compare_as_due(close).await;
}

/// Applies what is wanted of all links of an organisation to those that it has not reached yet.
pub(super) async fn reach_links(delivery: Delivery, close: CancellationToken) {
    delivery.reach_links(close).await;
}

/// Writes the first probe of this process before anything else is done. Answers whether it was taken: if not, that is told,
/// and made up for, as of every later one.
pub(super) async fn begin_probes(store: &Store, clock: &Clock) -> bool {
    store.begin_probes(clock.now()).await.is_ok()
}

/// Tells probes whether the database takes what is written: one that only reads (a standby, a full disk) accepts nothing.
pub(super) async fn tell_health(
    store: Store,
    mut is_begun: bool,
    health: Health,
    clock: Clock,
    close: CancellationToken,
) {
    let mut was_serving = true;
    while !close.is_cancelled() {
        let probe = match is_begun {
            true => store.probe(clock.now()).await,
            false => store.begin_probes(clock.now()).await,
        };
        is_begun |= probe.is_ok();
        health.tell(probe.is_ok()).await;
        metrics::is_serving(probe.is_ok());
        if std::mem::replace(&mut was_serving, probe.is_ok()) != probe.is_ok() {
            match probe {
                Ok(()) => tracing::info!("the database takes writes again"),
                Err(error) => tracing::error!(
                    error = %error_chain(&error),
                    "the database is away, or takes no writes: what has to be written is answered with UNAVAILABLE"
                ),
            }
        }
        clock.sleep(PROBE).await;
    }
}

/// Holds the counts of every organisation against its links once a day, a few of them at a time.
pub(super) async fn recount(store: Store, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        for _ in 0..RECOUNTED_AT_ONCE {
            let now = clock.now();
            match store.recount(now - RECOUNT, now).await {
                Ok(Some(recount)) if !recount.was_right => {
                    tracing::warn!(
                        organisation.id = recount.organisation,
                        "the counts of an organisation were wrong; they are set right"
                    );
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(error = %error_chain(&error), "counts could not be held against their links");
                    break;
                }
            }
        }
        clock.sleep(RECOUNT_PAUSE).await;
    }
}

/// Erases the snapshots of appointments that are over for longer than `retention`.
pub(super) async fn erase_snapshots(store: Store, retention: SignedDuration, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        let (now, next) = (clock.now(), clock.after(ERASE));
        match store.erase_snapshots(now - retention, now).await {
            Ok(ErasedSnapshots { count, is_any_held }) => {
                if count > 0 {
                    tracing::info!(count, "erased the snapshots of appointments that are over");
                }
                if is_any_held {
                    clock.real_sleep(LOCKED_ROWS_RETRY).await;
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "old snapshots could not be erased");
            }
        }
        clock.sleep_until(next).await;
    }
}

/// Erases what the audit has held for longer than `retention`.
pub(super) async fn sweep_audit(audit: Audit, retention: SignedDuration, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        let (now, next) = (clock.now(), clock.after(SWEEP));
        match audit.sweep(now - retention).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "swept old events of the audit"),
            Err(error) => tracing::warn!(error = %error_chain(&error), "old events of the audit could not be swept"),
        }
        clock.sleep_until(next).await;
    }
}

/// Measures how many integrations and links stand how, what is due, and what the connections to the database do.
pub(super) async fn measure(store: Store, clock: Clock, close: CancellationToken) {
    let mut told: Vec<(String, String)> = Vec::new();
    while !close.is_cancelled() {
        let next = clock.after(MEASURE);
        // A database that is away is told of elsewhere.
        if let Ok(counts) = store.integration_counts().await {
            // What nobody stands in any more is not as many as before.
            told.drain(..).for_each(|(state, reason)| metrics::integrations(state, reason, 0));
            for IntegrationCount { state, reason, count } in counts {
                told.push((state.clone(), reason.clone()));
                metrics::integrations(state, reason, count);
            }
        }
        let now = clock.now();
        if let Ok(QueueCounts { pending, synced, error, due_organisations, oldest_due_at }) =
            store.queue_counts(now).await
        {
            for (status, count) in [("pending", pending), ("synced", synced), ("error", error)] {
                metrics::links(status, count);
            }
            let oldest = oldest_due_at.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
            metrics::due(due_organisations, oldest.unsigned_abs());
        }
        for PoolUse { pool, busy, idle, waiting } in store.pools_in_use() {
            metrics::pool(pool, busy, idle, waiting);
        }
        clock.sleep_until(next).await;
    }
}

/// Goes on with what is being erased, seals what a disconnect has left readable, and lets the log of SQLite keep nothing of
/// it.
pub(super) async fn go_on_erasing(store: Store, integrations: Integrations, clock: Clock, close: CancellationToken) {
    while !close.is_cancelled() {
        let (now, next) = (clock.now(), clock.after(ERASE));
        if let Err(error) = store.go_on_erasing(now).await {
            tracing::warn!(error = %error_chain(&error), "what is being erased could not be looked for");
        }
        if let Err(error) = integrations.seal_calendars().await {
            tracing::warn!(error = %error_chain(&error), "calendars of who is not connected could not be sealed");
        }
        if let Err(error) = store.truncate_log().await {
            tracing::warn!(error = %error_chain(&error), "the log of the database could not be cut off");
        }
        clock.sleep_until(next).await;
    }
}

/// Forgets what nobody needs any more of organisations that are not connected.
pub(super) async fn forget(
    store: Store,
    unconnected: SignedDuration,
    kept_events: SignedDuration,
    clock: Clock,
    close: CancellationToken,
) {
    while !close.is_cancelled() {
        let (now, next) = (clock.now(), clock.after(FORGET));
        match store.forget_kept_events(now - kept_events, now).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(count, "forgot the kept events of organisations that were disconnected long ago")
            }
            Err(error) => tracing::warn!(error = %error_chain(&error), "kept events could not be forgotten"),
        }
        match store.erase_unconnected(now - unconnected, now).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "erased the snapshots of organisations that were never connected"),
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "snapshots of who was never connected could not be erased");
            }
        }
        clock.sleep_until(next).await;
    }
}
