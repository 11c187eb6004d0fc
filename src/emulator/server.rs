//! The accept loop: HTTP/1.1 and HTTP/2 by prior knowledge on one port.
//!
//! Owns the sockets. It never looks into a call. Invariant: an answer marked [`DropConnection`] does not leave; over
//! HTTP/1.1 the connection closes without one byte of it, over HTTP/2 its stream is reset.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::post;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::refusal::Refusal;
use super::response::{DropConnection, refuse};
use super::{CALENDAR_PATH, Shared, batch, calendar, control, oauth, pages};

/// Everything that is served.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let calls = calendar::routes().fallback(unknown).with_state(Arc::clone(&shared));
    Router::new()
        .merge(calendar::routes())
        .merge(oauth::routes())
        .merge(control::routes())
        .merge(pages::routes())
        .route(
            &format!("/batch{CALENDAR_PATH}"),
            post(move |headers, body| batch::answer(calls.clone(), headers, body)),
        )
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(shared)
}

/// A method that Google does not have, in the body of its errors.
async fn unknown() -> Response {
    refuse(&Refusal::not_found(), false)
}

/// One answer, or none where it must be lost on its way.
pub(crate) async fn answer(routes: Router, request: Request<Body>) -> io::Result<Response> {
    let response: Response = match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<DropConnection>().is_some() {
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    }
    Ok(response)
}

/// Serves until `ending`, then drops every connection.
pub(crate) async fn serve(listener: TcpListener, routes: Router, ending: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = ending.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (routes, ending) = (routes.clone(), ending.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = ending.cancelled() => {}
                        () = converse(stream, routes) => {}
                    }
                });
            }
            // Out of descriptors, or a peer that left at once: the next accept decides.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn converse(stream: TcpStream, routes: Router) {
    // Without it small answers wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| answer(routes.clone(), request.map(Body::new)));
    // An error here is a peer that left or a connection that a fault drops: both are meant.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}
