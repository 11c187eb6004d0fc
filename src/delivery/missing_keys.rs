//! Snapshots that do not open for want of a key, as the log tells of them.
//!
//! Owns when a line is written: each organisation and key is told once a minute, however many links wait for it. Never opens
//! anything. Invariant: the first of them is told at once.

use std::collections::HashSet;

use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::model::OrganisationId;

const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What was told within the current minute.
#[derive(Debug, Default)]
pub(super) struct MissingKeys(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    /// The steady time at which it began.
    began_at: SignedDuration,
    told: HashSet<(OrganisationId, String)>,
}

impl MissingKeys {
    /// Whether a snapshot of the organisation that the key `id` does not open is to be told at the steady time `now`.
    pub(super) fn is_to_be_told(&self, organisation: &OrganisationId, id: &str, now: SignedDuration) -> bool {
        let mut minute = self.0.lock();
        if now.saturating_sub(minute.began_at) >= EVERY {
            *minute = Minute { began_at: now, told: HashSet::new() };
        }
        minute.told.insert((organisation.clone(), id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_links_that_wait_for_a_key_are_one_line_a_minute_and_organisation() {
        let organisation = |id| OrganisationId::parse(id).expect("well formed");
        let (practice, other) = (organisation("practice-1"), organisation("practice-2"));
        let missing_keys = MissingKeys::default();
        let is_told = |organisation, id, seconds| {
            missing_keys.is_to_be_told(organisation, id, SignedDuration::from_secs(seconds))
        };
        assert!(is_told(&practice, "old", 10));
        assert!((0..500).all(|_| !is_told(&practice, "old", 40)));
        assert!(is_told(&practice, "older", 40) && is_told(&other, "old", 40));
        assert!(is_told(&practice, "old", 100));
        assert!(!is_told(&practice, "old", 159));
    }
}
