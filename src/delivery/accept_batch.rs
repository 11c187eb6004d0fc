//! Accepts that are committed together.
//!
//! Owns who is answered for which acceptance. Never stores anything. Invariant: every caller is answered once.

use std::collections::HashMap;

use super::batcher::{Caller, MAX_TRIES, answer};
use crate::store::{Acceptance, Error, Link};

/// An acceptance, and those who wait for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) acceptance: Acceptance,
    pub(super) callers: Vec<Caller<Link>>,
    /// How many batches have found its organisation held.
    pub(super) tries: u32,
}

impl Request {
    /// Whether it waits for its organisation by itself now.
    pub(super) fn is_out_of_tries(&self) -> bool {
        self.tries >= MAX_TRIES
    }

    /// Tells each caller; one that went away is no error.
    pub(super) fn answer(self, outcome: &Result<Link, Error>) {
        for caller in self.callers {
            let outcome = match outcome {
                Ok(link) => Ok(link.clone()),
                Err(error) => Err(error.of_the_same_kind()),
            };
            answer(caller, outcome);
        }
    }
}

/// The newest state of each appointment, for all who brought one.
pub(super) fn coalesced(requests: Vec<Request>) -> Vec<Request> {
    let mut newest: Vec<Request> = Vec::with_capacity(requests.len());
    let mut places = HashMap::with_capacity(requests.len());
    for request in requests {
        let key = (request.acceptance.organisation.clone(), request.acceptance.appointment.clone());
        let place = *places.entry(key).or_insert(newest.len());
        match newest.get_mut(place) {
            None => newest.push(request),
            Some(queued) => {
                if request.acceptance.revision > queued.acceptance.revision {
                    queued.acceptance = request.acceptance;
                }
                queued.callers.extend(request.callers);
                queued.tries = queued.tries.max(request.tries);
            }
        }
    }
    newest
}
