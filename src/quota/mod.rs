//! The pace at which Google is called.
//!
//! Owns the budgets in Google's units: one for the whole project, one for each account; and how much of the first goes to
//! what nobody waits for. A process that is alone keeps them in memory, where they cost nothing. Where replicas share the
//! project, they are kept in a [`Ledger`] that all of them spend from, some units at a time: what is asked for, and while
//! there is plenty, what a change lacks beside it, or a second's worth for an account that is called again and again. Those
//! are held for two seconds, and lost then. What a process held that was killed grows again as whatever was spent does.
//!
//! Counted is every request to the Calendar API: those of an attempt (a unit is taken before the claim,
//! `delivery/worker/permits.rs`, the rest before the call, `delivery/attempt/mod.rs`), and what reads (every page of a list,
//! every second try), by the one road that all of it takes (`connection/grants/mod.rs`) and where a consent is completed.
//! Not counted is the token endpoint, revocations among it. Never calls Google and never decides who goes first.
//!
//! Invariant: however the wall clock is corrected, however often a process is killed and started again, and whoever joins or
//! leaves it, no window of a minute sees more units given out than either budget allows. Who is refused has spent
//! nothing, unless the ledger did not say whether it had noted it.

mod budget;
mod held;
mod ledger;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::clock::{Clock, ClockSample, Deadline};
use crate::metrics;
use crate::model::GoogleUserId;
use budget::{Pace, Paces, Spent};
use held::{HeldUnits, PREPAID_UNITS_TTL};
use ledger::{BACKGROUND, PROJECT, of_account};
pub use ledger::{Ledger, Spend};

/// The most that one call costs.
const DEAREST_CALL: u32 = 3;
/// When to ask again where the ledger could not be asked.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(1);
/// From so many accounts on, those are forgotten whose budgets are whole again.
const MANY_ACCOUNTS: usize = 1_000;

/// What may be spent of Google's quota, by project and account.
pub struct Quota {
    clock: Clock,
    paces: Paces,
    state: Mutex<State>,
    ledger: Option<Arc<dyn Ledger>>,
}

/// What this process knows, in microseconds of steady time.
#[derive(Debug, Default)]
struct State {
    project: i64,
    background: i64,
    accounts: HashMap<GoogleUserId, i64>,
    /// Until when Google asked the whole project for patience.
    paused_until: i64,
    /// Until when other replicas spend as well, as far as is known.
    shared_until: i64,
    /// What was taken from the ledger for calls that are about to be made.
    held: HeldUnits,
    /// What the ledger has refused lately.
    refused: HashMap<GoogleUserId, Wait>,
}

/// Units of an account that were taken and not spent yet. What is dropped is lost, and so is what is not spent soon: the
/// budget has grown again for others meanwhile.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the units are taken from the budgets"]
pub struct Permit {
    account: GoogleUserId,
    units: u32,
    /// Until when they may be spent, in microseconds of steady time.
    until: i64,
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
    pub until: Deadline,
    /// Whose budget is spent.
    pub scope: Scope,
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}

impl Quota {
    /// Budgets of so many units a minute for the project and for each account. `ledger` is where replicas share them;
    /// `None`: there are none.
    pub fn new(
        project_per_minute: NonZeroU32,
        account_per_minute: NonZeroU32,
        clock: Clock,
        ledger: Option<Arc<dyn Ledger>>,
    ) -> Self {
        let tenth = NonZeroU32::new(project_per_minute.get() / 10).unwrap_or(NonZeroU32::MIN);
        Self {
            clock,
            paces: Paces {
                project: Pace::of_project(project_per_minute),
                background: Pace::of_project(tenth),
                account: Pace::of_account(account_per_minute),
            },
            state: Mutex::default(),
            ledger,
        }
    }

    /// Says that other replicas may spend from the budgets for as long as `span` from now: until then they are the
    /// ledger's.
    pub fn share_for(&self, span: SignedDuration) {
        let until = micros(self.clock.elapsed().saturating_add(span));
        let mut state = self.state.lock();
        state.shared_until = state.shared_until.max(until);
    }

    /// Gives nothing out for as long as `span` from now: Google asked the whole project for patience.
    pub fn pause(&self, span: SignedDuration) {
        let until = micros(self.clock.elapsed().saturating_add(span));
        let mut state = self.state.lock();
        state.paused_until = state.paused_until.max(until);
    }

