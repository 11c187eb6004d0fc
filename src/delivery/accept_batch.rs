//! Accepts that are committed together.
//!
//! Owns who is answered for which acceptance. Never stores anything. Invariant: every caller is answered once.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::store::{Acceptance, Error, Link};

/// The most that one statement takes.
pub(super) const MAX_BATCH: usize = 500;

/// An acceptance, and those who wait for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) acceptance: Acceptance,
    pub(super) callers: Vec<oneshot::Sender<Result<Link, Error>>>,
}

impl Request {
    /// Tells each caller; one that went away is no error.
    pub(super) fn answer(self, outcome: &Result<Link, Error>) {
        for caller in self.callers {
            let outcome = match outcome {
                Ok(link) => Ok(link.clone()),
                Err(error) => Err(of_the_same_kind(error)),
            };
            drop(caller.send(outcome));
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
            }
        }
    }
    newest
}

/// An error for one more caller: what the caller does next stays the same.
pub(super) fn of_the_same_kind(error: &Error) -> Error {
    match error {
        Error::Unavailable(source) => Error::Unavailable(source.to_string().into()),
        Error::Corrupt(column) => Error::Corrupt(column),
        Error::Bug(source) => Error::Bug(source.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_of_a_batch_is_told_the_same_kind_of_error() {
        let unavailable = Error::Unavailable("away".into());
        assert!(matches!(of_the_same_kind(&unavailable), Error::Unavailable(source) if source.to_string() == "away"));
        assert!(matches!(of_the_same_kind(&Error::Corrupt("column")), Error::Corrupt("column")));
        assert!(matches!(of_the_same_kind(&Error::Bug("syntax".into())), Error::Bug(_)));
    }
}
