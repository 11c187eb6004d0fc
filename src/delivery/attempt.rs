//! One attempt for one claimed link: carries out what `sync` decides, and settles.

use jiff::{SignedDuration, Timestamp};

use super::{Parts, snapshot};
use crate::connection::{Access, AccessError};
use crate::model::{OrganisationId, Placement, Reason};
use crate::store::{self, Claimed, LinkError, Settlement};
use crate::sync::{
    Answer, Attempt, Call, Delay, Goal, Outcome, Owner, Setback, Step, Stop, ThrottleScope, delay, render,
};

/// How long a lease lives: longer than the longest call.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Who has to wait longer than this for quota gives the lease back meanwhile.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// Why an attempt ended without anything to settle: somebody else has the link now, or the database is away.
enum Broken {
    /// The lease was lost, or the integration is in another epoch.
    Fenced,
    /// The database.
    Store(store::Error),
}

impl From<store::Error> for Broken {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl Parts {
    /// The placement to store with the lease, before the first call is made.
    pub(super) fn first_placement(&self, claimed: &Claimed) -> Option<Placement> {
        let goal = self.goal(claimed)?;
        match Attempt::begin(goal, claimed.placement.clone()).1 {
            Step::Call { placement, .. } => Some(placement),
            Step::Settle(_) => None,
        }
    }

    /// What should be, as far as the snapshot can be read.
    fn goal(&self, claimed: &Claimed) -> Option<Goal> {
        let Claimed { organisation, appointment, .. } = claimed;
        let sealed = claimed.snapshot.as_ref()?;
        let opened = snapshot::open(&self.keyring, organisation, appointment, sealed)
            .inspect_err(|error| {
                tracing::error!(
                    organisation.id = %organisation, appointment.id = %appointment,
                    error = error as &dyn std::error::Error,
                    "a snapshot does not open; check that ENCRYPTION_KEYS still holds every key that was in use"
                );
            })
            .ok()?;
        let context = self.connections.event_context(organisation, claimed.title_privacy);
        let event = render(&opened, &context).map(|event| {
            let fingerprint = self.keyring.fingerprint(&event.content());
            (event, fingerprint)
        });
        let owner = Owner { organisation: organisation.clone(), appointment: appointment.clone() };
        Some(Goal { calendar: claimed.target.clone(), event, owner })
    }

    /// Runs the attempt to its end. What the database does not take is logged: the lease lapses, and the same attempt is
    /// made again.
    pub(super) async fn attempt(&self, claimed: Claimed) {
        let broken = match self.carry_out(&claimed).await {
            Ok(settlement) => self.store.settle(&claimed, &settlement, self.clock.now()).await.err(),
            Err(Broken::Fenced) => self.store.release(&[claimed.lease.token], self.clock.now()).await.err(),
            Err(Broken::Store(error)) => Some(error),
        };
        if let Some(error) = broken {
            tracing::warn!(
                organisation.id = %claimed.organisation, appointment.id = %claimed.appointment,
                error = &error as &dyn std::error::Error,
                "an attempt could not be settled; it is made again when its lease lapses"
            );
        }
        self.bell.ring_changed(&claimed.organisation);
    }

    async fn carry_out(&self, claimed: &Claimed) -> Result<Settlement, Broken> {
        let Some(goal) = self.goal(claimed) else {
            let error = LinkError { reason: Reason::EventRefused, detail: Some("snapshotUnreadable".to_owned()) };
            return Ok(Settlement::Refused { placement: claimed.placement.clone(), error });
        };
        let mut stored = claimed.placement.clone();
        // The worker took one unit before it claimed the link, and the claim is a moment old.
        let mut is_first = true;
        let (mut attempt, mut step) = Attempt::begin(goal, stored.clone());
        loop {
            match step {
                Step::Call { placement, call } => {
                    let access = match self.connections.access(&claimed.organisation, claimed.epoch, None).await {
                        Ok(access) => access,
                        Err(error) => return self.without_access(claimed, stored, error),
                    };
                    let units = if is_first { call.units() - 1 } else { call.units() };
                    let waited = match self.wait_for_quota(&access, units).await {
                        Ok(waited) => waited,
                        Err(()) => return Ok(Settlement::Parked { placement: stored }),
                    };
                    self.secure(claimed, &placement, &mut stored, is_first && !waited).await?;
                    is_first = false;
                    let answer = self.call(claimed, &access, &call).await;
                    step = match answer {
                        Ok(answer) => attempt.advance(answer),
                        Err(error) => return self.without_access(claimed, stored, error),
                    };
                }
                Step::Settle(outcome) => return Ok(self.settlement(claimed, outcome).await?),
            }
        }
    }

