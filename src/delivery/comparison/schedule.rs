//! When lists are made: of comparisons and of searches, as they are asked for and as they are due.
//!
//! Owns how many are made at a time: an organisation whose lists do not answer holds up no other. Never reads a list itself.

use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::LEASE;
use crate::delivery::Delivery;
use crate::error_chain::error_chain;
use crate::store::{self, Lease};

/// The longest time between two looks: what another process was asked for is found by then.
const POLL: SignedDuration = SignedDuration::from_secs(15);
/// How many organisations one process lists at a time.
const AT_A_TIME: usize = 8;

/// Lists that are being made, each by a task.
type UnderWay = JoinSet<Result<(), store::Error>>;

impl Delivery {
    /// Makes the comparisons and the searches that are due, a few at a time, until `stop`.
    pub async fn compare_as_due(&self, stop: CancellationToken) {
        let mut under_way = UnderWay::new();
        let mut is_failing = false;
        while !stop.is_cancelled() {
            // Listening begins before looking, so that nothing falls between.
            let asked = self.0.notifier.listen_listing();
            let next = self.0.clock.after(POLL);
            let begun = self.begin_due(&mut under_way).await;
            note(begun, &mut is_failing);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = asked => {}
                () = self.0.clock.sleep_until(next) => {}
                Some(ended) = under_way.join_next() => match ended {
                    Ok(made) => note(made, &mut is_failing),
                    Err(failure) if failure.is_panic() => {
                        tracing::error!("a comparison or a search panicked; it is made again when its lease lapses");
                    }
                    Err(_) => {}
                },
            }
        }
    }

    /// Begins what is due and has room: somebody may wait for a search, so it goes first.
    async fn begin_due(&self, under_way: &mut UnderWay) -> Result<(), store::Error> {
        while under_way.len() < AT_A_TIME {
            let inner = self.0.clone();
            let now = inner.clock.now();
            let lease = Lease { token: Uuid::from_bytes(inner.entropy.bytes()), until: now + LEASE };
            if let Some(claim) = inner.store.claim_search(lease, now).await? {
                let span = tracing::error_span!("search", organisation.id = %claim.organisation);
                under_way.spawn(async move { inner.search_claimed(&claim).await }.instrument(span));
            } else if let Some(claim) = inner.store.claim_comparison(lease, now).await? {
                let span = tracing::error_span!("comparison", organisation.id = %claim.organisation);
                under_way.spawn(async move { inner.compare_claimed(&claim).await }.instrument(span));
            } else {
                break;
            }
        }
        Ok(())
    }
}

/// Logs an outage of the store once, not with every look.
fn note(made: Result<(), store::Error>, is_failing: &mut bool) {
    match made {
        Ok(()) => *is_failing = false,
        Err(error) => {
            if !std::mem::replace(is_failing, true) {
                tracing::warn!(error = %error_chain(&error), "comparisons that are due cannot be looked for");
            }
        }
    }
}
