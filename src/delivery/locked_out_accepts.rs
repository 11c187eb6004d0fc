//! Accepts of organisations that another transaction holds, or a link of theirs.
//!
//! Owns a line for each of them: it waits by itself, so that nobody else waits with it, and gives back to the common
//! batch whoever came meanwhile. Where one of a line cannot be stored, each stands for itself. Never waits longer than
//! the store does. Invariant: whoever comes while its organisation waits stands in that line, takes no connection of
//! its own, and is given back once at most.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::WeakSender;

use super::accept_batch::{Request, coalesced};
use super::batcher::{MAX_BATCH, MAX_TRIES};
use crate::clock::Clock;
use crate::model::OrganisationId;
use crate::store::{Error, Store};

/// How many organisations are waited for at a time: each takes a connection to the database.
const WAITED_FOR: usize = 4;

/// The lines. A clone is another handle.
#[derive(Debug, Clone)]
pub(super) struct LockedOutAccepts {
    store: Store,
    clock: Clock,
    batch: WeakSender<Request>,
    lines: Arc<Mutex<HashMap<OrganisationId, Vec<Request>>>>,
    places: Arc<Semaphore>,
}

impl LockedOutAccepts {
    /// No lines yet; `batch` is where those go whom a line gives back.
    pub(super) fn new(store: Store, clock: Clock, batch: WeakSender<Request>) -> Self {
        Self { store, clock, batch, lines: Arc::default(), places: Arc::new(Semaphore::new(WAITED_FOR)) }
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

    /// Accepts what stands in a line, and then ends it.
    async fn serve(self, organisation: OrganisationId) {
        let mut is_begun = false;
        loop {
            let place = self.places.acquire().await;
            let requests = match self.next(&organisation, is_begun) {
                Next::Serve(requests) => coalesced(requests),
                Next::End(given_back) => return self.give_back(given_back).await,
            };
            is_begun = true;
            self.accept(requests).await;
            drop(place);
        }
    }

    /// Accepts these, and answers their callers.
    async fn accept(&self, requests: Vec<Request>) {
        let acceptances = requests.iter().map(|request| request.acceptance.clone()).collect();
        match self.store.accept(acceptances, self.clock.now()).await {
            Ok(links) => requests.into_iter().zip(links).for_each(|(request, link)| request.answer(&Ok(link))),
            // Something in one of them cannot be stored: each stands for itself, so that one harms no other.
            Err(Error::Bug(_) | Error::Corrupt(_)) if requests.len() > 1 => {
                for request in requests {
                    Box::pin(self.accept(vec![request])).await;
                }
            }
            Err(error) => requests.into_iter().for_each(|request| request.answer(&Err(error.of_the_same_kind()))),
        }
    }

    /// What stands in the line. It ends after those that it was begun for, unless somebody is out of tries: one that is kept
    /// full would take a transaction for each organisation, where the batch takes one for all.
    fn next(&self, organisation: &OrganisationId, is_begun: bool) -> Next {
        let mut lines = self.lines.lock();
        let mut line = lines.remove(organisation).unwrap_or_default();
        if is_begun && !line.iter().any(Request::is_out_of_tries) {
            return Next::End(line);
        }
        let rest = line.split_off(line.len().min(MAX_BATCH));
        lines.insert(organisation.clone(), rest);
        Next::Serve(line)
    }

    /// Puts those into the common batch who came while the line waited.
    async fn give_back(&self, requests: Vec<Request>) {
        for request in requests {
            // Without a batch the service ends: the callers are told so.
            let Some(batch) = self.batch.upgrade() else { return };
            drop(batch.send(Request { tries: MAX_TRIES, ..request }).await);
        }
    }
}

/// What a line does next.
enum Next {
    Serve(Vec<Request>),
    End(Vec<Request>),
}
