//! The consent: from a ticket in one browser's cookie to a grant in the database.
//!
//! Owns the ticket, which proves that the browser is the one whose user started from Cassius, and the state, by which
//! Google's answer finds its consent and which proves, with a cookie of the sidecar's own, that the browser is still the
//! same. So several tabs of one browser are on their way at once, each with its own state. Never gives a token out.
//! Invariant: ticket and state are stored as digests, and each is taken once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::secrets::Secrets;
use super::{Audit, Deed, Error, Grants};
use crate::clock::Clock;
use crate::config::{CONNECT_PATH, ReturnUrls, sidecar_url};
use crate::crypto::{ExposeSecret, Secret, digest};
use crate::error_chain::error_chain;
use crate::google::{CalendarError, ExchangeError, Google, Granted};
use crate::model::{Calendar, CalendarId, OrganisationId};
use crate::store::{AsOf, Connect, NewConsent, Store};

/// The name of the cookie that carries the ticket.
pub const COOKIE_NAME: &str = "cassius_calendar_connect";

/// How long a person may take from the button in Cassius to the end of Google's pages.
pub const CONSENT_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How consents travel between Cassius, the browser and Google.
#[derive(Debug, Clone)]
pub struct Settings {
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
    /// Where to send the browser.
    pub connect_url: String,
    /// The one-time ticket: the value of the cookie.
    pub ticket: Secret,
    /// How long the cookie lives, in seconds.
    pub max_age_seconds: i64,
    /// Until when the consent can be completed.
    pub expires_at: Timestamp,
}

/// How a consent ended: the word that is added to the return URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentOutcome {
    /// The account is connected.
    Connected,
    /// The person refused.
    Denied,
    /// The administrator of the person's Google organisation does not allow it.
    Blocked,
    /// The permission to write events was not given.
    MissingScope,
    /// The ticket or the state is unknown, used, expired, or of another browser.
    Expired,
    /// Another account is connected, and this one waits for a person's word.
    OtherAccount,
    /// The account was revoked while its grant was on its way: nothing is connected, and the next consent will be.
    TryAgain,
    /// Google did not complete it: no refresh token, an unreadable answer, Google away.
    Failed,
}

impl ConsentOutcome {
    /// The word, as the return URL carries it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Denied => "denied",
            Self::Blocked => "blocked",
            Self::MissingScope => "missing_scope",
            Self::Expired => "expired",
            Self::OtherAccount => "other_account",
            Self::TryAgain => "try_again",
            Self::Failed => "failed",
        }
    }
}

/// A browser on its way to Google.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Google's consent page.
    pub consent_page: Url,
    /// What the browser is known by when it comes back: the value of the sidecar's own cookie.
    pub browser: Secret,
}

/// A consent that came back from Google.
#[derive(Debug, Clone)]
pub struct Completed {
    /// How it ended.
    pub outcome: ConsentOutcome,
    /// Where the browser goes; `None`: nowhere in particular.
    pub return_url: Option<String>,
    /// The digest of the ticket that it began with; `None`: no consent was found.
    ticket_hash: Option<Vec<u8>>,
}

impl Completed {
    /// Whether it began with this ticket, which has served now.
    pub fn began_with(&self, ticket: &Secret) -> bool {
        self.ticket_hash.as_deref() == Some(&digest(ticket.expose_secret().as_bytes()))
    }
}

/// What Google sent back with the browser.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The one-time state.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<Secret>,
    /// Google's error word, such as `access_denied`.
    pub error: Option<String>,
}

/// The consents. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Consents {
    store: Store,
    google: Google,
    grants: Grants,
    secrets: Secrets,
    clock: Clock,
    settings: Arc<Settings>,
    audit: Audit,
}

impl Consents {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(store: Store, google: Google, grants: Grants, clock: Clock, settings: Settings, audit: Audit) -> Self {
        let secrets = grants.secrets().clone();
        Self { store, google, grants, secrets, clock, settings: Arc::new(settings), audit }
    }

