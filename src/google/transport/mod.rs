//! Carries one request to Google and its answer back.
//!
//! Owns the connections (TLS by rustls with ring, HTTP/2 by ALPN, HTTP/1.1 otherwise, through a proxy or not), the
//! deadlines and the limit of an answer's size. Never follows a redirect, never logs what it carries, never sends a
//! request twice: one that was not sent at all, since the connection that was kept for it had been closed, goes out on
//! another one.
//!
//! Invariant: a request in plain HTTP goes to a loopback host or nowhere (a proxy is asked in plain for the way), and
//! every send ends by its deadline.

mod connector;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::CALL_DEADLINE;
use crate::clock::Clock;
use crate::traces;
use connector::{Connector, NoHost, NoTunnel};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
const IDLE_CONNECTION: Duration = Duration::from_secs(60);
/// How many calls share a pool of connections before the next one takes calls too. A connection of HTTP/2 carries at most
/// some hundred at a time, as Google's says; whatever hangs there keeps the others waiting unless they go another way.
const CALLS_EACH: usize = 64;
/// How many pools there are; beyond what they take together, calls share them all the same.
const POOLS: usize = 6;
/// A connection that died without a word (a NAT that forgot it) is noticed within the two together.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Says why no answer came. Whatever it is, a request that was sent may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TransportError {
    /// The address is neither https nor on loopback.
    #[error("plain HTTP is only spoken with a loopback host")]
    Insecure,
    /// No connection came about.
    #[error("no connection came about")]
    Unreachable,
    /// Nobody listens there, or something between lets nobody through.
    #[error("the connection is refused: see to a firewall between, or to the address that is set")]
    Refused,
    /// The name of the host leads nowhere.
    #[error("the host is not found: see to the name server of this machine, or to the address that is set")]
    NoHost,
    /// Whoever answers there shows a certificate that is valid at another time.
    #[error(
        "its certificate has expired or is not valid yet: see to the clock of this machine, or to whoever renews that \
         certificate"
    )]
    Expired,
    /// Whoever answers there shows a certificate that nobody vouches for.
    #[error(
        "its certificate is not trusted: GOOGLE_CA names who else may vouch for it, where a proxy looks into the calls"
    )]
    Untrusted,
    /// The proxy opens no way there.
    #[error("the proxy at HTTPS_PROXY opens no way to it")]
    NoTunnel,
    /// The connection broke, or what came was no HTTP.
    #[error("the connection broke")]
    Broken,
    /// The deadline passed.
    #[error("no answer came in time")]
    TimedOut,
    /// The answer is larger than any that is expected.
    #[error("the answer is too large")]
    TooLarge,
}

impl TransportError {
    /// Whether it stays until somebody mends it.
    fn is_to_be_mended(self) -> bool {
        matches!(self, Self::Expired | Self::Untrusted | Self::NoTunnel)
    }

    /// Whether nobody is reached at all: it may pass, or have a cause of the operator's own.
    fn is_of_the_way(self) -> bool {
        matches!(self, Self::Unreachable | Self::Refused | Self::NoHost)
    }
}

/// The way to Google. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    carrier: Carrier,
    deadline: Duration,
    clock: Clock,
    /// Whether it was told already that an operator has to see to the connection.
    is_told: Arc<AtomicBool>,
}

/// What carries a request.
#[derive(Debug, Clone)]
enum Carrier {
    Network(Arc<[Pool]>),
    #[cfg(feature = "dev")]
    InProcess(super::InProcess),
}

/// Connections, and how many calls are under way over them: each holds the counter.
#[derive(Debug)]
struct Pool {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    calls: Arc<()>,
}

impl Pool {
    fn calls(&self) -> usize {
        Arc::strong_count(&self.calls) - 1
    }

    /// The first of them that takes another call, or else the one that has the fewest.
    fn for_a_call(pools: &[Self]) -> &Self {
        let free = pools.iter().find(|pool| pool.calls() < CALLS_EACH);
        free.or_else(|| pools.iter().min_by_key(|pool| pool.calls())).expect("there are pools")
    }
}

