//! The signals that ask the process to stop.

use anyhow::Context;

/// Listens for Ctrl-C, and for the SIGTERM of an orchestrator.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on: a signal that comes while the service starts is not lost, and stops it in good order.
    #[cfg(unix)]
    pub(super) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("Ctrl-C cannot be listened for")?,
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?,
        })
    }

    /// Waits until one comes.
    #[cfg(unix)]
    pub(super) async fn asked_to_stop(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        Ok(())
    }

    /// There is nothing to prepare: only Ctrl-C is known here.
    #[cfg(not(unix))]
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// Waits until it comes.
    #[cfg(not(unix))]
    pub(super) async fn asked_to_stop(&mut self) -> anyhow::Result<()> {
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for")
    }
}
