//! Peers that take their time, say nothing, or want more than their share: each limit, with its times made short.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cassius_calendar::clock::Clock;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{GetStatusRequest, SyncAppointmentRequest, SyncAppointmentsRequest};
use cassius_calendar::grpc::{self, Limits};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::callers::with;
use super::raw::{framed, post};
use super::refused::{read, refused};
use crate::harness::app::{API_KEY, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::Database;
use crate::harness::samples::appointment;

const CHECK: &str = "grpc.health.v1.Health/Check";
const STATUS: &str = "cassius.calendar.v1.CalendarIntegration/GetStatus";
/// A bound for a test that would hang; none that a passing test comes near.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any of these tests.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(200);

/// The limits of a server that is patient where a test does not say otherwise.
fn patient() -> Limits {
    Limits { stranger_rest: LONG, rest: LONG, age: LONG, whole_within: LONG, greeting: LONG, ..Limits::default() }
}

/// What the service serves, served once more under these limits, until the test ends.
async fn served(app: &TestApp, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = app.running().grpc.clone();
    tokio::spawn(grpc::serve(listener, routes, None, limits, Clock::system(), CancellationToken::new()));
    address
}

async fn on_sqlite() -> TestApp {
    TestApp::start(Database::on_sqlite().await).await
}

async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn with_key<T>(message: T) -> Request<T> {
    with(message, "authorization", &format!("Bearer {API_KEY}"))
}

/// An honest call over a connection of its own.
async fn is_served(address: SocketAddr) {
    let mut client = CalendarIntegrationClient::new(channel(address).await);
    let request = with_key(GetStatusRequest { organisation_id: "cabinet".into() });
    tokio::time::timeout(PATIENCE, client.get_status(request)).await.unwrap().unwrap();
}

/// A connection of HTTP/2 whose frames the test writes.
async fn connected(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

/// Opens a call, with a key or none, and sends the beginning of its body.
async fn began(
    client: &mut SendRequest<Bytes>,
    method: &str,
    key: Option<&str>,
    body: Vec<u8>,
) -> (ResponseFuture, SendStream<Bytes>) {
    let mut request =
        http::Request::post(format!("http://service/{method}")).header("content-type", "application/grpc");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let (response, mut stream) = client.send_request(request.body(()).unwrap(), false).unwrap();
    stream.send_data(body.into(), false).unwrap();
    *client = client.clone().ready().await.unwrap();
    (response, stream)
}

/// The status that a call ends with.
async fn told(response: ResponseFuture) -> Status {
    let response = tokio::time::timeout(PATIENCE, response).await.unwrap().unwrap();
    let in_headers = Status::from_header_map(response.headers());
    match in_headers {
        Some(status) => status,
        None => Status::from_header_map(&trailers(response.into_body()).await).unwrap(),
    }
}

async fn trailers(mut body: RecvStream) -> HeaderMap {
    while body.data().await.is_some() {}
    body.trailers().await.unwrap().unwrap_or_default()
}

/// Waits until the server ends a connection.
async fn closed(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    let end = async { while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the server closes the connection");
}

#[apply(both_backends)]
async fn a_request_that_is_not_whole_in_time_is_told_so(app: &mut TestApp) {
    let address = served(app, Limits { whole_within: SHORT, ..patient() }).await;
    let mut client = connected(address).await;
    let hollow = framed(false, &[0; 900])[..5].to_vec();
    for (method, key) in [(CHECK, None), (STATUS, Some(API_KEY))] {
        let (response, _stream) = began(&mut client, method, key, hollow.clone()).await;
        read(&told(response).await, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    }
    // A message of a stream has its time from its first byte on; a stream that rests has all the time it wants.
    let import = "cassius.calendar.v1.AppointmentSync/SyncAppointments";
    let (resting, mut stream) = began(&mut client, import, Some(API_KEY), Vec::new()).await;
    tokio::time::timeout(SHORT * 3, std::future::pending::<()>()).await.unwrap_err();
    stream.send_data(hollow.into(), false).unwrap();
    read(&told(resting).await, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    is_served(address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_half_sent_request_gives_way_and_the_honest_caller_is_served() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { unfinished_bytes: 256 * 1024, ..patient() }).await;
    let mut client = connected(address).await;
    let half = framed(false, &[0; 60_000])[..30_000].to_vec();
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(began(&mut client, STATUS, Some(API_KEY), half.clone()).await);
        is_served(address).await;
    }
    let (oldest, _) = calls.swap_remove(0);
    read(&told(oldest).await, Code::ResourceExhausted, "OVERLOADED");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_may_open_a_few_streams_and_a_known_caller_as_many_as_it_needs() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { stranger_streams: 2, ..patient() }).await;
    let channel = channel(address).await;
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest::default();
    let mut watches = Vec::new();
    for _ in 0..2 {
        watches.push(health.watch(request.clone()).await.unwrap().into_inner());
    }
    refused(health.watch(request.clone()).await, Code::ResourceExhausted, "OVERLOADED");
    drop(watches.pop());
    let mut integrations = CalendarIntegrationClient::new(channel);
    let known = with_key(GetStatusRequest { organisation_id: "cabinet".into() });
    integrations.get_status(known).await.unwrap();
    for _ in 0..8 {
        watches.push(health.watch(request.clone()).await.unwrap().into_inner());
    }
    app.end().await;
}

/// An honest caller's message that is too long is read to be told which field is; whoever announces another one meanwhile
/// sends it in vain, and need not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_above_the_limit_of_its_method_is_read_and_another_is_refused_by_its_length() {
    let app = on_sqlite().await;
    let address = served(&app, patient()).await;
    let mut client = connected(address).await;
    let announced = framed(false, &[0; 100_000])[..5].to_vec();
    let (one, mut first) = began(&mut client, STATUS, Some(API_KEY), announced.clone()).await;
    let (other, mut second) = began(&mut client, STATUS, Some(API_KEY), announced).await;
    let status = tokio::select! {
        status = told(one) => status,
        status = told(other) => status,
    };
    read(&status, Code::ResourceExhausted, "OVERLOADED");
    // The one that is read is so to its end.
    for stream in [&mut first, &mut second] {
        let _ = stream.send_data(vec![0; 100_000].into(), true);
    }
    is_served(address).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_beyond_their_number_are_told_to_come_again() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { request_streams: 2, ..patient() }).await;
    let mut client = AppointmentSyncClient::new(channel(address).await);
    let mut open = Vec::new();
    for _ in 0..2 {
        let (sender, receiver) = tokio::sync::mpsc::channel::<SyncAppointmentsRequest>(1);
        let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
        open.push((sender, client.sync_appointments(with_key(requests)).await.unwrap().into_inner()));
    }
    let request = || with_key(tokio_stream::empty::<SyncAppointmentsRequest>());
    refused(client.sync_appointments(request()).await, Code::ResourceExhausted, "OVERLOADED");
    let (sender, mut answers) = open.pop().unwrap();
    drop(sender);
    assert!(answers.message().await.unwrap().is_none());
    // Its room is free when its answer has ended, which the other side sees a moment earlier.
    let again = async { while client.sync_appointments(request()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_says_nothing_gives_its_room_to_another_one() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { request_streams: 1, rest: SHORT, ..patient() }).await;
    let (_silent, receiver) = tokio::sync::mpsc::channel::<SyncAppointmentsRequest>(1);
    let requests = with_key(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let mut client = AppointmentSyncClient::new(channel(address).await);
    let mut answers = client.sync_appointments(requests).await.unwrap().into_inner();
    let ended = tokio::time::timeout(PATIENCE, answers.message()).await.expect("it is ended");
    refused(ended, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    // Its room is free when its answer has ended, which the other side sees a moment earlier.
    let again = async {
        loop {
            let mut client = AppointmentSyncClient::new(channel(address).await);
            if client.sync_appointments(with_key(tokio_stream::empty::<SyncAppointmentsRequest>())).await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_greet_in_time_is_closed() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { greeting: SHORT, ..patient() }).await;
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said).await.unwrap();
        closed(&mut stream).await;
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_that_greets_and_says_nothing_is_closed_and_a_known_caller_may_rest() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { stranger_rest: SHORT, parting: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let known = connected(address).await;
    let (response, _stream) = began(&mut known.clone(), STATUS, Some(API_KEY), framed(false, b"\x0a\x07cabinet")).await;
    closed(&mut stream).await;
    // It was accepted before the call above ended, and rests for longer than a stranger may.
    drop(response);
    assert!(known.ready().await.is_ok(), "the known caller's connection is open");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_great_age_takes_no_more_calls_and_ends_those_it_has() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { age: SHORT, parting: SHORT, ..patient() }).await;
    let mut client = connected(address).await;
    let whole = framed(false, b"\x0a\x07cabinet");
    let (response, mut stream) = began(&mut client, STATUS, Some(API_KEY), whole).await;
    let refused = async {
        while client.clone().ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the server says that it is going away");
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(told(response).await.code(), Code::Ok);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_peers_give_way_to_whoever_comes() {
    let app = on_sqlite().await;
    let address = served(&app, Limits { connections: 8, strangers: 4, ..patient() }).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    for _ in 0..16 {
        is_served(address).await;
    }
    closed(&mut silent[0]).await;
    app.end().await;
}

#[apply(both_backends)]
async fn messages_to_what_anybody_may_call_are_small(app: &mut TestApp) {
    let address = served(app, patient()).await;
    let mut health = HealthClient::new(channel(address).await);
    let request = HealthCheckRequest { service: "x".repeat(1_100) };
    refused(health.check(request).await, Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(health.check(HealthCheckRequest { service: "x".repeat(900) }).await.unwrap_err().code(), Code::NotFound);
}

#[apply(both_backends)]
async fn the_deadline_that_a_call_comes_with_is_kept(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("events.insert", false).await;
    let wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    let request =
        SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment: Some(appointment("rdv", 1)), wait };
    let body = framed(false, &request.encode_to_vec());
    let answer = post(app, "AppointmentSync/SyncAppointment", &[("grpc-timeout", "200m")], body);
    let status = tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap();
    read(&status, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    assert_eq!(app.link("cabinet", "rdv").await.revision, 1, "it was stored all the same");
    app.google.let_go(hanging).await;
    app.at_rest("cabinet").await;
}
