//! Files that change while the service runs.
//!
//! Owns how a change is noticed: by a look every two seconds, which costs nothing and sees what a notification of the system
//! does not (a volume of another machine, a link that is turned to another folder). Never reads one. Invariant: what changes
//! while nobody waits is told to the next who does.

use std::fs::Metadata;
use std::path::PathBuf;

use cassius_calendar::clock::Clock;
use jiff::SignedDuration;

const EVERY: SignedDuration = SignedDuration::from_secs(2);

/// What tells one state of a file from another: which file it is, when it, its owner or its rights were changed, and its
/// length. A file that is put in the place of another one may be as old and as long as that.
#[cfg(unix)]
type FileStamp = Option<[i64; 7]>;
/// When it was written, and its length: more is not told there.
#[cfg(not(unix))]
type FileStamp = Option<(std::time::SystemTime, u64)>;

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
    paths.iter().map(|path| stamp(&std::fs::metadata(path).ok()?)).collect()
}

#[cfg(unix)]
fn stamp(metadata: &Metadata) -> FileStamp {
    use std::os::unix::fs::MetadataExt as _;
    let [device, inode, length] = [metadata.dev(), metadata.ino(), metadata.size()].map(u64::cast_signed);
    let (written, changed) = (metadata.mtime(), metadata.ctime());
    Some([device, inode, length, written, metadata.mtime_nsec(), changed, metadata.ctime_nsec()])
}

#[cfg(not(unix))]
fn stamp(metadata: &Metadata) -> FileStamp {
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_file_that_is_made_readable_or_exchanged_for_one_of_its_length_and_age_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, other, third, link, turned] =
            ["file", "other", "third", "link", "turned"].map(|name| folder.path().join(name));
        for file in [&file, &other, &third] {
            fs::write(file, "text").expect("it is written");
            let opened = File::options().write(true).open(file).expect("it is there");
            opened.set_modified(SystemTime::UNIX_EPOCH).expect("it may be older");
        }
        for (link, file) in [(&link, &file), (&turned, &third)] {
            symlink(file, link).expect("it is linked");
        }
        let paths = [link.clone()];
        let before = look(&paths);
        assert_eq!(look(&paths), before);
        // More than the grain of the times of a file.
        std::thread::sleep(Duration::from_millis(50));
        fs::set_permissions(&file, Permissions::from_mode(0o604)).expect("it may be read");
        let readable = look(&paths);
        assert_ne!(readable, before);
        fs::rename(&other, &file).expect("it is exchanged");
        let exchanged = look(&paths);
        assert_ne!(exchanged, readable);
        fs::rename(&turned, &link).expect("it is turned");
        assert_ne!(look(&paths), exchanged);
    }
}
