//! One process for one SQLite file.

use std::fs::{File, TryLockError};

use super::StartError;

/// Locks the file beside an SQLite database for as long as the answer lives; `None`: it is not SQLite.
pub(super) fn take(url: &str) -> Result<Option<File>, StartError> {
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let failed = |source: std::io::Error| StartError::Store(crate::store::Error::Unavailable(Box::new(source)));
    let file = File::options().append(true).create(true).open(format!("{path}.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::Locked),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
