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
    settled: Mutex<HashMap<Key, Settled>>,
}

/// What is handed to those who wait for one appointment, and how many they are.
#[derive(Debug, Default)]
struct Settled {
    link: watch::Sender<Option<Link>>,
    waiting: usize,
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
        let mut settled = self.settled.lock();
        let its = settled.entry(key.clone()).or_default();
        its.waiting += 1;
        let receiver = its.link.subscribe();
        drop(settled);
        Some(Waiter { waiters: self, key, receiver, _place: place })
    }

    /// Hands a link that was settled to whoever waits for it.
    pub(super) fn hand(&self, link: &Link) {
        let settled = self.settled.lock();
        if settled.is_empty() {
            return;
        }
        if let Some(its) = settled.get(&(link.organisation.clone(), link.appointment.clone())) {
            its.link.send_replace(Some(link.clone()));
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
        let Some(its) = settled.get_mut(&self.key) else { return };
        its.waiting -= 1;
        if its.waiting == 0 {
            settled.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn nothing_is_left_of_those_who_stop_waiting_at_once() {
        let waiters = Waiters::default();
        let organisation = OrganisationId::parse("cabinet").expect("an id");
        let appointment = AppointmentId::parse("rdv").expect("an id");
        for _ in 0..500 {
            let together = Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let waiter = waiters.begin(&organisation, &appointment);
                        together.wait();
                        drop(waiter);
                    });
                }
            });
            assert_eq!(waiters.settled.lock().len(), 0);
        }
    }
}
