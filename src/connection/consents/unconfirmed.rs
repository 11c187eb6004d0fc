//! Grants that wait for a person's word: this account, for that practice?
//!
//! A ticket can be planted in somebody's browser, whose account would then show the appointments of a stranger's
//! practice. So the person who came back from Google reads both names before anything is kept.
//!
//! Owns what waits of a grant, and what becomes of it once the person has answered. Never stores any of its tokens but
//! sealed. Invariant: a grant that nobody answers for is queued to be revoked once its consent has lapsed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::{Completed, ConsentOutcome, Question, Returned};
use super::state::{is_state_of, state_for};
use super::ticket::handle_of_hash;
use super::{CONSENT_LIFETIME, Consents};
use crate::connection::Error;
use crate::crypto::{ExposeSecret as _, OpenError, Secret, TokenColumn, digest};
use crate::google::{Granted, Orphan};
use crate::model::{Calendar, CalendarId, GoogleUserId, GrantEnd};
use crate::store::{AsOf, Consent, UnconfirmedConsent};

/// What is sealed of a grant that waits. Its refresh token is sealed by itself, so that it can be revoked.
#[derive(Serialize, Deserialize)]
struct HeldGrant {
    access_token: String,
    expires_at: Timestamp,
    scopes: Vec<String>,
    google_email: String,
    calendar_id: String,
    calendar_name: String,
    calendar_time_zone: String,
    calendar_color: String,
    revocation_seq: i64,
}

impl Consents {
    /// Keeps a grant sealed until the person has answered.
    pub(super) async fn ask(
        &self,
        consent: Consent,
        granted: Granted,
        calendar: Calendar,
        as_of: AsOf,
        browser: &Secret,
    ) -> Result<Question, Error> {
        let secrets = self.grants.secrets();
        let Consent { organisation, practice, return_url, ticket_hash, .. } = consent;
        let state = state_for(&handle_of_hash(&ticket_hash), browser, &secrets.random_token());
        let state_hash = digest(state.as_bytes());
        let account = granted.google_email.clone();
        let grant = HeldGrant {
            access_token: granted.access_token.expose_secret().to_owned(),
            expires_at: granted.expires_at,
            scopes: granted.scopes,
            google_email: granted.google_email,
            calendar_id: calendar.id.to_string(),
            calendar_name: calendar.name,
            calendar_time_zone: calendar.time_zone,
            calendar_color: calendar.color,
            revocation_seq: as_of.revocation_seq,
        };
        let text: Secret = serde_json::to_string(&grant).expect("texts and numbers are always JSON").into();
        let now = self.clock.now();
        let held = UnconfirmedConsent {
            state_hash: state_hash.to_vec(),
            ticket_hash,
            refresh_token: secrets.seal_token(&organisation, TokenColumn::RefreshToken, &granted.refresh_token),
            granted: secrets.seal_granted(&state_hash, &text),
            organisation,
            return_url: return_url.clone(),
            google_user_id: granted.google_user_id.to_string(),
            epoch: as_of.epoch,
            expires_at: now + CONSENT_LIFETIME,
        };
        self.store.keep_unconfirmed_consent(held, now).await?;
        Ok(Question { practice: practice.unwrap_or_default(), account, state: state.into(), return_url })
    }

    /// Keeps or drops the grant that waits under this state, as the person has said.
    pub async fn answer(
        &self,
        browser: Option<&Secret>,
        state: Option<String>,
        is_confirmed: bool,
    ) -> Result<Returned, Error> {
        let (Some(browser), Some(state)) = (browser, state) else { return Ok(Returned::expired(None)) };
        if !is_state_of(&state, browser) {
            return Ok(Returned::expired(None));
        }
        let state_hash = digest(state.as_bytes());
        let Some(held) = self.store.take_unconfirmed_consent(&state_hash).await? else {
            return Ok(Returned::expired(None));
        };
        let (outcome, grant_end) = match (is_confirmed, held.expires_at > self.clock.now()) {
            (true, true) => match self.keep(&state_hash, &held).await {
                Ok(kept) => kept,
                Err(error) => {
                    self.let_go(&held).await?;
                    return Err(error);
                }
            },
            (false, _) => (ConsentOutcome::Denied, Some(self.let_go(&held).await?)),
            (true, false) => (ConsentOutcome::Expired, Some(self.let_go(&held).await?)),
        };
        let UnconfirmedConsent { organisation, return_url, ticket_hash, .. } = held;
        let completed = Completed { outcome, grant_end, return_url, ticket_hash: Some(ticket_hash) };
        Ok(Returned::Ended(self.end(organisation, completed).await))
    }

    async fn keep(
        &self,
        state_hash: &[u8],
        held: &UnconfirmedConsent,
    ) -> Result<(ConsentOutcome, Option<GrantEnd>), Error> {
        let organisation = &held.organisation;
        let text = self.grants.secrets().open_granted(state_hash, &held.granted).map_err(Error::Sealed)?;
        let grant: HeldGrant =
            serde_json::from_str(text.expose_secret()).map_err(|_| Error::Sealed(OpenError::Unreadable))?;
        let refresh_token = self.refresh_token(held)?;
        let opened = self.grants.opened_calendars(organisation).await?;
        let calendar = Calendar {
            id: CalendarId::new(grant.calendar_id),
            name: grant.calendar_name,
            time_zone: grant.calendar_time_zone,
            color: grant.calendar_color,
            is_primary: true,
        };
        let granted = Granted {
            access_token: grant.access_token.into(),
            expires_at: grant.expires_at,
            refresh_token,
            scopes: grant.scopes,
            google_user_id: GoogleUserId::new(held.google_user_id.clone()),
            google_email: grant.google_email,
        };
        let as_of = AsOf { epoch: held.epoch, revocation_seq: grant.revocation_seq };
        let (connect, grant_end) = self.grants.connect(organisation, granted, calendar, opened, as_of).await?;
        Ok((connect.into(), grant_end))
    }

    fn refresh_token(&self, held: &UnconfirmedConsent) -> Result<Secret, Error> {
        let opened =
            self.grants.secrets().open_token(&held.organisation, TokenColumn::RefreshToken, &held.refresh_token);
        opened.map_err(Error::Sealed)
    }

    /// Revokes what nobody keeps, and answers what became of it.
    async fn let_go(&self, held: &UnconfirmedConsent) -> Result<GrantEnd, Error> {
        let token = self.refresh_token(held)?;
        let google_user_id = Some(GoogleUserId::new(held.google_user_id.clone()));
        Ok(self.grants.give_up(&held.organisation, &Orphan { token, google_user_id }).await?)
    }
}
