//! Those who wait until Google has an appointment.
//!
//! Owns how many may wait at a time, and hands them the link that this process has settled. Never looks anything up.
//! Invariant: whoever waits is handed a link that was settled after they began.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::model::{AppointmentId, OrganisationId};
use crate::store::Link;

/// How many callers may wait for Google at a time.
const MAX_WAITERS: usize = 2_048;

type Key = (OrganisationId, AppointmentId);

/// The registry of those who wait.
#[derive(Debug)]
pub(super) struct Waiters {
    places: Semaphore,
    settled: Mutex<HashMap<Key, watch::Sender<Option<Link>>>>,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    waiters: &'a Waiters,
    key: Key,
    receiver: watch::Receiver<Option<Link>>,
    _place: SemaphorePermit<'a>,
}

impl Default for Waiters {
    fn default() -> Self {
        Self { places: Semaphore::new(MAX_WAITERS), settled: Mutex::default() }
    }
}

impl Waiters {
    /// Begins to wait; `None`: as many do so already as may.
    pub(super) fn begin(&self, organisation: &OrganisationId, appointment: &AppointmentId) -> Option<Waiter<'_>> {
        let place = self.places.try_acquire().ok()?;
        let key = (organisation.clone(), appointment.clone());
        let receiver = self.settled.lock().entry(key.clone()).or_default().subscribe();
        Some(Waiter { waiters: self, key, receiver, _place: place })
    }

    /// Hands a link that was settled to whoever waits for it.
    pub(super) fn hand(&self, link: &Link) {
        let settled = self.settled.lock();
        if settled.is_empty() {
            return;
        }
        if let Some(waiting) = settled.get(&(link.organisation.clone(), link.appointment.clone())) {
            waiting.send_replace(Some(link.clone()));
        }
    }
}

impl Waiter<'_> {
    /// Waits until an attempt for the appointment is settled, and answers its link as it stands then.
    pub(super) async fn settled(&mut self) -> Link {
        loop {
            // The registry keeps the sender for as long as somebody waits: there is no error.
            let _ = self.receiver.changed().await;
            if let Some(link) = self.receiver.borrow_and_update().clone() {
                return link;
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut settled = self.waiters.settled.lock();
        if settled.get(&self.key).is_some_and(|waiting| waiting.receiver_count() == 1) {
            settled.remove(&self.key);
        }
    }
}
