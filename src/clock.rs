//! Time and chance, as parameters.
//!
//! Owns the only calls to the system clock and to the operating system's random source. Everything else is handed a
//! [`Clock`] and an [`Entropy`], so that a test can hold time still and repeat a run. Never chooses how long anything
//! waits: whoever waits says so.
//!
//! Invariant: outside this file nothing asks what time it is or draws a random number, and nothing sleeps that an
//! outcome depends on (`.clippy.toml` holds it as far as it can). Where somebody else has to do something in time (a
//! socket, a database, a lock, the end of a drain), and where a person or an emulated network is waited for, that is
//! real time, and `tokio`'s.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

/// Tells the time and sleeps: by the system, or as a test says.
///
/// What is told to people, stored or compared with another process goes by the wall clock, which may be corrected at any
/// time; where several processes share a database, each follows the database's. Waits and budgets go by steady time, which
/// nobody corrects.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Arc<System>),
    Manual(Arc<Manual>),
}

/// The system's clock, which another one may correct.
#[derive(Debug)]
struct System {
    start: Instant,
    /// How far the wall clock is set wrong; zero but in tests.
    error: SignedDuration,
    /// What the clock that is followed said last; `None`: none is.
    followed: Mutex<Option<ClockSample>>,
}

/// A clock that is moved by hand. Whoever slept wakes in the order in which they fell asleep: a run can be repeated.
#[derive(Debug)]
struct Manual {
    reading: Mutex<ClockSample>,
    moved: Notify,
}

/// A moment that a wait ends at, in steady time: no correction of the wall clock moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(SignedDuration);

/// What a clock says at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSample {
    /// The wall clock, in whole microseconds: what both databases can hold.
    pub now: Timestamp,
    /// The steady time since the clock was made.
    pub elapsed: SignedDuration,
}

impl ClockSample {
    /// The moment that comes as long after this one as `span`.
    pub fn after(self, span: SignedDuration) -> Deadline {
        Deadline(self.elapsed.saturating_add(span))
    }

