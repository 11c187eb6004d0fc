//! Group commit: accepts that arrive together are committed together.
//!
//! One writer takes whatever has arrived while it was busy, commits it as one statement, and answers each caller. A lone
//! caller finds the writer idle and waits for nobody. What another transaction holds is left to its own line.

use tokio::sync::{mpsc, oneshot};

use super::accept_batch::{MAX_BATCH, Request, coalesced};
use super::held_accepts::HeldAccepts;
use crate::clock::Clock;
use crate::store::{Acceptance, Accepted, Error, Link, Store};

/// How many callers may queue before the next one waits to queue: the pressure reaches the streams.
const QUEUE: usize = 4 * MAX_BATCH;

/// The queue to the one writer.
#[derive(Debug)]
pub(super) struct AcceptBatcher(mpsc::Sender<Request>);

impl AcceptBatcher {
    /// Starts the writer; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let held = HeldAccepts::new(store.clone(), clock.clone());
            let mut requests = Vec::with_capacity(MAX_BATCH);
            while receiver.recv_many(&mut requests, MAX_BATCH).await > 0 {
                let free = coalesced(held.keep(std::mem::take(&mut requests)));
                commit(&store, &clock, &held, free).await;
            }
        });
        Self(sender)
    }

    /// Accepts durably, and answers the link as it stands then.
    pub(super) async fn accept(&self, acceptance: Acceptance) -> Result<Link, Error> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Unavailable("the batcher has ended".into());
        self.0.send(Request { acceptance, callers: vec![reply] }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Commits the requests, and answers every caller.
async fn commit(store: &Store, clock: &Clock, held: &HeldAccepts, requests: Vec<Request>) {
    let acceptances = requests.iter().map(|request| request.acceptance.clone()).collect();
    match store.accept_free(acceptances, clock.now()).await {
        Ok(accepted) => requests.into_iter().zip(accepted).for_each(|(request, accepted)| end(held, request, accepted)),
        Err(error @ Error::Unavailable(_)) => {
            requests.into_iter().for_each(|request| request.answer(&Err(error.of_the_same_kind())));
        }
        // Something in one of them is not digestible: each stands for itself, so that one harms no other.
        Err(Error::Bug(_) | Error::Corrupt(_)) => {
            for request in requests {
                match store.accept_free(vec![request.acceptance.clone()], clock.now()).await {
                    Ok(mut accepted) => match accepted.pop() {
                        Some(accepted) => end(held, request, accepted),
                        None => request.answer(&Err(Error::Corrupt("appointment_external_links"))),
                    },
                    Err(error) => request.answer(&Err(error)),
                }
            }
        }
    }
}

fn end(held: &HeldAccepts, request: Request, accepted: Accepted) {
    match accepted {
        Accepted::Stored(link) => request.answer(&Ok(*link)),
        Accepted::Held => held.push(request),
    }
}
