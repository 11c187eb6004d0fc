//! Claims: due links, leased to one worker at a time.
//!
//! Owns what a worker is told of a link that it claims. Never decides which call is made: `begin` does, within the same
//! transaction. Invariant: the placement that the first call needs is stored together with the lease.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Found, Store};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, CalendarId, Epoch, OrganisationId, Placement, Revision, TitlePrivacy};

/// The right to work on one row until it lapses: a link, an owed deletion, or a whole organisation's comparison or search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Proves whose it is.
    pub token: Uuid,
    /// When it lapses.
    pub until: Timestamp,
}

/// A link under a lease, as it stood when it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// The revision of the snapshot.
    pub revision: Revision,
    /// How often it had been asked to be sent: a settlement answers these requests alone.
    pub request_seq: i64,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// The appointment, sealed; `None` once it was erased.
    pub snapshot: Option<Sealed>,
    /// The trace of whoever asked for it to be sent; `None`: it came with none that is collected.
    pub traceparent: Option<String>,
    /// Where its event stands.
    pub placement: Placement,
    /// The lease under which alone the attempt may be settled.
    pub lease: Lease,
    /// The integration's epoch.
    pub epoch: Epoch,
    /// The target calendar.
    pub target: CalendarId,
    /// How much of the appointment its event shows.
    pub title_privacy: TitlePrivacy,
}

impl Store {
    /// Leases a due link of each of these organisations until `until`, as many as it is named times: live edits first,
    /// then the longest due. One transaction.
    ///
    /// `begin` sees each claimed link and answers the placement that its first call needs, which is stored with the lease;
    /// `None`: no call is made. What else it answers comes back beside the link. Where a call is made, a later edit is not
    /// due before `write_not_before`. The lease of the n-th claimed link has the token `lease_token` + n: a caller
    /// draws one random token for each claim. A link that does not read is in error from then on, and not due.
    pub async fn claim<T, F>(
        &self,
        organisations: &[OrganisationId],
        lease_token: Uuid,
        until: Timestamp,
        write_not_before: Timestamp,
        now: Timestamp,
        begin: F,
    ) -> Result<Found<(Claimed, T)>, Error>
    where
        T: Send + 'static,
        F: FnMut(&Claimed) -> (Option<Placement>, T) + Send + 'static,
    {
        let organisations = organisations.to_vec();
        query!(self, write, claims::claim(organisations, lease_token, until, write_not_before, now, begin))
    }
}
