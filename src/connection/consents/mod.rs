//! The consent: from a ticket in one browser's cookie to a grant in the database.
//!
//! Owns the ticket, which proves that the browser is the one whose user started from Cassius, and the state, by which
//! Google's answer finds its consent and which proves, with a cookie of the sidecar's own, that the browser is still
//! the same. So several tabs of one browser are on their way at once, each with its own state and cookies. Where
//! Cassius named the practice, a grant waits until the person in front of the browser has read for whom it is, and with
//! which account. What ends without being kept, a grant or another account that nobody confirms, ends from here too.
//! Never gives a token out. Invariant: ticket and state are stored as digests; a state is taken once, and of one ticket
//! sixteen are on their way at most; a connect URL says which ticket is meant, so that no tab begins the consent of
//! another.

mod completion;
mod outcome;
mod state;
mod ticket;
mod unconfirmed;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{Audit, Error, Grants};
use crate::clock::Clock;
use crate::config::{CONNECT_PATH, ReturnUrls, sidecar_url};
use crate::crypto::{ExposeSecret, Secret, digest};
use crate::google::Google;
use crate::model::OrganisationId;
use crate::store::{NewConsent, Store};
pub use outcome::{Callback, Completed, ConsentOutcome, Question, Returned};
pub use state::handle_in;
use state::state_for;
use ticket::browser_of;
pub use ticket::{COOKIE_NAME, HANDLE, browser_cookie_name, cookie_name, handle_of, own_cookie_name};

/// How long a person may take from the button in Cassius to the end of Google's pages.
pub const CONSENT_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How consents travel between Cassius, the browser and Google.
#[derive(Debug, Clone)]
pub struct ConsentSettings {
    /// Where a browser reaches the sidecar.
    pub public_url: Url,
    /// Where a consent may send the browser back to.
    pub return_urls: ReturnUrls,
    /// Whether the connect URL carries the ticket, for grpcurl.
    pub ticket_in_url: bool,
}

/// What starts a consent.
#[derive(Debug, Clone)]
pub struct ConsentStart {
    /// Where to send the browser; it names the consent by its handle, or carries the ticket.
    pub connect_url: String,
    /// The one-time ticket: the value of the cookie.
    pub ticket: Secret,
    /// The name of the cookie that the ticket of any consent may lie in.
    pub cookie_name: &'static str,
    /// The name of the cookie of this consent alone.
    pub own_cookie_name: String,
    /// How long the cookie lives, in seconds.
    pub max_age_seconds: i64,
    /// Until when the consent can be completed.
    pub expires_at: Timestamp,
}

/// A browser on its way to Google.
#[derive(Debug, Clone)]
pub struct ConsentRedirect {
    /// Google's consent page.
    pub consent_page: Url,
    /// What the browser is recognised by when it comes back: the value of the sidecar's own cookie.
    pub browser: Secret,
}

/// The consents. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Consents {
    store: Store,
    google: Google,
    grants: Grants,
    clock: Clock,
    settings: Arc<ConsentSettings>,
    audit: Audit,
}

impl Consents {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(
        store: Store,
        google: Google,
        grants: Grants,
        clock: Clock,
        settings: ConsentSettings,
        audit: Audit,
    ) -> Self {
        Self { store, google, grants, clock, settings: Arc::new(settings), audit }
    }

    /// Takes the account that waits to be confirmed in place of the connected one, or drops it.
    pub async fn confirm_account(&self, organisation: &OrganisationId, is_accepted: bool) -> Result<(), Error> {
        self.grants.confirm(organisation, is_accepted).await
    }

    /// Ends the grants that nobody keeps: of accounts that were not confirmed in time, and of those whose revocation got no
    /// answer.
    pub async fn end_unkept_grants(&self) -> Result<(), Error> {
        Ok(self.grants.end_unkept(None).await?)
    }

    /// Begins a consent. A connected account stays connected until the new consent is complete; one that is being
    /// disconnected has to be gone first. With the name of the practice, the person is asked before a grant is kept.
    pub async fn begin(
        &self,
        organisation: &OrganisationId,
        return_url: Option<&str>,
        practice: Option<String>,
    ) -> Result<ConsentStart, Error> {
        if return_url.is_some_and(|url| !self.settings.return_urls.allows(url)) {
            return Err(Error::ReturnUrlNotAllowed);
        }
        let integration = self.store.integration(organisation).await?;
        if integration.is_some_and(|integration| integration.disconnecting.is_some()) {
            return Err(Error::Disconnecting);
        }
        let now = self.clock.now();
        let expires_at = now + CONSENT_LIFETIME;
        let ticket: Secret = self.grants.secrets().random_token().into();
        let consent = NewConsent {
            ticket_hash: digest(ticket.expose_secret().as_bytes()).to_vec(),
            organisation: organisation.clone(),
            practice,
            return_url: return_url.map(str::to_owned),
            expires_at,
        };
        self.store.create_consent(consent, now).await?;
        let handle = handle_of(&ticket);
        let mut connect_url = sidecar_url(&self.settings.public_url, CONNECT_PATH);
        // A ticket in the URL says by itself which one is meant; of two parameters grpcurl would print an escape.
        let (name, value) = match self.settings.ticket_in_url {
            true => ("ticket", ticket.expose_secret()),
            false => (HANDLE, &*handle),
        };
        connect_url.query_pairs_mut().append_pair(name, value);
        let is_https = self.settings.public_url.scheme() == "https";
        Ok(ConsentStart {
            connect_url: connect_url.into(),
            ticket,
            cookie_name: cookie_name(is_https),
            own_cookie_name: own_cookie_name(&handle, is_https),
            max_age_seconds: CONSENT_LIFETIME.as_secs(),
            expires_at,
        })
    }

    /// Takes a ticket to Google's consent page; `None`: it is unknown or expired.
    pub async fn start(&self, ticket: &Secret) -> Result<Option<ConsentRedirect>, Error> {
        let ticket_hash = digest(ticket.expose_secret().as_bytes());
        let secrets = self.grants.secrets();
        let browser = browser_of(ticket);
        let state = state_for(&handle_of(ticket), &browser, &secrets.random_token());
        let nonce = secrets.random_token();
        let verifier = secrets.pkce_verifier();
        let state_hash = digest(state.as_bytes());
        let sealed = secrets.seal_verifier(&state_hash, &verifier);
        let (hash, now) = (state_hash.to_vec(), self.clock.now());
        let Some(organisation) = self.store.start_consent(&ticket_hash, hash, sealed, nonce.clone(), now).await? else {
            return Ok(None);
        };
        let known = self.store.integration(&organisation).await?;
        let account = known.and_then(|it| it.google_email.or(it.google_user_id.map(|id| id.to_string())));
        let consent_page = self.google.authorize_url(&state, verifier.expose_secret(), &nonce, account.as_deref());
        Ok(Some(ConsentRedirect { consent_page, browser }))
    }
}
