//! The command line of cassius-calendar.
//!
//! Owns the runtime, and how the process ends. Never does what a command does. Invariant: a command that fails is told
//! with its whole chain of causes on standard error, and the process ends as a failure.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from);
    let outcome = runtime.and_then(|runtime| {
        let outcome = runtime.block_on(cli::Cli::parse().run());
        // What still waits for a database or a name server is not waited for.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole chain in one line; faults of the settings bring their own lines.
            cli::warn(format_args!("cassius-calendar: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
