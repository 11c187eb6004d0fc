//! The sidecar's listener, before peers that are no browsers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cassius_calendar::clock::Clock;
use cassius_calendar::http::{Limits, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_millis(100);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: sidecar\r\n\r\n";

struct Served {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl Served {
    async fn with(limits: Limits, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(listener, router, limits, Clock::system(), shutdown.clone()));
        Self { address, shutdown, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.server.await.expect("it ends by itself");
    }
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// All that the sidecar says on a connection, until it closes it.
async fn heard(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).expect("text")
}

async fn asked(mut stream: TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.expect("room for a request");
    heard(stream).await
}

#[tokio::test]
async fn a_peer_that_never_finishes_its_headers_is_cut_off() {
    let served = Served::with(Limits { header_timeout: SOON, ..Limits::default() }, hello()).await;
    assert_eq!(asked(served.connect().await, b"").await, "", "not a word");
    let cut = asked(served.connect().await, b"GET / HTTP/1.1\r\nhost: side").await;
    assert!(!cut.contains("hello"), "{cut}");
    assert!(asked(served.connect().await, REQUEST).await.ends_with("hello"), "and the others are served");
    served.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_long_or_too_many_are_refused() {
    let served = Served::with(Limits::default(), hello()).await;
    let long = format!("GET / HTTP/1.1\r\nhost: sidecar\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\nhost: sidecar\r\n{}\r\n", "x: a\r\n".repeat(100));
    for request in [long, many] {
        let answer = asked(served.connect().await, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_connection_serves_one_request_and_is_closed() {
    let served = Served::with(Limits::default(), hello()).await;
    let answer = asked(served.connect().await, &[REQUEST, REQUEST].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let served = Served::with(Limits { connections: 1, ..Limits::default() }, hello()).await;
    let mut first = served.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\n").await.expect("room for a line");
    let mut second = Box::pin(asked(served.connect().await, REQUEST));
    let waits = tokio::time::timeout(SOON, &mut second).await;
    assert!(waits.is_err(), "the one place is taken");
    drop(first);
    assert!(second.await.ends_with("hello"));
    served.stop().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_ends_the_connection() {
    let router = Router::new().route("/", get(async || std::future::pending::<&str>().await));
    let served = Served::with(Limits { lifetime: SOON, ..Limits::default() }, router).await;
    assert_eq!(asked(served.connect().await, REQUEST).await, "");
    served.stop().await;
}

#[tokio::test]
async fn a_shutdown_answers_what_is_under_way_and_takes_nothing_more() {
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (arrived.clone(), go.clone());
    let router = Router::new().route(
        "/",
        get(async move || {
            tell.notify_one();
            wait.notified().await;
            "done"
        }),
    );
    let served = Served::with(Limits::default(), router).await;
    let under_way = tokio::spawn(asked(served.connect().await, REQUEST));
    arrived.notified().await;
    served.shutdown.cancel();
    // The listener is closed once the loop has seen the shutdown; until then the system may still take connections.
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    assert!(under_way.await.expect("an answer").ends_with("done"));
    served.stop().await;
}
