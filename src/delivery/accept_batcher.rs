//! Group commit: accepts that arrive together are committed together.
//!
//! One writer takes whatever has arrived while it was busy, commits it as one statement, and answers each caller. A lone
//! caller finds the writer idle and waits for nobody.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::store::{Acceptance, Error, Link, Store};

/// The most that one statement takes.
const MAX_BATCH: usize = 500;
/// How many callers may queue before the next one waits to queue: the pressure reaches the streams.
const QUEUE: usize = 4 * MAX_BATCH;

/// The queue to the one writer.
#[derive(Debug)]
pub(super) struct AcceptBatcher(mpsc::Sender<Request>);

#[derive(Debug)]
struct Request {
    acceptance: Acceptance,
    reply: oneshot::Sender<Result<Link, Error>>,
}

impl AcceptBatcher {
    /// Starts the writer; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut requests = Vec::with_capacity(MAX_BATCH);
            while receiver.recv_many(&mut requests, MAX_BATCH).await > 0 {
                commit(&store, &clock, std::mem::take(&mut requests)).await;
            }
        });
        Self(sender)
    }

    /// Accepts durably, and answers the link as it stands then.
    pub(super) async fn accept(&self, acceptance: Acceptance) -> Result<Link, Error> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::Unavailable("the batcher has ended".into());
        self.0.send(Request { acceptance, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Commits the newest state of each appointment, and answers every caller.
async fn commit(store: &Store, clock: &Clock, requests: Vec<Request>) {
    let mut callers: Vec<Vec<oneshot::Sender<_>>> = Vec::with_capacity(requests.len());
    let mut newest: Vec<Acceptance> = Vec::with_capacity(requests.len());
    let mut places = HashMap::with_capacity(requests.len());
    for Request { acceptance, reply } in requests {
        let key = (acceptance.organisation.clone(), acceptance.appointment.clone());
        let place = *places.entry(key).or_insert(newest.len());
        match newest.get_mut(place) {
            None => {
                newest.push(acceptance);
                callers.push(vec![reply]);
            }
            Some(queued) => {
                if acceptance.revision > queued.revision {
                    *queued = acceptance;
                }
                callers[place].push(reply);
            }
        }
    }
    match store.accept(newest.clone(), clock.now()).await {
        Ok(links) => callers.into_iter().zip(links).for_each(|(callers, link)| answer(callers, || Ok(link.clone()))),
        Err(error @ Error::Unavailable(_)) => {
            callers.into_iter().for_each(|callers| answer(callers, || Err(error.of_the_same_kind())));
        }
        // Something in one of them is not digestible: each stands for itself, so that one harms no other.
        Err(Error::Bug(_) | Error::Corrupt(_)) => {
            for (acceptance, callers) in newest.into_iter().zip(callers) {
                let outcome = store.accept(vec![acceptance], clock.now()).await;
                answer(callers, || match &outcome {
                    Ok(links) => links.first().cloned().ok_or(Error::Corrupt("appointment_external_links")),
                    Err(error) => Err(error.of_the_same_kind()),
                });
            }
        }
    }
}

/// Tells each caller; one that went away is no error.
fn answer(callers: Vec<oneshot::Sender<Result<Link, Error>>>, outcome: impl Fn() -> Result<Link, Error>) {
    callers.into_iter().for_each(|caller| drop(caller.send(outcome())));
}
