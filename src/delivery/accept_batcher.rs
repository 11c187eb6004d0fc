//! Group commit: accepts that arrive together are committed together.
//!
//! Owns the one writer: it takes whatever has arrived while it was busy, commits it as one statement, and answers each
//! caller. A lone caller finds the writer idle and waits for nobody. Never waits for an organisation that another
//! transaction holds: that is tried again with the next batches, and then left to its own line. Invariant: a caller is
//! answered with a link only once what it sent, or something newer, is durable.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::accept_batch::{MAX_BATCH, Request, coalesced};
use super::locked_out_accepts::LockedOutAccepts;
use crate::clock::Clock;
use crate::store::{Acceptance, Accepted, Error, Link, Store};

/// How many callers may queue before the next one waits to queue: the pressure reaches the streams.
const QUEUE: usize = 4 * MAX_BATCH;

/// How long what is held waits for others to be tried again with.
const AGAIN: Duration = Duration::from_millis(2);

/// The queue to the one writer.
#[derive(Debug)]
pub(super) struct AcceptBatcher(mpsc::Sender<Request>);

impl AcceptBatcher {
    /// Starts the writer; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let held = LockedOutAccepts::new(store.clone(), clock.clone(), sender.downgrade());
        tokio::spawn(async move {
            let (mut requests, mut again) = (Vec::with_capacity(MAX_BATCH), Vec::new());
            loop {
                let next = receiver.recv_many(&mut requests, MAX_BATCH - again.len());
                if again.is_empty() {
                    if next.await == 0 {
                        return;
                    }
                } else {
                    tokio::select! {
                        biased;
                        _ = next => {}
                        () = clock.moment(AGAIN) => {}
                    }
                    requests.append(&mut again);
                }
                let free = coalesced(held.keep(std::mem::take(&mut requests)));
                again = commit(&store, &clock, &held, free).await;
            }
        });
        Self(sender)
    }

    /// Accepts durably, and answers the link as it stands then.
    pub(super) async fn accept(&self, acceptance: Acceptance) -> Result<Link, Error> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Unavailable("the batcher has ended".into());
        self.0.send(Request { acceptance, callers: vec![reply], tries: 0 }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
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
