//! What is read again while the service runs.
//!
//! Owns when a fault is tried again, and how often it is told. Never exchanges anything itself. Invariant: what was at fault
//! is read again by itself until it is whole, and the same fault is told once a minute at most unless somebody asks.

use cassius_calendar::app::Keys;
use cassius_calendar::clock::Clock;
use cassius_calendar::config::Config;
use jiff::SignedDuration;

use super::files::Files;
use super::logs::Logs;
use super::{CHECKS, apart, environment, tell_open_files};

/// How long the first pause is after a fault; each one that follows is twice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause: a vault that is away is not asked more often.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// How often one and the same fault is told.
const TOLD: SignedDuration = SignedDuration::from_mins(1);
/// How soon API keys that do not read are read again: a withdrawn one is refused within seconds.
const WITHDRAWN: SignedDuration = SignedDuration::from_secs(2);

/// Refuses from now on, whenever files change, the API keys that the settings no longer hold.
pub(super) async fn keep_withdrawing(keys: Keys, mut files: Files, clock: Clock) {
    loop {
        files.changed(&clock).await;
        while !withdraw(&keys) {
            clock.sleep(WITHDRAWN).await;
        }
    }
}

/// Refuses the API keys that the settings no longer hold, if they can be read.
fn withdraw(keys: &Keys) -> bool {
    // What is wrong with them is told with all other faults.
    let api_keys = Config::load_api_keys(&environment);
    api_keys.map(|api_keys| keys.withdraw_others(&api_keys)).is_ok()
}

/// Reads again what may change.
pub(super) struct Reload {
    keys: Keys,
    logs: Logs,
    clock: Clock,
    fault: Option<MetFault>,
}

/// A fault that was met, and is tried again.
#[derive(Debug)]
struct MetFault {
    text: String,
    /// The steady time at which it was told.
    told_at: SignedDuration,
    pause: SignedDuration,
}

impl Reload {
    pub(super) fn new(keys: Keys, logs: Logs, clock: Clock) -> Self {
        Self { keys, logs, clock, fault: None }
    }

    /// Waits until what was at fault is to be tried again; without a fault, for ever.
    pub(super) async fn due(&self) {
        match &self.fault {
            Some(fault) => self.clock.sleep(fault.pause).await,
            None => std::future::pending().await,
        }
    }

    /// Reads the settings again, and exchanges what can be while calls are served. What has a fault stays as it was, but for
    /// the API keys that are withdrawn.
    pub(super) async fn run(&mut self, is_asked: bool) {
        withdraw(&self.keys);
        let faults = self.exchange(is_asked).await;
        if faults.is_empty() {
            self.fault = None;
            tracing::info!("certificates, API keys, the keyring and what is logged were read again");
            return;
        }
        let text = faults.join(" ");
        // Whoever asks is answered.
        let before = self.fault.take().filter(|_| !is_asked);
        let (fault, is_told) = MetFault::after(before, text, self.clock.elapsed());
        if is_told {
            tracing::error!(
                error = fault.text,
                "what was read again and has a fault stays as it was, and is tried again by itself; all else is in use"
            );
        }
        self.fault = Some(fault);
    }

    /// Exchanges what is whole; answers what is wrong with the rest.
    async fn exchange(&self, is_asked: bool) -> Vec<String> {
        let reread = match apart(|| Config::reread(&environment, &CHECKS)).await {
            Ok(reread) => reread,
            Err(error) => return vec![format!("{error:#}")],
        };
        if is_asked {
            tell_open_files(&reread.open_files, reread.database.as_ref());
        }
        let mut faults: Vec<_> =
            reread.faults.iter().flat_map(|faults| faults.iter().map(ToString::to_string)).collect();
        let of_keys = self.keys.reload(&reread, self.clock.now()).await;
        faults.extend(of_keys.into_iter().map(|error| format!("{:#}.", anyhow::Error::from(error))));
        if let Some(Err(error)) = reread.log.as_ref().map(|log| self.logs.reload(log)) {
            faults.push(format!("{error:#}."));
        }
        faults
    }
}

impl MetFault {
    /// The fault that was met now, after the one before it; and whether it is to be told.
    fn after(before: Option<Self>, text: String, now: SignedDuration) -> (Self, bool) {
        let pause = before.as_ref().map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        match before.filter(|before| before.text == text && now - before.told_at < TOLD) {
            Some(before) => (Self { pause, ..before }, false),
            None => (Self { text, told_at: now, pause }, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_tried_again_ever_more_patiently_and_told_once_a_minute() {
        let (mut now, mut met, mut told_at) = (SignedDuration::ZERO, None, Vec::new());
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let (fault, is_told) = MetFault::after(met.take(), "no vault answers".to_owned(), now);
            if is_told {
                told_at.push(now.as_secs());
            }
            pauses.push(fault.pause.as_secs());
            now += fault.pause;
            met = Some(fault);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(told_at, [0, 75, 135, 195]);
        let (fault, is_told) = MetFault::after(met, "another one".to_owned(), now);
        assert!(is_told && fault.pause == LONGEST_PAUSE);
    }
}
