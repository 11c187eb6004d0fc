//! The whole process under attack: its memory stays bounded, and honest callers are served meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use cassius_calendar::clock::Clock;
use cassius_calendar::crypto::digest;
use cassius_calendar::grpc::pb::{
    Appointment, GetStatusRequest, ListAppointmentLinksRequest, SyncAppointmentRequest, SyncAppointmentsRequest,
    SyncStatus,
};
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpStream;
use tonic::transport::Channel;

use super::process::{Process, Settings, settings, with};
use crate::harness::app::{API_KEY, Appointments, clients};
use crate::harness::browser::Browser;
use crate::harness::google::{ACCOUNT, Google};
use crate::harness::samples::{appointment, instant};

const KEY: &str = API_KEY;
/// What the service may hold beyond what it holds at rest, whatever is done to it. Without its optimisations it takes
/// about twice as much for each call as the production build.
const MOST_MIB: u64 = 64;
/// How long an honest call may take on a machine that does much else, and that the attack keeps busy.
const SOON: Duration = Duration::from_secs(20);

/// The settings of a service that wants a key.
fn keyed() -> Settings {
    let entry = format!("cassius:{}:*", data_encoding::HEXLOWER.encode(&digest(KEY.as_bytes())));
    with(&settings(), &[("API_KEYS", &entry), ("LOG", "error,cassius_calendar::app=info")])
}

/// The most memory that a process has held, in MiB.
fn peak(process: &Process) -> u64 {
    let status = process.proc("status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Honest calls, each over a connection of its own, and the longest that one took.
async fn honest_calls(address: SocketAddr, count: usize) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..count {
        #[expect(clippy::disallowed_methods, reason = "another process is timed, whose clock is the system's")]
        let from = Instant::now();
        let call = async {
            let (mut integrations, _) = clients(channel(address).await);
            integrations.get_status(GetStatusRequest { organisation_id: "cabinet".into() }).await.unwrap();
        };
        tokio::time::timeout(SOON, call).await.expect("an honest call is answered soon");
        longest = longest.max(from.elapsed());
    }
    longest
}

/// Opens calls over one connection, and sends the same beginning of a body with each; what they hold is kept.
async fn begin_calls(
    address: SocketAddr,
    method: &str,
    key: Option<&str>,
    count: usize,
    body: Bytes,
) -> Vec<(ResponseFuture, SendStream<Bytes>)> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut calls = Vec::new();
    for _ in 0..count {
        // A connection that the service has closed takes no more.
        let Ok(ready) = client.ready().await else { break };
        client = ready;
        let mut request = http::Request::post(format!("http://service/{method}"));
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.header("content-type", "application/grpc").body(()).unwrap();
        let Ok((response, mut stream)) = client.send_request(request, false) else { break };
        // A stream that was refused at its headers takes no body.
        let _ = stream.send_data(body.clone(), false);
        calls.push((response, stream));
    }
    calls
}

/// The beginning of a message that announces so many bytes, and as many as are sent of it.
fn beginning(announced: u32, sent: usize) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&announced.to_be_bytes());
    bytes.resize(5 + sent, b'x');
    bytes.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hollow_and_half_sent_messages_leave_memory_bounded_and_honest_callers_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &keyed(), folder.path());
    let (address, _) = process.addresses();
    honest_calls(address, 1).await;
    let at_rest = peak(&process);
    let sync = "cassius.calendar.v1.AppointmentSync/SyncAppointment";
    let import = "cassius.calendar.v1.AppointmentSync/SyncAppointments";
    let mut told = Vec::new();
    for (attack, method, key, calls_each, announced, sent) in [
        ("hollow, to what anybody may call", "grpc.health.v1.Health/Check", None, 100, 16_000, 0),
        ("hollow, without a key", sync, None, 100, 16_000, 0),
        ("hollow, with a key", sync, Some(KEY), 200, 60_000, 0),
        ("half sent, with a key", sync, Some(KEY), 40, 64_000, 60_000),
        ("imports that stop in the middle", import, Some(KEY), 40, 60_000, 30_000),
    ] {
        let mut calls = Vec::new();
        for _ in 0..16 {
            calls.extend(begin_calls(address, method, key, calls_each, beginning(announced, sent)).await);
        }
        let longest = honest_calls(address, 10).await;
        told.push(format!("{attack}: {} calls, {} MiB, an honest call {longest:?}", calls.len(), peak(&process)));
    }
    println!("{at_rest} MiB at rest; {told:#?}");
    assert!(peak(&process) <= at_rest + MOST_MIB, "{at_rest} MiB at rest; {told:#?}");
    process.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_leave_memory_bounded_and_honest_callers_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &keyed(), folder.path());
    let (address, _) = process.addresses();
    let requests = (0..1_000).map(|number| SyncAppointmentsRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(&format!("{number:0>128}"), 1)),
    });
    let mut appointments = client(address).await;
    let mut answers = appointments.sync_appointments(futures_util::stream::iter(requests)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    honest_calls(address, 1).await;
    let at_rest = peak(&process);

    let list = ListAppointmentLinksRequest {
        organisation_id: "cabinet".into(),
        page_size: 1_000,
        ..ListAppointmentLinksRequest::default()
    };
    let list = whole(&list.encode_to_vec());
    let mut told = Vec::new();
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread
            .push(unread_calls(address, "cassius.calendar.v1.AppointmentSync/ListAppointmentLinks", 120, &list).await);
        let longest = honest_calls(address, 10).await;
        told.push(format!("{} MiB, an honest call {longest:?}", peak(&process)));
    }
    // A reader takes all of a long answer.
    let request =
        ListAppointmentLinksRequest { organisation_id: "cabinet".into(), page_size: 1_000, ..Default::default() };
    let read = async {
        loop {
            match appointments.list_appointment_links(request.clone()).await {
                Ok(page) => return page.into_inner().links.len(),
                // Those who do not read are given a second.
                Err(refused) => assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{refused}"),
            }
        }
    };
    assert_eq!(tokio::time::timeout(SOON, read).await.expect("there is room again soon"), 1_000);
    println!("{at_rest} MiB at rest; {told:#?}");
    assert!(peak(&process) <= at_rest + MOST_MIB, "{at_rest} MiB at rest; {told:#?}");
    process.stop();
}

