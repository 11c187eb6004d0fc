//! Accepts of organisations that another transaction holds.
//!
//! Owns a line for each of them: it waits by itself, so that nobody else waits with it. Never waits longer than the store
//! does. Invariant: whoever comes while its organisation waits stands in that line, and takes no connection of its own.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::accept_batch::{MAX_BATCH, Request, coalesced};
use crate::clock::Clock;
use crate::model::OrganisationId;
use crate::store::Store;

/// How many organisations are waited for at a time: each takes a connection to the database.
const WAITED_FOR: usize = 4;

/// The lines. A clone is another handle.
#[derive(Debug, Clone)]
pub(super) struct HeldAccepts {
    store: Store,
    clock: Clock,
    lines: Arc<Mutex<HashMap<OrganisationId, Vec<Request>>>>,
    places: Arc<Semaphore>,
}

impl HeldAccepts {
    /// No lines yet.
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, lines: Arc::default(), places: Arc::new(Semaphore::new(WAITED_FOR)) }
    }

    /// Puts those into their lines whose organisation waits, and answers the others.
    pub(super) fn keep(&self, requests: Vec<Request>) -> Vec<Request> {
        let mut lines = self.lines.lock();
        if lines.is_empty() {
            return requests;
        }
        let join = |request: Request| match lines.get_mut(&request.acceptance.organisation) {
            Some(line) => {
                line.push(request);
                None
            }
            None => Some(request),
        };
        requests.into_iter().filter_map(join).collect()
    }

    /// Puts one into the line of its organisation; the first one begins it.
    pub(super) fn push(&self, request: Request) {
        let organisation = request.acceptance.organisation.clone();
        let mut lines = self.lines.lock();
        match lines.get_mut(&organisation) {
            Some(line) => line.push(request),
            None => {
                lines.insert(organisation.clone(), vec![request]);
                tokio::spawn(self.clone().serve(organisation));
            }
        }
    }

    /// Accepts what stands in a line until nobody does.
    async fn serve(self, organisation: OrganisationId) {
        loop {
            let place = self.places.acquire().await;
            let Some(requests) = self.next(&organisation) else { return };
            let requests = coalesced(requests);
            let acceptances = requests.iter().map(|request| request.acceptance.clone()).collect();
            match self.store.accept(acceptances, self.clock.now()).await {
                Ok(links) => requests.into_iter().zip(links).for_each(|(request, link)| request.answer(&Ok(link))),
                Err(error) => {
                    requests.into_iter().for_each(|request| request.answer(&Err(error.of_the_same_kind())));
                }
            }
            drop(place);
        }
    }

    /// What stands in the line; an empty one ends.
    fn next(&self, organisation: &OrganisationId) -> Option<Vec<Request>> {
        let mut lines = self.lines.lock();
        let mut line = std::mem::take(lines.get_mut(organisation)?);
        if line.is_empty() {
            lines.remove(organisation);
            return None;
        }
        let rest = line.split_off(line.len().min(MAX_BATCH));
        lines.insert(organisation.clone(), rest);
        Some(line)
    }
}
