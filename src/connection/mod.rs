//! The Google account of an organisation: connected, looked after, disconnected.
//!
//! Owns the consent, the tokens, the settings, and what the settings pages are told. Never writes an event (that is
//! `delivery`; a disconnect deletes some), never speaks gRPC or HTML, never lets a token out but to `google`.
//!
//! Invariant: a token is plain only while a call needs it; whatever began before a disconnect can no longer get one.

mod consent;
mod disconnect;
mod settings;
mod status;
mod tokens;

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use url::Url;

pub use consent::{CONSENT_LIFETIME, COOKIE_NAME, Callback, Completed, ConsentOutcome, ConsentStart};
pub use disconnect::Disconnected;
pub use settings::SettingsRequest;
pub use status::{Progress, State, Status};
pub use tokens::{Access, AccessError};

use crate::clock::{Clock, Entropy};
use crate::config::ReturnUrls;
use crate::crypto::{Cell, Keyring, OpenError, Sealed, Secret};
use crate::google::{CalendarError, Google};
use crate::model::{CalendarId, Epoch, OrganisationId, Problem, Reason};
use crate::notifier::Notifier;
use crate::quota::Quota;
pub use crate::store::Error as StoreError;
use crate::store::{self, Integration, Store};
pub use crate::sync::Event;
use crate::sync::ThrottleScope;

/// How long a misconfigured Google project is left alone before it is tried again.
const MISCONFIGURED_RETRY: SignedDuration = SignedDuration::from_mins(10);

/// Says why a call about an integration could not be served, by what its caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is connected.
    #[error("no Google account is connected")]
    NotConnected,
    /// The grant is dead, or lacks a scope.
    #[error("the Google account has to be connected again")]
    ReconnectRequired,
    /// The calendar is gone, or may not be written to.
    #[error("the calendar is not available")]
    CalendarUnavailable,
    /// Google is away.
    #[error("Google is unavailable")]
    GoogleUnavailable {
        /// How long to wait.
        retry_after: Option<SignedDuration>,
    },
    /// Google asks for patience.
    #[error("Google asks for patience")]
    GoogleThrottled {
        /// How long to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The operator's Google project or OAuth client is wrong.
    #[error("the service's Google project is not set up")]
    GoogleMisconfigured,
    /// The return URL is not allowed.
    #[error("the return URL is not allowed")]
    ReturnUrlNotAllowed,
    /// The database.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// A stored secret does not open: the keyring lacks its key, or the database was tampered with.
    #[error("a stored secret does not open")]
    Sealed(#[source] OpenError),
}

/// What the connections need beside the store and Google.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where a browser reaches the sidecar.
    pub public_url: Url,
    /// Where Cassius is: the base of deep links.
    pub app_url: Option<Url>,
    /// Where a consent may send the browser back to.
    pub return_urls: ReturnUrls,
    /// Whether the connect URL carries the ticket, for grpcurl.
    pub ticket_in_url: bool,
}

/// The connections of all organisations. A clone is another handle.
#[derive(Clone)]
pub struct Connections(Arc<Parts>);

