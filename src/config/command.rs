//! A secret that a command prints, so that a vault needs no code of ours.
//!
//! Owns how the command is run, and for how long. Never shows what it printed. Invariant: a command that failed, or did not
//! end in time, gives no text.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::reader::{Wrong, wrong};

/// How long a command may take: a start, or a reload, waits for it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// What the shell's command prints on standard output. Its errors go to ours.
pub(super) fn printed(command: &str) -> Result<String, Wrong> {
    printed_within(COMMAND_TIMEOUT, command)
}

fn printed_within(timeout: Duration, command: &str) -> Result<String, Wrong> {
    let remedy = "name a command that prints the keyring on standard output and exits with 0";
    let unrunnable = |fault: std::io::Error| wrong(&format!("cannot be run ({})", fault.kind()), remedy);
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = shell.spawn().map_err(unrunnable)?;
    let mut output = child.stdout.take().expect("it is piped");
    let (told, heard) = mpsc::channel();
    // On a thread of its own: what the command has started may hold the pipe open for longer than anybody waits.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.read_to_end(&mut bytes).map(|_| bytes);
        // Nobody hears it once the time is up.
        let _ = told.send(read);
    });
    let Ok(read) = heard.recv_timeout(timeout) else {
        // It may have ended just now.
        let _ = child.kill();
        let _ = child.wait();
        return Err(wrong(&format!("names a command that did not end within {} seconds", timeout.as_secs()), remedy));
    };
    let status = child.wait().map_err(unrunnable)?;
    if !status.success() {
        return Err(wrong("names a command that failed", remedy));
    }
    let text = String::from_utf8(read.map_err(unrunnable)?).map_err(|_| wrong("prints what is not UTF-8", remedy))?;
    match text.trim() {
        "" => Err(wrong("prints nothing", remedy)),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_a_fault_and_not_waited_for() {
        let (problem, _) = printed_within(Duration::ZERO, "sleep 60").expect_err("a fault");
        assert_eq!(problem, "names a command that did not end within 0 seconds");
        assert_eq!(printed_within(Duration::from_secs(60), "printf k").as_deref(), Ok("k"));
    }
}
