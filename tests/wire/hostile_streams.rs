//! Hostile peers: streams that break off, connections that are opened and left, floods of resets and headers.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use cassius_calendar::grpc::pb::sync_appointments_response::Result as Outcome;
use cassius_calendar::grpc::pb::{SyncAppointmentsRequest, SyncAppointmentsResponse};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;

use super::callers::bare;
use super::raw;
use super::refused::read;
use crate::harness::app::{API_KEY, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SYNC: &str = "AppointmentSync/SyncAppointments";
const RECONCILE: &str = "AppointmentSync/ReconcileAppointments";

fn request(id: &str) -> Bytes {
    SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: Some(appointment(id, 1)) }
        .encode_to_vec()
        .into()
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.running().grpc_address).await.unwrap()
}

/// Waits until the server closes a connection.
async fn closed(stream: &mut TcpStream) {
    let mut buffer = vec![0; 65_536];
    // A bound for a test that would hang; none that a passing test comes near.
    let end = tokio::time::timeout(Duration::from_secs(90), async {
        while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
    });
    end.await.expect("the server closes the connection");
}

async fn lives_on(app: &mut TestApp) {
    app.status("cabinet").await;
    // A caller that comes anew is served as well.
    raw::unary(
        &bare(app).await.channel,
        "CalendarIntegration/GetStatus",
        Some(API_KEY),
        Bytes::from_static(b"\x0a\x07cabinet"),
    )
    .await
    .unwrap();
}

#[apply(both_backends)]
async fn bytes_that_are_no_message_end_a_stream_and_what_was_answered_before_stays_true(app: &mut TestApp) {
    let channel = bare(app).await.channel;
    let huge = Bytes::from(vec![0; 4 * 1024 * 1024 + 1]);
    let cut = request("cut");
    for (number, nonsense) in
        [Bytes::from_static(&[0xff; 16]), cut.slice(..cut.len() - 1), huge].into_iter().enumerate()
    {
        let id = format!("before-{number}");
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let messages = tokio_stream::wrappers::ReceiverStream::new(receiver);
        sender.send(request(&id)).await.unwrap();
        let mut answers = raw::streaming(&channel, SYNC, messages).await.unwrap();
        let answer = SyncAppointmentsResponse::decode(answers.message().await.unwrap().unwrap()).unwrap();
        assert!(matches!(answer.result, Some(Outcome::Link(link)) if link.appointment_id == id));
        sender.send(nonsense.clone()).await.unwrap();
        let status = answers.message().await.unwrap_err();
        read(&status, Code::InvalidArgument, "INVALID_REQUEST");
        assert_eq!(app.link("cabinet", &id).await.revision, 1);

        let messages = tokio_stream::iter([nonsense]);
        let status = raw::streaming(&channel, RECONCILE, messages).await.unwrap().message().await.unwrap_err();
        read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_caller_that_breaks_off_a_stream_harms_nobody(app: &mut TestApp) {
    for number in 0..50 {
        let channel = bare(app).await.channel;
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        sender.send(request(&format!("rdv-{number}"))).await.unwrap();
        let messages = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut answers = raw::streaming(&channel, SYNC, messages).await.unwrap();
        answers.message().await.unwrap().unwrap();
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_flood_of_resets_is_cut_off(app: &mut TestApp) {
    let (mut client, connection) = h2::client::handshake(connect(app).await).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut opened = 0;
    // Each stream is opened and reset at once: nobody would ever wait for so many answers.
    while opened < 100_000 && poll_fn(|context| client.poll_ready(context)).await.is_ok() {
        let request = http::Request::post("http://service/cassius.calendar.v1.AppointmentSync/SyncAppointment")
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {API_KEY}"))
            .body(())
            .unwrap();
        let Ok((_, mut stream)) = client.send_request(request, false) else { break };
        stream.send_reset(h2::Reason::CANCEL);
        opened += 1;
    }
    drop(client);
    let error = connection.await.unwrap().expect_err("the server closes the connection on the flood");
    assert!(error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) || error.is_io(), "{error}");
    assert!(opened < 100_000);
    lives_on(app).await;
}

#[apply(both_backends)]
async fn headers_that_never_end_are_cut_off(app: &mut TestApp) {
    // HEADERS without END_HEADERS, then CONTINUATION after CONTINUATION, each with one literal header.
    let mut stream = connect(app).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    let literal = [&[0x00, 0x01, b'x', 0x7f, 0x81, 0x01][..], &[b'a'; 256]].concat();
    stream.write_all(&frame(1, 0, 1, &literal)).await.unwrap();
    let mut sent = 0usize;
    let more = frame(9, 0, 1, &literal);
    while sent < 64 * 1024 * 1024 && stream.write_all(&more).await.is_ok() {
        sent += more.len();
    }
    assert!(sent < 64 * 1024 * 1024, "the server takes no end of headers");
    closed(&mut stream).await;
    lives_on(app).await;
}

#[apply(both_backends)]
async fn headers_beyond_16_kib_are_refused(app: &mut TestApp) {
    let http = crate::harness::http::client().http2_prior_knowledge().build().unwrap();
    let at = format!("http://{}/cassius.calendar.v1.AppointmentSync/SyncAppointment", app.running().grpc_address);
    let request = http.post(at).header("content-type", "application/grpc").header("x-large", "a".repeat(64 * 1024));
    match request.send().await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn what_does_not_speak_http2_is_closed(app: &mut TestApp) {
    for bytes in [&b"GET / HTTP/1.1\r\nhost: service\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01", &[0; 4096]] {
        let mut stream = connect(app).await;
        stream.write_all(bytes).await.unwrap();
        closed(&mut stream).await;
    }
    // The right greeting, and then a frame longer than any that was agreed upon.
    let mut stream = connect(app).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    stream.write_all(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01").await.unwrap();
    closed(&mut stream).await;
    lives_on(app).await;
}

#[apply(both_backends)]
async fn peers_that_connect_and_say_nothing_keep_nobody_out(app: &mut TestApp) {
    let mut silent = Vec::new();
    for number in 0..300 {
        let mut stream = connect(app).await;
        match number % 3 {
            0 => {}
            1 => stream.write_all(&PREFACE[..10]).await.unwrap(),
            _ => {
                stream.write_all(PREFACE).await.unwrap();
                stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
                // The first half of a frame of headers.
                stream.write_all(&frame(1, 0, 1, &[0; 200])[..100]).await.unwrap();
            }
        }
        silent.push(stream);
    }
    lives_on(app).await;
}
