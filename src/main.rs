//! The command line of cassius-calendar.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(cli::Cli::parse().run()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole chain in one line; faults of the settings bring their own lines.
            eprintln!("cassius-calendar: {error:#}");
            ExitCode::FAILURE
        }
    }
}
