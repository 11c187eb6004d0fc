//! Quota in units, over a sliding window of a minute.
//!
//! Owns the windows of the project and of each account. It never refuses by itself: it says which limit is reached.
//! Invariant: a refused call spends nothing.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::settings::Settings;

const WINDOW_US: i64 = 60_000_000;

/// The limit that a call would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// All accounts together.
    Project,
    /// The one account.
    User,
}

/// What was spent in the last minute.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    project: Window,
    users: HashMap<String, Window>,
}

#[derive(Debug, Default)]
struct Window {
    spent: VecDeque<(i64, u64)>,
    total: u64,
}

impl Window {
    fn forget_before(&mut self, instant: i64) {
        while let Some(&(at, units)) = self.spent.front() {
            if at > instant {
                break;
            }
            self.spent.pop_front();
            self.total -= units;
        }
    }

    fn spend(&mut self, at: i64, units: u64) {
        self.spent.push_back((at, units));
        self.total += units;
    }
}

impl Quota {
    /// Spends `units` of `account` and of the project, or says which of them lacks them.
    pub(crate) fn spend(
        &mut self,
        account: &str,
        units: u64,
        now: Timestamp,
        limits: &Settings,
    ) -> Result<(), Exhausted> {
        let now = now.as_microsecond();
        if !self.users.contains_key(account) {
            self.users.insert(account.to_owned(), Window::default());
        }
        let user = self.users.get_mut(account).expect("inserted above when it was missing");
        user.forget_before(now - WINDOW_US);
        self.project.forget_before(now - WINDOW_US);
        if user.total + units > limits.user_units_per_minute {
            return Err(Exhausted::User);
        }
        if self.project.total + units > limits.project_units_per_minute {
            return Err(Exhausted::Project);
        }
        user.spend(now, units);
        self.project.spend(now, units);
        Ok(())
    }
}