/// Makes calls over one connection whose caller never takes a byte of an answer.
async fn unread_calls(
    address: SocketAddr,
    method: &str,
    count: usize,
    body: &Bytes,
) -> Vec<http::Response<RecvStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    let mut calls = Vec::new();
    for _ in 0..count {
        // A connection that the service has closed takes no more.
        let Ok(ready) = client.ready().await else { break };
        client = ready;
        let request = http::Request::post(format!("http://service/{method}"))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/grpc");
        let Ok((response, mut stream)) = client.send_request(request.body(()).unwrap(), false) else { break };
        let _ = stream.send_data(body.clone(), true);
        calls.push(response);
    }
    let mut answers = Vec::new();
    for call in calls {
        // Where its connection was cut, none comes.
        answers.extend(call.await);
    }
    answers
}

/// A message in its frame.
fn whole(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::from(&[0][..]);
    framed.put_u32(message.len().try_into().unwrap());
    framed.put_slice(message);
    framed.freeze()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_few_descriptors_silent_sockets_keep_nobody_out_and_no_core_busy() {
    let (folder, google) = (tempfile::tempdir().unwrap(), Google::start(&Clock::system()).await);
    let mut process = Process::start_with_few_descriptors(320, &before(&google), folder.path());
    let (grpc, sidecar) = process.addresses();
    connect(grpc, sidecar).await;
    let (at_rest, mut silent) = (peak(&process), Vec::new());
    for number in 0..500 {
        let address = if number % 5 == 0 { sidecar } else { grpc };
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let spent = ticks(&process);
    let longest = honest_calls(grpc, 10).await;
    // Who has no right to look at a process that is not dumped takes the rest for it.
    let open = std::fs::read_dir(process.proc_path("fd")).map_or(0, Iterator::count);
    assert!(open <= 320 - 100, "{open} files are open: the database and Google keep theirs");
    let busy = ticks(&process) - spent;
    assert!(busy < 100, "{busy} hundredths of a second of a core, for ten calls");
    assert!(peak(&process) <= at_rest + MOST_MIB, "{} MiB; an honest call took {longest:?}", peak(&process));
    reaches_google(&mut client(grpc).await, "rdv").await;
    process.stop();
}

/// The table of descriptors is full, whatever was kept back: the process is left fewer than it has reckoned with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_descriptor_it_waits_at_ease_serves_who_is_there_and_takes_connections_again() {
    let (folder, google) = (tempfile::tempdir().unwrap(), Google::start(&Clock::system()).await);
    let mut process = Process::start(&["serve"], &before(&google), folder.path());
    let (grpc, sidecar) = process.addresses();
    connect(grpc, sidecar).await;
    let mut caller = client(grpc).await;
    // Its connections to the database and to Google are open from here on.
    reaches_google(&mut caller, "before").await;
    process.leave_descriptors(4);
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(grpc).await.unwrap());
    }
    process.errors.wait_for("a connection could not be accepted");

    // Google's answer is what passes the time.
    google.settings(json!({"latency_ms": 900})).await;
    let spent = ticks(&process);
    for number in 0..3 {
        reaches_google(&mut caller, &format!("rdv-{number}")).await;
    }
    let busy = ticks(&process) - spent;
    assert!(busy < 90, "{busy} hundredths of a second of a core in 2.7 s, for three calls");

    drop(silent);
    honest_calls(grpc, 3).await;
    process.stop();
}

/// The settings of a service that wants a key, before a Google that answers.
fn before(google: &Google) -> Settings {
    let mut settings = keyed();
    settings.extend(google.service_settings().map(|(name, value)| (name.to_owned(), value)));
    with(&settings, &[("LOG", "warn,cassius_calendar::app=info"), ("CASSIUS_APP_URL", "http://127.0.0.1:3000")])
}

/// Connects the practice to an account.
async fn connect(grpc: SocketAddr, sidecar: SocketAddr) {
    let (mut integrations, _) = clients(channel(grpc).await);
    let outcome = Browser::new(sidecar).consent(&mut integrations, "cabinet", ACCOUNT).await;
    assert_eq!(outcome, "connected");
}

async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn client(grpc: SocketAddr) -> Appointments {
    clients(channel(grpc).await).1
}

/// Hands an appointment in, and waits until Google has it.
async fn reaches_google(appointments: &mut Appointments, id: &str) {
    let wait = Some(prost_types::Duration { seconds: 20, nanos: 0 });
    let (start_time, end_time) = (Some(instant("2090-05-04T08:00:00Z")), Some(instant("2090-05-04T08:30:00Z")));
    let appointment = Some(Appointment { start_time, end_time, ..appointment(id, 1) });
    let request = SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment, wait };
    let link = appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!(link.sync_status(), SyncStatus::Synced, "{link:?}");
}

/// The time of a core that a process has taken, in hundredths of a second.
fn ticks(process: &Process) -> u64 {
    let stat = process.proc("stat");
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["serve"], &settings(), folder.path());
    process.addresses();
    let limits = process.proc("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|column| files.split_whitespace().nth(column).unwrap());
    assert_eq!(soft, hard, "{files}");
    process.stop();
}
