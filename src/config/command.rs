//! A secret that a command prints, so that a vault needs no code of ours.
//!
//! Owns how the command is run. Never shows what it printed. Invariant: a command that failed gives no text.

use std::process::{Command, Stdio};

use super::reader::{Wrong, wrong};

/// What the shell's command prints on standard output. Its errors go to ours.
pub(super) fn printed(command: &str) -> Result<String, Wrong> {
    let remedy = "name a command that prints the keyring on standard output and exits with 0";
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|fault| wrong(&format!("cannot be run ({})", fault.kind()), remedy))?;
    if !output.status.success() {
        return Err(wrong("names a command that failed", remedy));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| wrong("prints what is not UTF-8", remedy))?;
    match text.trim() {
        "" => Err(wrong("prints nothing", remedy)),
        text => Ok(text.to_owned()),
    }
}
