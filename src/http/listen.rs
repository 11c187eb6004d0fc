//! Serves the sidecar to browsers, and to those who are none.
//!
//! Owns the connections: how many, how long one may take to ask, how much it may send. It speaks HTTP/1.1 alone, which
//! is what reverse proxies forward; that leaves no time before the first byte unguarded. A connection serves one
//! request, for a consent is two requests minutes apart, and so no idle one is kept.
//!
//! Invariant: what strangers can make it hold is bounded by [`Limits`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error_chain::error_chain;

/// How long to let be when the system has no room for another connection.
const PAUSE: SignedDuration = SignedDuration::from_millis(100);

/// What one peer, and all of them together, may take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The connections that are open at once; others wait in the system's backlog.
    pub connections: usize,
    /// How long a request's headers may take to arrive.
    pub header_timeout: Duration,
    /// The bytes of a request's line and headers, its cookies left out.
    pub header_bytes: usize,
    /// The bytes of its cookies: as many as let a person be told that there are too many.
    pub cookie_bytes: usize,
    /// How many headers a request may have.
    pub headers: usize,
    /// How long a connection may last: the exchange with Google, and a peer that reads slowly.
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            header_timeout: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            cookie_bytes: 48 * 1024,
            headers: 64,
            lifetime: Duration::from_secs(60),
        }
    }
}

/// Serves `router` until `shutdown`, then ends once the requests under way are answered.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, clock: Clock, shutdown: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes + limits.cookie_bytes)
        .max_headers(limits.headers)
        .keep_alive(false);
    let router = router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        match header_bytes(&request) > limits.header_bytes {
            true => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response(),
            false => next.run(request).await,
        }
    }));
    let connections = GracefulShutdown::new();
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &room, &clock)).await {
        let (stream, permit) = accepted;
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = tokio::time::timeout(limits.lifetime, connections.watch(connection));
        tokio::spawn(async move {
            // A peer that breaks off, or sends what is no request, is its own affair.
            if let Ok(Err(error)) = connection.await {
                tracing::debug!(error = %error_chain(&error), "a browser's connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// The bytes of a request's line and headers, its cookies left out.
fn header_bytes(request: &Request) -> usize {
    let headers = request.headers().iter().filter(|(name, _)| **name != header::COOKIE);
    let line = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    line + headers.map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>, clock: &Clock) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "a connection could not be accepted");
                clock.sleep_until(clock.now() + PAUSE).await;
            }
        }
    }
}
