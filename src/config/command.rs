//! A secret that a command prints, so that a vault needs no code of ours.
//!
//! Owns how the command is run, for how long, and how much of it is read. Never shows what it printed. Invariant: a command
//! that failed, printed without end, or did not end in time, gives no text; on Unix, it does not outlive this process, however
//! that ends, and what it has started in its group does not outlive it.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::reader::{TextFault, text_fault};

/// How long a command may take: a start, or a reload, waits for it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// More than any keyring: what prints more is not the command that was meant.
const MAX_PRINTED_BYTES: u64 = 1024 * 1024;

/// What the shell's command prints on standard output. Its errors go to ours.
pub(super) fn printed(command: &str) -> Result<String, TextFault> {
    printed_within(COMMAND_TIMEOUT, command)
}

fn printed_within(timeout: Duration, command: &str) -> Result<String, TextFault> {
    let remedy = "name a command that prints the keyring on standard output and exits with 0";
    let unrunnable = |fault: std::io::Error| text_fault(&format!("cannot be run ({})", fault.kind()), remedy);
    let mut shell = guarded(command);
    shell.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = shell.spawn().map_err(unrunnable)?;
    let (id, guard) = (child.id(), child.stdin.take());
    let output = child.stdout.take().expect("it is piped");
    let (told, heard) = mpsc::channel();
    // On a thread of its own: it may neither close the pipe nor end for longer than anybody waits.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // The pipe is closed with the end of this: whoever prints on into it is ended by the system.
        let read = output.take(MAX_PRINTED_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes);
        if is_too_long(&read) {
            end_group(id);
        }
        end_what_is_left(id);
        let ended = child.wait();
        drop(guard);
        // Nobody hears it once the time is up.
        let _ = told.send((read, ended));
    });
    let Ok((read, ended)) = heard.recv_timeout(timeout) else {
        end_group(id);
        let problem = format!("names a command that did not end within {} seconds", timeout.as_secs());
        return Err(text_fault(&problem, remedy));
    };
    if is_too_long(&read) {
        return Err(text_fault("names a command that prints more than 1 MiB", remedy));
    }
    if !ended.map_err(unrunnable)?.success() {
        return Err(text_fault("names a command that failed", remedy));
    }
    let text =
        String::from_utf8(read.map_err(unrunnable)?).map_err(|_| text_fault("prints what is not UTF-8", remedy))?;
    match text.trim() {
        "" => Err(text_fault("prints nothing", remedy)),
        text => Ok(text.to_owned()),
    }
}

fn is_too_long(read: &std::io::Result<Vec<u8>>) -> bool {
    read.as_ref().is_ok_and(|bytes| bytes.len() as u64 > MAX_PRINTED_BYTES)
}

/// Runs the command that it is told, beside a guard that waits for the end of the standard input: the other end is this
/// process's, and is closed by the system with it, even where it is killed. Then the guard ends the whole group.
#[cfg(unix)]
const GUARDED: &str = r#"exec 3<&0
sh -c "$1" 3<&- </dev/null & command=$!
exec >/dev/null 2>&1
{ read -r line <&3; kill -KILL 0; } & guard=$!
wait "$command"; status=$?
kill -KILL "$guard"; wait "$guard"
exit "$status""#;

/// A shell that runs the command in a group of its own, which ends with this process.
#[cfg(unix)]
fn guarded(command: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut shell = Command::new("sh");
    shell.args(["-c", GUARDED, "sh", command]).stdin(Stdio::piped()).process_group(0);
    shell
}

/// Ends the command, and whatever it has started.
#[cfg(unix)]
fn end_group(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Waits until the command has ended, and ends whatever it has left running: its id is nobody else's until it is asked how it
/// ended.
#[cfg(unix)]
fn end_what_is_left(id: u32) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    if let Some(command) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(command), ended) {}
    }
    end_group(id);
}

#[cfg(not(unix))]
fn end_what_is_left(_: u32) {}

#[cfg(not(unix))]
fn guarded(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    shell
}

/// There are no groups elsewhere: it is left to itself, and nobody waits for it.
#[cfg(not(unix))]
fn end_group(_: u32) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the process has ended whose id stands in a file, or does so soon. Whoever takes over what has ended may not have
    /// looked at it yet.
    fn ends(file: &std::path::Path) -> bool {
        let pid = std::fs::read_to_string(file).expect("it was run");
        let has_ended = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
            status.is_empty() || status.contains("State:\tZ")
        };
        (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            has_ended()
        })
    }

    #[test]
    fn a_command_that_does_not_end_is_a_fault_and_not_waited_for() {
        let (problem, _) = printed_within(Duration::ZERO, "sleep 60").expect_err("a fault");
        assert_eq!(problem, "names a command that did not end within 0 seconds");
        assert_eq!(printed_within(Duration::from_secs(60), "cat; printf k").as_deref(), Ok("k"), "it is told nothing");
        let (problem, _) = printed_within(Duration::from_secs(60), "printf k; exit 3").expect_err("a fault");
        assert_eq!(problem, "names a command that failed");
    }

    #[test]
    fn a_command_that_closes_its_output_and_stays_is_not_waited_for_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pid");
        let command = format!("sleep 600 & echo $! > {}; echo k; exec 1>&-; wait", file.display());
        let (problem, _) = printed_within(Duration::from_secs(5), &command).expect_err("a fault");
        assert_eq!(problem, "names a command that did not end within 5 seconds");
        assert!(ends(&file));
    }

    #[test]
    fn a_command_that_ends_leaves_nothing_behind_that_it_has_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pid");
        let command = format!("sleep 600 >/dev/null 2>&1 & echo $! > {}; echo k", file.display());
        assert_eq!(printed_within(Duration::from_secs(60), &command).as_deref(), Ok("k"));
        assert!(ends(&file));
    }

    #[test]
    fn a_command_that_prints_without_end_is_a_fault_and_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pid");
        let command = format!("echo $$ > {}; exec yes", file.display());
        let (problem, _) = printed_within(Duration::from_secs(60), &command).expect_err("a fault");
        assert_eq!(problem, "names a command that prints more than 1 MiB");
        assert!(ends(&file));
        let most = format!("head -c {MAX_PRINTED_BYTES} /dev/zero | tr '\\0' k");
        assert_eq!(printed_within(Duration::from_secs(60), &most).map(|text| text.len() as u64), Ok(MAX_PRINTED_BYTES));
    }
}
