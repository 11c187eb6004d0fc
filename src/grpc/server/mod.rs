//! Serves the routes over TCP, under the limits that every peer is held to.
//!
//! Owns the connections: how many, who gives way when there are too many, how long one may take to greet, to rest and
//! to last. HTTP/2 alone is spoken. Never looks at a call, but for counting those that are open.
//!
//! Invariant: what strangers can make it hold is bounded by [`Limits`], and a newcomer is let in whatever they do: the
//! stranger who has been there longest gives way. So is what callers leave unread, but for
//! [`MAX_UNREAD_BYTES`] of each stream: whose answers wait longest is cut.

pub(super) mod peer;
mod places;
mod tls;
pub(super) mod unread;

use std::future;
use std::io::Cursor;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, Chain, Join, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::error_chain::error_chain;
use crate::listener;
use peer::{Peer, Shared};
use places::{Place, Places};

pub use tls::{Tls, TlsFault, validity};

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The calls and streams that one connection may have open.
const MAX_STREAMS: u32 = 512;
/// The streams that a peer may open and reset before the connection is closed on it.
const MAX_RESETS: usize = 20;
/// What one stream may send before it is read: small, so that one import cannot fill a connection, and so that many streams
/// that send at once do not fill the memory before anybody has come to read them.
const STREAM_WINDOW_BYTES: u32 = 32 * 1024;
/// What one connection may send before it is read. The HTTP/2 library also counts the frames that wait to be read against
/// half of it, each as 256 bytes at least: some imports of small messages, one a frame, must stay below that however
/// slowly they are read, or the whole connection is closed on them.
const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// What the library keeps of one stream's answers that its caller does not read.
pub(super) const MAX_UNREAD_BYTES: usize = 16 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What one peer, and all of them together, may take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The connections that are open at once.
    pub connections: usize,
    /// How many of them may belong to strangers: peers that have not shown a known key yet.
    pub strangers: usize,
    /// The calls and streams that one stranger may have open.
    pub stranger_streams: usize,
    /// How long a connection may take until it has greeted: TLS, and HTTP/2's preface.
    pub greeting: Duration,
    /// How long a stranger's connection may rest without a call, and its stream of requests without a message.
    pub stranger_rest: Duration,
    /// The same of a known caller.
    pub rest: Duration,
    /// How long a connection takes calls; those under way then may end.
    pub age: Duration,
    /// How long a connection that takes no more calls may stay once none is under way.
    pub parting: Duration,
    /// How long a request may take to be whole, from its headers, and a message of a stream from its first byte.
    pub whole_within: Duration,
    /// The bytes of requests that are not whole yet, over all connections. Beyond it the oldest of them are refused.
    pub unfinished_bytes: usize,
    /// The bytes of answers that were not read yet, over all connections. Beyond it the connection is cut that has not read
    /// for longest.
    pub unread_bytes: usize,
    /// The streams of requests (imports, comparisons) that are open at once, over all connections.
    pub request_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            strangers: 256,
            stranger_streams: 8,
            greeting: Duration::from_secs(10),
            stranger_rest: Duration::from_secs(60),
            rest: Duration::from_secs(10 * 60),
            age: Duration::from_secs(60 * 60),
            parting: Duration::from_secs(5),
            whole_within: Duration::from_secs(10),
            unfinished_bytes: 8 * 1024 * 1024,
            unread_bytes: 12 * 1024 * 1024,
            request_streams: 48,
        }
    }
}

impl Limits {
    /// How long a known caller or a stranger may rest.
    fn rest_of(&self, is_known: bool) -> Duration {
        if is_known { self.rest } else { self.stranger_rest }
    }

    /// The same for a process that can spare only so many descriptors.
    pub fn within(self, descriptors: usize) -> Self {
        let connections = self.connections.min(descriptors);
        Self { connections, strangers: self.strangers.min(connections.div_ceil(2)), ..self }
    }
}

/// Serves `routes` until `close`, then ends once the calls under way are answered. `tls`: `None` is plain text.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    tls: Option<Tls>,
    limits: Limits,
    clock: Clock,
    close: CancellationToken,
) {
    let (places, shared) = (Places::new(limits.connections, limits.strangers), Shared::new(limits, clock.clone()));
    let server = Arc::new(Server { http: http(), routes: routes.prepare(), tls, limits, close });
    let mut connections = JoinSet::new();
    while let Some((stream, address)) = server.close.run_until_cancelled(listener::accept(&listener, &clock)).await {
        while connections.try_join_next().is_some() {}
        // Without a place, everybody who is here is a known caller: whoever comes on top of them is turned away.
        if let Some(place) = places.take() {
            let (server, shared) = (server.clone(), shared.clone());
            connections.spawn(async move { server.attend(stream, address, place, shared).await });
        }
    }
    drop(listener);
    connections.join_all().await;
}

