//! Wake-ups between the rooms of one process, and from its replicas to it.
//!
//! Owns who waits for whom. Never carries data: whoever is woken looks again. Never leaves the process by itself: what
//! other replicas change is told here by whoever listens to the database. Invariant: whoever began to listen before it
//! looked misses nothing, unless the notifier misses what the replicas change; then it has to look now and then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, futures::OwnedNotified, watch};

use crate::model::{AppointmentId, Change, OrganisationId};

/// Wakes those who wait for due work, for lists to make, for an organisation or for one appointment. A clone is the same
/// notifier.
#[derive(Debug, Clone, Default)]
pub struct Notifier(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    due: Arc<Notify>,
    listing: Arc<Notify>,
    /// In an order: a run that is repeated wakes in the same one.
    topics: Mutex<BTreeMap<OrganisationId, Topic>>,
    misses_remote_changes: AtomicBool,
}

/// Who listens to one organisation: a topic lives as long as anybody does.
#[derive(Debug, Default)]
struct Topic {
    all: watch::Sender<()>,
    appointments: BTreeMap<AppointmentId, watch::Sender<()>>,
}

impl Topic {
    fn wake_all(&self) {
        self.all.send_replace(());
        self.appointments.values().for_each(|listeners| listeners.send_replace(()));
    }
}

impl Notifier {
    /// Says that something may be due now.
    pub fn notify_due(&self) {
        self.0.due.notify_waiters();
    }

    /// Says that events at Google are to be listed now: for a comparison, or for a search.
    pub fn notify_listing(&self) {
        self.0.listing.notify_waiters();
    }

    /// Wakes those whom a change concerns: whoever listens to its organisation, and whoever waits for its appointment. A
    /// change of the integration concerns them all.
    pub fn notify(&self, change: &Change) {
        let topics = self.0.topics.lock();
        let Some(topic) = topics.get(change.organisation()) else { return };
        match change {
            Change::Integration(_) => topic.wake_all(),
            Change::Links(_) => topic.all.send_replace(()),
            Change::Settled(_, appointment) => {
                topic.all.send_replace(());
                topic.appointments.get(appointment).into_iter().for_each(|listeners| listeners.send_replace(()));
            }
        }
    }

    /// Wakes everybody: something may have changed that nobody told of.
    pub fn notify_everybody(&self) {
        self.notify_due();
        self.notify_listing();
        self.0.topics.lock().values().for_each(Topic::wake_all);
    }

    /// Says whether the changes of other replicas are not told of at present; everybody looks again then.
    pub fn set_misses_remote_changes(&self, misses_remote_changes: bool) {
        self.0.misses_remote_changes.store(misses_remote_changes, Ordering::Release);
        self.notify_everybody();
    }

    /// Whether a listener may miss what another replica changes, and has to look now and then.
    pub fn misses_remote_changes(&self) -> bool {
        self.0.misses_remote_changes.load(Ordering::Acquire)
    }

    /// Listens for due work from this call on: a `Notified` hears `notify_waiters` from its creation, polled or not.
    pub fn listen_due(&self) -> OwnedNotified {
        self.0.due.clone().notified_owned()
    }

    /// Listens for lists that are to be made, from this call on.
    pub fn listen_listing(&self) -> OwnedNotified {
        self.0.listing.clone().notified_owned()
    }

    /// Listens for every change of `organisation`, from this call on.
    pub fn listen(&self, organisation: &OrganisationId) -> Listener {
        let receiver = self.0.topics.lock().entry(organisation.clone()).or_default().all.subscribe();
        Listener { shared: self.0.clone(), organisation: organisation.clone(), appointment: None, receiver }
    }

    /// Listens for the end of what one appointment waits for, and for changes of its integration, from this call on.
    pub fn listen_to_appointment(&self, organisation: &OrganisationId, appointment: &AppointmentId) -> Listener {
        let mut topics = self.0.topics.lock();
        let topic = topics.entry(organisation.clone()).or_default();
        let receiver = topic.appointments.entry(appointment.clone()).or_default().subscribe();
        let appointment = Some(appointment.clone());
        Listener { shared: self.0.clone(), organisation: organisation.clone(), appointment, receiver }
    }
}

/// Listens to one organisation, or to one of its appointments.
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
    organisation: OrganisationId,
    appointment: Option<AppointmentId>,
    receiver: watch::Receiver<()>,
}

impl Listener {
    /// Waits for the next change; changes that were missed count as one.
    pub async fn changed(&mut self) {
        // The topic lives as long as this listener: there is no error.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut topics = self.shared.topics.lock();
        let Some(topic) = topics.get_mut(&self.organisation) else { return };
        if let Some(appointment) = &self.appointment
            && topic.appointments.get(appointment).is_some_and(|listeners| listeners.receiver_count() == 1)
        {
            topic.appointments.remove(appointment);
        }
        let others = topic.all.receiver_count() - usize::from(self.appointment.is_none());
        if others == 0 && topic.appointments.is_empty() {
            topics.remove(&self.organisation);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn organisation(id: &str) -> OrganisationId {
        OrganisationId::parse(id).unwrap()
    }

    fn appointment(id: &str) -> AppointmentId {
        AppointmentId::parse(id).unwrap()
    }

    fn is_woken(listener: &mut Listener) -> bool {
        listener.changed().now_or_never().is_some()
    }

    #[test]
    fn a_waiter_is_woken_for_its_own_appointment_and_for_its_integration_alone() {
        let notifier = Notifier::default();
        let (one, other) = (organisation("one"), organisation("other"));
        let mut its = notifier.listen_to_appointment(&one, &appointment("a"));
        for change in [
            Change::Links(one.clone()),
            Change::Settled(one.clone(), appointment("b")),
            Change::Settled(other.clone(), appointment("a")),
            Change::Integration(other),
        ] {
            notifier.notify(&change);
            assert!(!is_woken(&mut its), "{change:?}");
        }
        for change in [Change::Settled(one.clone(), appointment("a")), Change::Integration(one)] {
            notifier.notify(&change);
            assert!(is_woken(&mut its), "{change:?}");
            assert!(!is_woken(&mut its), "once");
        }
    }

    #[test]
    fn whoever_listens_to_an_organisation_hears_all_that_happens_there_and_missed_changes_are_one() {
        let notifier = Notifier::default();
        let one = organisation("one");
        let mut all = notifier.listen(&one);
        for change in
            [Change::Links(one.clone()), Change::Settled(one.clone(), appointment("a")), Change::Integration(one)]
        {
            notifier.notify(&change);
            notifier.notify(&change);
            assert!(is_woken(&mut all), "{change:?}");
            assert!(!is_woken(&mut all), "once for both");
        }
        notifier.notify(&Change::Links(organisation("other")));
        assert!(!is_woken(&mut all));
        notifier.set_misses_remote_changes(true);
        assert!(is_woken(&mut all), "what was not told of has to be looked for");
    }

    #[test]
    fn nothing_is_left_of_those_who_listen_no_more() {
        let notifier = Notifier::default();
        let one = organisation("one");
        let first = notifier.listen_to_appointment(&one, &appointment("a"));
        let mut second = notifier.listen_to_appointment(&one, &appointment("a"));
        let all = notifier.listen(&one);
        drop(first);
        notifier.notify(&Change::Settled(one, appointment("a")));
        assert!(is_woken(&mut second), "it still listens");
        drop(all);
        drop(second);
        assert!(notifier.0.topics.lock().is_empty());
    }
}
