//! The Google account of an organisation: connected, looked after, disconnected.
//!
//! Owns the consent, the tokens, the settings, and what the settings pages are told. Never writes an event (that is
//! `delivery`; a disconnect deletes some), never speaks gRPC or HTML, never lets a token out but to `google`.
//!
//! Invariant: a token is plain only while a call needs it; whatever began before a disconnect can no longer get one.

use jiff::Timestamp;

use crate::crypto::Secret;
use crate::model::{Appointment, Calendar, CalendarId, OrganisationId, Problem, RemoteEvents, TitlePrivacy};
use crate::store;
pub use crate::store::Error as StoreError;
pub use crate::sync::Event;

/// Says whether an integration works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No account is connected.
    NotConnected,
    /// Connected and able to write.
    Connected,
    /// Connected, and unable to write until a person acts.
    Error,
}

/// How an integration stands: what the settings pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it works.
    pub state: State,
    /// The connected account.
    pub google_email: Option<String>,
    /// The target calendar; `None` when not connected.
    pub calendar: Option<Calendar>,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// How much of the patient's name titles show.
    pub title_privacy: TitlePrivacy,
    /// When the account was connected.
    pub connected_at: Option<Timestamp>,
    /// When Google last confirmed a write.
    pub last_sync_at: Option<Timestamp>,
    /// How many links stand how.
    pub counts: store::Counts,
    /// The catch-up under way.
    pub catch_up: Option<Progress>,
    /// What is wrong.
    pub problem: Option<Problem>,
}

/// The progress of a catch-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How many links it began with.
    pub total: i64,
    /// How many are done.
    pub done: i64,
    /// How many were refused.
    pub failed: i64,
    /// When it began.
    pub started_at: Timestamp,
}

/// What starts a consent.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where to send the browser.
    pub connect_url: String,
    /// The one-time ticket: the value of the cookie.
    pub ticket: crate::crypto::Secret,
    /// How long the cookie lives, in seconds.
    pub max_age_seconds: i64,
    /// Until when the consent can be completed.
    pub expires_at: Timestamp,
}

/// The name of the cookie that carries the ticket.
pub const COOKIE_NAME: &str = "cassius_calendar_connect";

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
    /// The word itself.
    pub fn word(self) -> &'static str {
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
    pub code: Option<crate::crypto::Secret>,
    /// Google's error word, such as `access_denied`.
    pub error: Option<String>,
}

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
        retry_after: Option<jiff::SignedDuration>,
    },
    /// Google asks for patience.
    #[error("Google asks for patience")]
    GoogleThrottled {
        /// How long to wait.
        retry_after: Option<jiff::SignedDuration>,
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
    Sealed(#[source] crate::crypto::OpenError),
}

/// What a disconnect came to.
#[derive(Debug, Clone)]
pub struct Disconnected {
    /// How many events were deleted.
    pub deleted_events: u32,
    /// How many were to be deleted and could not be.
    pub remaining_events: u32,
}

/// What changes of the settings; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsRequest {
    /// Whether appointments are sent.
    pub is_enabled: Option<bool>,
    /// The id of the target calendar.
    pub calendar: Option<CalendarId>,
    /// How much of the patient's name titles show.
    pub title_privacy: Option<TitlePrivacy>,
}

/// The connections of all organisations. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Connections;

impl Connections {
    /// How the integration stands; an organisation never seen is not connected.
    pub async fn status(&self, _organisation: &OrganisationId) -> Result<Status, Error> {
        unimplemented!()
    }

    /// How the integration stands now, and again after each change.
    pub fn watch(
        &self,
        _organisation: &OrganisationId,
    ) -> impl futures_util::Stream<Item = Result<Status, Error>> + Send + use<> {
        futures_util::stream::empty()
    }

    /// Starts a consent.
    pub async fn begin(&self, _organisation: &OrganisationId, _return_url: Option<&str>) -> Result<Begun, Error> {
        unimplemented!()
    }

    /// Takes a ticket to Google's consent page; `None`: it is unknown or expired.
    pub async fn start_consent(&self, _ticket: &Secret) -> Result<Option<url::Url>, Error> {
        unimplemented!()
    }

    /// Completes the consent that came back from Google to the browser that holds `ticket`.
    pub async fn complete(&self, _ticket: Option<&Secret>, _callback: Callback) -> Result<Completed, Error> {
        unimplemented!()
    }

    /// The calendars that the account may write to, the primary one first.
    pub async fn calendars(&self, _organisation: &OrganisationId) -> Result<Vec<Calendar>, Error> {
        unimplemented!()
    }

    /// Changes settings; a new calendar is checked with Google first.
    pub async fn change_settings(
        &self,
        _organisation: &OrganisationId,
        _request: SettingsRequest,
    ) -> Result<Status, Error> {
        unimplemented!()
    }

    /// Renders the event of an appointment (or of a sample) as it would be written; `None`: none would stand.
    pub async fn preview(
        &self,
        _organisation: &OrganisationId,
        _appointment: Option<Appointment>,
        _privacy: Option<TitlePrivacy>,
    ) -> Result<Option<Event>, Error> {
        unimplemented!()
    }

    /// Disconnects; see `remote_events` for what becomes of the events. Idempotent.
    pub async fn disconnect(
        &self,
        _organisation: &OrganisationId,
        _remote_events: RemoteEvents,
    ) -> Result<Disconnected, Error> {
        unimplemented!()
    }
}
