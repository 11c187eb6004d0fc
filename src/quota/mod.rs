//! The pace at which Google is called.
//!
//! Owns two budgets in Google's units: one for the whole project, one for each account; and how much of the first goes to
//! what nobody waits for. Each process has its own, in memory: replicas do not know of each other, and a restart begins
//! with whole budgets. The calls of attempts and of comparisons are counted; what the settings pages and a consent read,
//! and calls to the token endpoint, are not. Never calls anybody and never decides who goes first.
//!
//! Invariant: within one run of the process, and however its wall clock is corrected, no window of a minute sees more
//! units given out than either budget allows.

use std::fmt;
use std::num::NonZeroU32;

use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::clock::{Clock, Reading};
use crate::model::GoogleUserId;

/// The most that one call costs.
const DEAREST_CALL: u32 = 3;

/// The budgets.
pub struct Quota {
    clock: Clock,
    time: Time,
    project: RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Nanos>>,
    /// What nobody waits for: a part of the project's.
    background: RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Nanos>>,
    accounts: RateLimiter<GoogleUserId, DashMapStateStore<GoogleUserId>, Time, NoOpMiddleware<Nanos>>,
    /// Until when Google asked the whole project for patience, in steady time.
    paused_until: Mutex<SignedDuration>,
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}

/// Our clock, as the rate limiter wants it: the steady time since it was made.
#[derive(Debug, Clone)]
struct Time(Clock);

impl governor::clock::Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed().unsigned_abs())
    }
}

/// Units of an account that were taken and not spent yet. What is dropped is lost: no budget gets units back.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the units are taken from the budgets"]
pub struct Permit {
    account: GoogleUserId,
    units: u32,
}

/// Says whose budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The project's: nobody gets units before the wait is over.
    Project,
    /// The account's: the other accounts go on.
    Account,
}

/// Says that units were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When to ask again.
    pub until: Timestamp,
    /// Whose budget is spent.
    pub scope: Scope,
}

impl Quota {
    /// Budgets of so many units a minute for the project and for each account.
    pub fn new(project_per_minute: NonZeroU32, account_per_minute: NonZeroU32, clock: Clock) -> Self {
        let time = Time(clock.clone());
        let tenth = NonZeroU32::new(project_per_minute.get() / 10).unwrap_or(NonZeroU32::MIN);
        Self {
            project: RateLimiter::new(pace(project_per_minute), InMemoryState::default(), time.clone()),
            background: RateLimiter::new(pace(tenth), InMemoryState::default(), time.clone()),
            accounts: RateLimiter::new(pace(account_per_minute), DashMapStateStore::default(), time.clone()),
            paused_until: Mutex::new(SignedDuration::ZERO),
            clock,
            time,
        }
    }

    /// Takes units for one call, or says when to ask again.
    pub fn try_take(&self, account: &GoogleUserId, units: u32) -> Result<Permit, Wait> {
        self.try_spend(account, units)?;
        Ok(Permit { account: account.clone(), units })
    }

    /// Takes what `permit` lacks for a call of `units` of `account`, or says when to ask again. A permit of another
    /// account counts for nothing.
    pub fn try_top_up(&self, permit: &mut Option<Permit>, account: &GoogleUserId, units: u32) -> Result<(), Wait> {
        let held = permit.as_ref().filter(|permit| permit.account == *account).map_or(0, |permit| permit.units);
        if held < units {
            self.try_spend(account, units - held)?;
            *permit = Some(Permit { account: account.clone(), units });
        }
        Ok(())
    }

    fn try_spend(&self, account: &GoogleUserId, units: u32) -> Result<(), Wait> {
        let Reading { now, elapsed } = self.clock.read();
        let pause = self.paused_until.lock().saturating_sub(elapsed);
        if pause.is_positive() {
            return Err(Wait { until: now + pause, scope: Scope::Project });
        }
        let units = NonZeroU32::new(units.clamp(1, DEAREST_CALL)).unwrap_or(NonZeroU32::MIN);
        // The account first: an account without budget must not eat up the project's.
        let refused = |scope| move |it| Wait { until: self.ready_at(&it, now), scope };
        let account = self.accounts.check_key_n(account, units).map(|taken| taken.map_err(refused(Scope::Account)));
        account.unwrap_or(Ok(()))?;
        let project = self.project.check_n(units).map(|taken| taken.map_err(refused(Scope::Project)));
        project.unwrap_or(Ok(()))
    }

    /// Takes units for one call, waiting for them.
    pub async fn take(&self, account: &GoogleUserId, units: u32) -> Permit {
        loop {
            match self.try_take(account, units) {
                Ok(permit) => return permit,
                Err(wait) => self.clock.sleep_until(wait.until).await,
            }
        }
    }

    /// Takes a unit for a call that nobody waits for, waiting for it: all of these together take a tenth of the project's
    /// budget at most.
    pub async fn take_in_background(&self, account: &GoogleUserId) -> Permit {
        while let Err(refusal) = self.background.check() {
            let ready_at = self.ready_at(&refusal, self.clock.now());
            self.clock.sleep_until(ready_at).await;
        }
        self.take(account, 1).await
    }

    /// Takes what `permit` lacks for a call, waiting for it.
    pub async fn top_up(&self, permit: &mut Option<Permit>, account: &GoogleUserId, units: u32) {
        while let Err(wait) = self.try_top_up(permit, account, units) {
            self.clock.sleep_until(wait.until).await;
        }
    }

    /// Gives nothing out until `until`: Google asked the whole project for patience.
    pub fn pause(&self, until: Timestamp) {
        let Reading { now, elapsed } = self.clock.read();
        let mut paused_until = self.paused_until.lock();
        *paused_until = elapsed.saturating_add(until.duration_since(now)).max(*paused_until);
    }

    fn ready_at(&self, refusal: &NotUntil<Nanos>, now: Timestamp) -> Timestamp {
        let wait = refusal.wait_time_from(governor::clock::Clock::now(&self.time));
        // At least a millisecond: what is asked again at once is asked in a busy loop.
        now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX).max(SignedDuration::from_millis(1))
    }
}

/// A steady rate and a burst that together stay within `per_minute` in **any** window of a minute: nine tenths flow, a
/// twentieth may come at once, and a twentieth is left for calls that arrive bunched.
fn pace(per_minute: NonZeroU32) -> governor::Quota {
    let limit = per_minute.get();
    let rate = NonZeroU32::new(limit / 10 * 9).unwrap_or(NonZeroU32::MIN);
    let burst = NonZeroU32::new((limit / 20).max(DEAREST_CALL)).unwrap_or(NonZeroU32::MIN);
    governor::Quota::per_minute(rate).allow_burst(burst)
}

#[cfg(test)]
mod tests;
