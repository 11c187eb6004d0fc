//! Integrations: the grant, the target calendar and the settings of each organisation.

use jiff::Timestamp;

use super::{Error, Store};
use crate::crypto::Sealed;
use crate::model::{Calendar, CalendarId, Epoch, GoogleUserId, OrganisationId, Problem, TitlePrivacy};

/// An integration, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The Google account; kept after a disconnect, so that the same account finds its events again.
    pub google_user_id: Option<GoogleUserId>,
    /// The account's e-mail address; erased at the disconnect.
    pub google_email: Option<String>,
    /// The access token, sealed.
    pub access_token: Option<Sealed>,
    /// The refresh token, sealed.
    pub refresh_token: Option<Sealed>,
    /// When the access token expires.
    pub token_expires_at: Option<Timestamp>,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
    /// The target calendar; kept after a disconnect.
    pub calendar: Option<Calendar>,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// How much of the patient's name a title shows.
    pub title_privacy: TitlePrivacy,
    /// What is wrong.
    pub problem: Option<Problem>,
    /// When an appointment was last brought in step.
    pub last_sync_at: Option<Timestamp>,
    /// When the account was connected.
    pub connected_at: Option<Timestamp>,
    /// How many links the latest catch-up queued, and when it began.
    pub catch_up: Option<(i32, Timestamp)>,
    /// Counts connects and disconnects.
    pub epoch: Epoch,
    /// Since when a disconnect is under way.
    pub disconnecting_at: Option<Timestamp>,
}

impl Integration {
    /// Whether a Google account is connected: there is a refresh token, and no disconnect is under way.
    pub fn is_connected(&self) -> bool {
        self.refresh_token.is_some() && self.disconnecting_at.is_none()
    }
}

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

/// What changes of the settings; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Whether appointments are sent.
    pub is_enabled: Option<bool>,
    /// The target calendar.
    pub calendar: Option<Calendar>,
    /// How much of the patient's name a title shows.
    pub title_privacy: Option<TitlePrivacy>,
}

impl Store {
    /// The integration of `organisation`, if it ever had one.
    pub async fn integration(&self, organisation: &OrganisationId) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, read, integrations::integration(&organisation))
    }

    /// Stores a grant: connects, or connects anew. Begins an epoch and clears problem and disconnect.
    ///
    /// The same account as before finds its calendar and settings kept. Another account gets the grant's calendar, and
    /// every link forgets its placement: its event lies in an account that is out of reach. A first connect is enabled,
    /// and its titles show the whole name.
    pub async fn connect(&self, grant: Grant, now: Timestamp) -> Result<Integration, Error> {
        query!(self, long, grants::connect(grant, now))
    }

    /// Stores tokens that a refresh brought; the old refresh token stays where `refresh` is `None`. Answers whether it
    /// did: `false` in another epoch.
    pub async fn save_tokens(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        access: Sealed,
        expires_at: Timestamp,
        refresh: Option<Sealed>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let organisation = organisation.clone();
        query!(self, write, integrations::save_tokens(&organisation, epoch, &access, expires_at, refresh.as_ref(), now))
    }

    /// Notes what is wrong; keeps `since_at` where the same reason stands already. `false` in another epoch.
    pub async fn note_problem(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (organisation, problem) = (organisation.clone(), problem.clone());
        query!(self, write, integrations::note_problem(&organisation, epoch, &problem, None, now))
    }

    /// The same, of a target calendar: `false` also where another one was chosen since.
    pub async fn note_problem_of_calendar(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        problem: &Problem,
        calendar: &CalendarId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (organisation, problem, calendar) = (organisation.clone(), problem.clone(), calendar.clone());
        query!(self, write, integrations::note_problem(&organisation, epoch, &problem, Some(&calendar), now))
    }

    /// Clears what was wrong. `false` in another epoch.
    pub async fn clear_problem(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let organisation = organisation.clone();
        query!(self, write, integrations::clear_problem(&organisation, epoch, now))
    }

    /// Changes settings, and answers the integration as it stands then; `None` if there is none.
    ///
    /// Another calendar or another privacy queues every upcoming link that has an event or is pending, as a catch-up.
    /// A calendar that is chosen, be it the same again, also clears the problem `CalendarUnavailable`.
    pub async fn change_settings(
        &self,
        organisation: &OrganisationId,
        change: SettingsChange,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, long, requests::change_settings(&organisation, change, now))
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

    /// Ends a disconnect: erases tokens, address and scopes, and lets pending and refused links rest. `false` in another
    /// epoch.
    pub async fn finish_disconnect(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let organisation = organisation.clone();
        query!(self, long, grants::finish_disconnect(&organisation, epoch, now))
    }

    /// The organisations whose disconnect began and did not end.
    pub async fn unfinished_disconnects(&self) -> Result<Vec<OrganisationId>, Error> {
        query!(self, read, grants::unfinished_disconnects())
    }

    /// Whether another connected integration than that of `except` has the same Google account.
    pub async fn others_share(&self, account: &GoogleUserId, except: &OrganisationId) -> Result<bool, Error> {
        let (account, except) = (account.clone(), except.clone());
        query!(self, read, integrations::others_share(&account, &except))
    }
}
