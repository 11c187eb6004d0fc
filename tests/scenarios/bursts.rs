//! A burst of edits of one appointment: the first is written at once, the others together.

use super::with_plenty_of_quota;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};
use cassius_calendar::grpc::pb::SyncStatus;
use jiff::SignedDuration;

/// An appointment is written, and a second has to pass before it is written again.
async fn just_written(app: &mut TestApp) {
    app.settings.insert("WRITE_SPACING".into(), "1".into());
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
}

async fn events_of_the_account(app: &TestApp) -> Vec<String> {
    let mut calls = app.google.calls_of(ACCOUNT).await;
    calls.retain(|call| call.starts_with("events."));
    calls
}

#[apply(both_backends)]
async fn a_hundred_edits_after_a_write_are_written_once(app: &mut TestApp) {
    just_written(app).await;
    for revision in 2..=100 {
        let link = app.accept("cabinet", of_patient("rdv", revision, &format!("Patient {revision}"))).await;
        assert_eq!(link.sync_status(), SyncStatus::Pending);
    }
    app.worker_looks().await;
    assert_eq!(events_of_the_account(app).await, ["events.insert"]);
    app.advance(1);
    app.at_rest("cabinet").await;
    assert_eq!(events_of_the_account(app).await, ["events.insert", "events.patch"]);
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Patient 100");
}

#[apply(both_backends)]
async fn edits_that_go_on_cost_a_write_a_second(app: &mut TestApp) {
    just_written(app).await;
    app.google.forget_journal().await;
    for revision in 2..=41 {
        app.accept("cabinet", of_patient("rdv", revision, &format!("Patient {revision}"))).await;
        app.clock.advance(SignedDuration::from_millis(100));
    }
    app.advance(1);
    app.at_rest("cabinet").await;
    let writes = app.google.event_calls().await;
    assert!((1..=6).contains(&writes.len()), "four seconds of edits: {writes:?}");
    assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], "[Cassius] Implant — Patient 41");
}

#[apply(both_backends)]
async fn neither_a_cancellation_nor_a_lone_edit_waits(app: &mut TestApp) {
    just_written(app).await;
    // The clock stands still: what waits is never settled.
    let link = app.sync("cabinet", cancelled("rdv", 2)).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert!(app.google.events(ACCOUNT).await.is_empty());
    app.advance(1);
    let link = app.sync("cabinet", of_patient("rdv", 3, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 3));
}

#[apply(both_backends)]
async fn what_waits_for_its_second_is_written_then_though_another_call_hangs(app: &mut TestApp) {
    just_written(app).await;
    app.accept("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    let hanging = app.google.hang("events.insert", false).await;
    app.accept("cabinet", appointment("autre", 1)).await;
    app.google.until_called("events.insert", 2).await;
    // The worker waits for the hanging call, and for what becomes due before it would look by itself.
    app.advance(1);
    app.google.until_called("events.patch", 1).await;
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}
