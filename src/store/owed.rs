//! Owed deletions: events that may stand at Google and are no longer wanted there.
//!
//! Owns why an event is owed, what a worker is told of one that it claims, and how an attempt to delete it can end.
//! Never deletes an event: the worker does. A row ends when Google has said that the event is gone, when a link wants
//! exactly that event again, or when the organisation is forgotten or erased without it.
//!
//! Invariant: no two calls of one appointment are under way at a time: a row is attempted under a lease like a link,
//! and while the appointment has a link, that link is under the same lease.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Found, Guarded, Lease, LinkError, Store};
use crate::model::{AppointmentId, CalendarId, Epoch, GoogleUserId, OrganisationId, Place};

/// Why an event is no longer wanted where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwedCause {
    /// Another account was connected.
    AccountExchanged,
    /// A move had to be given up, or a deletion, and the event may still stand in a calendar that is not the target and was
    /// out of reach.
    LeftBehind,
    /// The account is being disconnected, and the events that links stood at are to be deleted. That disconnect works off
    /// what is owed for any other cause, too.
    Disconnect,
    /// The appointment was erased.
    Erasure,
    /// The comparison with Google found it, and no link has it.
    Comparison,
}

/// An owed deletion under a lease, as it stood when it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedClaim {
    /// Whose event it is.
    pub organisation: OrganisationId,
    /// The account that wrote it.
    pub google_user_id: GoogleUserId,
    /// The account that is connected now, and with which it is deleted.
    pub connected: GoogleUserId,
    /// The appointment that it shows.
    pub appointment: AppointmentId,
    /// Where it may stand.
    pub place: Place,
    /// Why the event is no longer wanted.
    pub cause: OwedCause,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// The lease under which alone the deletion may be settled.
    pub lease: Lease,
    /// The integration's epoch.
    pub epoch: Epoch,
}

/// What an attempt to delete comes to in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwedSettlement {
    /// The event is gone: nothing is owed any more.
    Gone {
        /// Whether it stood there until it was deleted, as far as is known.
        was_deleted: bool,
    },
    /// It failed, and is tried again.
    Later {
        /// The instant before which it is not attempted again.
        next_attempt_at: Timestamp,
        /// What is told of the failure.
        error: LinkError,
    },
    /// Google refuses it: it stays owed, and is tried again when an account connects or a person asks.
    Refused {
        /// What is told of the failure.
        error: LinkError,
    },
    /// Nothing could be done at present: the row stays as due as it is.
    Unchanged,
}

/// What an organisation still owes, whatever the cause and the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwedLeft {
    /// How many events are still to be deleted.
    pub events: i64,
    /// How many of them are parked: Google refused, their calendar is out of reach, or their account is another one.
    pub parked: i64,
    /// How many events a disconnect that is under way has not taken over yet, and is going to.
    pub untaken: i64,
}

impl Store {
    /// Leases a due deletion of each of these organisations until `until`, as many as it is named times, the longest due
    /// first. One transaction. Tokens are drawn as for [`Store::claim`].
    ///
    /// None is claimed while the link of its appointment is under a lease. One whose link stands at exactly that event is
    /// no longer owed, and dropped. One that does not read is parked.
    pub async fn claim_owed(
        &self,
        organisations: &[OrganisationId],
        lease_token: Uuid,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Found<OwedClaim>, Error> {
        if organisations.is_empty() {
            return Ok(Found::default());
        }
        let organisations = organisations.to_vec();
        query!(self, write, owed_claims::claim(organisations, lease_token, until, now))
    }

    /// Renews the lease of an owed deletion. Whoever is fenced does not call Google any more.
    pub async fn renew_owed_lease(
        &self,
        claimed: &OwedClaim,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let claimed = claimed.clone();
        query!(self, write, owed_claims::renew(&claimed, until, now))
    }

    /// Owes the deletion of these events of `account`, due now. One that is owed already is due again.
    pub async fn owe(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        events: &[(AppointmentId, Place)],
        cause: OwedCause,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, account, events) = (organisation.clone(), account.clone(), events.to_vec());
        query!(self, long, owed::owe(&organisation, &account, &events, cause, now))
    }

    /// Parks whatever is owed in a calendar that the account of this epoch cannot write to.
    pub async fn park_calendar(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        calendar: &CalendarId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, calendar) = (organisation.clone(), calendar.clone());
        query!(self, write, owed::park_calendar(&organisation, epoch, &calendar, now))
    }

    /// What `organisation` still owes, whatever the cause and the account.
    pub async fn owed_left(&self, organisation: &OrganisationId) -> Result<OwedLeft, Error> {
        let organisation = organisation.clone();
        query!(self, read, owed_counts::left(&organisation))
    }
}
