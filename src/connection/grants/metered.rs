//! Google, for people who wait for its answer.
//!
//! Owns the unit of quota that a reading call takes, and how long a caller waits for one. Never counts what goes to the
//! token endpoint, which the Calendar API does not charge. Invariant: whoever is told to be patient has spent nothing for
//! the request that is refused, as far as the quota's ledger answers.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::connection::Error;
use crate::google::Google;
use crate::model::GoogleUserId;
use crate::quota::Quota;

/// How long a caller waits for quota.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(3);

/// Google with the quota that its reading calls are charged to. A clone is another handle.
#[derive(Debug, Clone)]
pub(super) struct MeteredGoogle {
    pub(super) client: Google,
    quota: Arc<Quota>,
    clock: Clock,
}

impl MeteredGoogle {
    pub(super) fn new(client: Google, quota: Arc<Quota>, clock: Clock) -> Self {
        Self { client, quota, clock }
    }

    /// Takes a unit for a reading call, and waits a moment for it.
    pub(super) async fn take_read_unit(&self, account: &GoogleUserId) -> Result<(), Error> {
        self.quota.top_up(&mut None, account, 1, LONGEST_WAIT).await.map_err(|wait| {
            let retry_after = Some(self.clock.left(wait.until));
            Error::GoogleThrottled { retry_after }
        })
    }
}
