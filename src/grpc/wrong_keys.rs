//! Calls without a known key, as the log tells of them.
//!
//! Owns when a line is written: a flood of wrong keys is one line a minute. Never tells the key. Invariant: the first of
//! them is told at once.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::clock::Clock;

const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Tells of calls without a known key. A clone counts the same ones.
#[derive(Debug, Clone)]
pub(super) struct WrongKeys {
    clock: Clock,
    last: Arc<Mutex<LastLog>>,
}

#[derive(Debug, Default)]
struct LastLog {
    /// The steady time of the last line.
    at: Option<SignedDuration>,
    /// The calls since then.
    untold: u64,
}

impl WrongKeys {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// Notes a call; `None`: it came from within this process.
    pub(super) fn note(&self, address: Option<SocketAddr>) {
        if let Some(untold) = self.is_to_be_told() {
            let address = address.map(tracing::field::display);
            tracing::warn!(peer.address = address, untold, "a call came without a known key");
        }
    }

    /// How many calls were not told of, if this one is to be.
    fn is_to_be_told(&self) -> Option<u64> {
        let now = self.clock.elapsed();
        let mut last = self.last.lock();
        if last.at.is_some_and(|at| now.saturating_sub(at) < EVERY) {
            last.untold += 1;
            return None;
        }
        last.at = Some(now);
        Some(std::mem::take(&mut last.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_that_says_how_many_there_were() {
        let clock = Clock::manual(jiff::Timestamp::UNIX_EPOCH);
        let wrong_keys = WrongKeys::new(clock.clone());
        assert_eq!(wrong_keys.is_to_be_told(), Some(0));
        assert!((0..500).all(|_| wrong_keys.is_to_be_told().is_none()));
        clock.advance(EVERY);
        assert_eq!(wrong_keys.clone().is_to_be_told(), Some(500));
        assert_eq!(wrong_keys.is_to_be_told(), None);
    }
}
