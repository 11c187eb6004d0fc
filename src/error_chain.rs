//! An error and what caused it, in one line of a log.
//!
//! Owns how a chain of errors reads. Never decides what is logged. Invariant: no cause is left out, whatever the format
//! of the log makes of an error by itself.

use std::error::Error;
use std::fmt;

/// Shows `error`, then what caused it, then what caused that.
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + use<'a> {
    ErrorChain(error)
}

struct ErrorChain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the store failed")]
    struct Failed(#[source] std::io::Error);

    #[test]
    fn a_line_names_the_error_and_what_caused_it() {
        let error = Failed(std::io::Error::other("connection refused"));
        assert_eq!(error_chain(&error).to_string(), "the store failed: connection refused");
    }
}
