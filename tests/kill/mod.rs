//! The real binary, killed again and again while it works.
//!
//! Four callers edit and call off appointments; Google answers late, fails, or loses its answers; the process is killed
//! at random moments and started again. Afterwards Google shows each appointment at the highest revision, once.

mod callers;
mod disconnecting;
mod replicas;
mod rolling;
mod server;
mod service;

use std::time::{Duration, Instant};

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::Keyring;
use cassius_calendar::grpc::pb::{GetAppointmentLinkRequest, SyncStatus, WatchStatusRequest};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::harness::app::{Appointments, Integrations, clients_at};
use crate::harness::browser::Browser;
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, Google, OTHER_ACCOUNT};
use callers::{Ledger, pause};
use service::Service;

/// How often the process is killed, unless `KILLS` says otherwise.
const KILLS: u32 = 25;
const CALLERS: u64 = 4;
const APPOINTMENTS_EACH: usize = 20;
const ORGANISATIONS: [(&str, &str); 2] = [("cabinet", ACCOUNT), ("monnier", OTHER_ACCOUNT)];
/// A bound for a backlog that would never be worked off once nothing fails any more. A lease that died with its process
/// takes half a minute; the rest is for a machine that has other things to do.
const REST: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_stands_at_google_once_though_the_process_is_killed_on_sqlite() {
    survives(&Database::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_stands_at_google_once_though_the_process_is_killed_on_postgres() {
    let database = Database::on_postgres().await;
    survives(&database).await;
    database.drop().await;
}

async fn survives(database: &Database) {
    // To see a run again, as far as time lets it: KILL_SEED=<seed>.
    let seed = std::env::var("KILL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| Entropy::system().number());
    println!("KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);

    let google = Google::start(&Clock::system()).await;
    let mut service = Service::new(settings(&database.url, &google));
    service.start();
    connect(&service).await;
    misbehave(&google, seed).await;

    let (ledger, stop) = (Ledger::default(), CancellationToken::new());
    let keys = callers::keys();
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let edits = callers::edit(keys.clone(), seed ^ number, ledger.clone(), service.addresses(), stop.clone());
            tokio::spawn(edits)
        })
        .collect();
    let kills = std::env::var("KILLS").ok().map_or(KILLS, |kills| kills.parse().unwrap());
    for _ in 0..kills {
        // Most die at work, some while they start.
        if random.random_bool(0.85) {
            service.serving().await;
            pause(Duration::from_millis(random.random_range(50..1_200))).await;
        } else {
            pause(Duration::from_millis(random.random_range(0..300))).await;
        }
        service.kill();
        service.start();
    }
    service.serving().await;
    let all_edited = async {
        while ledger.records().len() < keys.len() {
            pause(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(REST, all_edited).await.expect("every appointment is edited");
    stop.cancel();
    for caller in callers {
        caller.await.unwrap();
    }
    google.no_more_faults().await;

    let begun = clock();
    let address = service.serving().await;
    let (mut integrations, mut appointments) = clients_at(address.grpc).await;
    for (organisation, _) in ORGANISATIONS {
        if tokio::time::timeout(REST, rest(&mut integrations, organisation)).await.is_err() {
            panic!("{organisation} does not come to rest:\n{}", service.last_words());
        }
    }
    let records = ledger.records().len();
    println!("{} edits of {records} appointments; at rest after {:?}", edits(&ledger), clock().duration_since(begun));
    verify(&ledger, &google, &mut appointments).await;
    google.no_event_is_doubled().await;
    google.no_write_invites_or_notifies().await;
    let leased = "SELECT COUNT(*) FROM appointment_external_links WHERE lease_token IS NOT NULL";
    assert_eq!(database.number(leased).await, 0);
    assert_eq!(service.defects(), [""; 0]);
}

fn settings(url: &str, google: &Google) -> Vec<(&'static str, String)> {
    let own = [
        ("DATABASE_URL", url.to_owned()),
        ("CASSIUS_APP_URL", "http://127.0.0.1:3000".to_owned()),
        ("ENCRYPTION_KEYS", Keyring::generate(&Entropy::system())),
        ("QUOTA_USER_PER_MINUTE", "100000".to_owned()),
        ("QUOTA_PROJECT_PER_MINUTE", "100000".to_owned()),
    ];
    own.into_iter().chain(google.service_settings()).collect()
}

async fn connect(service: &Service) {
    let address = service.serving().await;
    let (mut integrations, _) = clients_at(address.grpc).await;
    for (organisation, account) in ORGANISATIONS {
        let outcome = Browser::new(address.http).consent(&mut integrations, organisation, account).await;
        assert_eq!(outcome, "connected");
    }
}

/// Google is slow, away at times, throttles, and loses answers; tokens live for seconds.
async fn misbehave(google: &Google, seed: u64) {
    google
        .settings(json!({
            "latency_ms": 10,
            "token_lifetime_seconds": 65,
            "user_units_per_minute": 1_000_000,
            "project_units_per_minute": 1_000_000,
        }))
        .await;
    let error = |code: u16, reason: &str| json!({"kind": "error", "code": code, "reason": reason});
    let troubles = [
        ("events.*", 0.10, json!({"kind": "lose_answer"})),
        ("events.*", 0.05, json!({"kind": "reset"})),
        ("events.*", 0.05, error(503, "backendError")),
        ("events.*", 0.01, error(403, "userRateLimitExceeded")),
        ("events.*", 0.01, error(412, "conditionNotMet")),
        ("events.*", 0.05, json!({"kind": "latency", "ms": 300})),
        ("token.refresh", 0.10, json!({"kind": "lose_answer"})),
        ("token.refresh", 0.20, error(503, "backendError")),
    ];
    for (number, (operation, probability, fault)) in troubles.into_iter().enumerate() {
        let seed = seed.wrapping_add(number as u64);
        let fault = json!({"operation": operation, "probability": probability, "seed": seed, "fault": fault});
        google.control("faults", fault).await;
    }
}

/// Watches until nothing is to be sent any more.
async fn rest(integrations: &mut Integrations, organisation: &str) {
    let request = WatchStatusRequest { organisation_id: organisation.to_owned() };
    let mut statuses = integrations.watch_status(request).await.unwrap().into_inner();
    loop {
        let message = tokio::time::timeout(REST, statuses.message()).await.expect("it goes on");
        if message.unwrap().unwrap().status.unwrap().counts.unwrap().pending == 0 {
            return;
        }
    }
}

/// Each appointment stands at a revision that was sent and is no older than what was accepted: once at Google, with its
/// content, or not at all where that revision called it off.
async fn verify(ledger: &Ledger, google: &Google, appointments: &mut Appointments) {
    let mut events = Vec::new();
    for (_, account) in ORGANISATIONS {
        events.extend(google.events(account).await);
    }
    let expected: Vec<_> = {
        let records = ledger.records();
        assert_eq!(records.len(), ORGANISATIONS.len() * APPOINTMENTS_EACH, "every appointment was edited");
        records.iter().map(|(key, record)| (key.clone(), record.accepted, record.sent.clone())).collect()
    };
    for ((organisation_id, appointment_id), accepted, sent) in expected {
        let request = GetAppointmentLinkRequest {
            organisation_id: organisation_id.clone(),
            appointment_id: appointment_id.clone(),
        };
        let link = match appointments.get_appointment_link(request).await {
            Ok(response) => response.into_inner().link.unwrap(),
            // The service was down at each of its few edits, as far as anybody was told.
            Err(status) if status.code() == Code::NotFound && accepted == 0 => continue,
            Err(status) => panic!("{organisation_id} {appointment_id}, accepted at {accepted}: {status:?}"),
        };
        assert!(link.revision >= accepted, "{accepted} was accepted, and lost: {link:?}");
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, link.revision), "{link:?}");
        let is_its = |event: &&Value| {
            let properties = &event["extendedProperties"]["private"];
            properties["cassiusAppointmentId"] == appointment_id
                && properties["cassiusOrganisationId"] == organisation_id
        };
        let shown: Vec<_> = events.iter().filter(is_its).map(|event| event["summary"].as_str().unwrap()).collect();
        let wanted = sent[&link.revision].as_ref().map(|patient| format!("[Cassius] Implant — {patient}"));
        assert_eq!(shown, Vec::from_iter(wanted.as_deref()), "{organisation_id} {appointment_id}: {link:?}");
    }
}

fn edits(ledger: &Ledger) -> usize {
    ledger.records().values().map(|record| record.sent.len()).sum()
}

#[expect(clippy::disallowed_methods, reason = "tells a person how long it took; nothing depends on it")]
fn clock() -> Instant {
    Instant::now()
}
