//! Grants: what an account allows, from the connect to the end of the disconnect.

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
    /// Stores a grant: connects, or connects anew. Begins an epoch and clears problem and disconnect.
    ///
    /// The same account as before finds its calendar and settings kept. Another account gets the grant's calendar, and
    /// every link forgets its placement: its event lies in an account that is out of reach. A first connect is enabled,
    /// and its titles show the whole name; what was kept before waits. Every later one that is enabled catches up.
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

    /// Begins a disconnect: no claim is given out any more, and a new epoch fences those that were. Answers the
    /// integration with the tokens that it still has; `None` if nothing is connected. Called again, it answers the row
    /// again, in the same epoch.
    pub async fn begin_disconnect(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, write, grants::begin_disconnect(&organisation, now))
    }

    /// Ends a disconnect: erases tokens, address and scopes, and lets pending and refused links rest. Fenced also where
    /// it has ended already.
    pub async fn finish_disconnect(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, long, grants::finish_disconnect(&organisation, epoch, now))
    }

    /// The organisations whose disconnect began and did not end.
    pub async fn unfinished_disconnects(&self) -> Result<Vec<OrganisationId>, Error> {
        query!(self, read, grants::unfinished_disconnects())
    }
}
