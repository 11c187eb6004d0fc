//! Results, settled together.
//!
//! Owns the way from what attempts came to into the database: one transaction for as many as have come. Whoever waits
//! for one of these appointments is handed its link. An organisation that another transaction holds is passed by, tried
//! again with the next batches, and then waited for by itself. Where the database does not take them together, each
//! organisation stands for itself, or each attempt where one of them cannot be stored, so that none holds up another.
//! Never tries more often than that: what is not taken then stays under its lease, which lapses. Invariant: every
//! caller is told what its attempt came to, or why it could not be settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::batcher::{Batcher, Caller, MAX_TRIES, answer};
use super::waiters::Waiters;
use crate::clock::Clock;
use crate::model::OrganisationId;
use crate::store::{
    Error, Guarded, LinkSettlement, OwedClaim, OwedSettlement, SettledFree, SettledLink, SettledRows, Settlement,
    Settlements, Store,
};

/// How many transactions settle apart from the batch at a time: each takes a connection to the database.
const APART: usize = 4;

/// Settles through one writer.
#[derive(Debug)]
pub(super) struct Settler(Batcher<Request>);

/// What an attempt came to, and who waits until it is settled.
#[derive(Debug)]
struct Request {
    settlement: AttemptSettlement,
    caller: Caller<Guarded>,
    /// How many batches have found its organisation held.
    tries: u32,
}

/// How an attempt is settled.
#[derive(Debug)]
pub(super) enum AttemptSettlement {
    /// One for a link.
    Link(Box<LinkSettlement>),
    /// One for a deletion that is owed.
    Owed(Box<(OwedClaim, OwedSettlement)>),
}

impl AttemptSettlement {
    /// What it came to, in the words of [`Tally`].
    fn count(&self, tally: &mut Tally) {
        let counter = match self {
            Self::Link(attempted) => match &attempted.1 {
                Settlement::Synced { .. } => &mut tally.done,
                Settlement::Later { .. } => &mut tally.later,
                Settlement::Refused { .. } => &mut tally.refused,
                Settlement::Unchanged { .. } => &mut tally.unchanged,
            },
            Self::Owed(attempted) => match &attempted.1 {
                OwedSettlement::Gone { .. } => &mut tally.done,
                OwedSettlement::Later { .. } => &mut tally.later,
                OwedSettlement::Refused { .. } => &mut tally.refused,
                OwedSettlement::Unchanged => &mut tally.unchanged,
            },
        };
        *counter += 1;
    }

    fn organisation(&self) -> &OrganisationId {
        match self {
            Self::Link(attempted) => &attempted.0.organisation,
            Self::Owed(attempted) => &attempted.0.organisation,
        }
    }
}

/// What the attempts of an organisation came to that were settled together.
#[derive(Debug, Default)]
struct Tally {
    done: u32,
    later: u32,
    refused: u32,
    unchanged: u32,
}

/// Where results go: into the database, and to those who wait. A clone is another handle.
#[derive(Debug, Clone)]
struct Destination {
    store: Store,
    clock: Clock,
    waiters: Arc<Waiters>,
    /// Of what is settled apart from the batch.
    places: Arc<Semaphore>,
}

impl Settler {
    /// Starts the writer; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock, waiters: Arc<Waiters>) -> Self {
        let destination = Destination { store, clock: clock.clone(), waiters, places: Arc::new(Semaphore::new(APART)) };
        Self(Batcher::start(clock, |_| {
            move |requests| {
                let destination = destination.clone();
                async move { commit(&destination, requests).await }
            }
        }))
    }

    /// Settles an attempt, and answers whether its lease was still there to settle under.
    pub(super) async fn settle(&self, settlement: AttemptSettlement) -> Result<Guarded, Error> {
        self.0.commit(|caller| Request { settlement, caller, tries: 0 }).await
    }
}

