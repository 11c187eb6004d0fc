//! Unkept grants: what Google granted and nobody keeps, until it is revoked.
//!
//! A grant stands here sealed from the moment at which nobody else has it. It leaves once Google has revoked it,
//! refuses to, or has not answered for a day, and where somebody uses the account: to revoke it would end that grant
//! too.
//!
//! Owns the queue of those grants, and which of them are due. Never revokes one: its caller asks Google. Invariant: a
//! grant stands in the queue once.

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::{GoogleUserId, OrganisationId};

/// A grant that nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnkeptGrant {
    /// Whom it was given to.
    pub organisation: OrganisationId,
    /// The Google account.
    pub google_user_id: GoogleUserId,
    /// What revokes it, sealed.
    pub token: Sealed,
    /// How many attempts to revoke it have failed.
    pub attempts: i32,
    /// Since when nobody keeps it.
    pub since_at: Timestamp,
}

impl Store {
    /// Puts a grant among those that are to be revoked, now.
    pub async fn queue_unkept_grant(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        token: &Sealed,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, account, token) = (organisation.clone(), account.clone(), token.clone());
        query!(self, write, unkept_grants::queue(&organisation, &account, &token, now))
    }

    /// Some of the grants that are to be revoked by `now`, the longest due first; those given to `organisation`, if one is
    /// named.
    pub async fn unkept_grants_due(
        &self,
        organisation: Option<&OrganisationId>,
        now: Timestamp,
    ) -> Result<Vec<UnkeptGrant>, Error> {
        let organisation = organisation.cloned();
        query!(self, read, unkept_grants::due(organisation.as_ref(), now))
    }
}
