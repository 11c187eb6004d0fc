//! Pending grants: the grant of another account than the connected one, until a person has taken or dropped it.

use jiff::Timestamp;

use super::{Error, Integration, Store};
use crate::crypto::Sealed;
use crate::model::{GoogleUserId, OrganisationId};

/// Another account, as the settings page asks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAccount {
    /// Its e-mail address.
    pub google_email: String,
    /// Until when it can be taken.
    pub expires_at: Timestamp,
}

/// A grant that waits no more, or was replaced: what has to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingGrant {
    /// For whom.
    pub organisation: OrganisationId,
    /// The Google account.
    pub google_user_id: GoogleUserId,
    /// The refresh token, sealed.
    pub refresh_token: Sealed,
}

impl Store {
    /// The account that waits for a person's word at `now`.
    pub async fn pending_account(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Option<PendingAccount>, Error> {
        let organisation = organisation.clone();
        query!(self, read, pending_grants::account(&organisation, now))
    }

    /// Connects the account that waits, in place of the one before; answers the integration as it was before that.
    /// `None`: nothing waits, or nothing is connected any more.
    pub async fn confirm_account(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, long, grants::confirm(&organisation, now))
    }

    /// Lets the account that waits lapse now.
    pub async fn drop_pending_account(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), Error> {
        let organisation = organisation.clone();
        query!(self, write, pending_grants::lapse(&organisation, now))
    }

    /// The grants that wait no more at `now`: lapsed, or with nothing connected that they could take the place of.
    pub async fn lapsed_grants(&self, now: Timestamp) -> Result<Vec<PendingGrant>, Error> {
        query!(self, read, pending_grants::lapsed(now))
    }
}
