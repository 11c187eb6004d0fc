//! What stands before every handler of both services.
//!
//! Owns the order of things: the caller is known before a byte of the request is decoded, and a panic, or bytes that are
//! no message, become an answer like any other. Never looks at a request's fields. Invariant: a handler that runs finds
//! a [`Call`] among its request's extensions.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use http::header::ACCEPT_LANGUAGE;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

use super::auth::{Caller, Callers};
use super::status::{self, Refusal};
use crate::clock::Entropy;
use crate::language::Language;
use crate::model::OrganisationId;

/// A stream of answers.
pub(super) type Answers<T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// One call: who makes it, and how its caller is spoken to.
#[derive(Debug, Clone)]
pub(super) struct Call {
    caller: Caller,
    pub(super) language: Language,
    entropy: Entropy,
}

impl Call {
    /// A call of somebody who may act for these organisations alone.
    #[cfg(test)]
    pub(super) fn of_a_caller_for(organisations: &[&str]) -> Self {
        let organisations = organisations.iter().map(|id| OrganisationId::parse(id).expect("well formed")).collect();
        let key = ("test".to_owned(), crate::crypto::digest(b"key"), super::Organisations::Only(organisations));
        let headers = [(http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer key"))];
        let caller = Callers::new([key]).identify(&headers.into_iter().collect()).expect("a known key");
        Self { caller, language: Language::French, entropy: Entropy::seeded(7) }
    }

    /// Lets the call go on only if its caller stands for `organisation`.
    pub(super) fn authorise(&self, organisation: &OrganisationId) -> Result<(), Refusal> {
        if self.caller.stands_for(organisation) {
            return Ok(());
        }
        tracing::warn!(caller.name = self.caller.name(), "a key was used for an organisation it does not stand for");
        Err(Refusal::OrganisationNotAllowed)
    }

    /// The status of a refusal, told to this caller.
    pub(super) fn refuse(&self, refusal: Refusal) -> Status {
        refusal.into_status(self.language, &self.entropy)
    }

    /// The status of a stream whose bytes failed.
    pub(super) fn unreadable(&self, status: Status) -> Status {
        status::inbound(status, self.language, &self.entropy)
    }

    /// The items of a stream until the service drains; then the status that tells the caller to open it again.
    pub(super) fn until_drained<T: Send + 'static>(
        &self,
        items: impl Stream<Item = Result<T, Status>> + Send + 'static,
        drain: &CancellationToken,
    ) -> impl Stream<Item = Result<T, Status>> + Send + 'static {
        let (call, drained) = (self.clone(), drain.clone());
        let end = stream::once(async move { drained.is_cancelled().then(|| Err(call.refuse(Refusal::Draining))) });
        items.take_until(drain.clone().cancelled_owned()).chain(end.filter_map(std::future::ready))
    }

    /// Ends a stream of answers with a status where one of them panics: no layer around the handler sees that.
    pub(super) fn guarded<T: Send + 'static>(
        &self,
        answers: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> Answers<T> {
        let call = self.clone();
        let guarded = AssertUnwindSafe(answers).catch_unwind();
        Box::pin(guarded.map(move |answer| answer.unwrap_or_else(|_| Err(call.refuse(Refusal::Panicked)))))
    }
}

/// Splits a request into its call and its message.
pub(super) fn open<Q>(request: Request<Q>) -> (Call, Q) {
    let (_, mut extensions, message) = request.into_parts();
    (extensions.remove::<Call>().expect("the edge stands before every handler"), message)
}

/// Answers a request with what `work` makes of it.
pub(super) async fn answer<Q, A, W: Future<Output = Result<A, Refusal>>>(
    request: Request<Q>,
    work: impl FnOnce(Call, Q) -> W + Send,
) -> Result<Response<A>, Status> {
    let (call, message) = open(request);
    work(call.clone(), message).await.map(Response::new).map_err(|refusal| call.refuse(refusal))
}

/// A service behind the edge.
#[derive(Debug, Clone)]
pub(super) struct Edge<S> {
    inner: S,
    callers: Callers,
    entropy: Entropy,
}

impl<S> Edge<S> {
    /// Puts the edge before `inner`.
    pub(super) fn new(inner: S, callers: Callers, entropy: Entropy) -> Self {
        Self { inner, callers, entropy }
    }
}

impl<S: NamedService> NamedService for Edge<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> tower::Service<http::Request<Body>> for Edge<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = Language::preferred(header);
        let entropy = self.entropy.clone();
        let Some(caller) = self.callers.identify(request.headers()) else {
            tracing::warn!("a call came without a key that is known");
            return std::future::ready(Ok(Refusal::InvalidApiKey.into_status(language, &entropy).into_http())).boxed();
        };
        request.extensions_mut().insert(Call { caller, language, entropy: entropy.clone() });
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        async move {
            match answer.await {
                Ok(Ok(response)) => Ok(status::complete(response, language, &entropy)),
                Ok(Err(never)) => match never {},
                Err(_) => Ok(Refusal::Panicked.into_status(language, &entropy).into_http()),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
#[path = "edge_tests.rs"]
mod tests;
