//! How long to wait before the next attempt.
//!
//! Owns how delays grow and spread. Never draws a number: `seed` is a parameter. Invariant: no delay is shorter than half a
//! second, or than Google has asked for.

use jiff::SignedDuration;

use super::ThrottleScope;

const FIRST_BACKOFF: SignedDuration = SignedDuration::from_secs(1);
const MAX_BACKOFF: SignedDuration = SignedDuration::from_mins(15);
/// An account that is held read-only stays so for hours: asking more often prolongs it.
const READ_ONLY_FIRST_BACKOFF: SignedDuration = SignedDuration::from_mins(30);
const READ_ONLY_MAX_BACKOFF: SignedDuration = SignedDuration::from_hours(4);

/// Why an attempt has to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryCause {
    /// Google gave no usable answer: it is away, or what it said settles nothing.
    Unavailable,
    /// A budget of Google is spent.
    Throttled(ThrottleScope),
}

/// The wait before the next attempt: exponential and drawn at random, never shorter than what Google asked for.
///
/// `attempts` counts the failures so far (0 at the first); `seed` is any number, equal ones give equal delays.
pub fn backoff(cause: RetryCause, attempts: u32, retry_after: Option<SignedDuration>, seed: u64) -> SignedDuration {
    let (first, longest) = match cause {
        RetryCause::Unavailable | RetryCause::Throttled(ThrottleScope::Account | ThrottleScope::Project) => {
            (FIRST_BACKOFF, MAX_BACKOFF)
        }
        RetryCause::Throttled(ThrottleScope::ReadOnly) => (READ_ONLY_FIRST_BACKOFF, READ_ONLY_MAX_BACKOFF),
    };
    let ceiling = first.saturating_mul(2_i32.saturating_pow(attempts.min(20))).min(longest);
    // Drawn between half of the first step and the ceiling: nobody retries at once, nobody in step.
    let floor = first / 2;
    let spread = u128::try_from((ceiling - floor).as_nanos()).unwrap_or(0);
    let drawn = i64::try_from((spread * u128::from(seed >> 32)) >> 32).unwrap_or(i64::MAX);
    let jittered = floor + SignedDuration::from_nanos(drawn);
    // The jitter stays on top of what Google asked for: all that were throttled together heard the same number.
    retry_after.map_or(jittered, |asked| {
        asked.max(SignedDuration::ZERO).saturating_add(jittered.min(FIRST_BACKOFF)).max(jittered)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_lies_between_half_a_second_and_its_ceiling(attempts in 0u32..1000, seed: u64) {
            let wait = backoff(RetryCause::Unavailable, attempts, None, seed);
            prop_assert!(wait >= FIRST_BACKOFF / 2 && wait <= MAX_BACKOFF);
        }

        #[test]
        fn what_google_asks_for_is_honoured(attempts in 0u32..50, seed: u64, asked in 0i64..100_000) {
            let asked = SignedDuration::from_secs(asked);
            let wait = backoff(RetryCause::Throttled(ThrottleScope::Account), attempts, Some(asked), seed);
            prop_assert!(wait >= asked);
        }
    }

    #[test]
    fn delays_grow_and_spread() {
        let at = |attempts, seed| backoff(RetryCause::Unavailable, attempts, None, seed);
        assert!(at(8, u64::MAX) > at(3, u64::MAX));
        assert!(at(5, u64::MAX) > at(5, u64::MAX / 3));
        assert!(backoff(RetryCause::Throttled(ThrottleScope::ReadOnly), 0, None, 0) >= SignedDuration::from_mins(15));
    }
}
