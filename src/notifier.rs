//! Wake-ups between the rooms of one process.
//!
//! Owns who waits for whom. Never carries data, and never leaves the process: whoever is woken looks again, and other
//! processes find out when they poll. Invariant: whoever began to listen before it looked misses nothing.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast, futures::OwnedNotified};

use crate::model::OrganisationId;

/// How many changes a slow listener may fall behind before it is told "something changed" once for all of them.
const BACKLOG: usize = 1024;

/// Wakes those who wait for due work, and those who watch an organisation. A clone is the same notifier.
#[derive(Debug, Clone)]
pub struct Notifier {
    due: Arc<Notify>,
    changes: broadcast::Sender<OrganisationId>,
}

impl Default for Notifier {
    fn default() -> Self {
        Self { due: Arc::default(), changes: broadcast::Sender::new(BACKLOG) }
    }
}

impl Notifier {
    /// Says that something may be due now.
    pub fn notify_due(&self) {
        self.due.notify_waiters();
    }

    /// Says that the status of `organisation`, or of one of its appointments, has changed.
    pub fn notify_changed(&self, organisation: &OrganisationId) {
        if self.changes.receiver_count() > 0 {
            // Nobody listening any more is no error.
            let _ = self.changes.send(organisation.clone());
        }
    }

    /// Listens for due work from this call on: a `Notified` hears `notify_waiters` from its creation, polled or not.
    pub fn listen_due(&self) -> OwnedNotified {
        self.due.clone().notified_owned()
    }

    /// Listens for changes of `organisation`, from this call on.
    pub fn listen_changed(&self, organisation: &OrganisationId) -> Listener {
        Listener { organisation: organisation.clone(), changes: self.changes.subscribe() }
    }
}

/// Listens for the changes of one organisation.
#[derive(Debug)]
pub struct Listener {
    organisation: OrganisationId,
    changes: broadcast::Receiver<OrganisationId>,
}

impl Listener {
    /// Waits for the next change; changes that were missed count as one.
    pub async fn changed(&mut self) {
        loop {
            match self.changes.recv().await {
                Ok(organisation) if organisation != self.organisation => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The notifier is gone: the process ends, and there is nothing left to wait for.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
