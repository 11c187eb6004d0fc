//! The machine and the day.

use std::fs;

use cassius_calendar::clock::Clock;

/// One line that names them.
pub(crate) fn describe(clock: &Clock) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    let day = clock.now().strftime("%-d %B %Y");
    format!(
        "{day}, {} with {cores} cores shared by the service, the database, Google and the callers; load before: {load}",
        cpu.trim_start_matches(['\t', ':', ' '])
    )
}
