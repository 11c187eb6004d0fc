//! Pending grants: the grant of another account than the connected one, until a person has taken or dropped it.
//!
//! Owns the person's word on it. Never revokes a grant: one that is dropped lapses, and is queued to be revoked then.
//! Invariant: while an account has its grant, another one takes its place by a person's word alone.

use jiff::Timestamp;

use super::wishes::Wish;
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

    /// Lets the account that waits lapse now.
    pub async fn drop_pending_account(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, pending_grants::lapse(&organisation, now))
    }
}
