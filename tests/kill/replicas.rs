//! Three replicas on one PostgreSQL: one is killed, one frozen, and the database is restarted.

use std::time::Duration;

use cassius_calendar::clock::Clock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::callers::{self, Ledger, pause};
use super::server::Server;
use super::service::Service;
use super::{ORGANISATIONS, REST, connect, rest, settings, verify};
use crate::harness::app::clients_at;
use crate::harness::database::{number_on_postgres, run_on_postgres};
use crate::harness::google::Google;

/// Units a minute, of ours and of Google's: the work of the test comes near it.
const QUOTA: u32 = 6_000;
/// Notes every lease that is held now.
const NOTE_LEASES: &str = "DROP TABLE IF EXISTS noted_leases;
    CREATE TABLE noted_leases AS SELECT lease_token FROM appointment_external_links WHERE lease_token IS NOT NULL";
/// How many of them are held still: by nobody else, whether they have lapsed or not.
const STILL_HELD: &str = "SELECT COUNT(*) FROM appointment_external_links JOIN noted_leases USING (lease_token)";
/// More than an attempt takes whose process is awake.
const AWAKE: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_three_replicas_accept_stands_at_google_once_whatever_becomes_of_one_or_of_the_database() {
    let server = Server::start();
    let google = Google::start(&Clock::system()).await;
    let limits = json!({"user_units_per_minute": QUOTA, "project_units_per_minute": QUOTA, "latency_ms": 100});
    google.settings(limits).await;
    let mut settings = settings(&server.url(), &google);
    for (name, value) in &mut settings {
        if name.starts_with("QUOTA_") {
            *value = QUOTA.to_string();
        }
    }
    let mut services: [Service; 3] = std::array::from_fn(|_| Service::new(settings.clone()));
    services.iter_mut().for_each(Service::start);
    for service in &services {
        service.serving().await;
    }
    connect(&services[0]).await;

    let (ledger, stop) = (Ledger::default(), CancellationToken::new());
    let keys = callers::keys();
    let mut callers = tokio::task::JoinSet::new();
    for (seed, service) in services.iter().enumerate() {
        callers.spawn(callers::edit(keys.clone(), seed as u64, ledger.clone(), service.addresses(), stop.clone()));
    }
    pause(Duration::from_millis(800)).await;

    // A lease ends by itself alone: whoever is frozen for longer knows by its own clock that it holds none any more.
    let held_past_its_lease = async {
        loop {
            services[1].freeze();
            run_on_postgres(&server.url(), NOTE_LEASES).await;
            let still_held = async || number_on_postgres(&server.url(), STILL_HELD).await > 0;
            pause(AWAKE).await;
            let is_any_its_own = still_held().await;
            if is_any_its_own {
                services[0].kill();
                services[0].start();
            }
            while still_held().await {
                pause(Duration::from_millis(200)).await;
            }
            services[1].go_on();
            if is_any_its_own {
                return;
            }
            pause(Duration::from_millis(300)).await;
        }
    };
    tokio::time::timeout(REST, held_past_its_lease)
        .await
        .expect("it is frozen at work, and others take over what it held");

    server.stop();
    pause(Duration::from_millis(300)).await;
    server.go_on();
    let all_accepted = async {
        let accepted = || ledger.records().values().filter(|record| record.accepted > 0).count();
        while accepted() < keys.len() {
            pause(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(REST, all_accepted).await.expect("every appointment is accepted");
    pause(Duration::from_millis(300)).await;
    stop.cancel();
    callers.join_all().await;

    let at_rest = async {
        for (organisation, _) in ORGANISATIONS {
            let (mut integrations, _) = clients_at(services[2].serving().await.grpc).await;
            rest(&mut integrations, organisation).await;
        }
    };
    let is_at_rest = tokio::time::timeout(REST, at_rest).await.is_ok();
    assert!(is_at_rest, "it does not come to rest:\n{}", services[2].last_words());
    let (_, mut appointments) = clients_at(services[1].serving().await.grpc).await;
    verify(&ledger, &google, &mut appointments).await;
    google.no_event_is_doubled().await;
    let refused =
        google.journal().await.iter().filter(|call| matches!(call["status"].as_i64(), Some(403 | 429))).count();
    assert_eq!(refused, 0, "Google refuses nothing");
    for service in &services {
        let mut defects = service.defects();
        // So it was, and whoever looks at the log has to know.
        defects.retain(|line| !line.contains("the database is away"));
        assert_eq!(defects, [""; 0]);
    }
}
