//! `grpc.health.v1`, for each service.

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::callers::bare;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};

const NAMES: [&str; 3] = ["", "cassius.calendar.v1.CalendarIntegration", "cassius.calendar.v1.AppointmentSync"];

#[apply(both_backends)]
async fn probes_need_no_key_and_are_told_of_each_service(app: &mut TestApp) {
    let mut health = HealthClient::new(bare(app).await.channel);
    for name in NAMES {
        // The first word is given right after the start; a watch tells it whenever it comes.
        let request = HealthCheckRequest { service: name.into() };
        let mut standing = health.watch(request.clone()).await.unwrap().into_inner();
        while standing.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        assert_eq!(health.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving, "{name}");
    }
    let unknown = HealthCheckRequest { service: "cassius.calendar.v1.Other".into() };
    assert_eq!(health.check(unknown).await.unwrap_err().code(), Code::NotFound);
}

#[apply(both_backends)]
async fn a_stop_says_not_serving_first_and_ends_the_watches(app: &mut TestApp) {
    let mut health = HealthClient::new(bare(app).await.channel);
    let mut watches = Vec::new();
    for name in NAMES {
        let request = HealthCheckRequest { service: name.into() };
        let mut standing = health.watch(request).await.unwrap().into_inner();
        while standing.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        watches.push(standing);
    }
    app.stop().await;
    for mut standing in watches {
        assert_eq!(standing.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert!(!matches!(standing.message().await, Ok(Some(_))), "the watch has ended");
    }
}
