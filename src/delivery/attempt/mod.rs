//! One attempt for one claimed link or owed deletion: carries out what `sync` decides, and settles.
//!
//! Owns the order of each call: access, quota, lease, Google. Never decides what to call, but the probe before a deletion
//! that an account before owes, and that a call is made again with a newer token. Invariant: no call is begun unless its
//! placement is stored and the lease outlives it, nor in another epoch than the claim's, but to leave one end of a copy.

mod claim;
mod settlement;

use jiff::SignedDuration;

use super::{Inner, snapshot};
use crate::clock::Deadline;
use crate::connection::{Access, AccessError, MAX_TOKENS};
use crate::crypto::OpenError;
use crate::error_chain::error_chain;
use crate::google::CALL_DEADLINE;
use crate::metrics;
use crate::model::{Change, Place, Placement};
use crate::quota::{Permit, Wait};
use crate::store::{self, CallMade, Claimed, Guarded, OwedClaim};
use crate::sync::{Answer, Attempt, Call, Goal, Outcome, Owner, Step, Stop, calendar_of, render};
use crate::traces;
pub(super) use claim::Claim;
use settlement::{CallsAnswered, RowOutcome};

/// How long a lease lives. It outlives every call that is begun under it, and no more: what a crashed process held waits
/// until it lapses.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a lease has to live still for a call to be begun: the call itself, and a moment to settle.
const CALL: SignedDuration = SignedDuration::from_secs(25);
const _: () = assert!(CALL_DEADLINE.as_secs() < CALL.as_secs().unsigned_abs() && CALL.as_secs() < LEASE.as_secs());
/// An attempt that has to wait longer than this for quota gives its lease back meanwhile.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// How soon an account is compared of which an event was not where it was written: one comparison serves all that are found
/// so meanwhile.
const COMPARED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Why an attempt ended without anything to settle: somebody else has the link now, or the database is away.
enum AttemptError {
    /// The lease was lost, or the integration is in another epoch.
    Fenced,
    /// The store failed: whether the lease still is ours is unknown.
    Store(store::Error),
}

/// An attempt and its next step, as begun within the claim.
pub(super) struct BegunAttempt {
    attempt: Attempt,
    step: Step,
    /// The step that follows once the calendar has said that it takes writes; `None`: it is not asked first.
    once_open: Option<Step>,
}

impl BegunAttempt {
    /// Begins to delete what is owed. Its place is stored with it.
    ///
    /// Where another account wrote the event, the calendar is asked first: one that the connected account does not see
    /// says nothing of its events.
    pub(super) fn of_owed(claimed: &OwedClaim) -> Self {
        let OwedClaim { organisation, google_user_id, connected, appointment, place, .. } = claimed.clone();
        let goal = Goal { calendar: place.calendar.clone(), event: None, owner: Owner { organisation, appointment } };
        let placement = Placement::Reserved(place.clone());
        let (attempt, step) = Attempt::begin(goal, placement.clone());
        if google_user_id == connected {
            return Self { attempt, step, once_open: None };
        }
        let probe = Step::Call { placement, call: Call::Probe { calendar: place.calendar } };
        Self { attempt, step: probe, once_open: Some(step) }
    }
}

/// Why there is no attempt: the snapshot says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unopened {
    /// No key of the keyring opens it: it waits for its key.
    Sealed,
    /// No key would help.
    Unreadable,
}

impl From<&OpenError> for Unopened {
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::UnknownKey(_) | OpenError::Forged => Self::Sealed,
            OpenError::Malformed | OpenError::Unreadable => Self::Unreadable,
        }
    }
}

/// The lease as it is stored, and the placement that is stored with it.
struct HeldLease {
    placement: Placement,
    /// In steady time: a wall clock that is set back makes no lease longer.
    until: Deadline,
    /// Whether a call has been made under it. Until then the claim itself has proved that the epoch is current.
    is_used: bool,
    /// Whether it is renewed in whichever epoch: an event that was copied is not left in two calendars by a disconnect.
    outlives_epoch: bool,
}

impl From<store::Error> for AttemptError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl Inner {
    /// Begins the attempt of a claim, and answers the placement that its first call needs to be stored. No attempt: the
    /// snapshot does not open or does not read.
    pub(super) fn begin(&self, claimed: &Claimed) -> (Option<Placement>, Result<BegunAttempt, Unopened>) {
        let goal = match self.goal(claimed) {
            Ok(goal) => goal,
            Err(unopened) => return (None, Err(unopened)),
        };
        let (attempt, step) = Attempt::begin(goal, claimed.placement.clone());
        let placement = match &step {
            Step::Call { placement, .. } => Some(placement.clone()),
            Step::Settle(_) => None,
        };
        (placement, Ok(BegunAttempt { attempt, step, once_open: None }))
    }

