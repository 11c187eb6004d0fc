//! Files that change while the service runs.
//!
//! Owns how a change is noticed: by a look every two seconds, which costs nothing and sees what a notification of the system
//! does not (a volume of another machine, a link that is turned to another folder). Never reads one. Invariant: what changes
//! while nobody waits is told to the next who does.

use std::path::PathBuf;
use std::time::SystemTime;

use cassius_calendar::clock::Clock;
use jiff::SignedDuration;

const EVERY: SignedDuration = SignedDuration::from_secs(2);

/// What tells one state of a file from another: when it was written, and its length.
type FileStamp = Option<(SystemTime, u64)>;

/// Files as they were last seen.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    seen: Vec<FileStamp>,
}

impl Files {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        let seen = look(&paths);
        Self { paths, seen }
    }

    /// Waits until one of them has changed.
    pub(super) async fn changed(&mut self, clock: &Clock) {
        loop {
            clock.sleep(EVERY).await;
            let now = look(&self.paths);
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

fn look(paths: &[PathBuf]) -> Vec<FileStamp> {
    let of_one = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    paths.iter().map(of_one).collect()
}
