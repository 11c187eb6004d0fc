//! What an attempt came to, as it is settled.
//!
//! Owns what is noted against an integration or the project on the way, and when an attempt is made again. Never calls
//! Google.

use jiff::Timestamp;

use super::Broken;
use crate::connection::AccessError;
use crate::delivery::Parts;
use crate::error_chain::error_chain;
use crate::model::{OrganisationId, Placement, Reason};
use crate::store::{self, Claimed, LinkError, Settlement};
use crate::sync::{Delay, Outcome, Setback, Stop, ThrottleScope, delay};

impl Parts {
    /// What an attempt comes to that got no access token.
    pub(super) fn without_access(
        &self,
        claimed: &Claimed,
        placement: Placement,
        error: AccessError,
    ) -> Result<Settlement, Broken> {
        match error {
            AccessError::Fenced => Err(Broken::Fenced),
            AccessError::Store(error) => Err(Broken::Store(error)),
            // Noted at the integration, which is not served until somebody acted.
            AccessError::ReconnectRequired | AccessError::Misconfigured => Ok(Settlement::Parked { placement }),
            AccessError::Unavailable { retry_after } => {
                let setback = Setback { delay: Delay::Unavailable, retry_after };
                let next_attempt_at = self.next_attempt_at(setback, attempts(claimed));
                let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
                Ok(Settlement::Later { placement, next_attempt_at, error })
            }
            AccessError::Sealed(error) => {
                tracing::error!(
                    error = %error_chain(&error),
                    "a token does not open; check that ENCRYPTION_KEYS still holds every key that was in use"
                );
                let setback = Setback { delay: Delay::Unavailable, retry_after: None };
                let next_attempt_at = self.next_attempt_at(setback, attempts(claimed));
                let error = LinkError { reason: Reason::GoogleMisconfigured, detail: None };
                Ok(Settlement::Later { placement, next_attempt_at, error })
            }
        }
    }

    /// What an outcome comes to in the database; what it says of the whole integration or project is noted first.
    pub(super) async fn settlement(&self, claimed: &Claimed, outcome: Outcome) -> Result<Settlement, store::Error> {
        let organisation = &claimed.organisation;
        match outcome {
            Outcome::Synced { placement, html_link } => {
                self.throttle_counter.reset(organisation);
                self.throttle_counter.google_is_back();
                Ok(Settlement::Synced { placement, html_link, revision: claimed.revision })
            }
            Outcome::Later { placement, setback } => {
                let (next_attempt_at, reason) = match setback.delay {
                    Delay::Unavailable => {
                        self.throttle_counter.google_is_away();
                        (self.next_attempt_at(setback, attempts(claimed)), Reason::GoogleUnavailable)
                    }
                    Delay::Throttled(scope) => {
                        (self.throttled(claimed, scope, setback).await?, Reason::GoogleThrottled)
                    }
                };
                Ok(Settlement::Later { placement, next_attempt_at, error: LinkError { reason, detail: None } })
            }
            Outcome::Refused { placement, reason } => {
                tracing::warn!(%reason, "Google refuses an event for good");
                let error = LinkError { reason: Reason::EventRefused, detail: Some(reason) };
                Ok(Settlement::Refused { placement, error })
            }
            Outcome::Stopped { placement, stop } => {
                let (grants, epoch) = (&self.grants, claimed.epoch);
                match stop {
                    Stop::ReconnectRequired => {
                        grants.note_problem(organisation, epoch, Reason::ReconnectRequired, None).await?;
                    }
                    Stop::CalendarUnavailable => {
                        grants.note_unavailable(organisation, epoch, &claimed.target).await?;
                    }
                    Stop::AccountUnavailable => {
                        grants.note_problem(organisation, epoch, Reason::AccountUnavailable, None).await?;
                    }
                    Stop::Misconfigured => {
                        grants.note_problem(organisation, epoch, Reason::GoogleMisconfigured, None).await?;
                    }
                }
                Ok(Settlement::Parked { placement })
            }
        }
    }

    /// Holds back whoever shares the exhausted budget, and answers until when.
    async fn throttled(
        &self,
        claimed: &Claimed,
        scope: ThrottleScope,
        setback: Setback,
    ) -> Result<Timestamp, store::Error> {
        let whose: Option<&OrganisationId> = match scope {
            ThrottleScope::Project => None,
            ThrottleScope::User | ThrottleScope::Account => Some(&claimed.organisation),
        };
        let until = self.next_attempt_at(setback, self.throttle_counter.count(whose));
        match whose {
            None => self.quota.pause(until),
            Some(organisation) => {
                let wait = until.duration_since(self.clock.now());
                let reason = Reason::GoogleThrottled;
                self.grants.note_problem(organisation, claimed.epoch, reason, Some(wait)).await?;
            }
        }
        Ok(until)
    }

    fn next_attempt_at(&self, setback: Setback, attempts: u32) -> Timestamp {
        let wait = delay(setback.delay, attempts, setback.retry_after, self.entropy.number());
        self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

fn attempts(claimed: &Claimed) -> u32 {
    u32::try_from(claimed.attempts).unwrap_or(0)
}