    /// Begins a consent. A connected account stays connected until the new consent is complete; one that is being
    /// disconnected has to be gone first.
    pub async fn begin(&self, organisation: &OrganisationId, return_url: Option<&str>) -> Result<ConsentStart, Error> {
        if return_url.is_some_and(|url| !self.settings.return_urls.allows(url)) {
            return Err(Error::ReturnUrlNotAllowed);
        }
        let integration = self.store.integration(organisation).await?;
        if integration.is_some_and(|integration| integration.disconnecting.is_some()) {
            return Err(Error::Disconnecting);
        }
        let now = self.clock.now();
        let expires_at = now + CONSENT_LIFETIME;
        let ticket = self.secrets.random_token();
        let consent = NewConsent {
            ticket_hash: digest(ticket.as_bytes()).to_vec(),
            organisation: organisation.clone(),
            return_url: return_url.map(str::to_owned),
            expires_at,
        };
        self.store.create_consent(consent, now).await?;
        let mut connect_url = sidecar_url(&self.settings.public_url, CONNECT_PATH);
        if self.settings.ticket_in_url {
            connect_url.query_pairs_mut().append_pair("ticket", &ticket);
        }
        Ok(ConsentStart {
            connect_url: connect_url.into(),
            ticket: ticket.into(),
            max_age_seconds: CONSENT_LIFETIME.as_secs(),
            expires_at,
        })
    }

    /// Takes a ticket to Google's consent page; `None`: it is unknown or expired. `browser` is what the browser is known
    /// by since an earlier visit, if it is.
    pub async fn start(&self, ticket: &Secret, browser: Option<Secret>) -> Result<Option<Visit>, Error> {
        let ticket_hash = digest(ticket.expose_secret().as_bytes());
        let browser = browser.unwrap_or_else(|| self.secrets.random_token().into());
        let (state, nonce) = (state_for(&browser, &self.secrets.random_token()), self.secrets.random_token());
        let verifier = self.secrets.pkce_verifier();
        let state_hash = digest(state.as_bytes());
        let sealed = self.secrets.seal_verifier(&state_hash, &verifier);
        let (hash, now) = (state_hash.to_vec(), self.clock.now());
        let Some(organisation) = self.store.start_consent(&ticket_hash, hash, sealed, nonce.clone(), now).await? else {
            return Ok(None);
        };
        let known = self.store.integration(&organisation).await?;
        let account = known.and_then(|it| it.google_email.or(it.google_user_id.map(|id| id.to_string())));
        let consent_page = self.google.authorize_url(&state, verifier.expose_secret(), &nonce, account.as_deref());
        Ok(Some(Visit { consent_page, browser }))
    }

    /// Completes the consent that came back from Google to the browser that is known by `browser`.
    ///
    /// No code is exchanged unless the state was made for this browser and was not used before.
    pub async fn complete(&self, browser: Option<&Secret>, callback: Callback) -> Result<Completed, Error> {
        let expired = |return_url| Completed { outcome: ConsentOutcome::Expired, return_url, ticket_hash: None };
        let (Some(browser), Some(state)) = (browser, callback.state) else { return Ok(expired(None)) };
        if !is_state_of(&state, browser) {
            return Ok(expired(None));
        }
        let state_hash = digest(state.as_bytes());
        let Some(consent) = self.store.take_consent(&state_hash).await? else { return Ok(expired(None)) };
        if consent.expires_at <= self.clock.now() {
            return Ok(expired(consent.return_url));
        }
        let organisation = consent.organisation;
        let outcome = match (callback.error.as_deref(), callback.code) {
            (Some("access_denied"), _) => ConsentOutcome::Denied,
            (Some(word), _) if is_block(word) => ConsentOutcome::Blocked,
            (None, Some(code)) => {
                let verifier = self.secrets.open_verifier(&state_hash, &consent.verifier).map_err(Error::Sealed)?;
                // Before the code is spent: without them nothing of before would be found again.
                let opened = self.grants.opened_calendars(&organisation).await?;
                let revocation_seq = self.store.revocation_seq().await?;
                let as_of = AsOf { epoch: consent.epoch, revocation_seq };
                match self.google.exchange(code.expose_secret(), verifier.expose_secret(), &consent.nonce).await {
                    Ok(granted) => {
                        let calendar = self.primary_calendar(&granted).await;
                        match self.grants.connect(&organisation, granted, calendar, opened, as_of).await? {
                            Connect::Stored => ConsentOutcome::Connected,
                            Connect::KeptAside => ConsentOutcome::OtherAccount,
                            Connect::Fenced => ConsentOutcome::Expired,
                            Connect::Revoked => ConsentOutcome::TryAgain,
                        }
                    }
                    Err(error) => {
                        if let Some(orphan) = error.orphan() {
                            self.grants.give_up(&organisation, orphan).await?;
                        }
                        exchange_failed(&organisation, &error)
                    }
                }
            }
            (Some(_), _) | (None, None) => {
                tracing::warn!(organisation.id = %organisation, "Google sent a consent back with an error");
                ConsentOutcome::Failed
            }
        };
        let deed = Deed {
            caller: "browser".to_owned(),
            actor: None,
            organisation: Some(organisation),
            action: "CompleteConsent".to_owned(),
            outcome: outcome.as_str().to_owned(),
            incident: None,
        };
        self.audit.note(deed).await;
        Ok(Completed { outcome, return_url: consent.return_url, ticket_hash: Some(consent.ticket_hash) })
    }