    /// What should be, as far as the snapshot can be read. It is called within the claim, outside the attempt's span.
    fn goal(&self, claimed: &Claimed) -> Result<Goal, Unopened> {
        let Claimed { organisation, appointment, .. } = claimed;
        let sealed = claimed.snapshot.as_ref().ok_or(Unopened::Unreadable)?;
        let opened = snapshot::open(&self.keyring, organisation, appointment, sealed).map_err(|error| {
            let unopened = Unopened::from(&error);
            match unopened {
                Unopened::Sealed => {
                    let key = sealed.key_id().unwrap_or_default();
                    if self.missing_keys.is_to_be_told(organisation, key, self.clock.elapsed()) {
                        tracing::error!(
                            organisation.id = %organisation, appointment.id = %appointment, error = %error_chain(&error),
                            "a snapshot does not open: where its key is unknown, ENCRYPTION_KEYS has to hold it again"
                        );
                    }
                }
                Unopened::Unreadable => tracing::error!(
                    organisation.id = %organisation, appointment.id = %appointment, error = %error_chain(&error),
                    "a snapshot does not read: its appointment is left out until it is sent again"
                ),
            }
            unopened
        })?;
        let context = self.event_context(organisation, claimed.title_privacy);
        let event = render(&opened, &context).map(|event| {
            let fingerprint = self.keyring.fingerprint(&event.content());
            (event, fingerprint)
        });
        let owner = Owner { organisation: organisation.clone(), appointment: appointment.clone() };
        Ok(Goal { calendar: calendar_of(&claimed.target, &opened), event, owner })
    }

    /// Runs the attempt to its end. What the database does not take is logged: the lease lapses, and the same attempt is
    /// made again.
    pub(super) async fn attempt(
        &self,
        claim: Claim,
        leased_until: Deadline,
        begun: Result<BegunAttempt, Unopened>,
        permit: Permit,
    ) {
        let organisation = claim.organisation().clone();
        let (mut calls, is_of_erasure) = (Vec::new(), claim.is_of_erasure());
        let traced = traces::Span::of_attempt(claim.traceparent());
        let outcome = match begun {
            Ok(begun) => traced.within(self.carry_out(&claim, leased_until, begun, permit, &mut calls)).await,
            Err(unopened) => Ok(self.unopened(&claim, unopened)),
        };
        let name = match &outcome {
            Ok(outcome) => outcome.name(),
            Err(AttemptError::Fenced) => "fenced",
            Err(AttemptError::Store(_)) => "broken",
        };
        metrics::attempt(name);
        traced.end(name, outcome.is_ok());
        let broken = match outcome {
            Ok(outcome) => self.settle_or_release(claim, outcome, calls).await.err(),
            Err(AttemptError::Fenced) => self.store.release(&[claim.lease().token], self.clock.now()).await.err(),
            Err(AttemptError::Store(error)) => Some(error),
        };
        if let Some(error) = broken {
            tracing::warn!(
                error = %error_chain(&error),
                "an attempt could not be settled; it is made again when its lease lapses"
            );
        }
        self.notifier.notify(&Change::Links(organisation));
        if is_of_erasure {
            self.notifier.notify_listing();
        }
    }

    /// Settles what an attempt came to. Whoever fenced it meanwhile (it was erased, or somebody took it over) decides what
    /// stands, and waits for the end of its calls: only one that got no answer may be under way still.
    async fn settle_or_release(
        &self,
        claim: Claim,
        outcome: RowOutcome,
        calls: Vec<CallMade>,
    ) -> Result<(), store::Error> {
        let token = claim.lease().token;
        let is_answered = !matches!(outcome, RowOutcome::Later { .. });
        match self.settle(claim, outcome, calls).await? {
            Guarded::Fenced if is_answered => self.store.release(&[token], self.clock.now()).await.map(drop),
            Guarded::Done | Guarded::Fenced => Ok(()),
        }
    }