struct Parts {
    store: Store,
    google: Google,
    keyring: Arc<Keyring>,
    clock: Clock,
    entropy: Entropy,
    notifier: Notifier,
    settings: Settings,
    tokens: tokens::Tokens,
    disconnects: disconnect::Disconnects,
    quota: Arc<Quota>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Connections {
    /// Puts the parts together; nothing is asked of any of them yet.
    #[expect(clippy::too_many_arguments, reason = "the composition root names each part once")]
    pub fn new(
        store: Store,
        google: Google,
        keyring: Arc<Keyring>,
        clock: Clock,
        entropy: Entropy,
        notifier: Notifier,
        quota: Arc<Quota>,
        settings: Settings,
    ) -> Self {
        let (tokens, disconnects) = Default::default();
        Self(Arc::new(Parts { store, google, keyring, clock, entropy, notifier, quota, settings, tokens, disconnects }))
    }

    /// The integration, if an account is connected.
    async fn connected(&self, organisation: &OrganisationId) -> Result<Integration, Error> {
        let integration = self.0.store.integration(organisation).await?;
        integration.filter(Integration::is_connected).ok_or(Error::NotConnected)
    }

    /// Notes a problem of the integration and tells whoever watches.
    pub async fn note_problem(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        reason: Reason,
        retry_after: Option<SignedDuration>,
    ) -> Result<(), store::Error> {
        let now = self.0.clock.now();
        let retry_after = match reason {
            Reason::GoogleMisconfigured => Some(retry_after.unwrap_or(MISCONFIGURED_RETRY)),
            Reason::NotConnected
            | Reason::ReconnectRequired
            | Reason::CalendarUnavailable
            | Reason::GoogleUnavailable
            | Reason::GoogleThrottled
            | Reason::EventRefused => retry_after,
        };
        let problem = Problem { reason, since_at: now, retry_at: retry_after.map(|wait| now + wait) };
        if self.0.store.note_problem(organisation, epoch, &problem, now).await? {
            self.tell_problem(organisation, &problem);
        }
        Ok(())
    }

    /// Notes that a calendar is gone or may not be written to, unless another one was chosen meanwhile.
    pub async fn note_unavailable(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        calendar: &CalendarId,
    ) -> Result<(), store::Error> {
        let now = self.0.clock.now();
        let problem = Problem { reason: Reason::CalendarUnavailable, since_at: now, retry_at: None };
        if self.0.store.note_problem_of_calendar(organisation, epoch, &problem, calendar, now).await? {
            self.tell_problem(organisation, &problem);
        }
        Ok(())
    }

    /// Tells the operator, and whoever watches.
    fn tell_problem(&self, organisation: &OrganisationId, problem: &Problem) {
        match problem.reason {
            Reason::GoogleMisconfigured => tracing::error!(
                organisation.id = %organisation,
                "Google refuses this service's project or OAuth client; check GOOGLE_CLIENT_ID, \
                 GOOGLE_CLIENT_SECRET and that the Calendar API is enabled"
            ),
            Reason::GoogleThrottled => tracing::info!(
                organisation.id = %organisation, retry_at = problem.retry_at.map(tracing::field::display), "Google asks for patience"
            ),
            Reason::NotConnected
            | Reason::ReconnectRequired
            | Reason::CalendarUnavailable
            | Reason::GoogleUnavailable
            | Reason::EventRefused => tracing::warn!(
                organisation.id = %organisation, reason = problem.reason.word(),
                "an integration stands still until a person acts"
            ),
        }
        self.0.notifier.notify_changed(organisation);
    }

    /// Makes a reading call of Google: with an access token, and once more with a fresh one if it is not honoured.
    async fn call_with_token_retry<T, Calling: Future<Output = Result<T, CalendarError>> + Send>(
        &self,
        integration: &Integration,
        call: impl Fn(Google, Secret) -> Calling,
    ) -> Result<T, Error> {
        let organisation = &integration.organisation;
        let access = self.access(organisation, integration.epoch, None).await?;
        let answer = match call(self.0.google.clone(), access.token.clone()).await {
            Err(CalendarError::Unauthorized) => {
                let access = self.access(organisation, integration.epoch, Some(&access)).await?;
                call(self.0.google.clone(), access.token).await
            }
            answer => answer,
        };
        match answer {
            Ok(value) => Ok(value),
            Err(CalendarError::Unauthorized | CalendarError::ScopeMissing) => Err(Error::ReconnectRequired),
            Err(CalendarError::NotFound | CalendarError::NotPermitted | CalendarError::Refused { .. }) => {
                Err(Error::CalendarUnavailable)
            }
            Err(CalendarError::Throttled { scope: ThrottleScope::Account, retry_after }) => {
                Err(Error::GoogleThrottled { retry_after })
            }
            Err(CalendarError::Throttled { retry_after, .. } | CalendarError::Unavailable { retry_after }) => {
                Err(Error::GoogleUnavailable { retry_after })
            }
            Err(CalendarError::Misconfigured) => Err(Error::GoogleMisconfigured),
        }
    }

    fn seal(&self, organisation: &OrganisationId, column: &'static str, secret: &str) -> Sealed {
        let cell = Cell { table: "calendar_integrations", row: &[organisation.as_str(), "google"], column };
        self.0.keyring.seal(&cell, secret.as_bytes(), &self.0.entropy)
    }

    fn open(&self, organisation: &OrganisationId, column: &'static str, sealed: &Sealed) -> Result<Secret, OpenError> {
        let cell = Cell { table: "calendar_integrations", row: &[organisation.as_str(), "google"], column };
        let plain = self.0.keyring.open(&cell, sealed)?;
        // Only texts are ever sealed here; anything else is not ours.
        let text = std::str::from_utf8(&plain).map_err(|_| OpenError::Forged)?;
        Ok(text.into())
    }
}
