//! One process for one SQLite file, by whatever name it is reached. What it makes is its user's alone to read.
//!
//! Owns two locks: of the file itself, which no second name hides, and of a file beside it, by which one that was put in its
//! place is not taken for another database. The first is taken where it is none of SQLite's own kind: on Linux, but for
//! NFS and SMB. Never reads either file. Invariant: whoever works on the file has its log, too.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::StartError;
use crate::store;

/// The locks of an SQLite file, for as long as they live.
#[derive(Debug)]
pub(super) struct Locks {
    _beside: File,
    _database: Option<File>,
}

/// Locks an SQLite file, which is made where there is none; `None`: it is not SQLite.
pub(super) fn take(url: &str) -> Result<Option<Locks>, StartError> {
    let Some(path) = path(url) else { return Ok(None) };
    is_place(&path)?;
    // The file is there before its name is resolved, so that two names of one file lead to one lock. SQLite takes an
    // empty file for a new database.
    let database = open(&path)?;
    has_one_name(&database)?;
    let beside = open(Path::new(&beside(&path)?))?;
    let database = Some(database).filter(is_of_this_linux);
    for file in std::iter::once(&beside).chain(&database) {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::Locked),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Ok(Some(Locks { _beside: beside, _database: database }))
}

/// Whether there is a database that a command may work on beside whoever serves it: by the name that it is served by. A
/// PostgreSQL always is.
pub(super) fn is_there_alone(url: &str) -> Result<bool, StartError> {
    let Some(path) = path(url) else { return Ok(true) };
    is_place(&path)?;
    let database = match File::open(&path) {
        Ok(database) => database,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    has_one_name(&database)?;
    let is_locked = |file: &File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    if is_of_this_linux(&database)
        && is_locked(&database)
        && !File::open(beside(&path)?).is_ok_and(|beside| is_locked(&beside))
    {
        return Err(StartError::ManyNames);
    }
    Ok(true)
}

fn path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
}

/// Whether a file may stand there.
fn is_place(path: &Path) -> Result<(), StartError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match (path.is_dir(), folder) {
        (true, _) => Err(StartError::Folder),
        (false, Some(folder)) if !folder.is_dir() => Err(StartError::NoFolder),
        (false, _) => Ok(()),
    }
}

/// The file that is locked beside a database, by the name that all its names lead to.
fn beside(path: &Path) -> Result<OsString, StartError> {
    let mut lock = std::fs::canonicalize(path).map_err(failed)?.into_os_string();
    lock.push(".lock");
    Ok(lock)
}

fn open(path: &Path) -> Result<File, StartError> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed)
}

#[cfg(unix)]
fn has_one_name(database: &File) -> Result<(), StartError> {
    let names = std::os::unix::fs::MetadataExt::nlink(&database.metadata().map_err(failed)?);
    if names > 1 { Err(StartError::ManyNames) } else { Ok(()) }
}

/// How many names a file has is not told there.
#[cfg(not(unix))]
fn has_one_name(_: &File) -> Result<(), StartError> {
    Ok(())
}

/// Whether its locks are none of SQLite's: elsewhere one kind stands for both, and whoever holds it would be in its own way.
#[cfg(target_os = "linux")]
fn is_of_this_linux(file: &File) -> bool {
    use rustix::fs::{FsWord, NFS_SUPER_MAGIC, fstatfs};
    const SMB: FsWord = 0xFF53_4D42;
    const SMB2: FsWord = 0xFE53_4D42;
    fstatfs(file).is_ok_and(|system| ![NFS_SUPER_MAGIC, SMB, SMB2].contains(&system.f_type))
}

/// There, one kind of lock stands for both.
#[cfg(not(target_os = "linux"))]
fn is_of_this_linux(_: &File) -> bool {
    false
}

fn failed(source: io::Error) -> StartError {
    StartError::Store(store::Error::Unavailable(Box::new(source)))
}