    async fn carry_out(
        &self,
        claim: &Claim,
        leased_until: Deadline,
        begun: BegunAttempt,
        permit: Permit,
        calls: &mut Vec<CallMade>,
    ) -> Result<RowOutcome, AttemptError> {
        let BegunAttempt { mut attempt, mut step, mut once_open } = begun;
        let mut held =
            HeldLease { placement: claim.placement(), until: leased_until, is_used: false, outlives_epoch: false };
        let mut permit = Some(permit);
        let (mut rejected, mut tokens, mut made) = (None, 0, CallsAnswered::default());
        let mut granted: Option<Access> = None;
        loop {
            let (placement, call) = match step {
                Step::Call { placement, call } => (placement, call),
                Step::Settle(outcome) => {
                    let left_behind = attempt.take_left_behind();
                    if !left_behind.is_empty() {
                        self.store_and_renew(claim, outcome.placement(), &left_behind, &mut held).await?;
                    }
                    return Ok(self.row_outcome(claim, outcome, made).await?);
                }
            };
            let access = self.grants.access(claim.organisation(), claim.epoch(), rejected.as_ref()).await;
            held.outlives_epoch = attempt.is_copied();
            let access = match (access, granted.take()) {
                (Ok(access), _) => access,
                (Err(AccessError::Fenced), Some(access)) if held.outlives_epoch => access,
                (Err(error), _) => {
                    return self.without_access(claim, attempt.placement_if_abandoned(held.placement), error);
                }
            };
            if self.top_up(&mut permit, &access, call.units()).await.is_err() {
                return Ok(RowOutcome::Unchanged { placement: attempt.placement_if_abandoned(held.placement) });
            }
            self.prepare_call(claim, &placement, &attempt.take_left_behind(), &mut held).await?;
            permit = None;
            held.is_used = true;
            let from = self.clock.read();
            let answer = self.google.call(&access.token, &call).await;
            let took = self.clock.elapsed().saturating_sub(from.elapsed);
            calls.extend(claim.note_call(from.now, &call, &answer, took));
            made = CallsAnswered { is_any: true, is_any_deleted: made.is_any_deleted || answer == Answer::Deleted };
            self.note_whereabouts(claim, &call, &answer).await?;
            tracing::debug!(call = call.name(), answer = answer.name(), "called Google");
            tokens += 1;
            step = if answer == Answer::Unauthorized && tokens < MAX_TOKENS {
                // Once more, with a newer token.
                rejected = Some(access);
                Step::Call { placement, call }
            } else {
                (rejected, tokens, granted) = (None, 0, Some(access));
                match (once_open.take(), answer) {
                    (Some(next), Answer::CalendarOpen) => next,
                    (Some(_), Answer::CalendarReadOnly | Answer::CalendarMissing) => {
                        Step::Settle(Outcome::Stopped { placement, stop: Stop::CalendarUnavailable })
                    }
                    // Any other answer means the same to a deletion.
                    (_, answer) => attempt.advance(answer),
                }
            };
        }
    }

    /// An event that is not where it was written may have been moved: then it stands in another calendar of the account,
    /// where no call by its id finds it. The comparison does, soon.
    async fn note_whereabouts(&self, claim: &Claim, call: &Call, answer: &Answer) -> Result<(), AttemptError> {
        let is_written = !matches!(call, Call::Insert { .. } | Call::Probe { .. });
        if let (Claim::Link(claimed), Answer::Gone | Answer::NotFound, true) = (claim, answer, is_written) {
            self.store.note_vanished(&claimed.organisation, self.clock.now() + COMPARED_WITHIN).await?;
        }
        Ok(())
    }

    /// Stores the placement if it is not stored yet, with what it left behind, and renews the lease so that it outlives the
    /// call that is about to be made.
    async fn prepare_call(
        &self,
        claim: &Claim,
        placement: &Placement,
        left_behind: &[Place],
        held: &mut HeldLease,
    ) -> Result<(), AttemptError> {
        let is_stored = left_behind.is_empty()
            && match claim {
                Claim::Link(_) => *placement == held.placement,
                // The row says where the event stands, whatever is read of it.
                Claim::Owed(_) => true,
            };
        if is_stored && !held.is_used && self.clock.left(held.until) >= CALL {
            return Ok(());
        }
        self.store_and_renew(claim, placement, left_behind, held).await?;
        // It may have taken its time, or the process was frozen meanwhile: what is called for is called within the lease.
        while self.clock.left(held.until) < CALL {
            self.store_and_renew(claim, placement, &[], held).await?;
        }
        Ok(())
    }

    async fn store_and_renew(
        &self,
        claim: &Claim,
        placement: &Placement,
        left_behind: &[Place],
        held: &mut HeldLease,
    ) -> Result<(), AttemptError> {
        let read = self.clock.read();
        let (now, until) = (read.now, read.now + LEASE);
        let renewed = match claim {
            Claim::Link(claimed) if !left_behind.is_empty() => {
                self.store.leave_behind(claimed, placement, left_behind, until, now).await?
            }
            Claim::Link(claimed) if held.outlives_epoch && *placement == held.placement => {
                self.store.renew_lease_in_any_epoch(claimed, until, now).await?
            }
            Claim::Link(claimed) if *placement == held.placement => self.store.renew_lease(claimed, until, now).await?,
            Claim::Link(claimed) => self.store.reserve(claimed, placement, until, now).await?,
            // What is owed is deleted in the calendar that is the goal's: none is left behind.
            Claim::Owed(claimed) => self.store.renew_owed_lease(claimed, until, now).await?,
        };
        match renewed {
            Guarded::Done => {}
            Guarded::Fenced => return Err(AttemptError::Fenced),
        }
        held.placement = placement.clone();
        held.until = read.after(LEASE);
        Ok(())
    }

    /// Takes what the permit lacks for a call of `units`. `Err`: it would take too long to keep the link.
    async fn top_up(&self, permit: &mut Option<Permit>, access: &Access, units: u32) -> Result<(), Wait> {
        self.quota.top_up(permit, &access.google_user_id, units, LONGEST_WAIT).await
    }
}
