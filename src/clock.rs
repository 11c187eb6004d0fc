//! Time and chance, as parameters.
//!
//! Owns the only calls to the system clock and to the operating system's random source. Everything else is handed a
//! [`Clock`] and an [`Entropy`], so that a test can hold time still and repeat a run.
//!
//! Invariant: outside this file nothing asks what time it is, sleeps, or draws a random number (`.clippy.toml` holds it).

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

/// Tells the time and sleeps: by the system, or as a test says.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

/// A clock that is moved by hand. Whoever slept wakes in the order in which they fell asleep: a run can be repeated.
#[derive(Debug)]
struct Manual {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Manual { now: Mutex::new(truncate(start)), moved: Notify::new() })))
    }

    /// The present instant, in whole microseconds: what both databases can hold.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => truncate(Timestamp::now()),
            Source::Manual(manual) => *manual.now.lock(),
        }
    }

    /// Waits until `instant` has come; returns at once if it lies in the past.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn sleep_until(&self, instant: Timestamp) {
        match &self.0 {
            Source::System => {
                // A wait of a day is cut: the system clock may be set meanwhile, so it is asked again.
                while let Ok(left) = std::time::Duration::try_from(instant.duration_since(self.now())) {
                    if left.is_zero() {
                        return;
                    }
                    tokio::time::sleep(left.min(std::time::Duration::from_secs(86_400))).await;
                }
            }
            Source::Manual(manual) => loop {
                // Listening begins before looking, so that no move falls between.
                let moved = manual.moved.notified();
                if *manual.now.lock() >= instant {
                    return;
                }
                moved.await;
            },
        }
    }

    /// Waits as long as `span`: by the system's steady time, which a correction of its clock neither stretches nor cuts.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    async fn sleep(&self, span: std::time::Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(span).await,
            Source::Manual(_) => {
                let span = jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::MAX);
                self.sleep_until(self.now().saturating_add(span).unwrap_or(Timestamp::MAX)).await;
            }
        }
    }

    /// Gives `work` as long as `limit`; `None`: it took longer, and was dropped.
    pub async fn within<T>(&self, limit: std::time::Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = self.sleep(limit) => None,
        }
    }

    /// Moves a manual clock forward and wakes what slept until then.
    ///
    /// # Panics
    ///
    /// On the system's clock: nobody moves that.
    pub fn advance(&self, by: jiff::SignedDuration) {
        match &self.0 {
            Source::System => panic!("only a manual clock can be moved"),
            Source::Manual(manual) => {
                *manual.now.lock() += by;
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
