//! What a comparison meets of the target calendar or of the account.
//!
//! Owns what is noted of it at the integration: the same as an attempt would note, so that nothing is wrong in silence while
//! nothing is due. Never blames the calendar or the account for a list alone: the calendar is asked first. Invariant: a
//! problem that is found standing is left as it is, whatever a list meets.

use super::{CalendarReadContext, Comparison, ComparisonError, ReadLease};
use crate::connection::ReadError;
use crate::crypto::Secret;
use crate::delivery::Inner;
use crate::google::{CalendarError, Google};
use crate::model::Problem;
use crate::store::{self, Integration};
use crate::sync::{Answer, Call, Stop};

impl Inner {
    /// Notes what the list of the target was refused with, and answers what it is.
    pub(super) async fn note_refusal(
        &self,
        comparison: &Comparison<'_>,
        error: ReadError,
    ) -> Result<ReadError, ComparisonError> {
        let error = match stop(&error) {
            Some(Stop::CalendarUnavailable | Stop::AccountUnavailable) => match self.probe(comparison).await? {
                // The list was refused all the same: it is asked for again.
                Ok(()) => ReadError::GoogleUnavailable { retry_after: None },
                Err(error) => error,
            },
            Some(Stop::ReconnectRequired | Stop::Misconfigured) | None => error,
        };
        let Some(stop) = stop(&error) else { return Ok(error) };
        let Integration { organisation, epoch, .. } = comparison.reading.integration;
        let noted = self.store.integration(organisation).await?.and_then(|integration| integration.problem);
        let now = self.clock.now();
        let stands = |problem: &Problem| problem.retry_at.is_none_or(|retry_at| retry_at > now);
        if noted.as_ref().is_some_and(stands) {
            return Ok(error);
        }
        self.note_stop(organisation, *epoch, comparison.target, stop).await?;
        if comparison.claim().is_none() {
            // Where nothing waits to be sent, the next comparison finds that it is over.
            self.store.ask_comparison(organisation, now).await?;
        }
        Ok(error)
    }

    /// Whether the target that was out of reach takes writes by now, as far as Google says so.
    pub(in crate::delivery) async fn is_target_open(&self, integration: &Integration) -> Result<bool, store::Error> {
        let (Some(account), Some(calendar)) = (&integration.google_user_id, &integration.calendar) else {
            return Ok(false);
        };
        let reading = CalendarReadContext { integration, account, lease: ReadLease::None };
        match self.probe(&Comparison { reading, target: &calendar.id }).await {
            Ok(Ok(())) => Ok(true),
            Err(ComparisonError::Store(error)) | Ok(Err(ReadError::Store(error))) => Err(error),
            Ok(Err(_)) | Err(ComparisonError::Fenced | ComparisonError::Google(_)) => Ok(false),
        }
    }

    /// Asks the target whether it takes writes; the error is what stands against it.
    async fn probe(&self, comparison: &Comparison<'_>) -> Result<Result<(), ReadError>, ComparisonError> {
        let reading = &comparison.reading;
        let probe = |google: Google, token: Secret| {
            let call = Call::Probe { calendar: comparison.target.clone() };
            async move {
                match google.call(&token, &call).await {
                    Answer::CalendarOpen => Ok(()),
                    // It says nothing of the calendar.
                    Answer::Refused { .. } => Err(CalendarError::Unavailable { retry_after: None }),
                    answer => Err(CalendarError::from(answer)),
                }
            }
        };
        match self.grants.call_with_token_retry(reading.integration, || self.take_unit(reading), probe).await {
            Ok(()) => Ok(Ok(())),
            Err(ComparisonError::Google(error)) => Ok(Err(error)),
            Err(other @ (ComparisonError::Fenced | ComparisonError::Store(_))) => Err(other),
        }
    }
}

/// Why the integration stands still; `None`: it does not, or that is noted where it is found.
fn stop(error: &ReadError) -> Option<Stop> {
    match error {
        ReadError::ReconnectRequired => Some(Stop::ReconnectRequired),
        ReadError::CalendarUnavailable => Some(Stop::CalendarUnavailable),
        ReadError::AccountUnavailable => Some(Stop::AccountUnavailable),
        ReadError::GoogleMisconfigured => Some(Stop::Misconfigured),
        ReadError::GoogleUnavailable { .. }
        | ReadError::GoogleThrottled { .. }
        | ReadError::NotConnected
        | ReadError::Store(_)
        | ReadError::Sealed(_) => None,
    }
}