    /// Makes sure that the placement is stored and the lease is ours before a call is made.
    async fn secure(
        &self,
        claimed: &Claimed,
        placement: &Placement,
        stored: &mut Placement,
        is_fresh: bool,
    ) -> Result<(), Broken> {
        let now = self.clock.now();
        let is_ours = if placement != stored {
            *stored = placement.clone();
            self.store.reserve(claimed, placement, now + LEASE, now).await?
        } else if is_fresh {
            true
        } else {
            self.store.hold(claimed, now + LEASE, now).await?
        };
        if is_ours { Ok(()) } else { Err(Broken::Fenced) }
    }

    /// Makes the call; once more with a fresh token if Google does not honour this one.
    async fn call(&self, claimed: &Claimed, access: &Access, call: &Call) -> Result<Answer, AccessError> {
        let answer = self.google.call(&access.token, call).await;
        let answer = match answer {
            Answer::Unauthorized => {
                let access = self.connections.access(&claimed.organisation, claimed.epoch, Some(access)).await?;
                self.quota.take(&access.google_user_id, call.units()).await;
                self.google.call(&access.token, call).await
            }
            answer => answer,
        };
        tracing::debug!(
            organisation.id = %claimed.organisation, appointment.id = %claimed.appointment,
            call = call.name(), answer = answer.name(), "called Google"
        );
        Ok(answer)
    }

    /// Waits for units; answers whether it had to. `Err`: it would take too long to keep the lease.
    async fn wait_for_quota(&self, access: &Access, units: u32) -> Result<bool, ()> {
        if units == 0 {
            return Ok(false);
        }
        match self.quota.try_take(&access.google_user_id, units) {
            Ok(()) => Ok(false),
            Err(ready_at) if ready_at.duration_since(self.clock.now()) > LONGEST_WAIT => Err(()),
            Err(_) => {
                self.quota.take(&access.google_user_id, units).await;
                Ok(true)
            }
        }
    }

    fn without_access(
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
                    organisation.id = %claimed.organisation, error = &error as &dyn std::error::Error,
                    "a token does not open; check that ENCRYPTION_KEYS still holds every key that was in use"
                );
                let setback = Setback { delay: Delay::Unavailable, retry_after: None };
                let next_attempt_at = self.next_attempt_at(setback, attempts(claimed));
                let error = LinkError { reason: Reason::GoogleMisconfigured, detail: None };
                Ok(Settlement::Later { placement, next_attempt_at, error })
            }
        }
    }

    async fn settlement(&self, claimed: &Claimed, outcome: Outcome) -> Result<Settlement, store::Error> {
        let organisation = &claimed.organisation;
        match outcome {
            Outcome::Synced { placement, html_link } => {
                self.patience.over(organisation);
                Ok(Settlement::Synced { placement, html_link, revision: claimed.revision })
            }
            Outcome::Later { placement, setback } => {
                let (next_attempt_at, reason) = match setback.delay {
                    Delay::Unavailable => (self.next_attempt_at(setback, attempts(claimed)), Reason::GoogleUnavailable),
                    Delay::Throttled(scope) => {
                        (self.throttled(claimed, scope, setback).await?, Reason::GoogleThrottled)
                    }
                };
                Ok(Settlement::Later { placement, next_attempt_at, error: LinkError { reason, detail: None } })
            }
            Outcome::Refused { placement, reason } => {
                tracing::warn!(
                    organisation.id = %organisation, appointment.id = %claimed.appointment, %reason,
                    "Google refuses an event for good"
                );
                let error = LinkError { reason: Reason::EventRefused, detail: Some(reason) };
                Ok(Settlement::Refused { placement, error })
            }
            Outcome::Stopped { placement, stop } => {
                let reason = match stop {
                    Stop::ReconnectRequired => Reason::ReconnectRequired,
                    Stop::CalendarUnavailable => Reason::CalendarUnavailable,
                    Stop::Misconfigured => Reason::GoogleMisconfigured,
                };
                self.connections.note_problem(organisation, claimed.epoch, reason, None).await?;
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
        let until = self.next_attempt_at(setback, self.patience.asked_for(whose));
        match whose {
            None => self.quota.pause(until),
            Some(organisation) => {
                let wait = until.duration_since(self.clock.now());
                let reason = Reason::GoogleThrottled;
                self.connections.note_problem(organisation, claimed.epoch, reason, Some(wait)).await?;
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
