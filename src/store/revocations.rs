//! Revocations: storing a grant of a Google account and revoking take their turns, over all organisations and replicas.
//!
//! To revoke one grant ends every grant of the account. So an account is revoked with the last that uses it, and a
//! grant that was obtained while that happened is not stored: Google may have ended it already.
//!
//! Owns who has the right to revoke an account, and what leaves with it. Never revokes: its caller asks Google.
//! Invariant: one process at a time has that right, until its lease lapses.

use jiff::Timestamp;

use super::{Error, RevocationLease, Store};
use crate::crypto::Sealed;
use crate::model::{Epoch, GoogleUserId, GrantEnd, OrganisationId};

/// What no longer uses an account once its grant has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantHolder {
    /// An integration whose disconnect ends.
    Integration {
        /// The organisation that leaves.
        organisation: OrganisationId,
        /// The epoch of the disconnect.
        epoch: Epoch,
    },
    /// A grant that nobody keeps.
    Unkept {
        /// Whom it was given to.
        organisation: OrganisationId,
        /// Names it among them.
        token: Sealed,
    },
}

/// What may be done about an account that one of its users has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Others use the account, and its grant stays. Whoever was leaving has left.
    Shared,
    /// The caller alone may revoke, and then ends it.
    Leased,
    /// Somebody else revokes this account: ask again later.
    UnderWay,
    /// Whoever was leaving has left already.
    Ended,
}

impl Store {
    /// The number of the latest revocation of any account. A grant is held against the number that was read before it
    /// was asked for.
    pub async fn revocation_seq(&self) -> Result<i64, Error> {
        query!(self, read, revocations::latest_seq())
    }

    /// Who but `holder` has a grant of the account that is not known to be dead, each in its epoch.
    pub async fn sharers(
        &self,
        account: &GoogleUserId,
        holder: &GrantHolder,
    ) -> Result<Vec<(OrganisationId, Epoch)>, Error> {
        let (account, holder) = (account.clone(), holder.clone());
        query!(self, read, revocations::sharers(&account, &holder))
    }

    /// Takes the right to revoke an account that nobody but `holder` uses. Where others use it, `holder` leaves in the
    /// same transaction, so that of two who leave at once the second revokes.
    pub async fn begin_revocation(
        &self,
        account: &GoogleUserId,
        holder: GrantHolder,
        lease: RevocationLease,
        now: Timestamp,
    ) -> Result<Revocation, Error> {
        let account = account.clone();
        query!(self, long, revocations::begin(&account, &holder, lease, now))
    }

    /// Ends a revocation, and lets `holder` leave. Where Google has not answered, the grant is among those that nobody
    /// keeps from then on, and revoked again at `retry_at`.
    pub async fn finish_revocation(
        &self,
        account: &GoogleUserId,
        holder: GrantHolder,
        lease: RevocationLease,
        end: GrantEnd,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let account = account.clone();
        query!(self, long, revocations::finish(&account, &holder, lease, (end, retry_at), now))
    }
}
