//! What those who wait look at, read together.
//!
//! Owns the one reader of it: however many wait for links of an organisation, and are woken by the same change, they cost
//! one statement for hundreds of their links, and one for how their integration stands. Never decides who goes on waiting.
//! Invariant: what is answered was read after it was asked for.

use std::collections::BTreeMap;

use super::Inner;
use super::batcher::{Batcher, Caller, answer};
use super::links::Standstill;
use crate::clock::Clock;
use crate::model::{AppointmentId, OrganisationId};
use crate::store::{Error, Link, Store};

/// Reads through one reader.
#[derive(Debug)]
pub(super) struct LinkReader(Batcher<Request>);

/// What somebody looks at.
#[derive(Debug)]
struct Request {
    organisation: OrganisationId,
    /// The appointment whose link is wanted too.
    appointment: Option<AppointmentId>,
    caller: Caller<LinkView>,
}

/// How things stand.
#[derive(Debug, Clone)]
pub(super) struct LinkView {
    /// The link that was asked for; `None`: there is none, or none was asked for.
    pub(super) link: Option<Link>,
    /// Why nothing of the organisation is sent at present; `None`: it is sent.
    pub(super) standstill: Option<Standstill>,
}

impl LinkReader {
    /// Starts the reader; it ends with the last handle.
    pub(super) fn start(store: Store, clock: Clock) -> Self {
        Self(Batcher::start(clock.clone(), |_| {
            move |requests| {
                let (store, clock) = (store.clone(), clock.clone());
                async move {
                    read(&store, &clock, requests).await;
                    Vec::new()
                }
            }
        }))
    }

    /// Looks at how an organisation stands, and at one of its links.
    pub(super) async fn look(
        &self,
        organisation: &OrganisationId,
        appointment: Option<&AppointmentId>,
    ) -> Result<LinkView, Error> {
        let (organisation, appointment) = (organisation.clone(), appointment.cloned());
        self.0.commit(|caller| Request { organisation, appointment, caller }).await
    }
}

async fn read(store: &Store, clock: &Clock, requests: Vec<Request>) {
    let mut by_organisation: BTreeMap<OrganisationId, Vec<_>> = BTreeMap::new();
    for Request { organisation, appointment, caller } in requests {
        by_organisation.entry(organisation).or_default().push((appointment, caller));
    }
    let mut away: Option<Error> = None;
    for (organisation, requests) in by_organisation {
        let wanted: Vec<_> = requests.iter().filter_map(|(appointment, _)| appointment.clone()).collect();
        // A database that is away is not asked for each of them in turn: nobody waits for all of its deadlines.
        let looked = match &away {
            Some(error) => Err(error.of_the_same_kind()),
            None => look(store, clock, &organisation, &wanted).await,
        };
        if let Err(error @ Error::Unavailable(_)) = &looked {
            away = Some(error.of_the_same_kind());
        }
        for (appointment, caller) in requests {
            let outcome = match &looked {
                Ok((links, standstill)) => {
                    let link = appointment.and_then(|appointment| links.get(&appointment).cloned());
                    Ok(LinkView { link, standstill: standstill.clone() })
                }
                Err(error) => Err(error.of_the_same_kind()),
            };
            answer(caller, outcome);
        }
    }
}

type Links = BTreeMap<AppointmentId, Link>;

async fn look(
    store: &Store,
    clock: &Clock,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
) -> Result<(Links, Option<Standstill>), Error> {
    let links = match appointments {
        [] => Vec::new(),
        _ => store.some_links(organisation, appointments).await?,
    };
    let links = links.into_iter().map(|link| (link.appointment.clone(), link)).collect();
    let standstill = Standstill::of(store.integration(organisation).await?, clock.now());
    Ok((links, standstill))
}

impl Inner {
    /// Why nothing of this organisation is sent at present. `None`: it is sent.
    pub(super) async fn standstill(&self, organisation: &OrganisationId) -> Result<Option<Standstill>, super::Error> {
        Ok(self.link_reader.look(organisation, None).await?.standstill)
    }
}
