//! Where the budgets stand that replicas share.
//!
//! Owns what the budgets are called there. Never computes what is spent, and knows nothing of paces. Invariant: no
//! account's budget has the name of another budget.

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::model::GoogleUserId;

/// Budgets that several processes spend from.
pub trait Ledger: Send + Sync {
    /// Reads until when each of these budgets is spent, in microseconds since the Unix epoch, lets `spend` change that, and
    /// writes it, while no other replica can do so. Answers whether that could be done; if not, `spend` may not have been
    /// called.
    fn spend(&self, budgets: Vec<String>, spend: Spend) -> BoxFuture<'static, bool>;
}

/// Spends from budgets. One that is not there was never spent from.
pub type Spend = Box<dyn FnOnce(&mut HashMap<String, i64>) + Send>;

/// The whole project's.
pub(super) const PROJECT: &str = "project";
/// What nobody waits for.
pub(super) const BACKGROUND: &str = "background";

/// That of a Google account.
pub(super) fn of_account(account: &GoogleUserId) -> String {
    format!("account {}", account.as_str())
}
