//! How often in a row Google asked an account, or the whole project, for patience; and whether Google answers at all.
//!
//! It lives in memory alone: after a restart the first delay is short again, and grows again if it has to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::OrganisationId;

/// Counts throttled calls in a row; the key `None` stands for the project.
#[derive(Debug, Default)]
pub(super) struct Patience {
    throttled: Mutex<HashMap<Option<OrganisationId>, u32>>,
    is_google_away: AtomicBool,
}

impl Patience {
    /// Counts one more, and answers how many there were before.
    pub(super) fn asked_for(&self, whose: Option<&OrganisationId>) -> u32 {
        let mut counts = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose.cloned()).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }

    /// A call of the organisation went through.
    pub(super) fn over(&self, organisation: &OrganisationId) {
        let mut counts = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&None);
        counts.remove(&Some(organisation.clone()));
    }

    /// Google gave no usable answer. Said once for an outage, not once for each of its attempts.
    pub(super) fn google_is_away(&self) {
        if !self.is_google_away.swap(true, Ordering::Relaxed) {
            tracing::warn!("Google gives no usable answer; what is due waits and is tried again");
        }
    }

    /// Google answered.
    pub(super) fn google_is_back(&self) {
        if self.is_google_away.swap(false, Ordering::Relaxed) {
            tracing::info!("Google answers again");
        }
    }
}
