//! The ledger of the quota, in the database.
//!
//! Owns how the quota reaches the store. Never computes what is spent: the function that it is handed does. Invariant:
//! it says that units were spent only once that is committed.

use futures_util::future::BoxFuture;

use crate::quota::{Ledger, Spend};
use crate::store::Store;

/// Where replicas spend from the same budgets.
pub(super) struct StoredLedger(pub(super) Store);

impl Ledger for StoredLedger {
    fn spend(&self, budgets: Vec<String>, spend: Spend) -> BoxFuture<'static, bool> {
        let store = self.0.clone();
        Box::pin(async move { store.spend_quota(budgets, spend).await.is_ok() })
    }
}
