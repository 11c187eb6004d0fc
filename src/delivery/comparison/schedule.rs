//! When lists are made: of comparisons and of searches, as they are asked for and as they are due.
//!
//! Owns how many are made at a time, so that an organisation whose lists do not answer holds up no other, and the leases
//! that are given back when one is broken off. Never reads a list itself. Invariant: no list is begun here without the lease
//! of its organisation.

use std::collections::HashMap;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::LEASE;
use crate::delivery::Delivery;
use crate::error_chain::error_chain;
use crate::model::OrganisationId;
use crate::store::{self, Lease, Store};

/// The longest time between two looks: what another process was asked for is found by then.
const POLL: SignedDuration = SignedDuration::from_secs(15);
/// How long an integration is left to whoever is changing it.
const LOCKED_RETRY: Duration = Duration::from_millis(50);
/// How many organisations one process lists at a time.
const AT_A_TIME: usize = 8;

/// Lists that are being made, each by a task.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Result<(), store::Error>>,
    /// Under which lease each of them reads, and whose calendars.
    leases: HashMap<Id, (OrganisationId, Lease)>,
}

impl UnderWay {
    fn begin(
        &mut self,
        organisation: OrganisationId,
        lease: Lease,
        task: impl Future<Output = Result<(), store::Error>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(task);
        self.leases.insert(task.id(), (organisation, lease));
    }

    /// What the next one came to that ends; a panic is told. `None`: none is under way.
    async fn ended(&mut self) -> Option<Result<(), store::Error>> {
        let (id, made) = match self.tasks.join_next_with_id().await? {
            Ok((id, made)) => (id, made),
            Err(failure) => {
                tracing::error!("a comparison or a search panicked; it is made again when its lease lapses");
                (failure.id(), Ok(()))
            }
        };
        self.leases.remove(&id);
        Some(made)
    }

    /// Breaks off what is under way, and gives its leases back: whoever looks next begins again.
    async fn break_off(mut self, store: &Store) {
        self.tasks.shutdown().await;
        for (organisation, lease) in self.leases.into_values() {
            if let Err(error) = store.give_back_reading(&organisation, lease).await {
                tracing::warn!(error = %error_chain(&error), "a lease could not be given back; it lapses by itself");
            }
        }
    }
}

impl Delivery {
    /// Makes the comparisons and the searches that are due, a few at a time, until `stop`; what is under way then is broken
    /// off.
    pub async fn compare_as_due(&self, stop: CancellationToken) {
        let mut under_way = UnderWay::default();
        let mut is_failing = false;
        while !stop.is_cancelled() {
            // Listening begins before looking, so that nothing falls between.
            let asked = self.0.notifier.listen_listing();
            let next = self.0.clock.after(POLL);
            let begun = self.begin_due(&mut under_way).await;
            let is_locked_out = matches!(begun, Ok(true));
            note(begun.map(drop), &mut is_failing);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = asked => {}
                () = self.0.clock.real_sleep(LOCKED_RETRY), if is_locked_out => {}
                () = self.0.clock.sleep_until(next) => {}
                Some(made) = under_way.ended() => note(made, &mut is_failing),
            }
        }
        under_way.break_off(&self.0.store).await;
    }

    /// Begins what is due and has room: somebody may wait for a search, so it goes first. Answers whether something is due
    /// that another query was changing just then.
    async fn begin_due(&self, under_way: &mut UnderWay) -> Result<bool, store::Error> {
        while under_way.tasks.len() < AT_A_TIME {
            let inner = self.0.clone();
            let now = inner.clock.now();
            let lease = Lease { token: Uuid::from_bytes(inner.entropy.bytes()), until: now + LEASE };
            if let Some(claim) = inner.store.claim_search(lease, now).await? {
                let span = tracing::error_span!("search", organisation.id = %claim.organisation);
                let organisation = claim.organisation.clone();
                let search = async move { inner.search_claimed(&claim).await };
                under_way.begin(organisation, lease, search.instrument(span));
            } else if let Some(claim) = inner.store.claim_comparison(lease, now).await? {
                let span = tracing::error_span!("comparison", organisation.id = %claim.organisation);
                let organisation = claim.organisation.clone();
                let comparison = async move { inner.compare_claimed(&claim).await };
                under_way.begin(organisation, lease, comparison.instrument(span));
            } else {
                return inner.store.is_reading_due(now).await;
            }
        }
        Ok(false)
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