    /// The account's primary calendar. Where Google does not tell, its id is the account's e-mail address.
    async fn primary_calendar(&self, granted: &Granted) -> Calendar {
        let primary = match self.grants.may_read(&granted.google_user_id).await {
            Ok(()) => self.google.calendar(&granted.access_token, "primary", &granted.google_email).await,
            Err(_) => Err(CalendarError::Unavailable { retry_after: None }),
        };
        match primary {
            Ok(access) if access.calendar.id.as_str() != "primary" => access.calendar,
            Ok(_)
            | Err(
                CalendarError::Unauthorized
                | CalendarError::ScopeMissing
                | CalendarError::NotFound
                | CalendarError::NotPermitted
                | CalendarError::AccountRefused
                | CalendarError::Throttled { .. }
                | CalendarError::Misconfigured
                | CalendarError::Refused { .. }
                | CalendarError::Unavailable { .. },
            ) => Calendar {
                id: CalendarId::new(granted.google_email.clone()),
                name: granted.google_email.clone(),
                time_zone: String::new(),
                color: String::new(),
                is_primary: true,
            },
        }
    }
}

/// A state that only comes back to its own browser: something random, and its digest together with the browser's cookie.
fn state_for(browser: &Secret, random: &str) -> String {
    let proof = digest(format!("{random}.{}", browser.expose_secret()).as_bytes());
    format!("{random}.{}", URL_SAFE_NO_PAD.encode(proof))
}

/// Whether a state was made for this browser.
fn is_state_of(state: &str, browser: &Secret) -> bool {
    let Some((random, _)) = state.split_once('.') else { return false };
    // Time tells nothing worth knowing: without the cookie, which nobody else has, there is no guess to improve.
    state == state_for(browser, random)
}

/// Whether Google's word for an error says that an administrator stands in the way.
fn is_block(word: &str) -> bool {
    matches!(word, "admin_policy_enforced" | "org_internal" | "policy_enforced")
}

fn exchange_failed(organisation: &OrganisationId, error: &ExchangeError) -> ConsentOutcome {
    tracing::warn!(organisation.id = %organisation, error = %error_chain(error), "a consent did not become a grant");
    match error {
        ExchangeError::MissingScope { .. } => ConsentOutcome::MissingScope,
        ExchangeError::Rejected(word) if is_block(word) => ConsentOutcome::Blocked,
        ExchangeError::NoRefreshToken(_)
        | ExchangeError::IdToken { .. }
        | ExchangeError::Rejected(_)
        | ExchangeError::Misconfigured(_)
        | ExchangeError::Unavailable => ConsentOutcome::Failed,
    }
}
