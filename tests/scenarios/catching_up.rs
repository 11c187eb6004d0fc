//! Catching up is one rule: what was never sent or was refused joins what is under way, whoever asks.

use cassius_calendar::grpc::pb::{
    DisconnectRequest, IntegrationSettings, IntegrationStatus, RemoteEvents, SyncNowRequest, SyncNowResponse,
    SyncStatus, TitlePrivacy, UpdateSettingsRequest,
};
use prost_types::FieldMask;
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, cancelled};

async fn set(app: &mut TestApp, settings: IntegrationSettings, path: &str) -> IntegrationStatus {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(settings),
        update_mask: Some(FieldMask { paths: vec![path.into()] }),
    };
    app.integrations.update_settings(request).await.unwrap().into_inner().status.unwrap()
}

async fn enable(app: &mut TestApp, is_enabled: bool) {
    set(app, IntegrationSettings { is_enabled, ..IntegrationSettings::default() }, "is_enabled").await;
}

async fn sync_now(app: &mut TestApp) -> SyncNowResponse {
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap().into_inner()
}

/// `ids` are kept before the first connection, then caught up; Google is away for one of them, and the others are done.
async fn with_one_that_waits(app: &mut TestApp, ids: &[&str]) {
    for id in ids {
        app.accept("cabinet", appointment(id, 1)).await;
    }
    app.connect("cabinet").await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 3600});
    app.google.fault("events.insert", 1, away).await;
    assert_eq!(usize::try_from(sync_now(app).await.queued_count), Ok(ids.len()));
    let others = i32::try_from(ids.len()).unwrap() - 1;
    app.until("cabinet", |status| status.catch_up.is_some_and(|it| it.done == others)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
}

#[apply(both_backends)]
async fn what_waits_while_the_sync_is_off_names_no_time_and_keeps_no_caller(app: &mut TestApp) {
    with_one_that_waits(app, &["a"]).await;
    app.advance(3_600);
    enable(app, false).await;
    // The clock stands still: whoever waited would wait for ever.
    for link in [app.sync("cabinet", appointment("a", 1)).await, app.link("cabinet", "a").await] {
        assert_eq!((link.sync_status(), link.next_attempt_time), (SyncStatus::Pending, None));
    }
    enable(app, true).await;
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 1);
}

#[apply(both_backends)]
async fn what_was_stored_while_off_joins_the_catch_up_that_is_under_way(app: &mut TestApp) {
    with_one_that_waits(app, &["a", "b"]).await;
    enable(app, false).await;
    assert_eq!(app.accept("cabinet", appointment("c", 1)).await.sync_status(), SyncStatus::None);
    assert_eq!(app.status("cabinet").await.counts.unwrap().unsent, 1);
    enable(app, true).await;
    let status = app.at_rest("cabinet").await;
    let counts = status.counts.unwrap();
    assert_eq!((counts.synced, counts.unsent, status.catch_up), (3, 0, None));
    assert_eq!(sync_now(app).await.queued_count, 0, "all is well");
}

#[apply(both_backends)]
async fn a_second_wish_makes_due_what_waits_for_another_attempt(app: &mut TestApp) {
    with_one_that_waits(app, &["a", "b"]).await;
    let status = sync_now(app).await;
    assert_eq!(status.queued_count, 1);
    // The clock stands still: it would not have been due by itself.
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 2);
}

#[apply(both_backends)]
async fn privacy_that_changes_while_off_is_shown_once_it_is_on(app: &mut TestApp) {
    with_one_that_waits(app, &["a", "b"]).await;
    enable(app, false).await;
    let masked = IntegrationSettings { title_privacy: TitlePrivacy::Masked.into(), ..IntegrationSettings::default() };
    set(app, masked, "title_privacy").await;
    app.accept("cabinet", appointment("c", 1)).await;
    enable(app, true).await;
    sync_now(app).await;
    app.at_rest("cabinet").await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event["summary"] == "[Cassius] Rendez-vous"), "{events:#?}");
}

#[apply(both_backends)]
async fn an_account_exchanged_in_the_middle_leaves_nothing_unsent(app: &mut TestApp) {
    with_one_that_waits(app, &["a", "b", "c", "d", "e"]).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    let status = app.at_rest("cabinet").await;
    let counts = status.counts.unwrap();
    assert_eq!((counts.synced, counts.error, counts.unsent), (5, 0, 0));
    assert_eq!(app.google.events(OTHER_ACCOUNT).await.len(), 5);
}

#[apply(both_backends)]
async fn connecting_again_sends_what_was_kept_and_the_first_time_waits_for_a_word(app: &mut TestApp) {
    app.accept("cabinet", appointment("a", 1)).await;
    app.accept("cabinet", cancelled("called off", 1)).await;
    app.connect("cabinet").await;
    app.worker_looks().await;
    let counts = app.status("cabinet").await.counts.unwrap();
    assert_eq!((counts.unsent, counts.pending, counts.synced), (1, 0, 0));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 0);

    let keep = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::Keep.into() };
    app.integrations.disconnect(keep).await.unwrap();
    app.accept("cabinet", appointment("b", 1)).await;
    app.connect("cabinet").await;
    let counts = app.at_rest("cabinet").await.counts.unwrap();
    assert_eq!((counts.unsent, counts.synced), (0, 3));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}
