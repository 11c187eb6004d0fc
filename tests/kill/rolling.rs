//! A replica is replaced by one of the next version, which migrates while the one before serves.
//!
//! A binary of the version before is not to be had in a test. Both are this one: the first goes on where the newest migration
//! that it can do without was taken back, as the version before does where it was never applied.

use std::time::Duration;

use cassius_calendar::clock::Clock;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::callers::{self, Ledger, pause};
use super::service::Service;
use super::{ORGANISATIONS, REST, connect, edits, rest, settings, verify};
use crate::harness::app::clients_at;
use crate::harness::database::Database;
use crate::harness::google::Google;

/// Changes what a column says that is there before as well. Who adds a migration whose columns this binary reads leaves this
/// one here, as long as it can be taken back with the new one applied.
const NEWEST: &str = "2026-11-30-000100_erasures_while_off";
const TAKES_IT_BACK: &str = include_str!("../../migrations/postgres/2026-11-30-000100_erasures_while_off/down.sql");
/// How many edits show that they go on.
const SOME: usize = 60;

/// Waits until so many more edits were sent.
async fn go_on(ledger: &Ledger, what: &str) {
    let enough = edits(ledger) + SOME;
    let more = async {
        while edits(ledger) < enough {
            pause(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(REST, more).await.unwrap_or_else(|_| panic!("edits go on {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_while_the_next_version_migrates_and_takes_over_stands_at_google_once() {
    let (database, google) = (Database::on_postgres().await, Google::start(&Clock::system()).await);
    google.settings(json!({"latency_ms": 30})).await;
    let settings = settings(&database.url, &google);
    let [mut old, mut new] = std::array::from_fn(|_| Service::new(settings.clone()));
    old.start();
    connect(&old).await;
    database.run(TAKES_IT_BACK).await;
    let version: String = NEWEST.split('_').next().unwrap().replace('-', "");
    database.run(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'")).await;

    let (ledger, stop, mut callers) = (Ledger::default(), CancellationToken::new(), JoinSet::new());
    let keys = callers::keys();
    for seed in 0..2 {
        callers.spawn(callers::edit(keys.clone(), seed, ledger.clone(), old.addresses(), stop.clone()));
    }
    go_on(&ledger, "before").await;

    new.start();
    new.serving().await;
    assert!(new.has_said(NEWEST), "it has migrated:\n{}", new.last_words());
    go_on(&ledger, "through the old one, on the new tables").await;
    for seed in 2..4 {
        callers.spawn(callers::edit(keys.clone(), seed, ledger.clone(), new.addresses(), stop.clone()));
    }
    go_on(&ledger, "through both").await;

    old.stop();
    go_on(&ledger, "through the new one").await;
    let all_accepted = async {
        while ledger.records().values().filter(|record| record.accepted > 0).count() < keys.len() {
            pause(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(REST, all_accepted).await.expect("every appointment is accepted");
    stop.cancel();
    callers.join_all().await;

    let (mut integrations, mut appointments) = clients_at(new.serving().await.grpc).await;
    for (organisation, _) in ORGANISATIONS {
        rest(&mut integrations, organisation).await;
    }
    verify(&ledger, &google, &mut appointments).await;
    google.no_event_is_doubled().await;
    google.no_two_calls_for_one_event_at_a_time().await;
    for service in [&old, &new] {
        assert_eq!(service.defects(), [""; 0]);
    }
    drop((old, new));
    database.drop().await;
}
