//! The worker: listens, looks for what is due, starts what it has room and quota for, and waits.
//!
//! Owns how many attempts are under way, and when to look again. Never calls Google. Invariant: a link, or a
//! deletion that is owed, is claimed only with a place and a unit of quota to attempt it with.

mod permits;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::futures::OwnedNotified;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::attempt::{BegunAttempt, Claim, LEASE, Unopened};
use super::comparison::LONGEST_LEASE;
use super::turns::{LEAVES_AFTER, PLACES, Turns};
use super::{Delivery, Inner};
use crate::clock::{ClockSample, Deadline};
use crate::error_chain::error_chain;
use crate::model::{Change, OrganisationId};
use crate::quota::Permit;
use crate::store::{self, Claimed, Found, LeasedAppointment};
use permits::{Permits, TakenPermits};

/// When to look again where the store cannot be asked.
const STORE_RETRY_DELAY: SignedDuration = SignedDuration::from_secs(1);
/// The longest time between two looks, but where the clock was set forward: what another process made due is found by then.
const POLL: SignedDuration = SignedDuration::from_secs(5);
/// How long places that became free wait for others to become so, and what becomes due beside many attempts for more of it:
/// what is claimed then is claimed together.
const WAKE_GATHER_DELAY: SignedDuration = SignedDuration::from_millis(20);
/// From so many attempts under way on, what becomes due is gathered.
const MANY: usize = PLACES / 4;
/// How long a queue is left to somebody else who holds it.
const LOCKED_QUEUE_RETRY: Duration = Duration::from_millis(50);
/// A wall clock that was set wrong or right by less is left to its own: what waits does so a moment longer or shorter.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);
/// How long nothing is claimed where replicas may have leases that a clock which was set forward seems to have passed: each
/// has asked for the time, has looked, and has renewed its own by then.
const ALL_HAVE_RENEWED: SignedDuration = SignedDuration::from_secs(15);
const _: () = assert!(ALL_HAVE_RENEWED.as_secs() >= 3 * POLL.as_secs() && ALL_HAVE_RENEWED.as_secs() < LEASE.as_secs());
/// How long attempts under way may take to end when the worker is stopped.
const DRAIN: SignedDuration = SignedDuration::from_secs(8);

/// Brings every due link in step with Google, and deletes there what is owed, as long as it runs.
#[derive(Debug)]
pub struct Worker {
    delivery: Arc<Inner>,
    turns: Turns<Id>,
    attempts: JoinSet<()>,
    /// The lease of each attempt.
    under_way: HashMap<Id, LeasedAppointment>,
    /// Units of quota that were taken for organisations from whom nothing could be claimed: they are spent first, or lost
    /// soon.
    unused: Permits,
    /// No queue is ready since before, as far as has been seen: what was ready then lies dead in the index, and is not read
    /// again.
    not_before: Timestamp,
    /// When all is looked at again.
    whole_look_at: Timestamp,
    is_store_away: bool,
    /// What the clock said at the latest look; `None` before the first.
    read: Option<ClockSample>,
    /// Until when nothing is claimed, since the clock was set forward.
    rests_until: Option<Deadline>,
}

/// When to look for work again.
struct NextLook {
    at: Deadline,
    /// Whether nothing can be claimed before, whatever becomes due.
    is_fixed: bool,
    /// Whether somebody else held what was looked at: it is looked at again in a moment.
    is_locked_out: bool,
}

impl NextLook {
    /// At `at`, or as soon as something becomes due.
    fn at(at: Deadline) -> Self {
        Self { at, is_fixed: false, is_locked_out: false }
    }
}

impl Worker {
    /// Runs until `stop`; then lets what is under way end, and gives back the leases of what did not.
    pub async fn run(delivery: Delivery, stop: CancellationToken) {
        let worker = Self {
            delivery: delivery.0,
            turns: Turns::default(),
            attempts: JoinSet::new(),
            under_way: HashMap::new(),
            unused: Permits::new(),
            not_before: Timestamp::UNIX_EPOCH,
            whole_look_at: Timestamp::UNIX_EPOCH,
            is_store_away: false,
            read: None,
            rests_until: None,
        };
        worker.work(stop).await;
    }

