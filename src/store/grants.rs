//! Grants: what an account allows, stored where that may be.
//!
//! Owns what a grant is held against, and what may become of it, also by a person's word. Never opens a token.
//! Invariant: whatever is answered, the grant is stored, kept aside for a person's word, or queued to be revoked.

use jiff::Timestamp;

use super::wish::Wish;
use super::{Error, Grant, Store};
use crate::model::{Epoch, OrganisationId};

/// What stood when a grant was asked for: it is held against what stands when it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The epoch that the consent began in, or that a connect beside it began.
    pub epoch: Epoch,
    /// The latest revocation of any account when the exchange began; see [`Store::revocation_seq`].
    pub revocation_seq: i64,
}

/// What became of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connect {
    /// It is stored: the account is connected.
    Stored,
    /// Another account is connected. The grant waits for a person's word.
    KeptAside,
    /// The integration is in another epoch than the consent, or has sealed its calendars since: a disconnect has begun, or
    /// ended, or a consent with another account ended at the same moment. Nobody keeps the grant.
    Fenced,
    /// The same account was connected meanwhile, by another consent that ended at the same moment. What was wanted is so;
    /// nobody keeps this grant.
    AlreadyConnected,
    /// A revocation of the account may have ended the grant. Nobody keeps it.
    Revoked,
}

impl Store {
    /// Stores a grant: connects, or connects anew. Begins an epoch and clears the problem. While another account is
    /// connected, or its grant is dead, the grant waits until `pending_until` instead.
    ///
    /// The same account as before finds its calendar and settings kept. Another account gets the grant's calendar; what
    /// the links may have in the account before is owed, and they are sent again. Either way, links that stand for nothing
    /// take back what is owed of this account, and whatever else is owed is due. A first connect is enabled; what was
    /// kept before waits. Every later one that is enabled catches up.
    pub async fn connect(
        &self,
        grant: Grant,
        as_of: AsOf,
        pending_until: Timestamp,
        now: Timestamp,
    ) -> Result<Connect, Error> {
        let (organisation, size) = (grant.organisation.clone(), self.links_at_once);
        let connect = query!(self, long, grants::connect(grant, as_of, pending_until, size, now))?;
        if connect == Connect::Stored {
            self.count_unreached(&organisation, Wish::CatchUp, now).await;
        }
        Ok(connect)
    }

    /// Connects the account that waits, in place of the one before, whose grant nobody keeps from then on. `false`: nothing
    /// waits, or nothing is connected any more.
    pub async fn confirm_account(&self, organisation: &OrganisationId, now: Timestamp) -> Result<bool, Error> {
        let (whose, size) = (organisation.clone(), self.links_at_once);
        let is_connected = query!(self, long, grants::confirm(&whose, size, now))?;
        if is_connected {
            self.count_unreached(organisation, Wish::CatchUp, now).await;
        }
        Ok(is_connected)
    }
}
