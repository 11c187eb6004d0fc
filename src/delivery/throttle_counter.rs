//! How often in a row Google throttled an organisation or the whole project, and whether Google answers at all.
//!
//! Owns the counts that grow a delay, and whether an outage was logged already. Never waits by itself. Invariant: both live
//! in memory alone: after a restart the first delay is short again, and grows again if it has to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::model::OrganisationId;

/// Counts throttled calls in a row; the key `None` counts those of the whole project.
#[derive(Debug, Default)]
pub(super) struct ThrottleCounter {
    throttled: Mutex<HashMap<Option<OrganisationId>, u32>>,
    is_google_away: AtomicBool,
}

impl ThrottleCounter {
    /// Counts one more throttled call of `whose` (`None`: of the project), and answers how many there were before.
    pub(super) fn count(&self, whose: Option<&OrganisationId>) -> u32 {
        let mut counts = self.throttled.lock();
        let count = counts.entry(whose.cloned()).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }

    /// Begins to count anew: a call of the organisation did what it was made for.
    pub(super) fn reset(&self, organisation: &OrganisationId) {
        let mut counts = self.throttled.lock();
        counts.remove(&None);
        counts.remove(&Some(organisation.clone()));
    }

    /// Notes that Google gave no usable answer, and logs it once for an outage, not once for each of its attempts.
    pub(super) fn google_is_away(&self) {
        if !self.is_google_away.swap(true, Ordering::Relaxed) {
            tracing::warn!("Google gives no usable answer; what is due waits and is tried again");
        }
    }

    /// Notes that a call did what it was made for.
    pub(super) fn google_is_back(&self) {
        if self.is_google_away.swap(false, Ordering::Relaxed) {
            tracing::info!("Google answers again");
        }
    }
}
