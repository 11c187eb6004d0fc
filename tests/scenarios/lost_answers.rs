//! Google did what it was asked, and the answer never came.

use cassius_calendar::google::CALL_DEADLINE;
use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState, SyncStatus};
use serde_json::json;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

/// Longer than the first delay after a failure.
const FIRST_DELAY: i64 = 2;

/// One event stands, and it shows the appointment with this patient.
async fn shows(app: &TestApp, patient: &str) {
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["summary"], format!("[Cassius] Implant — {patient}"));
}

/// Waits until the last attempt has failed for want of an answer, and lets the next one be made.
async fn tries_again(app: &mut TestApp) {
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    assert_eq!(status.state(), IntegrationState::Connected, "Google being away is a delay, not an error");
    assert!(status.problem.unwrap().retry_time.is_some());
    app.google.until_idle().await;
    app.advance(FIRST_DELAY);
    app.at_rest("cabinet").await;
}

#[apply(both_backends)]
async fn an_insert_whose_answer_was_lost_is_found_and_adopted(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "lose_answer"})).await;
    let accepted = app.accept("cabinet", appointment("rdv", 1)).await;
    assert_eq!(accepted.sync_status(), SyncStatus::Pending);
    tries_again(app).await;
    shows(app, "Camille Exemple").await;
    let calls = ["events.insert", "events.insert", "events.get", "events.patch"];
    assert_eq!(app.google.event_calls().await, calls);
    let link = app.link("cabinet", "rdv").await;
    assert_eq!(link.external_event_id, app.google.events(ACCOUNT).await[0]["id"].as_str().unwrap());
    assert!(!link.html_link.is_empty());
}

#[apply(both_backends)]
async fn an_insert_that_never_arrived_is_made_again_under_the_same_id(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "reset"})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    tries_again(app).await;
    shows(app, "Camille Exemple").await;
    let inserts = app.google.journal().await;
    let ids: Vec<_> = inserts.iter().filter(|call| call["operation"] == "events.insert").collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0]["event_id"], ids[1]["event_id"]);
}

#[apply(both_backends)]
async fn an_insert_that_hangs_is_given_up_and_found_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.hang("events.insert", true).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    app.advance(i64::try_from(CALL_DEADLINE.as_secs()).unwrap());
    tries_again(app).await;
    shows(app, "Camille Exemple").await;
}

#[apply(both_backends)]
async fn the_id_outlives_a_restart_between_the_call_and_its_answer(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    app.restart().await;
    app.advance(FIRST_DELAY);
    app.at_rest("cabinet").await;
    shows(app, "Camille Exemple").await;
}

#[apply(both_backends)]
async fn the_next_id_too_is_stored_before_the_call_that_creates_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.delete_event(ACCOUNT, &before, "gone").await;
    app.google.forget_journal().await;
    let hanging = app.google.hang("events.insert", true).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    app.google.until_called("events.insert", 1).await;
    // A process that ends here has left an event behind: who calls the appointment off next has to know which.
    let stored = app.link("cabinet", "rdv").await.external_event_id;
    assert_ne!(stored, before, "the id of the call that is under way is not stored");
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    shows(app, "Dominique Essai").await;
    assert_eq!(app.google.events(ACCOUNT).await[0]["id"], stored);
}

#[apply(both_backends)]
async fn a_newer_edit_lands_though_the_answer_to_the_insert_was_lost(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    let link = app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    shows(app, "Dominique Essai").await;
}

#[apply(both_backends)]
async fn a_patch_whose_answer_was_lost_ends_with_the_right_content(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.google.fault("events.patch", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    tries_again(app).await;
    shows(app, "Dominique Essai").await;
    // Back to what was confirmed last: the lost patch is not forgotten.
    app.google.fault("events.patch", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", of_patient("rdv", 3, "Alix Essai")).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    app.sync("cabinet", of_patient("rdv", 4, "Dominique Essai")).await;
    shows(app, "Dominique Essai").await;
}

#[apply(both_backends)]
async fn a_delete_whose_answer_was_lost_is_over_when_the_event_is_gone(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    app.google.fault("events.delete", 1, json!({"kind": "lose_answer"})).await;
    app.accept("cabinet", cancelled("rdv", 2)).await;
    tries_again(app).await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert!(link.external_event_id.is_empty() && link.last_error.is_none());
}