    /// Takes a unit from the ledger for each of these, as far as there are any, so that [`Quota::try_take`] finds them. An
    /// account that is named twice gets two. Costs nothing where the budgets are in memory.
    pub async fn prepare(&self, accounts: Vec<GoogleUserId>) {
        let Some(ledger) = self.shared() else { return };
        let now = micros(self.clock.elapsed());
        let asked: Vec<_> = {
            let mut state = self.state.lock();
            state.refused.clear();
            state.held.lacking(accounts, now).into_iter().map(|account| (account, 1)).collect()
        };
        if asked.is_empty() {
            return;
        }
        let granted = self.take_shared(&*ledger, asked.clone(), false).await;
        let mut state = self.state.lock();
        for ((account, units), granted) in asked.into_iter().zip(granted) {
            match granted {
                Ok(()) => state.held.hold(account, units, now),
                Err(wait) => drop(state.refused.insert(account, wait)),
            }
        }
    }

    /// Takes units for one call, or says when to ask again.
    pub fn try_take(&self, account: &GoogleUserId, units: u32) -> Result<Permit, Wait> {
        if self.shared().is_none() {
            self.spend_here(account, units, false)?;
            metrics::units(units);
            return Ok(self.permit(account, units));
        }
        let read = self.clock.read();
        let mut state = self.state.lock();
        if let Some(pause) = state.pause(read.elapsed) {
            return Err(Wait { until: read.after(pause), scope: Scope::Project });
        }
        match state.held.take(account, units, micros(read.elapsed)) {
            Some(until) => {
                metrics::units(units);
                Ok(Permit { account: account.clone(), units, until })
            }
            None => Err(state
                .refused
                .get(account)
                .copied()
                .unwrap_or(Wait { until: read.after(SignedDuration::from_millis(10)), scope: Scope::Account })),
        }
    }

    /// Whether units may be spent still on the call that they were taken for, or on another one.
    pub fn is_fresh(&self, permit: &Permit) -> bool {
        permit.until > micros(self.clock.elapsed())
    }

    /// Units that were spent just now.
    fn permit(&self, account: &GoogleUserId, units: u32) -> Permit {
        let until = micros(self.clock.elapsed().saturating_add(PREPAID_UNITS_TTL));
        Permit { account: account.clone(), units, until }
    }

    /// Takes units for one call, waiting for them.
    pub async fn take(&self, account: &GoogleUserId, units: u32) -> Permit {
        self.spend_waiting(account, units, false).await;
        self.permit(account, units)
    }

    /// Takes a unit for a call that nobody waits for, waiting for it: all of these together take a tenth of the project's
    /// budget at most, or what the smallest pace lets through where that is more (below 40 units a minute).
    pub async fn take_in_background(&self, account: &GoogleUserId) -> Permit {
        self.spend_waiting(account, 1, true).await;
        self.permit(account, 1)
    }

    /// Takes what `permit` lacks for a call of `units` of `account`, waiting for it no longer than `longest`. A permit of
    /// another account counts for nothing, and none that is no longer fresh.
    pub async fn top_up(
        &self,
        permit: &mut Option<Permit>,
        account: &GoogleUserId,
        units: u32,
        longest: SignedDuration,
    ) -> Result<(), Wait> {
        let deadline = self.clock.after(longest);
        loop {
            let counts = |permit: &&Permit| permit.account == *account && self.is_fresh(permit);
            let held = permit.as_ref().filter(counts).map_or(0, |permit| permit.units);
            if held >= units {
                return Ok(());
            }
            match self.spend(account, units - held, false).await {
                Ok(()) => *permit = Some(self.permit(account, units)),
                Err(wait) if wait.until > deadline => return Err(wait),
                Err(wait) => self.clock.sleep_until(wait.until).await,
            }
        }
    }

    async fn spend_waiting(&self, account: &GoogleUserId, units: u32, is_background: bool) {
        while let Err(wait) = self.spend(account, units, is_background).await {
            self.clock.sleep_until(wait.until).await;
        }
    }

    async fn spend(&self, account: &GoogleUserId, units: u32, is_background: bool) -> Result<(), Wait> {
        match self.shared() {
            None => self.spend_here(account, units, is_background)?,
            Some(_) if !is_background && self.take_held(account, units) => {}
            Some(ledger) => {
                let granted = self.take_shared(&*ledger, vec![(account.clone(), units)], is_background).await;
                granted.into_iter().next().expect("each that asks is answered")?;
            }
        }
        metrics::units(units);
        Ok(())
    }

    /// The ledger, while other replicas may spend.
    fn shared(&self) -> Option<Arc<dyn Ledger>> {
        let now = micros(self.clock.elapsed());
        self.ledger.clone().filter(|_| self.state.lock().shared_until > now)
    }

    /// Takes units that are held, and answers whether there are enough of them.
    fn take_held(&self, account: &GoogleUserId, units: u32) -> bool {
        let elapsed = self.clock.elapsed();
        let mut state = self.state.lock();
        state.pause(elapsed).is_none() && state.held.take(account, units, micros(elapsed)).is_some()
    }

