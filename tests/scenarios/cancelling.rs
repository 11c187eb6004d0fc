//! Called off before or while the create runs, and scheduled again.

use cassius_calendar::grpc::pb::{ErrorReason, SyncStatus};
use serde_json::json;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

#[apply(both_backends)]
async fn a_cancel_that_comes_while_the_create_runs_wins(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", false).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    app.accept("cabinet", cancelled("rdv", 2)).await;
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.delete"]);
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert!(link.external_event_id.is_empty());
}

#[apply(both_backends)]
async fn a_cancel_finds_the_event_whose_insert_was_never_confirmed(app: &mut TestApp) {
    app.connect("cabinet").await;
    for fault in ["lose_answer", "reset"] {
        app.google.fault("events.insert", 1, json!({"kind": fault})).await;
        app.accept("cabinet", appointment(fault, 1)).await;
        app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
        let link = app.sync("cabinet", cancelled(fault, 2)).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{fault}");
        assert!(app.google.events(ACCOUNT).await.is_empty(), "{fault}");
    }
}

#[apply(both_backends)]
async fn an_appointment_scheduled_again_gets_an_event_of_the_next_generation(app: &mut TestApp) {
    app.connect("cabinet").await;
    let first = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.sync("cabinet", cancelled("rdv", 2)).await;
    let link = app.sync("cabinet", of_patient("rdv", 3, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 3));
    assert_ne!(link.external_event_id, first);
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], link.external_event_id);
    // No call was wasted on an id that is taken for good.
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.delete", "events.insert"]);
}

#[apply(both_backends)]
async fn one_called_off_and_revived_while_the_create_runs_stands_once(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", true).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    app.accept("cabinet", cancelled("rdv", 2)).await;
    app.accept("cabinet", of_patient("rdv", 3, "Dominique Essai")).await;
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai");
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.patch"]);
}

#[apply(both_backends)]
async fn a_cancel_of_what_was_never_known_costs_no_call(app: &mut TestApp) {
    app.connect("cabinet").await;
    let link = app.sync("cabinet", cancelled("rdv", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    assert!(app.google.event_calls().await.is_empty());
}
