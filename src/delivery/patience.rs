//! How often in a row Google asked an account, or the whole project, for patience.
//!
//! It lives in memory alone: after a restart the first delay is short again, and grows again if it has to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::OrganisationId;

/// Counts throttled calls in a row; the key `None` stands for the project.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<HashMap<Option<OrganisationId>, u32>>);

impl Patience {
    /// Counts one more, and answers how many there were before.
    pub(super) fn asked_for(&self, whose: Option<&OrganisationId>) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose.cloned()).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }

    /// A call of the organisation went through.
    pub(super) fn over(&self, organisation: &OrganisationId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&None);
        counts.remove(&Some(organisation.clone()));
    }
}
