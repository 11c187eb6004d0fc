//! Replicas spend one quota.

use std::time::Duration;

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, WatchStatusRequest};
use jiff::SignedDuration;
use serde_json::json;

use super::Replica;
use super::pooler::PgBouncer;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::database::Database;
use crate::harness::samples::appointment;

/// Units a minute, of ours and of Google's.
const LIMIT: i64 = 20;
/// Of which three come at once, and seventeen a minute flow: half a minute's work for one quota, ten seconds' for two.
const APPOINTMENTS: i32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_take_as_long_as_one_quota_does() {
    let app = start().await;
    let other = Replica::start(&app, &app.clock).await;
    spend_one_quota(app, other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_known_to_the_others_though_a_pooler_lets_it_hear_nothing() {
    let pooler = PgBouncer::start("transaction", 8);
    let mut app = start().await;
    let url = pooler.url(&app.database, "?pooler=transaction");
    let own = app.settings.insert("DATABASE_URL".into(), url).unwrap();
    let other = Replica::start(&app, &app.clock).await;
    app.settings.insert("DATABASE_URL".into(), own);
    // By then whoever heard of nobody takes itself to be alone.
    for _ in 0..4 * 60 {
        pass(&app).await;
    }
    spend_one_quota(app, other).await;
}

async fn start() -> TestApp {
    let settings = [("QUOTA_PROJECT_PER_MINUTE", "20")];
    TestApp::start_with(Database::on_postgres().await, &settings).await
}

/// Lets a quarter of a second pass. The service goes on meanwhile: this decides nothing but how fast simulated time passes. A
/// call that is under way on a slow machine is not jumped over.
async fn pass(app: &TestApp) {
    let _ = tokio::time::timeout(Duration::from_millis(8), std::future::pending::<()>()).await;
    app.google.until_idle().await;
    app.clock.advance(SignedDuration::from_millis(250));
}

/// Sends through both in turn, and asserts that it takes as long as by one quota.
async fn spend_one_quota(mut app: TestApp, other: Replica) {
    app.connect("cabinet").await;
    app.google.settings(json!({"project_units_per_minute": LIMIT})).await;
    for number in 0..APPOINTMENTS {
        let mut appointments = if number % 2 == 0 { app.appointments.clone() } else { other.appointments.clone() };
        let appointment = Some(appointment(&format!("rdv-{number}"), 1));
        let request = SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment, wait: None };
        appointments.sync_appointment(request).await.unwrap();
    }
    let begun = app.clock.now();
    let request = WatchStatusRequest { organisation_id: "cabinet".into() };
    let mut statuses = app.integrations.watch_status(request).await.unwrap().into_inner();
    let time = async {
        loop {
            pass(&app).await;
        }
    };
    let told = async {
        while statuses.message().await.unwrap().unwrap().status.unwrap().counts.unwrap().synced < APPOINTMENTS {}
    };
    tokio::select! {
        told = tokio::time::timeout(BOUND, told) => told.expect("all is sent"),
        () = time => {}
    }
    let took = app.clock.now().duration_since(begun);
    println!("{APPOINTMENTS} appointments took {took:?}");
    let refused =
        app.google.journal().await.iter().filter(|call| matches!(call["status"].as_i64(), Some(403 | 429))).count();
    assert_eq!(refused, 0, "Google refuses nothing");
    assert!(took >= SignedDuration::from_secs(25), "one quota is kept: {took:?}");
    other.app.stop().await;
    app.end().await;
}
