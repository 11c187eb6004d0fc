//! `WatchStatus`: the present status first, then each change.

use cassius_calendar::grpc::pb::{IntegrationState, IntegrationStatus, WatchStatusRequest, WatchStatusResponse};
use serde_json::json;
use tonic::{Code, Streaming};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;
use crate::wire::refused::read;

async fn watch(app: &mut TestApp, organisation: &str) -> Streaming<WatchStatusResponse> {
    let request = WatchStatusRequest { organisation_id: organisation.into() };
    app.integrations.watch_status(request).await.unwrap().into_inner()
}

async fn next(statuses: &mut Streaming<WatchStatusResponse>) -> IntegrationStatus {
    statuses.message().await.unwrap().unwrap().status.unwrap()
}

#[apply(both_backends)]
async fn it_tells_the_present_status_and_then_each_change(app: &mut TestApp) {
    let mut statuses = watch(app, "cabinet").await;
    assert_eq!(next(&mut statuses).await, app.status("cabinet").await);
    app.connect("cabinet").await;
    let status = next(&mut statuses).await;
    assert_eq!(status.state(), IntegrationState::Connected);
    app.sync("cabinet", appointment("rdv", 1)).await;
    // Changes that follow each other closely may be told as one.
    loop {
        let counts = next(&mut statuses).await.counts.unwrap();
        if (counts.synced, counts.pending) == (1, 0) {
            break;
        }
    }
}

#[apply(both_backends)]
async fn every_watcher_is_told_and_none_of_another_organisation(app: &mut TestApp) {
    let (mut one, mut two) = (watch(app, "cabinet").await, watch(app, "cabinet").await);
    let mut other = watch(app, "voisin").await;
    for statuses in [&mut one, &mut two, &mut other] {
        assert_eq!(next(statuses).await.state(), IntegrationState::NotConnected);
    }
    app.connect("cabinet").await;
    for statuses in [&mut one, &mut two] {
        assert_eq!(next(statuses).await.state(), IntegrationState::Connected);
    }
    app.connect("voisin").await;
    // The first change that the neighbour is told of is its own.
    assert_eq!(next(&mut other).await.state(), IntegrationState::Connected);
}

#[apply(both_backends)]
async fn the_progress_of_a_catch_up_is_among_the_changes(app: &mut TestApp) {
    for id in ["a", "b", "c"] {
        app.accept("cabinet", appointment(id, 1)).await;
    }
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "hang"})).await;
    let mut statuses = watch(app, "cabinet").await;
    next(&mut statuses).await;
    let request =
        cassius_calendar::grpc::pb::SyncNowRequest { organisation_id: "cabinet".into(), ..Default::default() };
    app.integrations.sync_now(request).await.unwrap();
    loop {
        if let Some(catch_up) = next(&mut statuses).await.catch_up {
            assert_eq!((catch_up.total, catch_up.failed), (3, 0));
            if catch_up.done == 2 {
                break;
            }
        }
    }
    app.google.no_more_faults().await;
    loop {
        let status = next(&mut statuses).await;
        if status.catch_up.is_none() {
            assert_eq!(status.counts.unwrap().synced, 3);
            break;
        }
    }
}

#[apply(both_backends)]
async fn a_watcher_is_told_to_come_again_when_the_service_drains(app: &mut TestApp) {
    let mut statuses = watch(app, "cabinet").await;
    next(&mut statuses).await;
    app.stop().await;
    let status = statuses.message().await.unwrap_err();
    read(&status, Code::Unavailable, "DRAINING");
}
