//! Appointments that are long over: their snapshots are erased, but never what waits to be sent.

use cassius_calendar::grpc::pb::{Appointment, ErrorReason, RetryAppointmentsRequest, SyncNowRequest, SyncStatus};
use serde_json::json;

use super::{enable, reason, until_number};
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, instant};

/// An appointment that was over for 31 days when the test began.
fn old(appointment: Appointment) -> Appointment {
    Appointment {
        start_time: Some(instant("2026-01-29T08:00:00Z")),
        end_time: Some(instant("2026-01-29T08:30:00Z")),
        ..appointment
    }
}

/// Lets a sweep pass: it has once another appointment of the same practice is swept that was over as long.
async fn swept(app: &mut TestApp) {
    app.advance(60);
    let left =
        "SELECT COUNT(*) FROM appointment_external_links WHERE appointment_id = 'landmark' AND snapshot IS NOT NULL";
    let look = async { while app.database.number(left).await > 0 {} };
    tokio::time::timeout(BOUND, look).await.expect("a sweep passes within a minute");
}

/// Waits until the sweep has taken every snapshot.
async fn until_nothing_is_kept(app: &TestApp) {
    let kept = "SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NOT NULL";
    until_number(app, kept, 0).await;
}

/// The event of an old appointment stands at Google, and beside it another one, which the next sweep takes.
async fn with_an_old_event(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", old(appointment("rdv", 1))).await;
    app.sync("cabinet", old(appointment("landmark", 1))).await;
}

#[apply(both_backends)]
async fn a_cancellation_that_google_was_away_for_is_not_swept(app: &mut TestApp) {
    with_an_old_event(app).await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 1800});
    app.google.fault("events.delete", 1, away).await;
    app.accept("cabinet", old(cancelled("rdv", 2))).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
    swept(app).await;
    app.advance(3_600);
    app.at_rest("cabinet").await;
    assert!(app.google.events_of(ACCOUNT, "rdv").await.is_empty());
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
}

#[apply(both_backends)]
async fn what_waits_while_the_grant_is_dead_is_not_swept(app: &mut TestApp) {
    with_an_old_event(app).await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", old(cancelled("rdv", 2))).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    swept(app).await;
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert!(app.google.events_of(ACCOUNT, "rdv").await.is_empty());
}

#[apply(both_backends)]
async fn a_deletion_that_was_refused_or_not_tried_yet_is_not_forgotten_by_the_sweep(app: &mut TestApp) {
    with_an_old_event(app).await;
    app.sync("cabinet", old(appointment("refused", 1))).await;
    let refusal = json!({"kind": "error", "code": 403, "reason": "forbiddenForNonOrganizer"});
    app.google.fault("events.delete", 1, refusal).await;
    assert_eq!(app.sync("cabinet", old(cancelled("refused", 2))).await.sync_status(), SyncStatus::Error);
    enable(app, false).await;
    app.accept("cabinet", old(cancelled("rdv", 2))).await;
    swept(app).await;
    enable(app, true).await;
    app.at_rest("cabinet").await;
    for id in ["rdv", "refused"] {
        assert!(app.google.events_of(ACCOUNT, id).await.is_empty(), "{id}");
    }
}

#[apply(both_backends)]
async fn an_edit_that_was_accepted_while_nothing_was_sent_is_not_forgotten_by_the_sweep(app: &mut TestApp) {
    with_an_old_event(app).await;
    enable(app, false).await;
    let edited = Appointment { patient_name: "Dominique Essai".into(), ..old(appointment("rdv", 2)) };
    assert_eq!(app.accept("cabinet", edited).await.sync_status(), SyncStatus::None);
    swept(app).await;
    enable(app, true).await;
    app.at_rest("cabinet").await;
    let link = app.link("cabinet", "rdv").await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await[0]["summary"], "[Cassius] Implant — Dominique Essai");
    // Google shows it: now it is erased.
    app.advance(60);
    until_nothing_is_kept(app).await;
}

#[apply(both_backends)]
async fn what_is_handed_in_while_nothing_is_sent_is_sent_when_it_is_however_long_it_is_over(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", old(appointment("landmark", 1))).await;
    enable(app, false).await;
    assert_eq!(app.accept("cabinet", old(appointment("rdv", 1))).await.sync_status(), SyncStatus::None);
    swept(app).await;
    enable(app, true).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
    // Google shows it: now it is erased.
    app.advance(60);
    until_nothing_is_kept(app).await;
}

#[apply(both_backends)]
async fn of_a_practice_that_never_began_to_connect_nothing_is_kept_that_is_long_over(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", old(appointment("landmark", 1))).await;
    app.accept("monnier", old(appointment("rdv", 1))).await;
    swept(app).await;
    until_nothing_is_kept(app).await;
}

#[apply(both_backends)]
async fn one_that_was_refused_rests_once_it_is_swept(app: &mut TestApp) {
    with_an_old_event(app).await;
    app.google.fault("events.patch", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    let edited = Appointment { patient_name: "Dominique Essai".into(), ..old(appointment("rdv", 2)) };
    assert_eq!(app.sync("cabinet", edited.clone()).await.sync_status(), SyncStatus::Error);
    swept(app).await;
    let link = app.until_link("cabinet", "rdv", |link| link.sync_status() != SyncStatus::Error).await;
    assert_eq!((link.sync_status(), link.last_error), (SyncStatus::None, None));
    let retry = RetryAppointmentsRequest { organisation_id: "cabinet".into(), ..Default::default() };
    assert_eq!(app.appointments.retry_appointments(retry).await.unwrap().into_inner().queued_count, 0);
    let sync_now = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    assert_eq!(app.integrations.sync_now(sync_now).await.unwrap().into_inner().queued_count, 0);
    // A newer revision is as good as any.
    let link = app.sync("cabinet", Appointment { revision: 3, ..edited }).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 3));
}
