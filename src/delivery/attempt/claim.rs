//! What an attempt is made for: a link, or a deletion that is owed.
//!
//! Owns what the two have in common: whose they are, their lease, and where an event may stand. Never calls anybody.
//! Invariant: it says what stood when it was claimed; what has changed since, the store alone knows.

use jiff::{SignedDuration, Timestamp};

use crate::model::{AppointmentId, Epoch, OrganisationId, Placement};
use crate::store::{CallMade, Claimed, Lease, OwedCause, OwedClaim};
use crate::sync::{Answer, Call};

/// A link or an owed deletion, under a lease.
pub(in crate::delivery) enum Claim {
    /// Google is to show what the appointment is.
    Link(Claimed),
    /// The event is to be gone.
    Owed(OwedClaim),
}

impl Claim {
    /// Whose it is.
    pub(in crate::delivery) fn organisation(&self) -> &OrganisationId {
        match self {
            Self::Link(claimed) => &claimed.organisation,
            Self::Owed(claimed) => &claimed.organisation,
        }
    }

    /// The appointment whose event the claim is about.
    pub(in crate::delivery) fn appointment(&self) -> &AppointmentId {
        match self {
            Self::Link(claimed) => &claimed.appointment,
            Self::Owed(claimed) => &claimed.appointment,
        }
    }

    /// The lease, as it was when it was claimed.
    pub(in crate::delivery) fn lease(&self) -> Lease {
        match self {
            Self::Link(claimed) => claimed.lease,
            Self::Owed(claimed) => claimed.lease,
        }
    }

    /// Whether it is what an erasure may wait for last, before the account is searched.
    pub(super) fn is_of_erasure(&self) -> bool {
        match self {
            Self::Link(_) => false,
            Self::Owed(claimed) => claimed.cause == OwedCause::Erasure,
        }
    }

    /// The trace of whoever asked for it. A deletion that is owed has outlived its own.
    pub(super) fn traceparent(&self) -> Option<&str> {
        match self {
            Self::Link(claimed) => claimed.traceparent.as_deref(),
            Self::Owed(_) => None,
        }
    }

    /// The integration's epoch.
    pub(super) fn epoch(&self) -> Epoch {
        match self {
            Self::Link(claimed) => claimed.epoch,
            Self::Owed(claimed) => claimed.epoch,
        }
    }

    /// How many attempts have failed in a row.
    pub(super) fn attempts(&self) -> u32 {
        let attempts = match self {
            Self::Link(claimed) => claimed.attempts,
            Self::Owed(claimed) => claimed.attempts,
        };
        u32::try_from(attempts).unwrap_or(0)
    }

    /// A call that was made for it, as its link keeps it. A deletion that is owed has no link that would.
    pub(super) fn note_call(
        &self,
        at: Timestamp,
        call: &Call,
        answer: &Answer,
        took: SignedDuration,
    ) -> Option<CallMade> {
        match self {
            Self::Link(claimed) => Some(CallMade {
                at,
                revision: claimed.revision.number(),
                method: call.name().to_owned(),
                answer: answer.name().to_owned(),
                took,
            }),
            Self::Owed(_) => None,
        }
    }

    /// Where an event may stand.
    pub(super) fn placement(&self) -> Placement {
        match self {
            Self::Link(claimed) => claimed.placement.clone(),
            Self::Owed(claimed) => Placement::Reserved(claimed.place.clone()),
        }
    }
}
