//! One attempt for one claimed link: carries out what `sync` decides, and settles.

use jiff::{SignedDuration, Timestamp};

use super::{Parts, snapshot};
use crate::connection::{Access, AccessError};
use crate::error_chain::error_chain;
use crate::google::CALL_DEADLINE;
use crate::model::{OrganisationId, Placement, Reason};
use crate::store::{self, Claimed, LinkError, Settlement};
use crate::sync::{Answer, Attempt, Delay, Goal, Outcome, Owner, Setback, Step, Stop, ThrottleScope, delay, render};

/// How long a lease lives. It outlives every call that is begun under it, and no more: what a crashed process held waits
/// until it lapses.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a lease has to live still for a call to be begun: the call itself, and a moment to settle.
const CALL: SignedDuration = SignedDuration::from_secs(25);
const _: () = assert!(CALL_DEADLINE.as_secs() < CALL.as_secs().unsigned_abs() && CALL.as_secs() < LEASE.as_secs());
/// Who has to wait longer than this for quota gives the lease back meanwhile.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// Why an attempt ended without anything to settle: somebody else has the link now, or the database is away.
enum Broken {
    /// The lease was lost, or the integration is in another epoch.
    Fenced,
    /// The database.
    Store(store::Error),
}

/// What is stored of the link, and until when it is ours.
struct Held {
    placement: Placement,
    until: Timestamp,
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
                    error = %error_chain(error),
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
                error = %error_chain(&error),
                "an attempt could not be settled; it is made again when its lease lapses"
            );
        }
        self.notifier.notify_changed(&claimed.organisation);
    }

    async fn carry_out(&self, claimed: &Claimed) -> Result<Settlement, Broken> {
        let Some(goal) = self.goal(claimed) else {
            let error = LinkError { reason: Reason::EventRefused, detail: Some("snapshotUnreadable".to_owned()) };
            return Ok(Settlement::Refused { placement: claimed.placement.clone(), error });
        };
        let mut held = Held { placement: claimed.placement.clone(), until: claimed.lease.until };
        // The worker took one unit before it claimed the link.
        let mut is_first = true;
        let mut rejected = None;
        let (mut attempt, mut step) = Attempt::begin(goal, held.placement.clone());
        loop {
            match step {
                Step::Call { placement, call } => {
                    let access = self.connections.access(&claimed.organisation, claimed.epoch, rejected.as_ref()).await;
                    let access = match access {
                        Ok(access) => access,
                        Err(error) => return self.without_access(claimed, held.placement, error),
                    };
                    let units = if is_first { call.units() - 1 } else { call.units() };
                    if self.wait_for_quota(&access, units).await.is_err() {
                        return Ok(Settlement::Parked { placement: held.placement });
                    }
                    self.secure(claimed, &placement, &mut held, is_first).await?;
                    is_first = false;
                    let answer = self.google.call(&access.token, &call).await;
                    tracing::debug!(
                        organisation.id = %claimed.organisation, appointment.id = %claimed.appointment,
                        call = call.name(), answer = answer.name(), "called Google"
                    );
                    step = if answer == Answer::Unauthorized && rejected.is_none() {
                        // Once more, with a fresh token.
                        rejected = Some(access);
                        Step::Call { placement, call }
                    } else {
                        rejected = None;
                        attempt.advance(answer)
                    };
                }
                Step::Settle(outcome) => return Ok(self.settlement(claimed, outcome).await?),
            }
        }
    }

    /// Makes sure that the placement is stored and that the lease outlives the call that is about to be made.
    async fn secure(
        &self,
        claimed: &Claimed,
        placement: &Placement,
        held: &mut Held,
        is_first: bool,
    ) -> Result<(), Broken> {
        let now = self.clock.now();
        let until = now + LEASE;
        let is_ours = if *placement != held.placement {
            self.store.reserve(claimed, placement, until, now).await?
        } else if is_first && held.until >= now + CALL {
            return Ok(());
        } else {
            self.store.hold(claimed, until, now).await?
        };
        if !is_ours {
            return Err(Broken::Fenced);
        }
        *held = Held { placement: placement.clone(), until };
        Ok(())
    }

    /// Waits for units. `Err`: it would take too long to keep the link.
    async fn wait_for_quota(&self, access: &Access, units: u32) -> Result<(), ()> {
        if units == 0 {
            return Ok(());
        }
        match self.quota.try_take(&access.google_user_id, units) {
            Ok(()) => Ok(()),
            Err(wait) if wait.until.duration_since(self.clock.now()) > LONGEST_WAIT => Err(()),
            Err(_) => {
                self.quota.take(&access.google_user_id, units).await;
                Ok(())
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
                    organisation.id = %claimed.organisation, error = %error_chain(&error),
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
                tracing::warn!(
                    organisation.id = %organisation, appointment.id = %claimed.appointment, %reason,
                    "Google refuses an event for good"
                );
                let error = LinkError { reason: Reason::EventRefused, detail: Some(reason) };
                Ok(Settlement::Refused { placement, error })
            }
            Outcome::Stopped { placement, stop } => {
                let (connections, epoch) = (&self.connections, claimed.epoch);
                match stop {
                    Stop::ReconnectRequired => {
                        connections.note_problem(organisation, epoch, Reason::ReconnectRequired, None).await?;
                    }
                    Stop::CalendarUnavailable => {
                        connections.note_unavailable(organisation, epoch, &claimed.target).await?;
                    }
                    Stop::Misconfigured => {
                        connections.note_problem(organisation, epoch, Reason::GoogleMisconfigured, None).await?;
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
