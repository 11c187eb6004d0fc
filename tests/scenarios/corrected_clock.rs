//! The system's clock is corrected by an hour, in either direction.

use cassius_calendar::grpc::pb::{SyncNowRequest, SyncStatus};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};

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
async fn set_forward_what_waits_is_sent_within_a_look(app: &mut TestApp) {
    with_one_that_waits(app).await;
    app.clock.correct(SignedDuration::from_hours(1));
    app.advance(5);
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 1);
}

#[apply(both_backends)]
async fn set_back_the_quota_grows_on(app: &mut TestApp) {
    app.settings.insert("QUOTA_USER_PER_MINUTE".into(), "60".into());
    app.restart().await;
    app.connect("cabinet").await;
    // A burst of three units at most; the others wait for the quota.
    for number in 0..6 {
        app.accept("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.synced > 0)).await;
    app.clock.correct(SignedDuration::from_hours(-1));
    let seconds = app.seconds_to_rest("cabinet").await;
    assert!(seconds < 60, "the quota of a minute is enough for six");
    assert_eq!(app.google.events(ACCOUNT).await.len(), 6);
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
