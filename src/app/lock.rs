//! One process for one SQLite file, by whatever name it is reached. What it makes is its user's alone to read.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::StartError;

/// Locks the file beside an SQLite database for as long as the answer lives; `None`: it is not SQLite.
pub(super) fn take(url: &str) -> Result<Option<File>, StartError> {
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let path = path.strip_prefix("//").unwrap_or(path);
    let failed = |source: std::io::Error| StartError::Store(crate::store::Error::Unavailable(Box::new(source)));
    let open = |path: &Path| {
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(failed)
    };
    // The file is there before its name is resolved, so that two names of one file lead to one lock. SQLite takes an
    // empty file for a new database.
    let database = open(Path::new(path))?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&database.metadata().map_err(failed)?) > 1 {
        return Err(StartError::HardLinked);
    }
    drop(database);
    let mut lock = std::fs::canonicalize(path).map_err(failed)?.into_os_string();
    lock.push(".lock");
    let file = open(Path::new(&lock))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::Locked),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
