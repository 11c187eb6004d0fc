//! A consent that came back from Google: checked, exchanged, and kept or asked about.
//!
//! Owns the order of these checks, and what a consent ends as. Never exchanges a code unless its state was made for
//! this browser and was not used before. Invariant: where the consent names a practice, nothing is connected before a
//! person has answered.

use super::Consents;
use super::outcome::{Callback, Completed, ConsentOutcome, Returned};
use super::state::is_state_of;
use crate::connection::{AuditEntry, Error};
use crate::crypto::{ExposeSecret as _, Secret, digest};
use crate::error_chain::error_chain;
use crate::google::{CalendarAccess, CalendarError, ExchangeError, Granted, PRIMARY};
use crate::model::{BROWSER, Calendar, CalendarId, GrantEnd, OrganisationId};
use crate::store::{AsOf, Connect, Consent, OpenedCalendar};

/// What an exchange brought, and what stood before it.
struct Exchanged {
    granted: Granted,
    opened: Vec<OpenedCalendar>,
    as_of: AsOf,
}

impl Consents {
    /// Completes the consent that came back from Google to the browser that is known by `browser`.
    ///
    /// What says that it comes from somebody else than Google is refused as a forgery is, and ends no consent.
    pub async fn complete(&self, browser: Option<&Secret>, callback: Callback) -> Result<Returned, Error> {
        let Callback { state, code, error, issuer } = callback;
        let (Some(browser), Some(state)) = (browser, state) else { return Ok(Returned::expired(None)) };
        if !is_state_of(&state, browser) {
            return Ok(Returned::expired(None));
        }
        if issuer.is_some_and(|issuer| !self.google.is_issuer(&issuer)) {
            tracing::warn!("a consent came back from another issuer than GOOGLE_ISSUER, and is refused");
            return Ok(Returned::expired(None));
        }
        let state_hash = digest(state.as_bytes());
        let Some(consent) = self.store.take_consent(&state_hash).await? else { return Ok(Returned::expired(None)) };
        if consent.expires_at <= self.clock.now() {
            return Ok(Returned::expired(consent.return_url));
        }
        let (outcome, grant_end) = match (error.as_deref(), code) {
            (Some(word), _) => (refused(&consent.organisation, word), None),
            (None, Some(code)) => match self.exchange(&consent, &state_hash, &code).await? {
                Ok(Exchanged { granted, opened, as_of }) => {
                    let calendar = self.primary_calendar(&granted).await;
                    if consent.practice.is_some() {
                        return Ok(Returned::Asked(self.ask(consent, granted, calendar, as_of, browser).await?));
                    }
                    let connected = self.grants.connect(&consent.organisation, granted, calendar, opened, as_of);
                    let (connect, grant_end) = connected.await?;
                    (connect.into(), grant_end)
                }
                Err(ended) => ended,
            },
            (None, None) => (refused(&consent.organisation, ""), None),
        };
        let Consent { organisation, return_url, ticket_hash, .. } = consent;
        let completed = Completed { outcome, grant_end, return_url, ticket_hash: Some(ticket_hash) };
        Ok(Returned::Ended(self.end(organisation, completed).await))
    }

    /// Exchanges the code for a grant; otherwise how the consent has ended, and what became of what was given nonetheless.
    async fn exchange(
        &self,
        consent: &Consent,
        state_hash: &[u8],
        code: &Secret,
    ) -> Result<Result<Exchanged, (ConsentOutcome, Option<GrantEnd>)>, Error> {
        let verifier = self.grants.secrets().open_verifier(state_hash, &consent.verifier).map_err(Error::Sealed)?;
        // Before the code is spent: without them nothing of before would be found again.
        let opened = self.grants.opened_calendars(&consent.organisation).await?;
        let revocation_seq = self.store.revocation_seq().await?;
        let as_of = AsOf { epoch: consent.epoch, revocation_seq };
        match self.google.exchange(code.expose_secret(), verifier.expose_secret(), &consent.nonce).await {
            Ok(granted) => Ok(Ok(Exchanged { granted, opened, as_of })),
            Err(error) => {
                let grant_end = match error.orphan() {
                    Some(orphan) => Some(self.grants.give_up(&consent.organisation, orphan).await?),
                    None => None,
                };
                Ok(Err((exchange_failed(&consent.organisation, &error), grant_end)))
            }
        }
    }

    /// Notes in the audit how a consent has ended.
    pub(super) async fn end(&self, organisation: OrganisationId, completed: Completed) -> Completed {
        let entry = AuditEntry {
            caller: BROWSER.to_owned(),
            actor: None,
            organisation: Some(organisation),
            action: "CompleteConsent".to_owned(),
            outcome: completed.outcome.as_str().to_owned(),
            incident: None,
        };
        self.audit.note(entry).await;
        completed
    }

    /// The account's primary calendar. Where Google does not tell, its id is the account's e-mail address.
    async fn primary_calendar(&self, granted: &Granted) -> Calendar {
        match self.granted_primary(granted).await {
            Ok(access) if access.calendar.id.as_str() != PRIMARY => access.calendar,
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

    /// The same as Google answers it; each request takes a unit.
    async fn granted_primary(&self, granted: &Granted) -> Result<CalendarAccess, CalendarError> {
        let Granted { access_token, google_user_id, google_email, .. } = granted;
        let no_unit = |_| CalendarError::Unavailable { retry_after: None };
        self.grants.take_read_unit(google_user_id).await.map_err(no_unit)?;
        if let Some(access) = self.google.calendar(access_token, PRIMARY).await? {
            return Ok(access);
        }
        self.grants.take_read_unit(google_user_id).await.map_err(no_unit)?;
        self.google.calendar_by_events(access_token, PRIMARY, google_email).await
    }
}

impl From<Connect> for ConsentOutcome {
    fn from(connect: Connect) -> Self {
        match connect {
            Connect::Stored | Connect::AlreadyConnected => Self::Connected,
            Connect::KeptAside => Self::OtherAccount,
            Connect::Fenced => Self::Expired,
            Connect::Revoked => Self::TryAgain,
        }
    }
}

/// How a consent ends that came back without a code.
fn refused(organisation: &OrganisationId, word: &str) -> ConsentOutcome {
    let outcome = ConsentOutcome::of_refusal(word);
    if outcome == ConsentOutcome::Failed {
        tracing::warn!(organisation.id = %organisation, "Google sent a consent back with an error");
    }
    outcome
}

fn exchange_failed(organisation: &OrganisationId, error: &ExchangeError) -> ConsentOutcome {
    tracing::warn!(organisation.id = %organisation, error = %error_chain(error), "a consent did not become a grant");
    match error {
        ExchangeError::MissingScope { .. } => ConsentOutcome::MissingScope,
        ExchangeError::Rejected(word) | ExchangeError::Misconfigured(word) => ConsentOutcome::of_refusal(word),
        ExchangeError::NoRefreshToken(_) | ExchangeError::IdToken { .. } | ExchangeError::Unavailable => {
            ConsentOutcome::Failed
        }
    }
}
