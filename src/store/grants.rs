//! Grants: what an account allows, stored where that may be.
//!
//! Owns what a consent brings, and what may become of it. Never opens a token. Invariant: whatever is answered, the
//! grant is stored, kept aside for a person's word, or queued to be revoked.

use jiff::Timestamp;

use super::wishes::Wish;
use super::{Error, OpenedCalendar, Store};
use crate::crypto::Sealed;
use crate::model::{Calendar, Epoch, GoogleUserId, OrganisationId};

/// What a finished consent brings.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The organisation that is connected by it.
    pub organisation: OrganisationId,
    /// The Google account.
    pub google_user_id: GoogleUserId,
    /// Its e-mail address.
    pub google_email: String,
    /// The access token, sealed.
    pub access_token: Sealed,
    /// The refresh token, sealed.
    pub refresh_token: Sealed,
    /// When the access token expires.
    pub token_expires_at: Timestamp,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
    /// The target calendar, if none of the same account is kept.
    pub calendar: Calendar,
    /// The calendars that were sealed since the latest disconnect.
    pub opened: Vec<OpenedCalendar>,
}

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
    /// The integration is in another epoch than the consent: a disconnect has begun since, or a consent with another account
    /// ended at the same moment. Nobody keeps the grant.
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
}
