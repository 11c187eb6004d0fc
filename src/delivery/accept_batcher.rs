//! Accepts, committed together.
//!
//! Owns the way from accepts into the database: one statement for as many as have come, the newest state of each
//! appointment. Never waits for an organisation or a link that another transaction holds: that is tried again with the
//! next batches, and then left to the line of its organisation. Invariant: a caller is answered with a link only once what it sent, or
//! something newer, is durable.

use super::accept_batch::{Request, coalesced};
use super::batcher::Batcher;
use super::locked_out_accepts::LockedOutAccepts;
use crate::clock::Clock;
use crate::store::{Acceptance, Accepted, Error, Link, Store};

/// Accepts through one writer.
#[derive(Debug)]
pub(super) struct AcceptBatcher(Batcher<Request>);

impl AcceptBatcher {
    /// Starts the writer; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock) -> Self {
        Self(Batcher::start(clock.clone(), |batch| {
            let held = LockedOutAccepts::new(store.clone(), clock.clone(), batch);
            move |requests| {
                let (store, clock, held) = (store.clone(), clock.clone(), held.clone());
                async move {
                    let free = coalesced(held.keep(requests));
                    commit(&store, &clock, &held, free).await
                }
            }
        }))
    }

    /// Accepts durably, and answers the link as it stands then.
    pub(super) async fn accept(&self, acceptance: Acceptance) -> Result<Link, Error> {
        self.0.commit(|caller| Request { acceptance, callers: vec![caller], tries: 0 }).await
    }
}

/// Commits the requests, and answers the callers; those are left that are to be tried again.
async fn commit(store: &Store, clock: &Clock, held: &LockedOutAccepts, requests: Vec<Request>) -> Vec<Request> {
    let acceptances = requests.iter().map(|request| request.acceptance.clone()).collect();
    match store.accept_free(acceptances, clock.now()).await {
        Ok(accepted) => {
            requests.into_iter().zip(accepted).filter_map(|(request, accepted)| end(held, request, accepted)).collect()
        }
        Err(error @ Error::Unavailable(_)) => {
            requests.into_iter().for_each(|request| request.answer(&Err(error.of_the_same_kind())));
            Vec::new()
        }
        // Something in one of them cannot be stored: each stands for itself, so that one harms no other.
        Err(Error::Bug(_) | Error::Corrupt(_)) => {
            let mut again = Vec::new();
            for request in requests {
                match store.accept_free(vec![request.acceptance.clone()], clock.now()).await {
                    Ok(mut accepted) => match accepted.pop() {
                        Some(accepted) => again.extend(end(held, request, accepted)),
                        None => request.answer(&Err(Error::Corrupt("appointment_external_links"))),
                    },
                    Err(error) => request.answer(&Err(error)),
                }
            }
            again
        }
    }
}

/// Answers what is stored; what is held is tried again, or left to its own line.
fn end(held: &LockedOutAccepts, mut request: Request, accepted: Accepted) -> Option<Request> {
    match accepted {
        Accepted::Stored(link) => {
            request.answer(&Ok(*link));
            None
        }
        Accepted::Locked => {
            request.tries += 1;
            if !request.is_out_of_tries() {
                return Some(request);
            }
            held.push(request);
            None
        }
    }
}
