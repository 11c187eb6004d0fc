//! What is noted against an integration, and told to its practice and to the operator.
//!
//! Owns which problem is retried by itself and how loud the log is about each. Never clears a problem: the store does,
//! with the change that mends it. Invariant: a problem is told once the store has noted it, and none is that it has not.

use jiff::{SignedDuration, Timestamp};

use super::Grants;
use crate::model::{CalendarId, Change, Epoch, OrganisationId, Problem, Reason};
use crate::store::{self, Unreadable};

/// How long a misconfigured Google project is left alone before it is tried again.
const MISCONFIGURED_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// How long an account that Google refuses as a whole is left alone before it is tried again.
const ACCOUNT_RETRY: SignedDuration = SignedDuration::from_hours(1);
/// How long a calendar that is gone or takes no writes is left alone before it is asked again: its owner may have shared it
/// anew, and nobody has to choose it again for that.
const CALENDAR_RETRY: SignedDuration = SignedDuration::from_hours(1);
/// How often a secret that does not open is tried again: the operator may have added its key.
const KEYRING_RETRY: SignedDuration = SignedDuration::from_mins(1);

/// How long an integration of which a value does not read is left alone before it is tried again.
const UNREADABLE_RETRY: SignedDuration = SignedDuration::from_hours(1);
/// How soon a comparison is made after a delay was noted, at the earliest: what waits is most often sent long before, and
/// that ends it.
const COMPARED_AFTER_DELAY: SignedDuration = SignedDuration::from_mins(15);

impl Grants {
    /// Notes that an integration does not read, unless it stands still for another reason: it is tried again every hour.
    pub async fn note_unreadable(&self, integration: &Unreadable) -> Result<(), store::Error> {
        let now = self.clock.now();
        if self.store.note_unreadable(integration, now + UNREADABLE_RETRY, now).await?.is_done() {
            tracing::error!(
                organisation.id = ?integration.organisation, column = integration.column,
                "a stored value of an integration does not read: nothing is sent for it"
            );
            let organisation = OrganisationId::as_stored(integration.organisation.clone());
            self.notifier.notify(&Change::Integration(organisation));
        }
        Ok(())
    }

    /// Looks for integrations that are connected and do not say to what, and notes it: nothing of theirs is ever due, so that
    /// no worker would meet it.
    pub async fn note_incomplete(&self) -> Result<(), store::Error> {
        for integration in self.store.incomplete_integrations(self.clock.now()).await? {
            self.note_unreadable(&integration).await?;
        }
        Ok(())
    }

    /// Notes a problem of the integration and tells whoever watches. A problem without a `retry_after` stands until a
    /// person of the practice acts, but for a misconfigured project, an incomplete keyring, a refused account and a value
    /// that does not read, which are tried again by themselves. Where something graver is noted, or a longer wait, that
    /// one stands.
    pub async fn note_problem(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        reason: Reason,
        retry_after: Option<SignedDuration>,
    ) -> Result<(), store::Error> {
        let now = self.clock.now();
        let retry_after = match reason {
            Reason::GoogleMisconfigured => Some(retry_after.unwrap_or(MISCONFIGURED_RETRY)),
            Reason::AccountUnavailable => Some(retry_after.unwrap_or(ACCOUNT_RETRY)),
            Reason::KeyringIncomplete => Some(retry_after.unwrap_or(KEYRING_RETRY)),
            Reason::Internal => Some(retry_after.unwrap_or(UNREADABLE_RETRY)),
            Reason::NotConnected
            | Reason::ReconnectRequired
            | Reason::CalendarUnavailable
            | Reason::GoogleUnavailable
            | Reason::GoogleThrottled
            | Reason::EventRefused => retry_after,
        };
        let problem = Problem { reason, since_at: now, retry_at: retry_after.map(|wait| now + wait) };
        if self.store.note_problem(organisation, epoch, &problem, now).await?.is_done() {
            self.tell_problem(organisation, &problem);
            match reason {
                Reason::AccountUnavailable | Reason::GoogleMisconfigured => {
                    self.compare_by(organisation, problem.retry_at).await?;
                }
                Reason::GoogleUnavailable | Reason::GoogleThrottled => {
                    let retry_at = problem.retry_at.map(|at| at.max(now + COMPARED_AFTER_DELAY));
                    self.compare_by(organisation, retry_at).await?;
                }
                Reason::NotConnected
                | Reason::ReconnectRequired
                | Reason::CalendarUnavailable
                | Reason::EventRefused
                | Reason::KeyringIncomplete
                | Reason::Internal => {}
            }
        }
        Ok(())
    }

    /// Notes that a calendar is gone or may not be written to, unless another one was chosen meanwhile. It is asked again
    /// every hour.
    pub async fn note_unavailable(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        calendar: &CalendarId,
    ) -> Result<(), store::Error> {
        let now = self.clock.now();
        let retry_at = Some(now + CALENDAR_RETRY);
        let problem = Problem { reason: Reason::CalendarUnavailable, since_at: now, retry_at };
        if self.store.note_problem_of_calendar(organisation, epoch, &problem, calendar, now).await?.is_done() {
            self.tell_problem(organisation, &problem);
            self.compare_by(organisation, retry_at).await?;
        }
        Ok(())
    }

    /// Where nothing waits to be sent, a comparison finds that a problem is over: one is made once it is to be tried again.
    async fn compare_by(&self, organisation: &OrganisationId, retry_at: Option<Timestamp>) -> Result<(), store::Error> {
        match retry_at {
            Some(retry_at) => self.store.bring_comparison_forward(organisation, retry_at).await,
            None => Ok(()),
        }
    }

    /// Tells the operator, and whoever watches. Each way here has a span that names the organisation: of an attempt, a call,
    /// a comparison, a search, or of who shares an account that another one leaves.
    fn tell_problem(&self, organisation: &OrganisationId, problem: &Problem) {
        let retry_at = problem.retry_at.map(tracing::field::display);
        match problem.reason {
            Reason::GoogleMisconfigured => tracing::error!(
                "Google refuses this service's project or OAuth client; check GOOGLE_CLIENT_ID, \
                 GOOGLE_CLIENT_SECRET and that the Calendar API is enabled"
            ),
            Reason::GoogleThrottled => tracing::info!(retry_at, "Google asks for patience"),
            Reason::AccountUnavailable => tracing::warn!(retry_at, "Google refuses an account as a whole"),
            Reason::CalendarUnavailable => tracing::warn!(retry_at, "a target calendar is gone, or takes no writes"),
            // Told where it was found, with the key that is missing, or the column.
            Reason::KeyringIncomplete | Reason::Internal => {}
            Reason::NotConnected | Reason::ReconnectRequired | Reason::GoogleUnavailable | Reason::EventRefused => {
                tracing::warn!(reason = problem.reason.as_str(), "an integration stands still until a person acts")
            }
        }
        self.notifier.notify(&Change::Integration(organisation.clone()));
    }
}
