//! One budget: a pace, and until when it is spent; and the three that one call takes from, with their paces.
//!
//! Owns the arithmetic (the generic cell rate algorithm), in microseconds of whichever clock the budget goes by. Never
//! asks that clock: `now` is a parameter. Invariant: whoever is refused has spent nothing, and is told how long to
//! wait.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::{DEAREST_CALL, Scope, Wait, micros};
use crate::clock::ClockSample;

const MINUTE: i64 = 60_000_000;

/// A steady rate and a burst that together stay within a limit in **any** window of a minute. A part of the limit is left
/// for calls that arrive bunched. A process begins without a burst: the one before it, of which it knows nothing, may
/// just have spent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    per_minute: i64,
    burst: i64,
}

impl Pace {
    /// The pace of an account: a person who changes some appointments at once waits for nothing. A twentieth may come at
    /// once, another one is left, nine tenths flow.
    pub(super) fn of_account(limit: NonZeroU32) -> Self {
        let limit = limit.get();
        Self::with(limit, limit / 20, limit / 20)
    }

    /// The pace of the project: many share its burst, and a steady minute uses 95 % of it. A seventy-fifth may come at once.
    /// A thirtieth is left, for calls that arrive bunched by up to two seconds.
    pub(super) fn of_project(limit: NonZeroU32) -> Self {
        let limit = limit.get();
        Self::with(limit, limit / 75, limit / 30)
    }

    fn with(limit: u32, burst: u32, left: u32) -> Self {
        // Of a small limit the burst is a larger part.
        let burst = burst.max(DEAREST_CALL);
        let per_minute = limit.saturating_sub(burst + left).max(1);
        Self { per_minute: i64::from(per_minute), burst: i64::from(burst) }
    }

    /// Spends units of a budget that is spent until `spent_until`: until when it is spent then. `Err`: how long they take
    /// to grow. The process began at `started_at`.
    pub(super) fn spend(self, spent_until: i64, units: u32, now: i64, started_at: i64) -> Result<i64, i64> {
        // As many single units as the burst has may be rounded up by a microsecond each.
        let furthest = now + self.span_of(self.burst) + self.burst;
        // No budget is spent for a minute longer: what says so was computed by a clock that was set back since. It counts as
        // whole, which what is left makes up for.
        let spent_until = if spent_until > furthest + MINUTE { now } else { spent_until.max(now) };
        let spent_until = spent_until.max(started_at + self.span_of(self.burst));
        let next = spent_until + self.span_of(i64::from(units));
        let ahead = next - furthest;
        // At least a millisecond: what is asked again at once is asked in a busy loop.
        if ahead > 0 { Err(ahead.max(1_000)) } else { Ok(next) }
    }

    /// How many units more may be taken at `now` ahead of the calls that they are for, of a budget that is spent until
    /// `spent_until`: none once half of the burst is spent, so that where units are scarce, none is taken in vain.
    pub(super) fn ahead(self, spent_until: i64, now: i64) -> u32 {
        let unspent = now + self.span_of(self.burst) / 2 - spent_until;
        u32::try_from(unspent / self.span_of(1)).unwrap_or(0)
    }

    /// How many units grow in a second.
    pub(super) fn of_a_second(self) -> u32 {
        u32::try_from(self.per_minute / 60).unwrap_or(u32::MAX)
    }

    /// Takes units that [`Pace::ahead`] allows: until when the budget is spent then.
    pub(super) fn take_ahead(self, spent_until: i64, units: u32, now: i64) -> i64 {
        spent_until.max(now) + self.span_of(i64::from(units))
    }

    /// How long so many units take to grow, rounded up.
    fn span_of(self, units: i64) -> i64 {
        (units * MINUTE + self.per_minute - 1) / self.per_minute
    }
}

/// Until when three budgets are spent that one call takes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) account: i64,
    pub(super) project: i64,
    pub(super) background: i64,
}

impl Spent {
    /// The same by a clock that says so much more.
    pub(super) fn moved_by(self, offset: i64) -> Self {
        let Self { account, project, background } = self;
        Self { account: account + offset, project: project + offset, background: background + offset }
    }

    /// Each until the later of two moments.
    pub(super) fn or_later(self, other: Self) -> Self {
        Self {
            account: self.account.max(other.account),
            project: self.project.max(other.project),
            background: self.background.max(other.background),
        }
    }
}

/// How fast they may be spent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paces {
    pub(super) project: Pace,
    /// What nobody waits for: a part of the project's.
    pub(super) background: Pace,
    pub(super) account: Pace,
}

impl Paces {
    /// Spends from all of them, or from none. `at` is when that is by the clock that the budgets go by, which was read with
    /// `read`.
    pub(super) fn decide(
        &self,
        spent: Spent,
        units: u32,
        is_background: bool,
        at: i64,
        read: ClockSample,
    ) -> Result<Spent, Wait> {
        let units = units.clamp(1, DEAREST_CALL);
        let started_at = at - micros(read.elapsed);
        let refused = |scope| move |wait| Wait { until: read.after(SignedDuration::from_micros(wait)), scope };
        let account = self.account.spend(spent.account, units, at, started_at).map_err(refused(Scope::Account))?;
        let background = match is_background {
            true => self.background.spend(spent.background, units, at, started_at).map_err(refused(Scope::Project))?,
            false => spent.background,
        };
        let project = self.project.spend(spent.project, units, at, started_at).map_err(refused(Scope::Project))?;
        Ok(Spent { account, project, background })
    }

    /// Takes units ahead, `most` of them, as far as there are plenty: until when the budgets are spent then, and how many
    /// those are.
    pub(super) fn take_ahead(&self, spent: Spent, most: u32, at: i64) -> (Spent, u32) {
        let units = self.account.ahead(spent.account, at).min(self.project.ahead(spent.project, at)).min(most);
        let account = self.account.take_ahead(spent.account, units, at);
        let project = self.project.take_ahead(spent.project, units, at);
        (Spent { account, project, ..spent }, units)
    }
}
