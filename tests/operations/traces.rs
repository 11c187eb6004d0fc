//! What a collector of spans is sent, by OTLP.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::{GetStatusRequest, SyncAppointmentRequest, SyncStatus};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::Request;

use super::process::{Process, settings, with};
use crate::harness::app::clients_at;
use crate::harness::browser::Browser;
use crate::harness::google::{ACCOUNT, Google};
use crate::harness::samples::appointment;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_call_its_attempt_and_the_call_of_google_are_one_trace_and_nobody_is_named() {
    let exports: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let received = exports.clone();
    let collector = Router::new().route("/v1/traces", post(async move |body: Bytes| received.lock().push(body)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, collector).await });

    let google = Google::start(&Clock::system()).await;
    let mut settings =
        with(&settings(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("CASSIUS_APP_URL", "http://127.0.0.1:3000")]);
    settings.extend(google.service_settings().map(|(name, value)| (name.to_owned(), value)));
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (grpc, http) = process.addresses();
    let (mut integrations, mut appointments) = clients_at(grpc).await;
    assert_eq!(Browser::new(http).consent(&mut integrations, "cabinet-canari", ACCOUNT).await, "connected");
    let mut request = Request::new(SyncAppointmentRequest {
        organisation_id: "cabinet-canari".into(),
        appointment: Some(appointment("rdv-canari", 1)),
        wait: Some(prost_types::Duration { seconds: 20, nanos: 0 }),
    });
    request.metadata_mut().insert("traceparent", format!("00-{TRACE}-{CALLER}-01").parse().unwrap());
    let link = appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    process.stop();

    let exports = std::mem::take(&mut *exports.lock());
    let requests = exports.iter().map(|body| ExportTraceServiceRequest::decode(&**body).unwrap());
    let scopes = requests.flat_map(|it| it.resource_spans).flat_map(|it| it.scope_spans);
    let spans: Vec<Span> = scopes.flat_map(|it| it.spans).filter(|span| hex(&span.trace_id) == TRACE).collect();
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span.name == name);
        let (Some(span), None) = (found.next(), found.next()) else { panic!("not one {name}: {spans:#?}") };
        span
    };
    let call = named("cassius.calendar.v1.AppointmentSync/SyncAppointment");
    let (attempt, insert) = (named("attempt"), named("google events.insert"));
    assert_eq!(hex(&call.parent_span_id), CALLER);
    assert_eq!(attempt.parent_span_id, call.span_id);
    assert_eq!(insert.parent_span_id, attempt.span_id);
    assert!(spans.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
    for body in &exports {
        let text = String::from_utf8_lossy(body);
        for canary in ["canari", "canary", ACCOUNT, "Camille", "ya29."] {
            assert!(!text.contains(canary), "{canary} is in a span");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_takes_nothing_is_told_and_keeps_nobody_waiting() {
    let settings = with(&settings(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &settings, folder.path());
    let (mut integrations, _) = clients_at(process.addresses().0).await;
    integrations.get_status(GetStatusRequest { organisation_id: "cabinet".into() }).await.unwrap();
    process.errors.wait_for("spans are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not take them");
    process.stop();
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
