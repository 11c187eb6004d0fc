//! What stands between the bytes of a request and the decoder.
//!
//! Owns how large a request may be, how long it may take, and what all unfinished ones may hold together. A request of
//! one message reaches its handler whole or not at all; of a stream, each message does. The decoder makes room for what
//! a message announces: so it is shown none before all of it is there. Never looks at a field.
//!
//! Invariant: what is held of requests that are not whole is bounded, and the one that has taken longest is given up for it:
//! an honest caller's, which takes milliseconds, only where more than all that may be held comes within them.

mod budget;
mod deadline;
mod message;
mod needs;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use http_body_util::{BodyExt as _, Full};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::server::NamedService;

use super::departure::departing;
use super::server::peer::Peer;
use super::status::Refusal;
use crate::clock::Entropy;
use crate::language::Language;
use deadline::deadline;
use message::{Encoding, Incoming};

pub(super) use budget::Unfinished;
pub(super) use needs::Needs;

/// A service whose requests arrive whole. What calls from within this process passes untouched.
#[derive(Debug, Clone)]
pub(super) struct Arriving<S> {
    inner: S,
    needs: Needs,
    entropy: Entropy,
}

impl<S> Arriving<S> {
    /// Puts the layer before `inner`.
    pub(super) fn new(inner: S, needs: Needs, entropy: Entropy) -> Self {
        Self { inner, needs, entropy }
    }
}

impl<S: NamedService> NamedService for Arriving<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> tower::Service<http::Request<Body>> for Arriving<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Some(peer) = request.extensions().get::<Arc<Peer>>().cloned() else {
            return self.inner.call(request).boxed();
        };
        let limit = deadline(request.headers());
        let teller = Teller { language: language(request.headers()), entropy: self.entropy.clone() };
        let served = serve(self.inner.clone(), self.needs.clone(), request, peer.clone(), teller.clone());
        async move {
            let answer = match limit {
                None => served.await,
                Some(limit) => timeout(limit, served).await.unwrap_or(Err(Refusal::DeadlineExceeded)),
            };
            let answer = answer.unwrap_or_else(|refusal| teller.status(refusal).into_http());
            Ok(answer.map(|body| departing(body, peer, move || teller.status(Refusal::Overloaded))))
        }
        .boxed()
    }
}

/// Who is told of a refusal, and how.
#[derive(Debug, Clone)]
struct Teller {
    language: Language,
    entropy: Entropy,
}

impl Teller {
    fn status(&self, refusal: Refusal) -> tonic::Status {
        refusal.into_status(self.language, &self.entropy)
    }
}

fn language(headers: &HeaderMap) -> Language {
    Language::preferred(headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

/// Takes the request in, and hands it on.
async fn serve<S>(
    mut inner: S,
    needs: Needs,
    request: http::Request<Body>,
    peer: Arc<Peer>,
    teller: Teller,
) -> Result<http::Response<Body>, Refusal>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    if peer.asks_too_much() {
        return Err(Refusal::Overloaded);
    }
    let (head, body) = request.into_parts();
    // What the wire does not know, or the decoder does not read, is answered without being read.
    let (Some(need), Some(encoding)) = (needs.of(head.uri.path()), Encoding::of(&head.headers)) else {
        let Ok(response) = inner.call(http::Request::from_parts(head, Body::empty())).await;
        return Ok(response);
    };
    let held = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut incoming = Incoming::new(body, need, encoding, peer.clone());
    if !need.is_stream {
        let message = incoming.whole(held).await?;
        let request = http::Request::from_parts(head, Body::new(Full::new(message)));
        let Ok(response) = inner.call(request).await;
        return Ok(response);
    }
    let room = peer.request_stream(need.is_open).ok_or(Refusal::Overloaded)?;
    let messages = incoming.into_messages(move |refusal| teller.status(refusal));
    let Ok(response) = inner.call(http::Request::from_parts(head, messages)).await;
    // A stream is open until its answers end.
    Ok(response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _room = &room;
            frame
        }))
    }))
}
