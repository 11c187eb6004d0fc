//! The state file: the world as JSON, replaced as a whole.
//!
//! Owns reading and writing it. It never decides what is in it. Invariant: the file holds one consistent world at any
//! moment, since a new one is written beside it and renamed over it; changes made meanwhile share the next write.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::world::World;

/// Where the world is kept, and how far it is.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    wanted: watch::Sender<u64>,
    saved: watch::Sender<u64>,
}

impl StateFile {
    /// A file of which nothing is written yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, wanted: watch::Sender::new(0), saved: watch::Sender::new(0) }
    }

    /// Asks for `version` to be written.
    pub(crate) fn want(&self, version: u64) {
        self.wanted.send_replace(version);
    }

    /// Waits until `version`, or a later one, is written.
    pub(crate) async fn saved(&self, version: u64) {
        // The sender lives in `self`, so the channel cannot close while we wait.
        let _ = self.saved.subscribe().wait_for(|saved| *saved >= version).await;
    }
}

/// The world in the file, or none if there is no file.
pub(crate) fn load(path: &Path) -> io::Result<Option<World>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the world whenever it changed, and a last time at the end.
pub(crate) async fn keep(shared: Arc<Shared>, ending: CancellationToken) {
    let Some(file) = &shared.file else { return };
    let mut wanted = file.wanted.subscribe();
    loop {
        let over = tokio::select! {
            () = ending.cancelled() => true,
            _ = wanted.changed() => false,
        };
        let (version, bytes) = {
            let google = shared.lock();
            (google.version, serde_json::to_vec(&google.world))
        };
        if version > *file.saved.borrow() {
            let path = file.path.clone();
            let written = match bytes {
                Ok(bytes) => tokio::task::spawn_blocking(move || replace(&path, &bytes)).await,
                Err(error) => Ok(Err(error.into())),
            };
            if let Ok(Err(error)) = written {
                tracing::error!(error = %error, "the emulator cannot write its state file; its state ends with the process");
            }
            // Also after a failure: callers must not hang because a disk is full.
            file.saved.send_replace(version);
        }
        if over {
            return;
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("writing");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // Appointments are in it, whose names are private, even in a try-out.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&beside)?.write_all(bytes)?;
    std::fs::rename(&beside, path)
}
