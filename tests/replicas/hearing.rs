//! What one replica does is known to those who wait at another.

use cassius_calendar::grpc::pb::{
    GetStatusRequest, IntegrationState, IntegrationStatus, SyncAppointmentRequest, SyncStatus, WatchStatusRequest,
    WatchStatusResponse,
};
use jiff::SignedDuration;
use tonic::Streaming;

use super::Replica;
use crate::harness::app::{BOUND, Integrations, TestApp};
use crate::harness::database::{Database, run_on_postgres, server};
use crate::harness::samples::appointment;

/// The connections that listen.
const LISTENING: &str =
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
/// Cuts them.
const CUT: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LISTEN%'";

async fn watch(integrations: &mut Integrations) -> Streaming<WatchStatusResponse> {
    let request = WatchStatusRequest { organisation_id: "cabinet".into() };
    integrations.watch_status(request).await.unwrap().into_inner()
}

async fn next(statuses: &mut Streaming<WatchStatusResponse>) -> IntegrationStatus {
    let next = tokio::time::timeout(BOUND, statuses.message()).await.expect("the stream tells of the change");
    next.unwrap().unwrap().status.unwrap()
}

async fn until(statuses: &mut Streaming<WatchStatusResponse>, is_wanted: impl Fn(&IntegrationStatus) -> bool) {
    while !is_wanted(&next(statuses).await) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_is_told_within_a_moment_of_what_another_replica_did() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    let mut other = Replica::start(&app, &app.clock).await;
    let mut statuses = watch(&mut other.integrations).await;
    assert_eq!(next(&mut statuses).await.state(), IntegrationState::NotConnected);
    app.connect("cabinet").await;
    assert_eq!(next(&mut statuses).await.state(), IntegrationState::Connected);
    // Nobody waits for a poll: the clock stands still.
    app.accept("cabinet", appointment("rdv", 1)).await;
    until(&mut statuses, |status| status.counts.is_some_and(|counts| counts.synced == 1)).await;

    // The clock stands still, so that nothing is found by looking now and then.
    app.database.run(CUT).await;
    until_listening(&app, 2).await;
    app.accept("cabinet", appointment("rdv-2", 1)).await;
    until(&mut statuses, |status| status.counts.is_some_and(|counts| counts.synced == 2)).await;
    other.app.stop().await;
    app.end().await;
}

async fn until_listening(app: &TestApp, count: i64) {
    let look = async { while app.database.number(LISTENING).await != count {} };
    tokio::time::timeout(BOUND, look).await.expect("the replicas listen again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_with_the_delivery_whichever_replica_made_it() {
    // The clock stands still, and no quota grows again.
    let settings = [("QUOTA_USER_PER_MINUTE", "100000"), ("QUOTA_PROJECT_PER_MINUTE", "100000")];
    let mut app = TestApp::start_with(Database::on_postgres().await, &settings).await;
    let others = [Replica::start(&app, &app.clock).await, Replica::start(&app, &app.clock).await];
    app.connect("cabinet").await;
    let mut waits = tokio::task::JoinSet::new();
    for number in 0..45 {
        let mut appointments = match number % 3 {
            0 => app.appointments.clone(),
            replica => others[replica - 1].appointments.clone(),
        };
        let request = SyncAppointmentRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(appointment(&format!("rdv-{number}"), 1)),
            wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        };
        waits.spawn(async move { appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap() });
    }
    // The clock stands still: no wait ends because its time is up.
    let answers = tokio::time::timeout(BOUND, waits.join_all()).await.expect("every wait ends");
    assert!(answers.iter().all(|link| link.sync_status() == SyncStatus::Synced), "{answers:?}");
    for other in others {
        other.app.stop().await;
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_cannot_listen_looks_now_and_then() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    let mut other = Replica::start(&app, &app.clock).await;
    let mut statuses = watch(&mut other.integrations).await;
    next(&mut statuses).await;
    until_listening(&app, 2).await;
    // Each has the connections that it needs by now, and gets no more.
    let looks = (0..32).map(|number| {
        let mut integrations = if number % 2 == 0 { app.integrations.clone() } else { other.integrations.clone() };
        async move { integrations.get_status(GetStatusRequest { organisation_id: "cabinet".into() }).await.unwrap() }
    });
    futures_util::future::join_all(looks).await;
    let name = app.database.name();
    run_on_postgres(&server(), &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
    );
    run_on_postgres(&server(), &cut).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let told = until(&mut statuses, |status| status.counts.is_some_and(|counts| counts.unsent == 1));
    let time = async {
        loop {
            tokio::task::yield_now().await;
            app.clock.advance(SignedDuration::from_secs(1));
        }
    };
    tokio::select! {
        () = told => {}
        () = time => {}
    }
    run_on_postgres(&server(), &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    other.app.stop().await;
    app.end().await;
}
