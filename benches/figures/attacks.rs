//! What those who mean harm make the service hold, and how long an honest caller waits meanwhile.

use std::fs;

use anyhow::Context as _;
use bytes::Bytes;
use cassius_calendar::crypto::digest;
use cassius_calendar::grpc::pb::GetStatusRequest;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use h2::SendStream;
use h2::client::ResponseFuture;
use hdrhistogram::Histogram;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tonic::Request;

use crate::Stage;
use crate::database::BackEnd;
use crate::samples::{median_ms, quantile_ms, since, times};
use crate::service::Service;
use crate::table::Table;

const KEY: &str = "the key of whoever calls";
/// How many honest calls are made while an attack is begun and while it stands, each over a connection of its own.
const HONEST_CALLS: usize = 500;
/// The connections of those who call.
const CONNECTIONS: usize = 40;
/// The sockets of those who do not, as far as this process may open so many.
const SOCKETS: usize = 10_000;
/// The descriptors that are left to the rest of this process.
const OTHER_DESCRIPTORS: usize = 500;
const SYNC: &str = "cassius.calendar.v1.AppointmentSync/SyncAppointment";
const MIB: usize = 1024 * 1024;

enum Attack {
    /// Calls of a method that send a part of what they announce.
    Calls { method: &'static str, key: Option<&'static str>, each: usize, announced: usize, sent: usize },
    /// Sockets that say this and nothing more.
    Sockets { said: &'static [u8] },
}

/// What an attack holds open.
enum Held {
    Calls(Vec<(ResponseFuture, SendStream<Bytes>)>),
    Sockets(Vec<TcpStream>),
}

const ATTACKS: [(&str, Attack); 6] = [
    ("hollow messages without a key", Attack::Calls { method: SYNC, key: None, each: 200, announced: 16_000, sent: 0 }),
    (
        "hollow messages to what anybody may call",
        Attack::Calls { method: "grpc.health.v1.Health/Check", key: None, each: 200, announced: 1_000, sent: 0 },
    ),
    (
        "half-sent messages of 60 KiB with a key",
        Attack::Calls { method: SYNC, key: Some(KEY), each: 100, announced: 60 * 1024, sent: 50 * 1024 },
    ),
    (
        "half-sent messages of 4 MiB with a key",
        Attack::Calls { method: SYNC, key: Some(KEY), each: 100, announced: 4 * MIB, sent: 3 * MIB },
    ),
    ("silent sockets", Attack::Sockets { said: b"" }),
    (
        "finished handshakes that say nothing",
        Attack::Sockets { said: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" },
    ),
];

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let entry = format!("cassius:{}:*", data_encoding::HEXLOWER.encode(&digest(KEY.as_bytes())));
    for (what, attack) in &ATTACKS {
        let service = Service::start_with(stage, back_end, ("API_KEYS", entry.clone())).await?;
        honest_calls(stage, &service, 10).await?;
        let at_rest = service.resident_mib()?;
        let (held, honest) = tokio::join!(attack.begin(&service), honest_calls(stage, &service, HONEST_CALLS));
        let (held, honest) = (held?, honest?);
        let (peak, worst) = (service.peak_mib()?, quantile_ms(&honest, 0.99));
        let count = match &held {
            Held::Calls(calls) => calls.len(),
            Held::Sockets(sockets) => sockets.len(),
        };
        table.row(
            &format!("{what}: the most memory that is resident"),
            back_end,
            &format!("{peak:.1} MiB ({at_rest:.1} before) with {count}"),
            "≤ 64 MiB",
            peak <= 64.0,
        );
        table.row(
            &format!("{what}: an honest call, its connection with it, p99"),
            back_end,
            &format!("{worst:.1} ms (p50 {:.1}) of {HONEST_CALLS}", median_ms(&honest)),
            "≤ 100 ms",
            worst <= 100.0,
        );
        drop(held);
        service.stop().await?;
    }
    Ok(())
}

impl Attack {
    async fn begin(&self, service: &Service) -> anyhow::Result<Held> {
        match self {
            Self::Sockets { said } => {
                let mut sockets = Vec::new();
                for _ in 0..SOCKETS.min(descriptors()?.saturating_sub(OTHER_DESCRIPTORS)) {
                    let mut socket = TcpStream::connect(service.grpc).await?;
                    socket.set_nodelay(true)?;
                    // One that had to give way meanwhile says nothing.
                    let _ = socket.write_all(said).await;
                    sockets.push(socket);
                }
                Ok(Held::Sockets(sockets))
            }
            Self::Calls { method, key, each, announced, sent } => {
                let body = beginning(*announced, *sent)?;
                let mut calls = Vec::new();
                for _ in 0..CONNECTIONS {
                    calls.extend(begin_calls(service, method, *key, *each, &body).await?);
                }
                Ok(Held::Calls(calls))
            }
        }
    }
}

/// Opens calls over one connection, and sends the same beginning of a body with each.
async fn begin_calls(
    service: &Service,
    method: &str,
    key: Option<&str>,
    count: usize,
    body: &Bytes,
) -> anyhow::Result<Vec<(ResponseFuture, SendStream<Bytes>)>> {
    let (mut client, connection) = h2::client::handshake(TcpStream::connect(service.grpc).await?).await?;
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
        let request = request.header("content-type", "application/grpc").body(())?;
        let Ok((response, mut stream)) = client.send_request(request, false) else { break };
        // A stream that was refused at its headers takes no body.
        let _ = stream.send_data(body.clone(), false);
        calls.push((response, stream));
    }
    Ok(calls)
}

/// The beginning of a message that announces so many bytes, and as many as are sent of it.
fn beginning(announced: usize, sent: usize) -> anyhow::Result<Bytes> {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&u32::try_from(announced)?.to_be_bytes());
    bytes.resize(5 + sent, b'x');
    Ok(bytes.into())
}

/// Honest calls, one after the other, each over a connection of its own: how long each took.
async fn honest_calls(stage: &Stage, service: &Service, count: usize) -> anyhow::Result<Histogram<u64>> {
    let mut took = times()?;
    for _ in 0..count {
        let start = stage.clock.now();
        let channel = service.connections(1).await?.remove(0);
        let mut request = Request::new(GetStatusRequest { organisation_id: "honest".into() });
        request.metadata_mut().insert("authorization", format!("Bearer {KEY}").parse()?);
        CalendarIntegrationClient::new(channel).get_status(request).await?;
        took.record(since(start, stage.clock.now()))?;
    }
    Ok(took)
}

/// How many files this process may have open.
fn descriptors() -> anyhow::Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("no such limit")?;
    Ok(line.split_whitespace().next().context("an empty limit")?.parse().unwrap_or(usize::MAX))
}
