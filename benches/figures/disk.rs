//! How long the disk takes to keep four kibibytes: what no durable answer can be faster than.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use cassius_calendar::clock::Clock;

const BLOCK: usize = 4096;
const BLOCKS: u64 = 2048;

/// A file on the file system of the databases, written from end to end beforehand, so that keeping a block changes
/// nothing but the block.
pub(crate) struct Disk {
    file: File,
    next: u64,
    clock: Clock,
}

impl Disk {
    pub(crate) fn new(clock: &Clock) -> anyhow::Result<Self> {
        let file = tempfile::tempfile()?;
        file.write_all_at(&vec![0; BLOCK * usize::try_from(BLOCKS)?], 0)?;
        file.sync_all()?;
        Ok(Self { file, next: 0, clock: clock.clone() })
    }

    /// Writes one block and waits for the disk: how long that took, in microseconds.
    pub(crate) fn keep(&mut self) -> anyhow::Result<u64> {
        let start = self.clock.now();
        self.file.write_all_at(&[1; BLOCK], self.next * BLOCK as u64)?;
        self.file.sync_data()?;
        self.next = (self.next + 1) % BLOCKS;
        Ok(crate::samples::since(start, self.clock.now()))
    }
}
