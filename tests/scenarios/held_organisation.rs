//! An organisation whose rows somebody holds: it waits, and nobody waits with it.

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus};
use jiff::SignedDuration;
use serde_json::json;

use super::until_number;
use crate::harness::app::TestApp;
use crate::harness::database::Database;
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, of_patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accepts_and_deliveries_of_others_go_on_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.google.control("accounts", serde_json::json!({"email": "held@example.com"})).await;
    app.connect_as("held", "held@example.com").await;
    app.connect("cabinet").await;
    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    let hold = "SELECT 1 FROM calendar_integrations WHERE organisation_id = 'held' FOR UPDATE";
    transaction.batch_execute(hold).await.unwrap();

    let waiting: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|id| {
            let mut appointments = app.appointments.clone();
            let request = SyncAppointmentRequest {
                organisation_id: "held".into(),
                appointment: Some(appointment(id, 1)),
                wait: None,
            };
            tokio::spawn(async move { appointments.sync_appointment(request).await })
        })
        .collect();
    for revision in 1..=3 {
        let link = app.sync("cabinet", appointment("rdv", revision)).await;
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, revision));
    }
    assert!(waiting.iter().all(|task| !task.is_finished()));

    transaction.commit().await.unwrap();
    for task in waiting {
        let link = task.await.unwrap().unwrap().into_inner().link.unwrap();
        assert_eq!(link.revision, 1);
    }
    app.at_rest("held").await;
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_one_link_is_held_all_other_accepts_go_on_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.google.control("accounts", json!({"email": "held@example.com"})).await;
    app.connect_as("held", "held@example.com").await;
    app.connect("cabinet").await;
    app.sync("held", appointment("held", 1)).await;
    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    let hold = "SELECT 1 FROM appointment_external_links WHERE appointment_id = 'held' FOR UPDATE";
    transaction.batch_execute(hold).await.unwrap();

    let mut appointments = app.appointments.clone();
    let request = SyncAppointmentRequest {
        organisation_id: "held".into(),
        appointment: Some(appointment("held", 2)),
        wait: None,
    };
    let waiting = tokio::spawn(async move { appointments.sync_appointment(request).await });
    assert_eq!(app.accept("cabinet", appointment("rdv", 1)).await.revision, 1);
    assert_eq!(app.accept("held", appointment("other", 1)).await.revision, 1);
    assert!(!waiting.is_finished(), "{:?}", waiting.await);

    transaction.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().into_inner().link.unwrap().revision, 2);
    app.at_rest("held").await;
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_came_to_is_settled_once_it_is_free_and_that_of_others_meanwhile_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.google.control("accounts", json!({"email": "held@example.com"})).await;
    app.connect_as("held", "held@example.com").await;
    app.connect("cabinet").await;
    let insert = app.google.hang("events.insert", true).await;
    app.accept("held", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    let hold = "SELECT 1 FROM calendar_integrations WHERE organisation_id = 'held' FOR UPDATE";
    transaction.batch_execute(hold).await.unwrap();
    app.google.let_go(insert).await;
    // One alone waits for whoever holds it.
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until_number(&app, waiting, 1).await;
    for revision in 1..=3 {
        let link = app.sync("cabinet", appointment("rdv", revision)).await;
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, revision));
    }

    transaction.commit().await.unwrap();
    app.at_rest("held").await;
    assert_eq!(app.link("held", "rdv").await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events("held@example.com").await.len(), 1);
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_made_within_its_lease_though_that_was_long_in_coming_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.connect("cabinet").await;
    app.connect_as("other", OTHER_ACCOUNT).await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.alter_event(ACCOUNT, &event, json!({"colorId": "5"})).await;
    let patch = app.google.hang("events.patch", true).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    app.google.until_called("events.patch", 1).await;

    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    let hold = "SELECT 1 FROM appointment_external_links WHERE organisation_id = 'cabinet' FOR UPDATE";
    transaction.batch_execute(hold).await.unwrap();
    let get = app.google.hang("events.get", false).await;
    // The event is not as it was known: it has to be read, under a lease that goes on.
    app.google.let_go(patch).await;
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until_number(&app, waiting, 1).await;
    // As long as a process that is frozen.
    app.clock.advance(SignedDuration::from_secs(31));
    transaction.commit().await.unwrap();
    app.google.until_called("events.get", 1).await;
    // The worker looks for what is due, and finds this, and nothing of the first one.
    let link = app.sync("other", appointment("rdv", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    app.google.let_go(get).await;
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!((events.len(), &events[0]["summary"]), (1, &json!("[Cassius] Implant — Dominique Essai")));
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}
