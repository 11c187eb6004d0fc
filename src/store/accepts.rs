//! Accepts: new states of appointments, durable before they are answered.
//!
//! Owns what is stored of a new state, and whether its caller waits for an organisation that another transaction holds.
//! Never opens a snapshot. Invariant: an accept takes the place of a lower revision alone; a replacement, also of
//! whatever was accepted before it began.

use jiff::Timestamp;

use super::{Error, Link, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, OrganisationId, Revision};

/// A state of an appointment, to be kept and sent.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// Which state of it.
    pub revision: Revision,
    /// The state itself, sealed.
    pub snapshot: Sealed,
    /// Whether the appointment takes place: an event should stand.
    pub wants_event: bool,
    /// When the appointment begins; `None` where a cancelled one does not say.
    pub starts_at: Option<Timestamp>,
    /// When it ends; `None` where a cancelled one does not say: the instant that stands is kept.
    pub ends_at: Option<Timestamp>,
    /// The trace that it came with; `None`: with none that is collected.
    pub traceparent: Option<String>,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is durable, or not newer than what is held: the link as it stands.
    Stored(Box<Link>),
    /// Another transaction holds the organisation, and nothing was changed: see [`Store::accept`].
    Locked,
}

impl Store {
    /// Keeps new states of appointments (at most 500, no key twice), and answers the links as they stand then, in the
    /// order given.
    ///
    /// A revision that is not newer changes nothing. A newer one is pending and due now where an enabled integration is
    /// connected (a problem does not matter), and rests otherwise. Where the event was written just before, it is due a
    /// little later, unless it is called off: edits in a burst are written together. A lease that lives stays.
    ///
    /// It waits for nobody: an organisation, or a link, that another transaction holds is passed by.
    pub async fn accept_free(&self, acceptances: Vec<Acceptance>, now: Timestamp) -> Result<Vec<Accepted>, Error> {
        query!(self, write, accepts::accept(acceptances, now))
    }

    /// The same as [`Store::accept`], of appointments that a replacement takes over: whatever revision is held, unless it
    /// was accepted since `begun_at`.
    pub async fn replace(
        &self,
        acceptances: Vec<Acceptance>,
        begun_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        query!(self, long, accepts::replace(acceptances, begun_at, now))
    }

    /// The same as [`Store::accept_free`], once no other transaction holds any of these organisations and links.
    /// `Unavailable` where one does for seconds.
    pub async fn accept(&self, acceptances: Vec<Acceptance>, now: Timestamp) -> Result<Vec<Link>, Error> {
        let accepted = query!(self, write, accepts::accept_once_free(acceptances, now))?;
        let stored = accepted.into_iter().map(|accepted| match accepted {
            Accepted::Stored(link) => Ok(*link),
            Accepted::Locked => Err(Error::Unavailable("another transaction holds the organisation".into())),
        });
        stored.collect()
    }
}
