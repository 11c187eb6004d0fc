//! Four callers that edit and call off appointments, and what they were told.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cassius_calendar::grpc::pb::{Appointment, SyncAppointmentRequest};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::service::Addresses;
use super::{APPOINTMENTS_EACH, ORGANISATIONS};
use crate::harness::app::clients;
use crate::harness::samples::{cancelled, instant, of_patient};

/// How long after an error a caller comes again.
const AGAIN: Duration = Duration::from_millis(200);

/// An organisation and one of its appointments.
pub(super) type Key = (String, String);

/// Every appointment that is edited.
pub(super) fn keys() -> Vec<Key> {
    let its = |(organisation, _): (&'static str, _)| {
        (0..APPOINTMENTS_EACH).map(move |number| (organisation.to_owned(), format!("rdv {number}")))
    };
    ORGANISATIONS.into_iter().flat_map(its).collect()
}

/// What the callers know of one appointment.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// What each revision said: the patient, or nothing where it was called off.
    pub(super) sent: BTreeMap<i64, Option<String>>,
    /// The highest revision that was answered with OK.
    pub(super) accepted: i64,
}

/// What all callers know.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<HashMap<Key, Record>>>);

impl Ledger {
    /// The next state of an appointment: noted before it is sent, since the service may take it and not live to say so.
    fn next(&self, key: &Key, is_cancelled: bool) -> Appointment {
        let mut records = self.0.lock().unwrap();
        let record = records.entry(key.clone()).or_default();
        let revision = record.sent.last_key_value().map_or(1, |(revision, _)| revision + 1);
        let patient = format!("Patient {revision}");
        record.sent.insert(revision, (!is_cancelled).then(|| patient.clone()));
        // Far ahead of the system's clock: what is over is neither moved nor kept.
        Appointment {
            start_time: Some(instant("2090-05-04T08:00:00Z")),
            end_time: Some(instant("2090-05-04T08:30:00Z")),
            ..if is_cancelled { cancelled(&key.1, revision) } else { of_patient(&key.1, revision, &patient) }
        }
    }

    fn accepted(&self, key: &Key, revision: i64) {
        let mut records = self.0.lock().unwrap();
        let record = records.entry(key.clone()).or_default();
        record.accepted = record.accepted.max(revision);
    }

    /// Looks through all of it, when the callers have ended.
    pub(super) fn records(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Record>> {
        self.0.lock().unwrap()
    }
}

/// Edits at random until `stop`; where the service is down, comes again in a while.
pub(super) async fn edit(
    keys: Vec<Key>,
    seed: u64,
    ledger: Ledger,
    mut addresses: watch::Receiver<Option<Addresses>>,
    stop: CancellationToken,
) {
    let mut random = StdRng::seed_from_u64(seed);
    let edits = async {
        loop {
            let address = *addresses.borrow_and_update();
            if let Some(address) = address {
                // Whatever error ends this: nothing is known of that edit, and nothing is expected of it.
                let _ = edit_at(address, &keys, &mut random, &ledger).await;
            }
            // It may serve again where it did before.
            tokio::select! {
                changed = addresses.changed() => changed.unwrap(),
                () = pause(AGAIN) => {}
            }
        }
    };
    tokio::select! {
        () = edits => {}
        () = stop.cancelled() => {}
    }
}

async fn edit_at(
    address: Addresses,
    keys: &[Key],
    random: &mut StdRng,
    ledger: &Ledger,
) -> Result<(), Box<dyn std::error::Error>> {
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", address.grpc))?.connect().await?;
    let mut appointments = clients(channel).1;
    loop {
        let key = &keys[random.random_range(0..keys.len())];
        let appointment = ledger.next(key, random.random_bool(0.25));
        let revision = appointment.revision;
        let request =
            SyncAppointmentRequest { organisation_id: key.0.clone(), appointment: Some(appointment), wait: None };
        appointments.sync_appointment(request).await?;
        ledger.accepted(key, revision);
        pause(Duration::from_millis(random.random_range(0..15))).await;
    }
}

/// Time that passes between two edits, or two kills.
#[expect(clippy::disallowed_methods, reason = "a process is killed in real time; nothing is waited for by this")]
pub(super) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}
