//! What the system says of a process: its memory, and the time of a processor that it has spent.

use std::fs;

use anyhow::Context as _;

/// The clock ticks of a second, in which Linux counts.
const TICKS: f64 = 100.0;

/// Where the fields stand that follow the name of a process.
const PARENT: usize = 1;
const OWN: std::ops::Range<usize> = 11..13;
const OF_ENDED_CHILDREN: std::ops::Range<usize> = 13..15;

/// The time of a processor that a process has spent so far, in seconds.
pub(crate) fn spent_seconds(process: u32) -> anyhow::Result<f64> {
    seconds(&fields(process)?, OWN)
}

/// The same with what its children have spent, those that have ended too.
pub(crate) fn spent_seconds_with_children(process: u32) -> anyhow::Result<f64> {
    let parent = fields(process)?;
    let mut spent = seconds(&parent, OWN)? + seconds(&parent, OF_ENDED_CHILDREN)?;
    for entry in fs::read_dir("/proc")? {
        let Ok(other) = entry?.file_name().to_string_lossy().parse() else { continue };
        // One that has ended meanwhile is its parent's.
        let Ok(fields) = fields(other) else { continue };
        if fields[PARENT] == process.to_string() {
            spent += seconds(&fields, OWN)?;
        }
    }
    Ok(spent)
}

/// The time of a processor that this thread has spent so far, in seconds.
pub(crate) fn spent_seconds_of_this_thread() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = stat.split_whitespace().next().context("an empty schedstat")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// A line of its status in mebibytes: `VmRSS` is what is resident now, `VmHWM` the most that ever was.
pub(crate) fn mib(process: u32, name: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

fn fields(process: u32) -> anyhow::Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(')').next().context("no name")?;
    Ok(after_name.split_whitespace().map(str::to_owned).collect())
}

fn seconds(fields: &[String], of: std::ops::Range<usize>) -> anyhow::Result<f64> {
    let ticks = fields[of].iter().map(|field| field.parse::<f64>()).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}
