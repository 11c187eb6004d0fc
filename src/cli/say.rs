//! What commands say.
//!
//! Owns how a line reaches the two streams. Never panics where it does not. Invariant: whoever reads may go before the end:
//! that is no fault, and the command goes on to its end as if it were heard.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

/// Says a line on standard output. It fails where nothing can be written, on a full disk for instance.
pub(super) fn say(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Says a line on standard error.
pub(crate) fn warn(line: impl Display) {
    // There is nowhere left to say that it was not heard.
    let _ = writeln!(io::stderr(), "{line}");
}
