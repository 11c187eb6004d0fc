//! Accepts, committed together.
//!
//! Owns which of several accepts of one appointment is written: the newest. Every caller is answered with the link as it
//! stands then.

use std::collections::HashMap;
use std::sync::Arc;

use super::batcher::{Batcher, Caller, Request, answer};
use crate::clock::Clock;
use crate::store::{Acceptance, Error, Link, Store};

/// Accepts appointments through one writer.
pub(super) type AcceptBatcher = Batcher<Acceptance, Link>;

/// Starts the writer; it ends with the last handle.
pub(super) fn start(store: Store, clock: Clock) -> AcceptBatcher {
    let ends = Arc::new((store, clock));
    Batcher::start(move |requests| {
        let ends = ends.clone();
        async move { commit(&ends.0, &ends.1, requests).await }
    })
}

/// Commits the newest state of each appointment, and answers every caller.
async fn commit(store: &Store, clock: &Clock, requests: Vec<Request<Acceptance, Link>>) {
    let mut callers: Vec<Vec<Caller<Link>>> = Vec::with_capacity(requests.len());
    let mut newest: Vec<Acceptance> = Vec::with_capacity(requests.len());
    let mut places = HashMap::with_capacity(requests.len());
    for Request { question: acceptance, caller } in requests {
        let key = (acceptance.organisation.clone(), acceptance.appointment.clone());
        let place = *places.entry(key).or_insert(newest.len());
        match newest.get_mut(place) {
            None => {
                newest.push(acceptance);
                callers.push(vec![caller]);
            }
            Some(queued) => {
                if acceptance.revision > queued.revision {
                    *queued = acceptance;
                }
                callers[place].push(caller);
            }
        }
    }
    match store.accept(newest.clone(), clock.now()).await {
        Ok(links) => {
            callers.into_iter().zip(links).for_each(|(callers, link)| answer_all(callers, || Ok(link.clone())));
        }
        Err(error @ Error::Unavailable(_)) => {
            callers.into_iter().for_each(|callers| answer_all(callers, || Err(error.of_the_same_kind())));
        }
        // Something in one of them is not digestible: each stands for itself, so that one harms no other.
        Err(Error::Bug(_) | Error::Corrupt(_)) => {
            for (acceptance, callers) in newest.into_iter().zip(callers) {
                let outcome = store.accept(vec![acceptance], clock.now()).await;
                answer_all(callers, || match &outcome {
                    Ok(links) => links.first().cloned().ok_or(Error::Corrupt("appointment_external_links")),
                    Err(error) => Err(error.of_the_same_kind()),
                });
            }
        }
    }
}

fn answer_all(callers: Vec<Caller<Link>>, outcome: impl Fn() -> Result<Link, Error>) {
    callers.into_iter().for_each(|caller| answer(caller, outcome()));
}
