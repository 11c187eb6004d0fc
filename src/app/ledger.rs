//! The ledger of the quota, in the database.

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
