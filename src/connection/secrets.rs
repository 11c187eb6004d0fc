//! The secrets of a connection, each sealed to the cell that it stands in.
//!
//! Owns how tokens, PKCE verifiers and calendars are sealed and opened, and how one-time tokens are drawn. Never stores
//! anything. Invariant: a secret that was sealed for one organisation or consent does not open for another.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::clock::Entropy;
use crate::crypto::{Cell, ExposeSecret, Keyring, OpenError, Sealed, Secret, TokenColumn};
use crate::google;
use crate::model::{CalendarId, OrganisationId};

/// Seals and opens. A clone has the same keys.
#[derive(Clone)]
pub(super) struct Secrets {
    keyring: Arc<Keyring>,
    entropy: Entropy,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    pub(super) fn new(keyring: Arc<Keyring>, entropy: Entropy) -> Self {
        Self { keyring, entropy }
    }

    pub(super) fn seal_token(&self, organisation: &OrganisationId, token: TokenColumn, secret: &Secret) -> Sealed {
        self.keyring.seal(&Cell::token(organisation, token), secret.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_token(
        &self,
        organisation: &OrganisationId,
        token: TokenColumn,
        sealed: &Sealed,
    ) -> Result<Secret, OpenError> {
        self.open(&Cell::token(organisation, token), sealed)
    }

    pub(super) fn seal_calendar(&self, organisation: &OrganisationId, alias: &CalendarId, calendar: &Secret) -> Sealed {
        let cell = Cell::calendar(organisation, alias);
        self.keyring.seal(&cell, calendar.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_calendar(
        &self,
        organisation: &OrganisationId,
        alias: &CalendarId,
        sealed: &Sealed,
    ) -> Result<Secret, OpenError> {
        self.open(&Cell::calendar(organisation, alias), sealed)
    }

    pub(super) fn seal_verifier(&self, state_hash: &[u8], verifier: &Secret) -> Sealed {
        self.keyring.seal(&Cell::verifier(state_hash), verifier.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_verifier(&self, state_hash: &[u8], sealed: &Sealed) -> Result<Secret, OpenError> {
        self.open(&Cell::verifier(state_hash), sealed)
    }

    /// Seals what a consent gave, until a person has said that it is kept.
    pub(super) fn seal_granted(&self, state_hash: &[u8], granted: &Secret) -> Sealed {
        self.keyring.seal(&Cell::granted(state_hash), granted.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_granted(&self, state_hash: &[u8], sealed: &Sealed) -> Result<Secret, OpenError> {
        self.open(&Cell::granted(state_hash), sealed)
    }

    fn open(&self, cell: &Cell<'_>, sealed: &Sealed) -> Result<Secret, OpenError> {
        let plain = self.keyring.open(cell, sealed)?;
        // Only texts are ever sealed here; anything else is not ours.
        Ok(std::str::from_utf8(&plain).map_err(|_| OpenError::Forged)?.into())
    }

    /// Draws 256 random bits that fit into a URL and a cookie.
    pub(super) fn random_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.entropy.bytes::<32>())
    }

    /// Draws the token of a lease.
    pub(super) fn lease_token(&self) -> Uuid {
        Uuid::from_bytes(self.entropy.bytes())
    }

    /// Draws any number, to spread what is tried again.
    pub(super) fn number(&self) -> u64 {
        self.entropy.number()
    }

    /// Draws a PKCE verifier.
    pub(super) fn pkce_verifier(&self) -> Secret {
        google::pkce_verifier(&self.entropy)
    }
}
