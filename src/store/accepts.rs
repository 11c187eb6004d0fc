//! Accepts: new states of appointments, durable before they are answered.

use jiff::Timestamp;

use super::{Error, Link, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, OrganisationId, Revision};

/// A state of an appointment, to be kept and sent.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment.
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
}

impl Store {
    /// Keeps new states of appointments (at most 500, no key twice), and answers the links as they stand then, in the
    /// order given.
    ///
    /// A revision that is not newer changes nothing. A newer one is pending and due now where an enabled integration is
    /// connected (a problem does not matter), and rests otherwise. Where the event was written just before, it is due a
    /// little later, unless it is called off: edits in a burst are written together. A lease that lives stays.
    pub async fn accept(&self, acceptances: Vec<Acceptance>, now: Timestamp) -> Result<Vec<Link>, Error> {
        query!(self, write, accepts::accept(acceptances, now))
    }
}