    async fn work(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Listening begins before looking, so that nothing falls between.
            let due = self.delivery.notifier.listen_due();
            let next = self.look().await;
            self.wait(due, next, &stop).await;
        }
        self.drain().await;
    }

    /// Looks for due work and starts it; answers when to look again. An outage of the store is logged once, not every
    /// second.
    async fn look(&mut self) -> NextLook {
        let looked = match self.follow_clock().await {
            Ok(read) => match self.rests_until.filter(|until| self.delivery.clock.left(*until).is_positive()) {
                Some(until) => Ok(NextLook { is_fixed: true, ..NextLook::at(until) }),
                None => self.start_due(read).await,
            },
            Err(error) => Err(error),
        };
        match looked {
            Ok(next) => {
                self.is_store_away = false;
                next
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_store_away, true) {
                    tracing::warn!(error = %error_chain(&error), "the worker cannot look for work");
                }
                NextLook::at(self.delivery.clock.after(STORE_RETRY_DELAY))
            }
        }
    }

    /// Brings what is due nearer by as much as the wall clock was set back, also while nobody looked: nothing waits
    /// longer for that. Where it was set forward, the leases of what is under way have not lapsed: they are renewed
    /// before anything is claimed, those of the other replicas too.
    async fn follow_clock(&mut self) -> Result<ClockSample, store::Error> {
        let read = self.delivery.clock.read();
        let expected = match self.read {
            Some(before) => before.now.saturating_add(read.elapsed - before.elapsed).unwrap_or(Timestamp::MAX),
            None => self.delivery.store.latest_probe().await?,
        };
        let set_back = expected.duration_since(read.now);
        if set_back > TOLERANCE {
            tracing::warn!(seconds = set_back.as_secs(), "the system clock was set back");
            self.delivery.store.bring_nearer(set_back, LONGEST_LEASE, read.now).await?;
            self.whole_look_at = read.now;
        } else if set_back < -TOLERANCE && self.read.is_some() {
            tracing::warn!(seconds = -set_back.as_secs(), "the system clock was set forward");
            if !self.under_way.is_empty() {
                let leased: Vec<_> = self.under_way.values().cloned().collect();
                self.delivery.store.renew_leases(&leased, read.now + LEASE).await?;
            }
            if self.delivery.store.is_shared() {
                self.rests_until = Some(read.after(ALL_HAVE_RENEWED));
            }
            self.whole_look_at = read.now;
        }
        self.read = Some(read);
        Ok(read)
    }

    /// Waits until it is time to look again: something is due, places are free, or `next` has come.
    async fn wait(&mut self, due: OwnedNotified, next: NextLook, stop: &CancellationToken) {
        let clock = self.delivery.clock.clone();
        let (mut at, mut is_gathering) = (next.at, false);
        let let_go = clock.real_sleep(LOCKED_QUEUE_RETRY);
        tokio::pin!(due, let_go);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = &mut due, if !next.is_fixed && !is_gathering => {
                    if self.under_way.len() < MANY {
                        break;
                    }
                    (at, is_gathering) = (at.min(clock.after(WAKE_GATHER_DELAY)), true);
                }
                () = clock.sleep_until(at) => break,
                () = &mut let_go, if next.is_locked_out && !next.is_fixed => break,
                Some(ended) = self.attempts.join_next_with_id() => {
                    self.ended(ended);
                    if !next.is_fixed {
                        if self.under_way.is_empty() {
                            break;
                        }
                        at = at.min(clock.after(WAKE_GATHER_DELAY));
                    }
                }
            }
        }
        while let Some(ended) = self.attempts.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    /// Claims and starts what there is room and quota for; answers when to look again.
    async fn start_due(&mut self, read: ClockSample) -> Result<NextLook, store::Error> {
        let now = read.now;
        self.turns.leave_places(read.after(SignedDuration::ZERO));
        if self.turns.is_full() {
            return Ok(NextLook::at(self.when_places_are_left(read)));
        }
        let mut taken = TakenPermits::default();
        let found = match self.take_permits(&mut taken, read).await {
            Ok(next) => self.claim(&taken, now).await.map(|found| (found, next)),
            Err(error) => Err(error),
        };
        let mut permits = taken.permits;
        let (Found { rows: claimed, unreadable }, mut next) = match found {
            Ok(found) => found,
            Err(error) => {
                self.give_back(permits);
                return Err(error);
            }
        };
        for row in &unreadable {
            tracing::error!(
                organisation.id = ?row.organisation, appointment.id = ?row.appointment, column = row.column,
                "a stored value does not read: its appointment is left out until it is sent again"
            );
            let organisation = OrganisationId::as_stored(row.organisation.clone());
            self.delivery.notifier.notify(&Change::Links(organisation));
        }
        let wanted: usize = permits.values().map(Vec::len).sum();
        let is_all_started = claimed.len() == wanted && unreadable.is_empty() && (wanted == 0 || taken.is_all);
        let is_any_started = !claimed.is_empty();
        for (claim, begun) in claimed {
            let permit = permits.get_mut(claim.organisation()).and_then(Vec::pop);
            let permit = permit.expect("a claim is made for each permit at most");
            self.start(claim, read.after(LEASE), begun, permit);
        }
        self.give_back(permits);
        if next.is_fixed {
            Ok(next)
        } else if is_all_started {
            // A claim puts off what it leaves: there is nothing before what becomes due next.
            if let Some(due_at) = self.delivery.store.next_due_at(now, now + POLL).await? {
                next.at = next.at.min(read.until(due_at));
            }
            Ok(next)
        } else if is_any_started {
            // Where there was quota for what was due, there may be more of both.
            Ok(NextLook::at(read.after(SignedDuration::ZERO)))
        } else {
            // Somebody else was faster, or holds them, or something does not read: it is seen soon.
            Ok(NextLook { is_locked_out: true, ..next })
        }
    }

    /// When there may be a place again that nobody gives back before; no later than the next look anyway.
    fn when_places_are_left(&self, read: ClockSample) -> Deadline {
        let poll = read.after(POLL);
        self.turns.next_leaves_at().map_or(poll, |at| at.min(poll))
    }

    /// Claims a link for each permit, and begins its attempt within the claim. Where no link is due, a deletion that is
    /// owed.
    async fn claim(
        &self,
        TakenPermits { permits, owing, .. }: &TakenPermits,
        now: Timestamp,
    ) -> Result<Found<(Claim, Result<BegunAttempt, Unopened>)>, store::Error> {
        if permits.is_empty() {
            return Ok(Found::default());
        }
        let wanted = permits.iter().flat_map(|(organisation, its)| its.iter().map(|_| organisation.clone()));
        let mut wanted: Vec<_> = wanted.collect();
        let (delivery, store) = (self.delivery.clone(), &self.delivery.store);
        let token = || Uuid::from_bytes(self.delivery.entropy.bytes());
        let write_not_before = now + delivery.write_spacing;
        let begin = move |claimed: &Claimed| delivery.begin(claimed);
        let Found { rows: links, mut unreadable } =
            store.claim(&wanted, token(), now + LEASE, write_not_before, now, begin).await?;
        let mut claims: Vec<_> = links.into_iter().map(|(claimed, begun)| (Claim::Link(claimed), begun)).collect();
        for (claim, _) in &claims {
            let used = wanted.iter().position(|organisation| organisation == claim.organisation());
            wanted.swap_remove(used.expect("a claim is made for each permit at most"));
        }
        wanted.retain(|organisation| owing.contains(organisation));
        match store.claim_owed(&wanted, token(), now + LEASE, now).await {
            Ok(owed) => {
                claims.extend(owed.rows.into_iter().map(|claimed| {
                    let begun = BegunAttempt::of_owed(&claimed);
                    (Claim::Owed(claimed), Ok(begun))
                }));
                unreadable.extend(owed.unreadable);
            }
            // The links are claimed already; the next look tells of the store.
            Err(_) if !claims.is_empty() => {}
            Err(error) => return Err(error),
        }
        Ok(Found { rows: claims, unreadable })
    }

    fn start(&mut self, claim: Claim, leased_until: Deadline, begun: Result<BegunAttempt, Unopened>, permit: Permit) {
        let leased = LeasedAppointment {
            organisation: claim.organisation().clone(),
            appointment: claim.appointment().clone(),
            token: claim.lease().token,
        };
        // Of the gravest level, as all spans: a warning names its organisation and appointment whatever `LOG` says.
        let span = tracing::error_span!(
            "attempt",
            organisation.id = %claim.organisation(),
            appointment.id = %claim.appointment()
        );
        let (delivery, organisation) = (self.delivery.clone(), leased.organisation.clone());
        let attempt = async move { delivery.attempt(claim, leased_until, begun, permit).await };
        let attempt = self.attempts.spawn(attempt.instrument(span));
        self.turns.start(attempt.id(), organisation, self.delivery.clock.after(LEAVES_AFTER));
        self.under_way.insert(attempt.id(), leased);
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(failure) => failure.id(),
        };
        let Some(LeasedAppointment { organisation, .. }) = self.under_way.remove(&id) else { return };
        self.turns.end(id, &organisation);
        if let Err(failure) = ended
            && failure.is_panic()
        {
            tracing::error!(organisation.id = %organisation, "an attempt panicked; it is made again when its lease lapses");
        }
    }

    async fn drain(mut self) {
        let clock = self.delivery.clock.clone();
        let time_out = clock.sleep(DRAIN);
        tokio::pin!(time_out);
        loop {
            tokio::select! {
                biased;
                ended = self.attempts.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => return,
                },
                () = &mut time_out => break,
            }
        }
        self.attempts.shutdown().await;
        let tokens: Vec<_> = self.under_way.values().map(|leased| leased.token).collect();
        if let Err(error) = self.delivery.store.release(&tokens, self.delivery.clock.now()).await {
            tracing::warn!(
                error = %error_chain(&error),
                "leases could not be given back; they lapse by themselves"
            );
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}
