//! `SyncNow`: everything in error, pending, or never sent is due now.

use cassius_calendar::grpc::pb::{IntegrationState, SyncNowRequest, SyncNowResponse, SyncStatus};
use serde_json::json;
use tonic::{Code, Status};

use super::update_settings::{choose, enable};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled};
use crate::wire::refused::refused;

async fn sync_now(app: &mut TestApp) -> Result<SyncNowResponse, Status> {
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.map(tonic::Response::into_inner)
}

#[apply(both_backends)]
async fn what_was_stored_before_the_connection_is_sent(app: &mut TestApp) {
    for id in ["a", "b"] {
        assert_eq!(app.accept("cabinet", appointment(id, 1)).await.sync_status(), SyncStatus::None);
    }
    app.accept("cabinet", cancelled("never", 1)).await;
    app.connect("cabinet").await;
    let answer = sync_now(app).await.unwrap();
    let status = answer.status.unwrap();
    assert_eq!(status.state(), IntegrationState::Connected);
    let total = status.catch_up.map(|it| it.total);
    assert_eq!((answer.queued_count, total), (2, Some(2)), "what was called off before has nothing to send");
    let counts = app.at_rest("cabinet").await.counts.unwrap();
    assert_eq!((counts.synced, counts.error, counts.upcoming_events), (3, 0, 2));
    assert_eq!(
        app.google.event_calls().await,
        ["events.insert", "events.insert"],
        "what was never there needs no call"
    );
    assert_eq!(sync_now(app).await.unwrap().queued_count, 0, "all is well: there is nothing to queue");
}

#[apply(both_backends)]
async fn what_stands_in_error_or_waits_is_due_now_and_what_is_synced_is_left_alone(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("synced", 1)).await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    assert_eq!(app.sync("cabinet", appointment("refused", 1)).await.sync_status(), SyncStatus::Error);
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 3600});
    app.google.fault("events.insert", 1, away).await;
    app.accept("cabinet", appointment("waiting", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    app.google.forget_journal().await;
    assert_eq!(sync_now(app).await.unwrap().queued_count, 2);
    // The clock stands still: nothing would have been due by itself.
    let status = app.at_rest("cabinet").await;
    assert_eq!(status.counts.unwrap().synced, 3);
    assert_eq!(status.problem, None);
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.insert"]);
}

#[apply(both_backends)]
async fn a_second_call_joins_the_catch_up_that_is_under_way(app: &mut TestApp) {
    for id in ["a", "b", "c"] {
        app.accept("cabinet", appointment(id, 1)).await;
    }
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "hang"})).await;
    // It answers at once, though Google does not answer at all.
    let first = sync_now(app).await.unwrap();
    assert_eq!((first.queued_count, first.status.unwrap().catch_up.unwrap().total), (3, 3));
    app.until("cabinet", |status| status.catch_up.is_some_and(|it| it.done == 2)).await;
    let second = sync_now(app).await.unwrap();
    let catch_up = second.status.unwrap().catch_up.unwrap();
    assert_eq!((second.queued_count, catch_up.total, catch_up.done), (0, 3, 2));
    app.google.no_more_faults().await;
    assert_eq!(app.at_rest("cabinet").await.catch_up, None);
    assert_eq!(app.google.event_calls().await, ["events.insert"; 3]);
}

#[apply(both_backends)]
async fn one_that_google_refuses_counts_as_failed_and_the_others_go_on(app: &mut TestApp) {
    for id in ["a", "b", "c"] {
        app.accept("cabinet", appointment(id, 1)).await;
    }
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    app.google
        .control("faults", json!({"operation": "events.insert", "skip": 1, "times": 1, "fault": {"kind": "hang"}}))
        .await;
    sync_now(app).await.unwrap();
    let wanted = |it: cassius_calendar::grpc::pb::CatchUp| (it.done, it.failed) == (1, 1);
    app.until("cabinet", |status| status.catch_up.is_some_and(wanted)).await;
    app.google.no_more_faults().await;
    let counts = app.at_rest("cabinet").await.counts.unwrap();
    assert_eq!((counts.synced, counts.error), (2, 1));
}

#[apply(both_backends)]
async fn it_is_refused_where_nothing_could_be_sent(app: &mut TestApp) {
    refused(sync_now(app).await, Code::FailedPrecondition, "NOT_CONNECTED");
    app.connect("cabinet").await;
    choose(app, SECOND_CALENDAR).await.unwrap();
    app.google.delete_calendar(SECOND_CALENDAR).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.until("cabinet", |status| status.state() == IntegrationState::Error).await;
    refused(sync_now(app).await, Code::FailedPrecondition, "CALENDAR_UNAVAILABLE");
    choose(app, ACCOUNT).await.unwrap();
    app.at_rest("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("rdv", 2)).await;
    app.accept("cabinet", appointment("other", 1)).await;
    app.until("cabinet", |status| status.state() == IntegrationState::Error).await;
    refused(sync_now(app).await, Code::FailedPrecondition, "RECONNECT_REQUIRED");
}

#[apply(both_backends)]
async fn a_disabled_integration_queues_nothing(app: &mut TestApp) {
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.connect("cabinet").await;
    enable(app, false).await;
    assert_eq!(sync_now(app).await.unwrap().queued_count, 0);
    assert_eq!(app.link("cabinet", "rdv").await.sync_status(), SyncStatus::None);
    assert!(app.google.event_calls().await.is_empty());
}
