//! What an attempt came to, as it is settled.
//!
//! Owns what is noted against an integration or the project on the way, and when an attempt is made again. Never calls
//! Google. Invariant: what an outcome says of its integration or of the project is noted before its row is settled.

use jiff::{SignedDuration, Timestamp};

use super::{AttemptError, Claim, Unopened};
use crate::connection::AccessError;
use crate::delivery::Inner;
use crate::delivery::settler::AttemptSettlement;
use crate::model::{CalendarId, Epoch, OrganisationId, Placement, Reason};
use crate::store::{self, CallMade, Guarded, LinkError, OwedSettlement, Settlement};
use crate::sync::{Outcome, RetryCause, Setback, Stop, ThrottleScope, backoff};

/// What an attempt came to, whether it was made for a link or for an owed deletion: an [`Outcome`] of the brain, with what
/// it means to the row.
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum RowOutcome {
    /// Google shows what should be.
    Synced { placement: Placement, html_link: Option<String>, made: CallsAnswered },
    /// It failed, and is tried again so long after it is settled.
    Later { placement: Placement, wait: SignedDuration, error: LinkError },
    /// Google refuses it for good, or what is stored of it does not read.
    Refused { placement: Placement, error: LinkError },
    /// Nothing can be done at present (the integration is in trouble, its calendar is out of reach, or quota takes too long
    /// to come): it stays as due as it is.
    Unchanged { placement: Placement },
}

/// What is known of the calls of an attempt beside its outcome.
#[derive(Clone, Copy, Default)]
pub(super) struct CallsAnswered {
    /// Whether there was any.
    pub(super) is_any: bool,
    /// Whether one of them took an event away.
    pub(super) is_any_deleted: bool,
}

impl RowOutcome {
    /// The word for it.
    pub(super) fn name(&self) -> &'static str {
        self.into()
    }
}

impl Inner {
    /// Records what an attempt came to, together with what else has ended.
    pub(super) async fn settle(
        &self,
        claim: Claim,
        outcome: RowOutcome,
        calls: Vec<CallMade>,
    ) -> Result<Guarded, store::Error> {
        let settling = match claim {
            Claim::Link(claimed) => {
                let settlement = match outcome {
                    RowOutcome::Synced { placement, html_link, made } => {
                        Settlement::Synced { placement, html_link, revision: claimed.revision, was_called: made.is_any }
                    }
                    RowOutcome::Later { placement, wait, error } => {
                        Settlement::Later { placement, next_attempt_at: self.next_attempt_at(wait), error }
                    }
                    RowOutcome::Refused { placement, error } => Settlement::Refused { placement, error },
                    RowOutcome::Unchanged { placement } => Settlement::Unchanged { placement },
                };
                AttemptSettlement::Link(Box::new((claimed, settlement, calls)))
            }
            Claim::Owed(claimed) => {
                let settlement = match outcome {
                    // The answer of an attempt before may have been lost.
                    RowOutcome::Synced { made, .. } => {
                        OwedSettlement::Gone { was_deleted: made.is_any_deleted || claimed.attempts > 0 }
                    }
                    RowOutcome::Later { wait, error, .. } => {
                        OwedSettlement::Later { next_attempt_at: self.next_attempt_at(wait), error }
                    }
                    RowOutcome::Refused { error, .. } => OwedSettlement::Refused { error },
                    RowOutcome::Unchanged { .. } => OwedSettlement::Unchanged,
                };
                AttemptSettlement::Owed(Box::new((claimed, settlement)))
            }
        };
        self.settler.settle(settling).await
    }

    /// What an attempt comes to that got no access token.
    pub(super) fn without_access(
        &self,
        claim: &Claim,
        placement: Placement,
        error: AccessError,
    ) -> Result<RowOutcome, AttemptError> {
        match error {
            AccessError::Fenced => Err(AttemptError::Fenced),
            AccessError::Store(error) => Err(AttemptError::Store(error)),
            // Noted at the integration, which is not served until somebody acted, or it is time to try again.
            AccessError::ReconnectRequired | AccessError::Misconfigured | AccessError::Sealed(_) => {
                Ok(RowOutcome::Unchanged { placement })
            }
            AccessError::Unavailable { retry_after } => {
                let setback = Setback { cause: RetryCause::Unavailable, retry_after };
                let wait = self.wait(setback, claim.attempts());
                let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
                Ok(RowOutcome::Later { placement, wait, error })
            }
        }
    }

