//! Edits at once, out of order, and while a call is under way.

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus};
use futures_util::future::join_all;

use super::enable;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

#[apply(both_backends)]
async fn an_older_revision_that_comes_late_changes_nothing(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", of_patient("rdv", 5, "Patient 5")).await;
    for late in [cancelled("rdv", 4), of_patient("rdv", 1, "Patient 1"), of_patient("rdv", 5, "Another Patient")] {
        let link = app.sync("cabinet", late).await;
        assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Synced, 5, 5));
    }
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Patient 5");
    assert_eq!(app.google.event_calls().await, ["events.insert"]);
}

#[apply(both_backends)]
async fn the_highest_of_many_revisions_at_once_wins(app: &mut TestApp) {
    app.connect("cabinet").await;
    // Every revision from 1 to 60, none in its place: 37 has no common factor with 61.
    let revisions = (1..=60).map(|number| number * 37 % 61);
    let accepts = revisions.map(|revision| {
        let mut appointments = app.appointments.clone();
        async move {
            let request = SyncAppointmentRequest {
                organisation_id: "cabinet".into(),
                appointment: Some(of_patient("rdv", revision, &format!("Patient {revision}"))),
                wait: None,
            };
            let link = appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap();
            assert!(link.revision >= revision);
        }
    });
    join_all(accepts).await;
    app.at_rest("cabinet").await;
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.revision, link.synced_revision), (60, 60));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Patient 60");
}

#[apply(both_backends)]
async fn an_edit_made_while_a_call_is_under_way_stays_due(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", false).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("events.insert", 1).await;
    let link = app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.revision), (SyncStatus::Pending, 2));
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Dominique Essai");
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.patch"]);
}

#[apply(both_backends)]
async fn an_edit_made_while_a_call_fails_stays_due(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, serde_json::json!({"kind": "error", "code": 400, "reason": "invalid"})).await;
    let hanging = app.google.hang("token.refresh", false).await;
    app.google.expire_tokens(ACCOUNT).await;
    app.advance(3_600);
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.google.until_called("token.refresh", 1).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Dominique Essai");
}

#[apply(both_backends)]
async fn a_hundred_quick_edits_cost_two_calls_at_most(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", false).await;
    for revision in 1..=100 {
        app.accept("cabinet", of_patient("rdv", revision, &format!("Patient {revision}"))).await;
    }
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.patch"]);
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Patient 100");
}

#[apply(both_backends)]
async fn what_shows_the_same_costs_no_call(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    let link = app.sync("cabinet", appointment("rdv", 2)).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert_eq!(app.google.event_calls().await, ["events.insert"]);
}

#[apply(both_backends)]
async fn what_is_created_and_cancelled_before_it_was_sent_costs_no_call(app: &mut TestApp) {
    app.connect("cabinet").await;
    enable(app, false).await;
    let link = app.accept("cabinet", appointment("rdv", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::None);
    app.accept("cabinet", cancelled("rdv", 2)).await;
    app.accept("cabinet", appointment("other", 1)).await;
    enable(app, true).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.event_calls().await, ["events.insert"], "the other one's");
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
}
