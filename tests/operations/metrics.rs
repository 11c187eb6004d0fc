//! What Prometheus is served.

use cassius_calendar::config::SETTINGS;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{GetStatusRequest, SyncAppointmentRequest};
use cassius_calendar::metrics::METRICS;
use tonic::transport::Channel;

use super::process::{Process, settings, with};
use crate::harness::samples::appointment;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted_under_names_that_are_described_and_nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &with(&settings(), &[("METRICS_ADDR", "127.0.0.1:0")]), folder.path());
    let line = process.errors.wait_for("serving metrics");
    let at = line.rsplit('=').next().unwrap().to_owned();
    let (grpc, _) = process.addresses();
    let channel = Channel::from_shared(format!("http://{grpc}")).unwrap().connect().await.unwrap();
    let organisation_id = "cabinet-canari".to_owned();
    let request = GetStatusRequest { organisation_id: organisation_id.clone() };
    CalendarIntegrationClient::new(channel.clone()).get_status(request).await.unwrap();
    let request =
        SyncAppointmentRequest { organisation_id, appointment: Some(appointment("rdv-canari", 1)), wait: None };
    AppointmentSyncClient::new(channel.clone()).sync_appointment(request).await.unwrap();
    let invalid = GetStatusRequest { organisation_id: String::new() };
    CalendarIntegrationClient::new(channel).get_status(invalid).await.unwrap_err();

    let text = reqwest::get(format!("http://{at}/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        "cassius_calendar_calls_total{method=\"cassius.calendar.v1.CalendarIntegration/GetStatus\",code=\"OK\"} 1",
        "cassius_calendar_calls_total{method=\"cassius.calendar.v1.CalendarIntegration/GetStatus\",code=\"INVALID_ARGUMENT\"} 1",
        "cassius_calendar_accepts_total{outcome=\"accepted\"} 1",
        "cassius_calendar_serving 1",
        "cassius_calendar_quota_units_per_minute 10000",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
    }
    assert!(text.contains(
        "cassius_calendar_call_seconds_bucket{method=\"cassius.calendar.v1.AppointmentSync/SyncAppointment\""
    ));
    let served = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    for name in served {
        assert!(METRICS.iter().any(|metric| metric.name == name), "{name} is not described");
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let name = line.split(['{', ' ']).next().unwrap();
        let metric = METRICS.iter().find(|metric| {
            name == metric.name
                || name.strip_prefix(metric.name).is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end))
        });
        let metric = metric.unwrap_or_else(|| panic!("{line}"));
        for label in labels.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label) {
            assert!(metric.labels.contains(&label) || label == "le", "{line}");
        }
    }
    assert!(!text.contains("canari") && !text.contains("canary"), "nobody is named");
    assert!(SETTINGS.iter().any(|setting| setting.name == "METRICS_ADDR" && setting.default.is_none()));
    assert_eq!(reqwest::get(format!("http://{at}/")).await.unwrap().status(), 404);
    process.stop();
}