impl Transport {
    /// A transport that is not connected to anything yet, and trusts what browsers trust.
    pub(super) fn new(clock: Clock) -> Self {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(), clock)
    }

    fn trusting(roots: RootCertStore, clock: Clock) -> Self {
        Self::over(Connector::new(CONNECT_TIMEOUT, None, None), roots, clock)
    }

    /// The same, but it trusts whomever these authorities vouch for, and goes through the proxy that is named, if one is.
    pub(super) fn by(self, roots: RootCertStore, proxy: Option<&str>, no_proxy: Option<&str>) -> Self {
        Self::over(Connector::new(CONNECT_TIMEOUT, proxy, no_proxy), roots, self.clock).with_deadline(self.deadline)
    }

    fn over(connector: Connector, roots: RootCertStore, clock: Clock) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the protocol versions that rustls defaults to")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        let client = || {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_CONNECTION)
                .http2_keep_alive_interval(PING_EVERY)
                .http2_keep_alive_timeout(PONG_WITHIN)
                .build(connector.clone())
        };
        let pools = (0..POOLS).map(|_| Pool { client: client(), calls: Arc::default() });
        Self { carrier: Carrier::Network(pools.collect()), deadline: CALL_DEADLINE, clock, is_told: Arc::default() }
    }

    /// The same connections under another deadline.
    pub(super) fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The same, but the requests do not leave this process.
    #[cfg(feature = "dev")]
    pub(super) fn in_process(self, service: super::InProcess) -> Self {
        Self { carrier: Carrier::InProcess(service), ..self }
    }

    /// Sends one request and reads its whole answer, whatever its status.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = if may_carry(request.uri()) {
            self.clock.within(self.deadline, self.exchange(request)).await.unwrap_or(Err(TransportError::TimedOut))
        } else {
            Err(TransportError::Insecure)
        };
        // Once, not with every call: little changes until somebody sees to it.
        let is_news = || !self.is_told.swap(true, Ordering::Relaxed);
        match &answer {
            Ok(_) => self.is_told.store(false, Ordering::Relaxed),
            Err(fault) if fault.is_to_be_mended() && is_news() => {
                tracing::error!(server.address = host, %fault, "Google cannot be reached");
            }
            Err(fault) if fault.is_of_the_way() && is_news() => {
                tracing::warn!(server.address = host, %fault, "Google cannot be reached");
            }
            Err(fault) => tracing::debug!(server.address = host, %fault, "No answer came from Google"),
        }
        answer
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let agent = HeaderValue::from_static(concat!("cassius-calendar/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(USER_AGENT, agent);
        if let Some(traceparent) = traces::Span::current().traceparent().and_then(|it| HeaderValue::try_from(it).ok()) {
            request.headers_mut().insert(traces::TRACEPARENT, traceparent);
        }
        match &self.carrier {
            Carrier::Network(pools) => {
                let pool = Pool::for_a_call(pools);
                let _call = pool.calls.clone();
                over_network(&pool.client, request).await
            }
            #[cfg(feature = "dev")]
            Carrier::InProcess(service) => {
                tower::ServiceExt::oneshot(service.clone(), request).await.map_err(|_| TransportError::Broken)
            }
        }
    }
}

async fn over_network(
    client: &Client<HttpsConnector<Connector>, Full<Bytes>>,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    let answer = client.request(request.map(Full::new)).await.map_err(|fault| match fault.is_connect() {
        true => unreachable_since(&fault),
        false => TransportError::Broken,
    })?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|fault| {
        match fault.downcast_ref::<LengthLimitError>() {
            Some(_) => TransportError::TooLarge,
            None => TransportError::Broken,
        }
    })?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// Why no connection came about, as far as an operator can do something about it.
fn unreachable_since(fault: &(dyn std::error::Error + 'static)) -> TransportError {
    if let Some(rustls::Error::InvalidCertificate(fault)) = fault.downcast_ref() {
        return match fault {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TransportError::Expired,
            _ => TransportError::Untrusted,
        };
    }
    if fault.is::<NoTunnel>() {
        return TransportError::NoTunnel;
    }
    if fault.is::<NoHost>() {
        return TransportError::NoHost;
    }
    let of_system = fault.downcast_ref::<std::io::Error>();
    if of_system.is_some_and(|fault| fault.kind() == std::io::ErrorKind::ConnectionRefused) {
        return TransportError::Refused;
    }
    // An error of the system may wrap another one without naming it as its source.
    let wrapped = of_system.and_then(std::io::Error::get_ref);
    let within = wrapped.map(|it| it as &(dyn std::error::Error + 'static)).or_else(|| fault.source());
    within.map_or(TransportError::Unreachable, unreachable_since)
}

/// Tokens travel by https; in plain only to this very machine, where the emulator is.
fn may_carry(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests;