/// Settles these together, and answers their callers; those are left that are to be tried again.
async fn commit(destination: &Destination, requests: Vec<Request>) -> Vec<Request> {
    let Destination { store, clock, .. } = destination;
    let error = match store.settle_free(settlements_of(&requests), clock.now()).await {
        Ok(SettledFree { rows, locked_out }) => {
            let (held, free) =
                requests.into_iter().partition(|request| locked_out.contains(request.settlement.organisation()));
            destination.hand(free, &rows);
            return wait(destination, held);
        }
        Err(error) => error,
    };
    let is_unavailable = match error {
        Error::Unavailable(_) => true,
        Error::Bug(_) | Error::Corrupt(_) => false,
    };
    // One that cannot be stored harms no other, not even of its own organisation.
    let mut apart: BTreeMap<(OrganisationId, usize), Vec<_>> = BTreeMap::new();
    for (number, request) in requests.into_iter().enumerate() {
        let key = (request.settlement.organisation().clone(), if is_unavailable { 0 } else { number });
        apart.entry(key).or_default().push(request);
    }
    if apart.len() == 1 && is_unavailable {
        apart.into_values().flatten().for_each(|request| answer(request.caller, Err(error.of_the_same_kind())));
        return Vec::new();
    }
    apart.into_values().for_each(|requests| settle_apart(destination, requests));
    Vec::new()
}

/// Leaves those whose organisation is held to the next batch; whoever is out of tries waits for it by itself.
fn wait(destination: &Destination, held: Vec<Request>) -> Vec<Request> {
    let (mut again, mut apart): (Vec<_>, BTreeMap<_, Vec<_>>) = (Vec::new(), BTreeMap::new());
    for request in held {
        let request = Request { tries: request.tries + 1, ..request };
        match request.tries < MAX_TRIES {
            true => again.push(request),
            false => apart.entry(request.settlement.organisation().clone()).or_default().push(request),
        }
    }
    apart.into_values().for_each(|requests| settle_apart(destination, requests));
    again
}

/// Settles these in a transaction of their own, which waits for their organisation.
fn settle_apart(destination: &Destination, requests: Vec<Request>) {
    let destination = destination.clone();
    tokio::spawn(async move {
        let Destination { store, clock, places, .. } = &destination;
        let _place = places.acquire().await;
        match store.settle_together(settlements_of(&requests), clock.now()).await {
            Ok(rows) => destination.hand(requests, &rows),
            // Something in one of them cannot be stored, or they are held: the leases lapse.
            Err(error) => {
                requests.into_iter().for_each(|request| answer(request.caller, Err(error.of_the_same_kind())));
            }
        }
    });
}

fn settlements_of(requests: &[Request]) -> Settlements {
    let mut settlements = Settlements::default();
    for request in requests {
        match &request.settlement {
            AttemptSettlement::Link(attempted) => settlements.links.push((**attempted).clone()),
            AttemptSettlement::Owed(attempted) => settlements.owed.push((**attempted).clone()),
        }
    }
    settlements
}

impl Destination {
    /// Tells what became of these: to those who wait for the appointments, to the callers, and to the log.
    fn hand(&self, requests: Vec<Request>, settled: &SettledRows) {
        for link in &settled.links {
            match link {
                SettledLink::Done(link) => self.waiters.hand(link),
                // Whoever took the lease over hands it on.
                SettledLink::Fenced => {}
            }
        }
        let (mut links, mut owed) = (settled.links.iter().map(guarded), settled.owed.iter().copied());
        let mut tallies: BTreeMap<OrganisationId, Tally> = BTreeMap::new();
        for Request { settlement, caller, tries: _ } in requests {
            let guarded = match settlement {
                AttemptSettlement::Link(..) => links.next(),
                AttemptSettlement::Owed(..) => owed.next(),
            };
            let guarded = guarded.expect("each that was settled is answered");
            if guarded == Guarded::Done {
                settlement.count(tallies.entry(settlement.organisation().clone()).or_default());
            }
            answer(caller, Ok(guarded));
        }
        for (organisation, Tally { done, later, refused, unchanged }) in tallies {
            tracing::info!(organisation.id = %organisation, done, later, refused, unchanged, "settled what was attempted");
        }
    }
}

fn guarded(settled: &SettledLink) -> Guarded {
    match settled {
        SettledLink::Done(_) => Guarded::Done,
        SettledLink::Fenced => Guarded::Fenced,
    }
}
