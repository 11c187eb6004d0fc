//! Results, settled together.
//!
//! Owns the way from what attempts came to into the database: one transaction for as many as have come. Whoever waits for
//! one of these appointments is handed its link.

use std::sync::Arc;

use super::batcher::{Batcher, Request, answer};
use super::waiters::Waiters;
use crate::clock::Clock;
use crate::store::{Claimed, Error, Guarded, OwedClaim, OwedSettlement, Settlement, Settlements, Store};

/// Settles through one writer.
pub(super) type Settler = Batcher<Settling, Guarded>;

/// What an attempt came to.
#[derive(Debug)]
pub(super) enum Settling {
    /// That of a link.
    Link(Claimed, Settlement),
    /// That of a deletion that is owed.
    Owed(OwedClaim, OwedSettlement),
}

/// Starts the writer; it ends with the last handle.
pub(super) fn start(store: Store, clock: Clock, waiters: Arc<Waiters>) -> Settler {
    let ends = Arc::new((store, clock, waiters));
    Batcher::start(move |requests| {
        let ends = ends.clone();
        async move { commit(&ends.0, &ends.1, &ends.2, requests).await }
    })
}

async fn commit(store: &Store, clock: &Clock, waiters: &Waiters, requests: Vec<Request<Settling, Guarded>>) {
    let (mut links, mut of_links, mut owed, mut of_owed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Request { question, caller } in requests {
        match question {
            Settling::Link(claimed, settlement) => {
                links.push((claimed, settlement));
                of_links.push(caller);
            }
            Settling::Owed(claimed, settlement) => {
                owed.push((claimed, settlement));
                of_owed.push(caller);
            }
        }
    }
    let settlements = Settlements { links, owed };
    match store.settle_together(settlements.clone(), clock.now()).await {
        Ok(settled) => {
            settled.links.iter().flatten().for_each(|link| waiters.hand(link));
            of_links.into_iter().zip(&settled.links).for_each(|(caller, link)| answer(caller, Ok(guarded(link))));
            of_owed.into_iter().zip(settled.owed).for_each(|(caller, owed)| answer(caller, Ok(owed)));
        }
        Err(error @ Error::Unavailable(_)) => {
            of_links.into_iter().chain(of_owed).for_each(|caller| answer(caller, Err(error.of_the_same_kind())));
        }
        // Something in one of them is not digestible: each stands for itself, so that one harms no other.
        Err(Error::Bug(_) | Error::Corrupt(_)) => {
            for ((claimed, settlement), caller) in settlements.links.into_iter().zip(of_links) {
                let alone = Settlements { links: vec![(claimed, settlement)], owed: Vec::new() };
                let settled = store.settle_together(alone, clock.now()).await;
                answer(caller, settled.map(|settled| guarded(settled.links.first().unwrap_or(&None))));
            }
            for ((claimed, settlement), caller) in settlements.owed.into_iter().zip(of_owed) {
                answer(caller, store.settle_owed(&claimed, &settlement, clock.now()).await);
            }
        }
    }
}

/// A link that was settled is answered as it stands then.
fn guarded<L>(settled: &Option<L>) -> Guarded {
    match settled {
        Some(_) => Guarded::Done,
        None => Guarded::Fenced,
    }
}
