//! Grants: what an account allows, stored and refreshed.

use jiff::Timestamp;

use super::{Error, Guarded, Integration, Store};
use crate::crypto::Sealed;
use crate::model::{Calendar, Epoch, GoogleUserId, OrganisationId};

/// What a finished consent brings.
#[derive(Debug, Clone)]
pub struct Grant {
    /// For whom.
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
}

impl Store {
    /// Stores a grant: connects, or connects anew. Begins an epoch and clears the problem. While a disconnect is under way
    /// it changes nothing: the integration that is answered is not connected.
    ///
    /// The same account as before finds its calendar and settings kept. Another account gets the grant's calendar; what
    /// the links may have in the account before is owed, and they are sent again. Either way, links that stand for nothing
    /// take back what is owed of this account, and whatever else is owed is due. A first connect is enabled, and its titles
    /// show the whole name.
    pub async fn connect(&self, grant: Grant, now: Timestamp) -> Result<Integration, Error> {
        query!(self, long, grants::connect(grant, now))
    }

    /// Stores tokens that a refresh brought; the old refresh token stays where `refresh` is `None`.
    pub async fn save_tokens(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        access: Sealed,
        expires_at: Timestamp,
        refresh: Option<Sealed>,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, write, grants::save_tokens(&organisation, epoch, &access, expires_at, refresh.as_ref(), now))
    }
}
