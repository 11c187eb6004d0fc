//! Settlements: what an attempt came to.

use jiff::Timestamp;

use super::{Claimed, Error, Guarded, LinkError, Store};
use crate::model::{Placement, Revision};

/// What an attempt came to. The placement is recorded in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Google shows `revision`.
    Synced {
        /// Where the event stands.
        placement: Placement,
        /// The event's page at Google.
        html_link: Option<String>,
        /// The revision that it shows.
        revision: Revision,
    },
    /// It failed, and is tried again.
    Later {
        /// Where the event stands.
        placement: Placement,
        /// When.
        next_attempt_at: Timestamp,
        /// Why.
        error: LinkError,
    },
    /// Google refuses it for good.
    Refused {
        /// Where the event stands.
        placement: Placement,
        /// Why.
        error: LinkError,
    },
    /// The whole integration is in trouble: the link stays as due as it was.
    Parked {
        /// Where the event stands.
        placement: Placement,
    },
}

impl Store {
    /// Records what an attempt came to, and gives the lease back. Fenced once another worker has taken it over; another
    /// epoch alone does not fence it: what may stand at Google is recorded all the same.
    ///
    /// Where the link was asked to be sent again meanwhile, it stays as due as that request left it.
    pub async fn settle(&self, claimed: &Claimed, settlement: &Settlement, now: Timestamp) -> Result<Guarded, Error> {
        let (claimed, settlement) = (claimed.clone(), settlement.clone());
        query!(self, write, settlements::settle(&claimed, &settlement, now))
    }
}
