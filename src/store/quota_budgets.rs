//! What replicas share of Google's quota: until when each budget is spent.
//!
//! Owns the transaction in which budgets are read, spent and written. Never computes what is spent: `spend` does.
//! Invariant: while one process spends from a budget, nobody else does.

use std::collections::HashMap;

use super::{Backend, Error, Store};

impl Store {
    /// Whether other processes may work on the same database.
    pub fn is_shared(&self) -> bool {
        match &self.backend {
            Backend::Postgres { .. } => true,
            Backend::Sqlite { .. } => false,
        }
    }

    /// Reads until when these budgets are spent, in microseconds since the Unix epoch, lets `spend` change that, and writes
    /// it. One transaction, in which nobody else spends from them. It need not survive the server: what is lost grows
    /// again.
    pub async fn spend_quota(
        &self,
        budgets: Vec<String>,
        spend: impl FnOnce(&mut HashMap<String, i64>) + Send + 'static,
    ) -> Result<(), Error> {
        query!(self, write, quota_budgets::spend(budgets, spend))
    }
}
