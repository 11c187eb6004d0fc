//! The signals that ask the process for something.
//!
//! Owns which signals are listened for, and what each asks for. Never does what is asked. Invariant: on Unix, none of
//! them ends the process by itself.

use anyhow::Context;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// To end: Ctrl-C, or an orchestrator's SIGTERM.
    Stop,
    /// To read again what may change while it serves: SIGHUP.
    Reload,
}

/// Listens for them. SIGHUP, which a terminal sends that is closed, never ends the process.
pub(super) struct Signals {
    /// Whether SIGHUP came while only a stop was listened for.
    is_reload_asked: bool,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on: a signal that comes while the service starts is not lost, and stops it in good order.
    #[cfg(unix)]
    pub(super) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            is_reload_asked: false,
            interrupt: signal(SignalKind::interrupt()).context("Ctrl-C cannot be listened for")?,
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?,
            hangup: signal(SignalKind::hangup()).context("SIGHUP cannot be listened for")?,
        })
    }

    /// Waits until one comes, or answers one that has come already.
    pub(super) async fn next(&mut self) -> anyhow::Result<Signal> {
        match std::mem::take(&mut self.is_reload_asked) {
            true => Ok(Signal::Reload),
            false => self.heard().await,
        }
    }

    /// Waits until one comes.
    #[cfg(unix)]
    async fn heard(&mut self) -> anyhow::Result<Signal> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(Signal::Stop),
            _ = self.terminate.recv() => Ok(Signal::Stop),
            _ = self.hangup.recv() => Ok(Signal::Reload),
        }
    }

    /// There is nothing to prepare: only Ctrl-C is known here.
    #[cfg(not(unix))]
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self { is_reload_asked: false })
    }

    /// Waits until it comes.
    #[cfg(not(unix))]
    async fn heard(&mut self) -> anyhow::Result<Signal> {
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for")?;
        Ok(Signal::Stop)
    }

    /// Waits until one asks to stop; the others are answered afterwards.
    pub(super) async fn asked_to_stop(&mut self) -> anyhow::Result<()> {
        while self.heard().await? != Signal::Stop {
            self.is_reload_asked = true;
        }
        Ok(())
    }
}
