//! Serves the sidecar to browsers, and to those who are none.
//!
//! Owns the connections: how many, how long one may take to ask, how much it may send. It speaks HTTP/1.1 alone, which
//! is what reverse proxies forward; that leaves no time before the first byte unguarded. Never keeps an idle
//! connection: each serves one request, since the two requests of a consent are minutes apart.
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
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error_chain::error_chain;
use crate::listener;

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
    let accept = async || {
        let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
        (listener::accept(&listener, &clock).await.0, permit)
    };
    while let Some((stream, permit)) = shutdown.run_until_cancelled(accept()).await {
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
