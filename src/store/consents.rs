//! Consents: the round-trips to Google's consent page that are under way.
//!
//! Owns what is stored of a consent from its ticket to its end. Never sees a ticket or a state, only their hashes, and
//! never opens what is sealed. Invariant: a state serves once.

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::{Epoch, OrganisationId};

/// A consent that is about to begin.
#[derive(Debug, Clone)]
pub struct NewConsent {
    /// The hash of the one-time ticket.
    pub ticket_hash: Vec<u8>,
    /// The organisation that is to be connected.
    pub organisation: OrganisationId,
    /// What a person is shown of whom it is for; `None`: nobody is asked before a grant is kept.
    pub practice: Option<String>,
    /// Where the browser goes afterwards; `None`: to a page of the service's.
    pub return_url: Option<String>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// A consent that came back from Google, taken out of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The organisation that is to be connected.
    pub organisation: OrganisationId,
    /// What a person is shown of whom it is for; `None`: nobody is asked before a grant is kept.
    pub practice: Option<String>,
    /// Where the browser goes afterwards; `None`: to a page of the service's.
    pub return_url: Option<String>,
    /// The PKCE verifier, sealed.
    pub verifier: Sealed,
    /// What the id token has to repeat.
    pub nonce: String,
    /// When it lapses, or has lapsed.
    pub expires_at: Timestamp,
    /// The hash of the ticket that it began with.
    pub ticket_hash: Vec<u8>,
    /// The epoch that it began in, or that a connect beside it began.
    pub epoch: Epoch,
}

/// A consent whose grant waits for a person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfirmedConsent {
    /// The hash of the state under which the word comes.
    pub state_hash: Vec<u8>,
    /// The hash of the ticket that it began with.
    pub ticket_hash: Vec<u8>,
    /// The organisation that is to be connected.
    pub organisation: OrganisationId,
    /// Where the browser goes afterwards; `None`: to a page of the service's.
    pub return_url: Option<String>,
    /// The Google account.
    pub google_user_id: String,
    /// What revokes the grant, sealed as the refresh token of the integration.
    pub refresh_token: Sealed,
    /// All else that was granted, sealed.
    pub granted: Sealed,
    /// The epoch that it began in, or that a connect beside it began.
    pub epoch: Epoch,
    /// When it lapses, or has lapsed.
    pub expires_at: Timestamp,
}

impl Store {
    /// Stores a new consent of the present epoch, and drops those that have lapsed; what was granted in one is to be
    /// revoked.
    pub async fn create_consent(&self, consent: NewConsent, now: Timestamp) -> Result<(), Error> {
        query!(self, write, consents::create(consent, now))
    }

    /// Binds state, verifier and nonce to an unlapsed ticket. A later start with the same ticket is a consent of its own
    /// beside the first. Answers whose it is; `None`: no such ticket.
    pub async fn start_consent(
        &self,
        ticket_hash: &[u8],
        state_hash: Vec<u8>,
        verifier: Sealed,
        nonce: String,
        now: Timestamp,
    ) -> Result<Option<OrganisationId>, Error> {
        let ticket_hash = ticket_hash.to_vec();
        query!(self, write, consents::start(&ticket_hash, state_hash, &verifier, nonce, now))
    }

    /// Takes a consent out by its state, lapsed or not: it serves once.
    pub async fn take_consent(&self, state_hash: &[u8]) -> Result<Option<Consent>, Error> {
        let state_hash = state_hash.to_vec();
        query!(self, write, consents::take(&state_hash))
    }

    /// Keeps what was granted until a person has said that it is to be.
    pub async fn keep_unconfirmed_consent(&self, held: UnconfirmedConsent, now: Timestamp) -> Result<(), Error> {
        query!(self, write, consents::keep_unconfirmed(held, now))
    }

    /// Takes out what waits for a person's word under this state, lapsed or not: it serves once.
    pub async fn take_unconfirmed_consent(&self, state_hash: &[u8]) -> Result<Option<UnconfirmedConsent>, Error> {
        let state_hash = state_hash.to_vec();
        query!(self, write, consents::take_unconfirmed(&state_hash))
    }
}
