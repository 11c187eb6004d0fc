//! The system's clock is corrected by an hour, in either direction.

use cassius_calendar::google::CALL_DEADLINE;
use cassius_calendar::grpc::pb::{EraseAppointmentsRequest, SyncNowRequest, SyncStatus};
use jiff::SignedDuration;
use serde_json::json;

use super::until_number;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};

/// For how many seconds nothing is claimed by a clock that was set forward, where there may be replicas.
const ALL_HAVE_RENEWED: i64 = 15;

/// Google is away for one appointment, which is to be tried again in half an hour.
async fn with_one_that_waits(app: &mut TestApp) {
    app.connect("cabinet").await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 1800});
    app.google.fault("events.insert", 1, away).await;
    app.accept("cabinet", appointment("waits", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
}

#[apply(both_backends)]
async fn set_back_what_waits_is_sent_in_its_time_and_what_is_new_at_once(app: &mut TestApp) {
    with_one_that_waits(app).await;
    app.clock.correct(SignedDuration::from_hours(-1));
    let link = app.sync("cabinet", appointment("new", 1)).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    app.advance(1_800);
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 2);
    let link = app.sync("cabinet", of_patient("new", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
}

#[apply(both_backends)]
async fn set_back_while_nobody_runs_what_waits_is_sent_in_its_time_and_an_edit_at_once(app: &mut TestApp) {
    app.settings.insert("WRITE_SPACING".into(), "1".into());
    app.restart().await;
    with_one_that_waits(app).await;
    app.sync("cabinet", appointment("written", 1)).await;
    app.stop().await;
    app.clock.correct(SignedDuration::from_hours(-1));
    app.restart().await;
    app.accept("cabinet", of_patient("written", 2, "Dominique Essai")).await;
    app.advance(10);
    app.until_link("cabinet", "written", |link| link.synced_revision == 2).await;
    app.advance(1_800);
    app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.synced == 2)).await;
}

#[apply(both_backends)]
async fn set_back_a_problem_ends_with_what_is_sent(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("before", 1)).await;
    app.clock.correct(SignedDuration::from_hours(-2));
    let refused = json!({"kind": "error", "code": 403, "reason": "accountDisabled"});
    app.google.fault("events.insert", 1, refused).await;
    app.accept("cabinet", appointment("refused", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    app.advance(3_700);
    let status = app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.synced == 2)).await;
    assert_eq!(status.problem, None);
    let last_sync_at = status.last_sync_time.unwrap().seconds;
    assert!(last_sync_at <= app.clock.now().as_second(), "what was sent was sent by now");
}

#[apply(both_backends)]
async fn set_forward_a_call_under_way_is_not_made_again_before_it_has_ended(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("owed", 1)).await;
    app.google.hang("events.insert", true).await;
    app.google.hang("events.delete", true).await;
    app.accept("cabinet", appointment("slow", 1)).await;
    app.google.until_called("events.insert", 2).await;
    let request = EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: vec!["owed".into()] };
    let mut appointments = app.appointments.clone();
    let erasing = tokio::spawn(async move { appointments.erase_appointments(request).await });
    app.google.until_called("events.delete", 1).await;
    app.clock.correct(SignedDuration::from_hours(1));
    // The worker looks, finds both, and renews before it rests.
    app.accept("cabinet", appointment("new", 1)).await;
    let now = app.clock.now();
    let now = if app.database.is_postgres() { format!("'{now}'") } else { now.as_microsecond().to_string() };
    let renewed = format!(
        "SELECT COUNT(*) FROM appointment_external_links WHERE appointment_id = 'slow' AND lease_until > {now}"
    );
    until_number(app, &renewed, 1).await;
    app.advance(ALL_HAVE_RENEWED);
    app.until_link("cabinet", "new", |link| link.sync_status() == SyncStatus::Synced).await;
    app.google.no_two_calls_for_one_event_at_a_time().await;
    app.advance(i64::try_from(CALL_DEADLINE.as_secs()).unwrap());
    app.google.until_idle().await;
    erasing.await.unwrap().unwrap();
    app.advance(60);
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}

#[apply(both_backends)]
async fn set_forward_what_waits_is_sent_within_a_look(app: &mut TestApp) {
    with_one_that_waits(app).await;
    app.clock.correct(SignedDuration::from_hours(1));
    // Where there may be replicas, each is given time to say what it holds.
    app.advance(if app.database.is_postgres() { 5 + ALL_HAVE_RENEWED } else { 5 });
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 1);
}

async fn the_quota_grows_on(app: &mut TestApp, set_back: SignedDuration) {
    app.settings.insert("QUOTA_USER_PER_MINUTE".into(), "60".into());
    app.restart().await;
    app.connect("cabinet").await;
    // A burst of three units at most; the others wait for the quota.
    for number in 0..6 {
        app.accept("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.synced > 0)).await;
    app.clock.correct(-set_back);
    let seconds = app.seconds_to_rest("cabinet").await;
    assert!(seconds < 20, "three more grow in a few seconds: {seconds}");
    assert_eq!(app.google.events(ACCOUNT).await.len(), 6);
}

#[apply(both_backends)]
async fn set_back_the_quota_grows_on(app: &mut TestApp) {
    the_quota_grows_on(app, SignedDuration::from_hours(1)).await;
}

#[apply(both_backends)]
async fn set_back_by_less_than_a_minute_the_quota_grows_on(app: &mut TestApp) {
    the_quota_grows_on(app, SignedDuration::from_secs(40)).await;
}

#[apply(both_backends)]
async fn set_back_a_comparison_looks_at_what_was_sent_just_before(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.clock.correct(SignedDuration::from_hours(-1));
    app.google.delete_event(ACCOUNT, &event, "cancelled").await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
    app.google.until_called("events.insert", 2).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}
