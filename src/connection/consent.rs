//! The consent: from a ticket in one browser's cookie to a grant in the database.
//!
//! The ticket proves that the browser is the one whose user started from Cassius; the state, that Google's answer
//! belongs to that browser's visit. Both are stored as digests, and taken once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{Connections, Error};
use crate::config::{CONNECT_PATH, sidecar_url};
use crate::crypto::{Cell, ExposeSecret, OpenError, Sealed, Secret, digest};
use crate::error_chain::error_chain;
use crate::google::{CalendarError, ExchangeError, Granted, pkce_verifier};
use crate::model::{Calendar, CalendarId, OrganisationId};
use crate::store::{Grant, Integration, NewConsent};

/// The name of the cookie that carries the ticket.
pub const COOKIE_NAME: &str = "cassius_calendar_connect";

/// How long a person may take from the button in Cassius to the end of Google's pages.
pub const CONSENT_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

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
    /// The permission to write events was not given.
    MissingScope,
    /// The ticket or the state is unknown, used, expired, or of another browser.
    Expired,
    /// Google did not complete it: no refresh token, an unreadable answer, Google away.
    Failed,
}

impl ConsentOutcome {
    /// The word, as the return URL carries it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Denied => "denied",
            Self::MissingScope => "missing_scope",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// A consent that came back from Google.
#[derive(Debug, Clone)]
pub struct Completed {
    /// How it ended.
    pub outcome: ConsentOutcome,
    /// Where the browser goes; `None`: nowhere in particular.
    pub return_url: Option<String>,
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

impl Connections {
    /// Starts a consent. A connected account stays connected until the new consent is complete.
    pub async fn begin(&self, organisation: &OrganisationId, return_url: Option<&str>) -> Result<ConsentStart, Error> {
        let settings = &self.0.settings;
        if return_url.is_some_and(|url| !settings.return_urls.allows(url)) {
            return Err(Error::ReturnUrlNotAllowed);
        }
        let now = self.0.clock.now();
        let expires_at = now + CONSENT_LIFETIME;
        let ticket = self.random_token();
        let consent = NewConsent {
            ticket_hash: digest(ticket.as_bytes()).to_vec(),
            organisation: organisation.clone(),
            return_url: return_url.map(str::to_owned),
            expires_at,
        };
        self.0.store.create_consent(consent, now).await?;
        let mut connect_url = sidecar_url(&settings.public_url, CONNECT_PATH);
        if settings.ticket_in_url {
            connect_url.query_pairs_mut().append_pair("ticket", &ticket);
        }
        Ok(ConsentStart {
            connect_url: connect_url.into(),
            ticket: ticket.into(),
            max_age_seconds: CONSENT_LIFETIME.as_secs(),
            expires_at,
        })
    }

    /// Takes a ticket to Google's consent page; `None`: it is unknown or expired.
    pub async fn start_consent(&self, ticket: &Secret) -> Result<Option<Url>, Error> {
        let ticket_hash = digest(ticket.expose_secret().as_bytes());
        let (state, nonce) = (self.random_token(), self.random_token());
        let verifier = pkce_verifier(&self.0.entropy);
        let url = self.0.google.authorize_url(&state, verifier.expose_secret(), &nonce);
        let row = hex(&ticket_hash);
        let row = [row.as_str()];
        let sealed = self.0.keyring.seal(&verifier_cell(&row), verifier.expose_secret().as_bytes(), &self.0.entropy);
        let state_hash = digest(state.as_bytes()).to_vec();
        let started = self.0.store.start_consent(&ticket_hash, state_hash, sealed, nonce, self.0.clock.now()).await?;
        Ok(started.then_some(url))
    }

