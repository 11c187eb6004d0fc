//! Follows the clock of the database, so that all replicas agree on what a lease is worth.
//!
//! Owns when that clock is asked, and which answer is believed: the one that came fastest says most exactly when it was
//! true. Where the clock is set right, whoever waits for due work looks at once: its own leases may seem to have
//! lapsed. Never sets a clock but the one of this process. Invariant: where the database cannot be asked, the clock
//! goes on steadily from the last answer.

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, ClockSample};
use crate::notifier::Notifier;
use crate::store::{self, Store};

/// How often it is asked.
const PERIOD: SignedDuration = SignedDuration::from_secs(5);
/// How many times it is asked each time.
const TRIES: usize = 3;
/// An answer that took longer says too little.
const SLOWEST: SignedDuration = SignedDuration::from_millis(500);
/// From this on, a difference is worth telling the operator of.
const WORTH_TELLING: SignedDuration = SignedDuration::from_secs(1);

/// Asks the database's clock and follows it; answers whether that set it right by [`WORTH_TELLING`] or more. Nothing happens
/// on SQLite, whose one process has one clock.
pub(super) async fn follow(store: &Store, clock: &Clock) -> Result<bool, store::Error> {
    let mut best: Option<(SignedDuration, ClockSample)> = None;
    for _ in 0..TRIES {
        let asked = clock.elapsed();
        let Some(now) = store.clock().await? else { return Ok(false) };
        let took = clock.elapsed() - asked;
        if took <= best.as_ref().map_or(SLOWEST, |(fastest, _)| *fastest) {
            best = Some((took, ClockSample { now, elapsed: asked + took / 2 }));
        }
    }
    if let Some((_, reading)) = best {
        let before = clock.now();
        clock.follow(reading);
        let by = clock.now().duration_since(before);
        if by.abs() >= WORTH_TELLING {
            tracing::warn!(seconds = by.as_secs(), "the clock is set right by the database's");
            return Ok(true);
        }
    }
    Ok(false)
}

/// Goes on following until `close`.
pub(super) async fn keep_following(store: Store, clock: Clock, notifier: Notifier, close: CancellationToken) {
    while !close.is_cancelled() {
        clock.sleep(PERIOD).await;
        // Where the database is away, health tells of it.
        if follow(&store, &clock).await.unwrap_or(false) {
            notifier.notify_due();
        }
    }
}