    /// What an attempt comes to whose snapshot says nothing. Where a key is missing it waits for that key, and nothing is
    /// lost meanwhile; else it is a fault of ours, told at the link.
    pub(super) fn unopened(&self, claim: &Claim, unopened: Unopened) -> RowOutcome {
        let placement = claim.placement();
        match unopened {
            Unopened::Sealed => {
                let setback = Setback { cause: RetryCause::Unavailable, retry_after: None };
                let wait = self.wait(setback, claim.attempts());
                RowOutcome::Later {
                    placement,
                    wait,
                    error: LinkError { reason: Reason::KeyringIncomplete, detail: None },
                }
            }
            Unopened::Unreadable => {
                let error = LinkError { reason: Reason::Internal, detail: Some("snapshot".to_owned()) };
                RowOutcome::Refused { placement, error }
            }
        }
    }

    /// What an outcome comes to in the database; what it says of the whole integration or project is noted first.
    pub(super) async fn row_outcome(
        &self,
        claim: &Claim,
        outcome: Outcome,
        made: CallsAnswered,
    ) -> Result<RowOutcome, store::Error> {
        match outcome {
            Outcome::Synced { placement, html_link } => {
                // Where nothing had to be called for, nothing is known of Google.
                if made.is_any {
                    self.throttle_counter.reset(claim.organisation());
                    self.throttle_counter.google_is_back();
                }
                Ok(RowOutcome::Synced { placement, html_link, made })
            }
            Outcome::Later { placement, setback } => {
                let (wait, reason) = match setback.cause {
                    RetryCause::Unavailable => {
                        self.throttle_counter.google_is_away();
                        (self.wait(setback, claim.attempts()), Reason::GoogleUnavailable)
                    }
                    RetryCause::Throttled(scope) => {
                        (self.throttled(claim, scope, setback).await?, Reason::GoogleThrottled)
                    }
                };
                Ok(RowOutcome::Later { placement, wait, error: LinkError { reason, detail: None } })
            }
            Outcome::Refused { placement, reason } => {
                tracing::warn!(%reason, "Google refuses an event for good");
                let error = LinkError { reason: Reason::EventRefused, detail: Some(reason) };
                Ok(RowOutcome::Refused { placement, error })
            }
            Outcome::Stopped { placement, stop } => {
                let calendar = match claim {
                    Claim::Link(claimed) => &claimed.target,
                    Claim::Owed(claimed) => &claimed.place.calendar,
                };
                self.note_stop(claim.organisation(), claim.epoch(), calendar, stop).await?;
                Ok(RowOutcome::Unchanged { placement })
            }
        }
    }

    /// Notes why nothing of an integration, or nothing in this calendar, can be written until somebody acts.
    pub(in crate::delivery) async fn note_stop(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        calendar: &CalendarId,
        stop: Stop,
    ) -> Result<(), store::Error> {
        match stop {
            Stop::ReconnectRequired => {
                self.grants.note_problem(organisation, epoch, Reason::ReconnectRequired, None).await
            }
            Stop::AccountUnavailable => {
                self.grants.note_problem(organisation, epoch, Reason::AccountUnavailable, None).await
            }
            Stop::CalendarUnavailable => {
                // Whatever is owed there is out of reach. It is a problem of the integration for its target alone.
                self.store.park_calendar(organisation, epoch, calendar, self.clock.now()).await?;
                self.grants.note_unavailable(organisation, epoch, calendar).await
            }
            Stop::Misconfigured => {
                self.grants.note_problem(organisation, epoch, Reason::GoogleMisconfigured, None).await
            }
        }
    }

    /// Holds back everybody where the project's budget is exhausted, else this organisation, and answers for how long.
    async fn throttled(
        &self,
        claim: &Claim,
        scope: ThrottleScope,
        setback: Setback,
    ) -> Result<SignedDuration, store::Error> {
        let whose: Option<&OrganisationId> = match scope {
            ThrottleScope::Project => None,
            ThrottleScope::Account | ThrottleScope::ReadOnly => Some(claim.organisation()),
        };
        let wait = self.wait(setback, self.throttle_counter.count(whose));
        match whose {
            None => self.quota.pause(wait),
            Some(organisation) => {
                let reason = Reason::GoogleThrottled;
                self.grants.note_problem(organisation, claim.epoch(), reason, Some(wait)).await?;
            }
        }
        Ok(wait)
    }

    fn wait(&self, setback: Setback, attempts: u32) -> SignedDuration {
        backoff(setback.cause, attempts, setback.retry_after, self.entropy.number())
    }

    fn next_attempt_at(&self, wait: SignedDuration) -> Timestamp {
        self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}