    fn spend_here(&self, account: &GoogleUserId, units: u32, is_background: bool) -> Result<(), Wait> {
        let read = self.clock.read();
        let mut state = self.state.lock();
        if let Some(pause) = state.pause(read.elapsed) {
            return Err(Wait { until: read.after(pause), scope: Scope::Project });
        }
        let spent = self.paces.decide(state.spent(account), units, is_background, micros(read.elapsed), read)?;
        state.note(account, spent, read);
        Ok(())
    }

    /// Asks the ledger for the units of each of these, and holds what it gives ahead. What was spent here while this process
    /// was alone counts too, and what is spent now will once it is alone again.
    async fn take_shared(
        &self,
        ledger: &dyn Ledger,
        asked: Vec<(GoogleUserId, u32)>,
        is_background: bool,
    ) -> Vec<Result<(), Wait>> {
        let read = self.clock.read();
        let refused = |until| asked.iter().map(|_| Err(Wait { until, scope: Scope::Project })).collect();
        let wanted: Vec<_> = {
            let state = self.state.lock();
            if let Some(pause) = state.pause(read.elapsed) {
                return refused(read.after(pause));
            }
            let (of_a_second, now) = (self.paces.account.of_a_second(), micros(read.elapsed));
            let wanted = |(account, units): &(GoogleUserId, u32)| {
                let ahead = if is_background { 0 } else { state.held.ahead(account, of_a_second, now) };
                (of_account(account), *units, state.spent(account), ahead)
            };
            asked.iter().map(wanted).collect()
        };
        // From steady time to the ledger's.
        let offset = read.now.as_microsecond() - micros(read.elapsed);
        let mut budgets: Vec<_> = asked.iter().map(|(account, _)| of_account(account)).collect();
        budgets.extend([PROJECT.to_owned(), BACKGROUND.to_owned()]);
        let paces = self.paces;
        let (tell, told) = tokio::sync::oneshot::channel();
        let spend = Box::new(move |budgets: &mut HashMap<String, i64>| {
            let at = read.now.as_microsecond();
            let until = |budgets: &HashMap<String, i64>, account: &str| {
                let of = |budget: &str| budgets.get(budget).copied().unwrap_or(0);
                Spent { account: of(account), project: of(PROJECT), background: of(BACKGROUND) }
            };
            let mut granted: Vec<Result<(Spent, u32), Wait>> = wanted
                .iter()
                .map(|(account, units, here, _)| {
                    let spent = until(budgets, account).or_later(here.moved_by(offset));
                    let spent = paces.decide(spent, *units, is_background, at, read)?;
                    budgets.insert(account.clone(), spent.account);
                    budgets.insert(PROJECT.to_owned(), spent.project);
                    if is_background {
                        budgets.insert(BACKGROUND.to_owned(), spent.background);
                    }
                    Ok((spent, 0))
                })
                .collect();
            // Only once each has what it asked for.
            for ((account, _, _, ahead), granted) in wanted.iter().zip(&mut granted) {
                let Ok(granted) = granted else { continue };
                *granted = paces.take_ahead(until(budgets, account), *ahead, at);
                budgets.insert(account.clone(), granted.0.account);
                budgets.insert(PROJECT.to_owned(), granted.0.project);
            }
            // Whoever asked may have gone away; the units are spent all the same.
            let _ = tell.send(granted);
        });
        match (ledger.spend(budgets, spend).await, told.await) {
            (true, Ok(granted)) => {
                let mut state = self.state.lock();
                let noted = asked.iter().zip(granted).map(|((account, _), granted)| {
                    let (spent, ahead) = granted?;
                    state.note(account, spent.moved_by(-offset), read);
                    state.held.hold(account.clone(), ahead, micros(read.elapsed));
                    Ok(())
                });
                noted.collect()
            }
            _ => refused(read.after(UNREACHABLE)),
        }
    }
}

impl State {
    /// Until when the budgets of a call of `account` are spent.
    fn spent(&self, account: &GoogleUserId) -> Spent {
        let account = self.accounts.get(account).copied().unwrap_or(0);
        Spent { account, project: self.project, background: self.background }
    }

    /// Notes until when they are spent. What the ledger answered first may be noted last: no budget is given back by that.
    fn note(&mut self, account: &GoogleUserId, spent: Spent, read: ClockSample) {
        let spent = spent.or_later(self.spent(account));
        if self.accounts.len() >= MANY_ACCOUNTS {
            let now = micros(read.elapsed);
            self.accounts.retain(|_, spent_until| *spent_until > now);
        }
        self.accounts.insert(account.clone(), spent.account);
        (self.project, self.background) = (spent.project, spent.background);
    }

    /// How long the pause that Google asked for lasts still.
    fn pause(&self, elapsed: SignedDuration) -> Option<SignedDuration> {
        let pause = self.paused_until - micros(elapsed);
        (pause > 0).then(|| SignedDuration::from_micros(pause))
    }
}

fn micros(span: SignedDuration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
