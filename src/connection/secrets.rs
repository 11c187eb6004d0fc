//! The secrets of a connection, each sealed to the cell that it stands in.
//!
//! Owns how tokens and PKCE verifiers are sealed and opened, and how one-time tokens are drawn. Never stores anything.
//! Invariant: a secret that was sealed for one organisation or consent does not open for another.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Entropy;
use crate::crypto::{Cell, ExposeSecret, Keyring, OpenError, Sealed, Secret};
use crate::google;
use crate::model::OrganisationId;

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

/// The two columns of `calendar_integrations` that hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Access,
    Refresh,
}

impl Token {
    fn column(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

impl Secrets {
    pub(super) fn new(keyring: Arc<Keyring>, entropy: Entropy) -> Self {
        Self { keyring, entropy }
    }

    pub(super) fn seal_token(&self, organisation: &OrganisationId, token: Token, secret: &Secret) -> Sealed {
        let row = [organisation.as_str(), "google"];
        self.keyring.seal(&token_cell(&row, token), secret.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_token(
        &self,
        organisation: &OrganisationId,
        token: Token,
        sealed: &Sealed,
    ) -> Result<Secret, OpenError> {
        self.open(&token_cell(&[organisation.as_str(), "google"], token), sealed)
    }

    pub(super) fn seal_verifier(&self, ticket_hash: &[u8], verifier: &Secret) -> Sealed {
        let row = hex(ticket_hash);
        self.keyring.seal(&verifier_cell(&[&row]), verifier.expose_secret().as_bytes(), &self.entropy)
    }

    pub(super) fn open_verifier(&self, ticket_hash: &[u8], sealed: &Sealed) -> Result<Secret, OpenError> {
        let row = hex(ticket_hash);
        self.open(&verifier_cell(&[&row]), sealed)
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

    /// Draws a PKCE verifier.
    pub(super) fn pkce_verifier(&self) -> Secret {
        google::pkce_verifier(&self.entropy)
    }
}

fn token_cell<'a>(row: &'a [&'a str], token: Token) -> Cell<'a> {
    Cell { table: "calendar_integrations", row, column: token.column() }
}

fn verifier_cell<'a>(row: &'a [&'a str]) -> Cell<'a> {
    Cell { table: "oauth_consents", row, column: "verifier" }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
