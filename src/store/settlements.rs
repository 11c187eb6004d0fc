//! Settlements: what attempts came to.
//!
//! Owns what an attempt for a link can come to, and that many are settled in one transaction. Never judges an answer of
//! Google: `sync` has done so. Invariant: what may stand at Google is recorded whatever an attempt came to,
//! unless the lease is no longer its own.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{CallMade, Claimed, Error, Guarded, Link, LinkError, OwedClaim, OwedSettlement, Store};
use crate::model::{OrganisationId, Placement, Revision};

/// What an attempt for a link comes to in its row. The placement is recorded in any case.
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
        /// Whether Google was called for it, and is known to serve the integration again.
        was_called: bool,
    },
    /// It failed, and is tried again.
    Later {
        /// Where the event stands.
        placement: Placement,
        /// The instant before which it is not attempted again.
        next_attempt_at: Timestamp,
        /// What is told of the failure.
        error: LinkError,
    },
    /// Google refuses it for good.
    Refused {
        /// Where the event stands.
        placement: Placement,
        /// What is told of the failure.
        error: LinkError,
    },
    /// Nothing could be done at present: the link stays as due as it was.
    Unchanged {
        /// Where the event stands.
        placement: Placement,
    },
}

/// A link under its lease, how it is settled, and the calls that were made for it.
pub type LinkSettlement = (Claimed, Settlement, Vec<CallMade>);

/// How several attempts are settled.
#[derive(Debug, Clone, Default)]
pub struct Settlements {
    /// Those of links.
    pub links: Vec<LinkSettlement>,
    /// Those of deletions that are owed.
    pub owed: Vec<(OwedClaim, OwedSettlement)>,
}

impl Settlements {
    /// Whose they are.
    pub(super) fn organisations(&self) -> BTreeSet<&OrganisationId> {
        let links = self.links.iter().map(|(claimed, ..)| &claimed.organisation);
        links.chain(self.owed.iter().map(|(claimed, _)| &claimed.organisation)).collect()
    }
}

/// What became of a link that was settled.
#[derive(Debug, Clone)]
#[must_use = "whoever is fenced has lost the right to go on"]
pub enum SettledLink {
    /// It is durable: the link as it stands now.
    Done(Box<Link>),
    /// The lease was taken over: nothing was changed.
    Fenced,
}

/// What became of them, in the same order.
#[derive(Debug, Clone, Default)]
pub struct SettledRows {
    /// One for each link.
    pub links: Vec<SettledLink>,
    /// Whether each deletion was still the claim's own.
    pub owed: Vec<Guarded>,
}

/// What became of those whose organisation no other transaction holds.
#[derive(Debug, Clone, Default)]
pub struct SettledFree {
    /// One for each of theirs, in the same order.
    pub rows: SettledRows,
    /// The other organisations: nothing of theirs was changed, and nothing is answered for them.
    pub locked_out: BTreeSet<OrganisationId>,
}

impl Store {
    /// The same as [`Store::settle_together`], but it waits for nobody: organisations that another transaction holds are
    /// passed by.
    pub async fn settle_free(&self, settlements: Settlements, now: Timestamp) -> Result<SettledFree, Error> {
        query!(self, write, settlements::settle_free(&settlements, now))
    }

    /// Records what attempts came to, and gives their leases back. One transaction. A link is fenced once another worker
    /// has taken it over; another epoch alone does not fence it: what may stand at Google is recorded all the same. One
    /// that is fenced changes nothing for the others.
    ///
    /// Where a link was asked to be sent again meanwhile, it stays as due as that request left it. `Unavailable` where
    /// another transaction holds one of the organisations for seconds.
    pub async fn settle_together(&self, settlements: Settlements, now: Timestamp) -> Result<SettledRows, Error> {
        query!(self, write, settlements::settle_together(&settlements, now))
    }

    /// The same for one link.
    pub async fn settle(&self, claimed: &Claimed, settlement: &Settlement, now: Timestamp) -> Result<Guarded, Error> {
        let links = vec![(claimed.clone(), settlement.clone(), Vec::new())];
        let settled = self.settle_together(Settlements { links, owed: Vec::new() }, now).await?;
        Ok(match settled.links.first() {
            Some(SettledLink::Done(_)) => Guarded::Done,
            Some(SettledLink::Fenced) | None => Guarded::Fenced,
        })
    }

    /// Records what an attempt to delete came to, and gives the lease back. Fenced once another worker has taken it over,
    /// or a link has taken the event back.
    pub async fn settle_owed(
        &self,
        claimed: &OwedClaim,
        settlement: &OwedSettlement,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let owed = vec![(claimed.clone(), settlement.clone())];
        let settled = self.settle_together(Settlements { links: Vec::new(), owed }, now).await?;
        Ok(settled.owed.first().copied().unwrap_or(Guarded::Fenced))
    }
}