    /// The moment at which the wall clock shows `instant`, as far as can be told now: nobody corrects it until then.
    pub fn until(self, instant: Timestamp) -> Deadline {
        self.after(instant.duration_since(self.now))
    }
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::system_set_wrong_by(SignedDuration::ZERO)
    }

    /// The system's clock, as it is where the wall clock is set wrong by `error`.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn system_set_wrong_by(error: SignedDuration) -> Self {
        Self(Source::System(Arc::new(System { start: Instant::now(), error, followed: Mutex::new(None) })))
    }

    /// Goes by another clock from now on: that one said `reading.now` when the steady time was `reading.elapsed`. What a
    /// person corrects of this one no longer counts. A manual clock follows nobody.
    pub fn follow(&self, reading: ClockSample) {
        match &self.0 {
            Source::System(system) => *system.followed.lock() = Some(reading),
            Source::Manual(_) => {}
        }
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it. It was made an hour before.
    pub fn manual(start: Timestamp) -> Self {
        Self::manual_made_before(start, SignedDuration::from_hours(1))
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it, and was made so long before.
    pub fn manual_made_before(start: Timestamp, elapsed: SignedDuration) -> Self {
        let reading = ClockSample { now: truncate(start), elapsed };
        Self(Source::Manual(Arc::new(Manual { reading: Mutex::new(reading), moved: Notify::new() })))
    }

    /// The wall clock and the steady time at this moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn read(&self) -> ClockSample {
        match &self.0 {
            Source::System(system) => {
                let elapsed = SignedDuration::try_from(system.start.elapsed()).unwrap_or(SignedDuration::MAX);
                let now = match *system.followed.lock() {
                    Some(followed) => followed.now.saturating_add(elapsed - followed.elapsed),
                    None => Timestamp::now().saturating_add(system.error),
                };
                ClockSample { now: truncate(now.unwrap_or(Timestamp::MAX)), elapsed }
            }
            Source::Manual(manual) => *manual.reading.lock(),
        }
    }

    /// The present instant, in whole microseconds: what both databases can hold.
    pub fn now(&self) -> Timestamp {
        self.read().now
    }

    /// The steady time since the clock was made.
    pub fn elapsed(&self) -> SignedDuration {
        self.read().elapsed
    }

    /// The moment that comes as long after now as `span`.
    pub fn after(&self, span: SignedDuration) -> Deadline {
        self.read().after(span)
    }

    /// How long it is until `deadline`; less than nothing where it has passed.
    pub fn left(&self, deadline: Deadline) -> SignedDuration {
        deadline.0.saturating_sub(self.elapsed())
    }

    /// Waits as long as `span`.
    pub fn sleep(&self, span: SignedDuration) -> impl Future<Output = ()> + Send + '_ {
        self.sleep_until(self.after(span))
    }

    /// Waits until `deadline`; returns at once if it has passed. A correction of the wall clock neither stretches nor
    /// cuts the wait.
    #[expect(clippy::disallowed_methods, reason = "whoever waits does so here")]
    pub async fn sleep_until(&self, deadline: Deadline) {
        let Deadline(end) = deadline;
        match &self.0 {
            Source::System(_) => {
                if let Ok(left) = std::time::Duration::try_from(self.left(deadline)) {
                    tokio::time::sleep(left).await;
                }
            }
            Source::Manual(manual) => loop {
                // Listening begins before looking, so that no move falls between.
                let moved = manual.moved.notified();
                if manual.reading.lock().elapsed >= end {
                    return;
                }
                moved.await;
            },
        }
    }

    /// Waits a moment of real time, whatever clock this is: for what no clock moves on, such as another's lock.
    #[expect(clippy::disallowed_methods, reason = "whoever waits does so here")]
    pub async fn real_sleep(&self, span: std::time::Duration) {
        tokio::time::sleep(span).await;
    }

    /// Gives `work` as long as `limit`; `None`: it took longer, and was dropped.
    pub async fn within<T>(&self, limit: std::time::Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = self.sleep(SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)) => None,
        }
    }

    /// Moves a manual clock forward and wakes what slept until then.
    ///
    /// # Panics
    ///
    /// On the system's clock: nobody moves that.
    pub fn advance(&self, by: SignedDuration) {
        self.adjust(|reading| {
            reading.now += by;
            reading.elapsed += by;
        });
    }

    /// Corrects the wall clock of a manual clock: no time passes, and whoever sleeps sleeps on.
    ///
    /// # Panics
    ///
    /// On the system's clock: nobody moves that.
    pub fn correct(&self, by: SignedDuration) {
        self.adjust(|reading| reading.now += by);
    }

    fn adjust(&self, change: impl FnOnce(&mut ClockSample)) {
        match &self.0 {
            Source::System(_) => panic!("only a manual clock can be moved"),
            Source::Manual(manual) => {
                change(&mut manual.reading.lock());
                manual.moved.notify_waiters();
            }
        }
    }
}

fn truncate(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).expect("a valid instant stays one in whole microseconds")
}

/// Draws random numbers: seeded by the operating system, or by a test.
#[derive(Debug, Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// Seeded by the operating system.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws a seed")]
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// Seeded with `seed`: every run draws the same.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes, fit for keys, nonces and tickets.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().fill_bytes(&mut bytes);
        bytes
    }

    /// A random number, fit for jitter.
    pub fn number(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_follows_another_tells_that_ones_time_whatever_its_own_says() {
        let clock = Clock::system_set_wrong_by(SignedDuration::from_secs(45));
        let before = clock.read();
        let followed = before.now - SignedDuration::from_secs(45);
        clock.follow(ClockSample { now: followed, elapsed: before.elapsed });
        let after = clock.read();
        // What the wall clock tells is cut to microseconds.
        let passed = after.now.duration_since(followed) - (after.elapsed - before.elapsed);
        assert!(passed.abs() < SignedDuration::from_millis(1), "{passed:?}");
        let manual = Clock::manual(Timestamp::UNIX_EPOCH);
        manual.follow(after);
        assert_eq!(manual.now(), Timestamp::UNIX_EPOCH);
    }
}