    /// Completes the consent that came back from Google to the browser that holds `ticket`.
    ///
    /// No code is exchanged unless state and ticket belong together and were not used before.
    pub async fn complete(&self, ticket: Option<&Secret>, callback: Callback) -> Result<Completed, Error> {
        let expired = Completed { outcome: ConsentOutcome::Expired, return_url: None };
        let (Some(ticket), Some(state)) = (ticket, callback.state) else { return Ok(expired) };
        let (ticket_hash, state_hash) = (digest(ticket.expose_secret().as_bytes()), digest(state.as_bytes()));
        let taken = self.0.store.take_consent(&state_hash, &ticket_hash, self.0.clock.now()).await?;
        let Some(consent) = taken else { return Ok(expired) };
        let organisation = consent.organisation;
        let outcome = match (callback.error.as_deref(), callback.code) {
            (Some("access_denied"), _) => ConsentOutcome::Denied,
            (None, Some(code)) => {
                let verifier = self.open_verifier(&ticket_hash, &consent.verifier).map_err(Error::Sealed)?;
                match self.0.google.exchange(code.expose_secret(), verifier.expose_secret(), &consent.nonce).await {
                    Ok(granted) => {
                        self.connect(&organisation, granted).await?;
                        ConsentOutcome::Connected
                    }
                    Err(error) => exchange_failed(&organisation, &error),
                }
            }
            (Some(_), _) | (None, None) => {
                tracing::warn!(organisation.id = %organisation, "Google sent a consent back with an error");
                ConsentOutcome::Failed
            }
        };
        Ok(Completed { outcome, return_url: consent.return_url })
    }

    async fn connect(&self, organisation: &OrganisationId, granted: Granted) -> Result<(), Error> {
        let before = self.0.store.integration(organisation).await?;
        let calendar = self.primary_calendar(&granted).await;
        let grant = Grant {
            organisation: organisation.clone(),
            google_user_id: granted.google_user_id.clone(),
            google_email: granted.google_email,
            access_token: self.seal(organisation, "access_token", granted.access_token.expose_secret()),
            refresh_token: self.seal(organisation, "refresh_token", granted.refresh_token.expose_secret()),
            token_expires_at: granted.expires_at,
            granted_scopes: granted.scopes,
            calendar,
        };
        self.0.store.connect(grant, self.0.clock.now()).await?;
        tracing::info!(organisation.id = %organisation, "a Google account is connected");
        self.0.notifier.notify_changed(organisation);
        self.0.notifier.notify_due();
        if let Some(before) = before.filter(|it| it.google_user_id.as_ref() != Some(&granted.google_user_id)) {
            self.revoke_replaced(&before).await?;
        }
        Ok(())
    }

    /// The account's primary calendar. Where Google does not tell, its id is the account's e-mail address.
    async fn primary_calendar(&self, granted: &Granted) -> Calendar {
        match self.0.google.calendar(&granted.access_token, "primary", &granted.google_email).await {
            Ok(access) if access.calendar.id.as_str() != "primary" => access.calendar,
            Ok(_)
            | Err(
                CalendarError::Unauthorized
                | CalendarError::ScopeMissing
                | CalendarError::NotFound
                | CalendarError::NotPermitted
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

    /// The account that this organisation had before loses its grant, unless another organisation needs it.
    async fn revoke_replaced(&self, before: &Integration) -> Result<(), Error> {
        let (Some(google_user_id), Some(refresh_token)) = (&before.google_user_id, &before.refresh_token) else {
            return Ok(());
        };
        self.revoke(&before.organisation, google_user_id, refresh_token).await
    }

    fn open_verifier(&self, ticket_hash: &[u8], sealed: &Sealed) -> Result<Secret, OpenError> {
        let row = hex(ticket_hash);
        let plain = self.0.keyring.open(&verifier_cell(&[&row]), sealed)?;
        Ok(std::str::from_utf8(&plain).map_err(|_| OpenError::Forged)?.into())
    }

    /// 256 random bits that fit into a URL and a cookie.
    fn random_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.entropy.bytes::<32>())
    }
}

fn exchange_failed(organisation: &OrganisationId, error: &ExchangeError) -> ConsentOutcome {
    tracing::warn!(organisation.id = %organisation, error = %error_chain(error), "a consent did not become a grant");
    match error {
        ExchangeError::MissingScope { .. } => ConsentOutcome::MissingScope,
        ExchangeError::NoRefreshToken(_)
        | ExchangeError::IdToken { .. }
        | ExchangeError::Rejected(_)
        | ExchangeError::Misconfigured(_)
        | ExchangeError::Unavailable => ConsentOutcome::Failed,
    }
}

fn verifier_cell<'a>(row: &'a [&'a str]) -> Cell<'a> {
    Cell { table: "oauth_consents", row, column: "verifier" }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