fn http() -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(Some(KEEPALIVE))
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(Some(STREAM_WINDOW_BYTES))
        .initial_connection_window_size(Some(CONNECTION_WINDOW_BYTES))
        .max_send_buf_size(MAX_UNREAD_BYTES)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_pending_accept_reset_streams(Some(MAX_RESETS))
        .max_concurrent_streams(Some(MAX_STREAMS));
    http
}

type Wire = Either<TcpStream, TlsStream<TcpStream>>;
/// A connection whose preface was read already, and is read once more by the library.
type Stream = Join<Chain<Cursor<[u8; PREFACE.len()]>, ReadHalf<Wire>>, WriteHalf<Wire>>;

/// A connection that has greeted.
struct Greeted {
    stream: Stream,
    /// The names that the peer's certificate is made out to.
    client_names: Vec<String>,
    /// Cancelled once that certificate is no longer valid.
    outdated: CancellationToken,
}

/// What serves each connection.
struct Server {
    http: http2::Builder<TokioExecutor>,
    routes: Routes,
    tls: Option<Tls>,
    limits: Limits,
    close: CancellationToken,
}

impl Server {
    /// Serves one connection from its first byte to its end.
    async fn attend(&self, stream: TcpStream, address: SocketAddr, place: Place, shared: Arc<Shared>) {
        let gives_way = place.gives_way();
        let work = async {
            let greeted = timeout(self.limits.greeting, self.greet(stream)).await;
            let Ok(Some(Greeted { stream, client_names, outdated })) = greeted else { return };
            let conversation =
                self.converse(stream, Arc::new(Peer::new(address, client_names, place, shared)), &outdated);
            let cut = async {
                outdated.cancelled().await;
                let _ = timeout(self.limits.parting, future::pending::<()>()).await;
            };
            tokio::select! {
                () = conversation => {}
                () = cut => tracing::debug!(peer.address = %address, "a connection is cut: others vouch for clients now"),
            }
        };
        if gives_way.run_until_cancelled(work).await.is_none() {
            tracing::debug!(peer.address = %address, "a stranger's connection gave way to another one");
        }
    }

    /// TLS where it is on, and the preface of HTTP/2. `None`: it speaks something else, and is its own affair.
    async fn greet(&self, stream: TcpStream) -> Option<Greeted> {
        // A socket that takes no option is about to fail by itself.
        let _ = stream.set_nodelay(true);
        let (mut stream, client_names, outdated) = match &self.tls {
            None => (Either::Left(stream), Vec::new(), CancellationToken::new()),
            Some(tls) => {
                let (acceptor, outdated) = tls.acceptor();
                let stream = acceptor.accept(stream).await.ok()?;
                let names = tls::client_names(stream.get_ref().1);
                (Either::Right(stream), names, outdated)
            }
        };
        let mut preface = [0; PREFACE.len()];
        stream.read_exact(&mut preface).await.ok()?;
        let (reader, writer) = tokio::io::split(stream);
        let stream = tokio::io::join(Cursor::new(preface).chain(reader), writer);
        (preface == *PREFACE).then_some(Greeted { stream, client_names, outdated })
    }

    /// Answers the calls of a connection, until it ends, rests too long, is too old, or was greeted by what is no longer valid.
    async fn converse(&self, stream: Stream, peer: Arc<Peer>, outdated: &CancellationToken) {
        let (routes, caller) = (self.routes.clone(), peer.clone());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let open = caller.open();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(caller.clone());
            let answer = routes.clone().oneshot(request);
            async move {
                // The call is open until its answer's last byte.
                Ok::<_, std::convert::Infallible>(answer.await?.map(|body| open.open_through(body)))
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut aged = pin!(timeout(self.limits.age, future::pending::<()>()));
        let mut is_closing = false;
        loop {
            let idle_timeout = |is_known| match is_closing {
                true => self.limits.parting,
                false => self.limits.rest_of(is_known),
            };
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error = %error_chain(&error), "a caller's connection ended early");
                    }
                    return;
                }
                () = self.close.cancelled(), if !is_closing => {}
                _ = &mut aged, if !is_closing => {}
                () = outdated.cancelled(), if !is_closing => {}
                () = peer.does_not_read() => {
                    tracing::debug!(peer.address = %peer.address(), "a connection is cut whose answers are not read");
                    return;
                }
                () = peer.rested(idle_timeout) => if is_closing { return },
            }
            // The peer is told to open another one; calls under way go on.
            connection.as_mut().graceful_shutdown();
            is_closing = true;
        }
    }
}
