//! Refreshes: who may ask Google for another access token, and what it brought.
//!
//! Owns the right to refresh, which one process has at a time. Never asks Google, and never opens a token. Invariant:
//! tokens are stored in the epoch in which they were asked for, or not at all.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Guarded, Integration, Store};
use crate::crypto::Sealed;
use crate::model::{Epoch, OrganisationId};

/// What a refresh brought.
#[derive(Debug, Clone)]
pub struct RefreshedTokens {
    /// The access token, sealed.
    pub access_token: Sealed,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The refresh token that replaces the one before, sealed; `None`: that one stays.
    pub refresh_token: Option<Sealed>,
}

impl Store {
    /// Takes the right to refresh the access token until `until`, and answers the integration as it is then. `None`:
    /// somebody else has it, or the integration is in another epoch or has no grant.
    pub async fn lease_refresh(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        lease_token: Uuid,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, write, refreshes::lease(&organisation, epoch, lease_token, until, now))
    }

    /// Stores what a refresh at `now` brought, and ends the right to it.
    pub async fn save_tokens(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        tokens: RefreshedTokens,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, write, refreshes::save_tokens(&organisation, epoch, &tokens, now))
    }

    /// Gives the right to refresh back: nothing was brought. Fenced where somebody else has it by now.
    pub async fn release_refresh(&self, organisation: &OrganisationId, lease_token: Uuid) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, write, refreshes::release(&organisation, lease_token))
    }
}
