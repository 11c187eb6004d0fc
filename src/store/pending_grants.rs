//! Pending grants: the grant of another account than the connected one, until a person has taken or dropped it.
//!
//! Owns what is told of it, and that it lapses. Never revokes a grant: one that is dropped lapses, and is queued to be
//! revoked then. Invariant: while an account has its grant, another one takes its place by a person's word alone.

use jiff::Timestamp;

use super::{Error, Store};
use crate::model::OrganisationId;

/// Another account, as the settings page asks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAccount {
    /// Its e-mail address.
    pub google_email: String,
    /// Until when it can be taken.
    pub expires_at: Timestamp,
}

impl Store {
    /// Lets the account that waits lapse now.
    pub async fn drop_pending_account(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, pending_grants::lapse(&organisation, now))
    }

    /// Puts the grants that waited for a person's word, and no longer wait at `now`, among those that are to be revoked:
    /// of a consent that lapsed, lapsed themselves, or with nothing connected that they could take the place of.
    pub async fn queue_lapsed_grants(&self, now: Timestamp) -> Result<(), Error> {
        query!(self, write, pending_grants::queue_lapsed(now))
    }
}
