//! What stands before every handler of both services.
//!
//! Owns the order of things: the caller is known before a byte of the request is decoded, and a panic, or bytes that are
//! no message, become an answer like any other. Never looks at a request's fields. Invariant: a handler that runs finds
//! a [`RequestContext`] among its request's extensions, and runs within its span.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::ACCEPT_LANGUAGE;
use tonic::body::Body;
use tonic::server::NamedService;
use tracing::Instrument as _;

use super::arrival::Needs;
use super::auth::Callers;
use super::context::RequestContext;
use super::server::peer::Peer;
use super::status::{self, Refusal};
use super::wrong_keys::WrongKeys;
use crate::clock::{Clock, Entropy};
use crate::language::Language;
use crate::metrics;
use crate::traces;

/// A service that is reached by known callers alone.
#[derive(Debug, Clone)]
pub(super) struct AuthLayer<S> {
    inner: S,
    auth: Auth,
}

/// What the layer works with. A clone works with the same.
#[derive(Debug, Clone)]
pub(super) struct Auth {
    pub(super) callers: Callers,
    pub(super) wrong_keys: WrongKeys,
    /// Which methods there are.
    pub(super) needs: Needs,
    pub(super) entropy: Entropy,
    pub(super) clock: Clock,
}

impl<S> AuthLayer<S> {
    /// Puts the layer before `inner`.
    pub(super) fn new(inner: S, auth: Auth) -> Self {
        Self { inner, auth }
    }
}

impl<S: NamedService> NamedService for AuthLayer<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> tower::Service<http::Request<Body>> for AuthLayer<S>
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
        let entropy = self.auth.entropy.clone();
        let peer = request.extensions().get::<Arc<Peer>>();
        let client_names = peer.map_or(&[][..], |peer| peer.client_names());
        let Some(caller) = self.auth.callers.identify(request.headers(), client_names) else {
            metrics::wrong_key();
            self.auth.wrong_keys.note(peer.map(|peer| peer.address()));
            return std::future::ready(Ok(Refusal::InvalidApiKey.into_status(language, &entropy).into_http())).boxed();
        };
        if let Some(peer) = peer {
            peer.becomes_known();
        }
        // Of the gravest level, so that it stands whatever `LOG` says.
        let span = tracing::error_span!(
            "rpc",
            rpc.method = request.uri().path().trim_start_matches('/'),
            caller.name = caller.name(),
            organisation.id = tracing::field::Empty,
        );
        // What the wire does not have is counted as one.
        let path = request.uri().path();
        let method =
            if self.auth.needs.are_of(path) { path.trim_start_matches('/').to_owned() } else { "unknown".into() };
        let traceparent = request.headers().get(traces::TRACEPARENT).and_then(|value| value.to_str().ok());
        let traced = traces::Span::of_call(&method, traceparent);
        let context = RequestContext::new(caller, language, entropy.clone(), span.clone());
        request.extensions_mut().insert(context);
        let answer = AssertUnwindSafe(self.inner.call(request).instrument(span)).catch_unwind();
        let (clock, from) = (self.auth.clock.clone(), self.auth.clock.elapsed());
        async move {
            let response = match traced.within(answer).await {
                Ok(Ok(response)) => status::complete(response, language, &entropy),
                Ok(Err(never)) => match never {},
                Err(_) => Refusal::Panicked.into_status(language, &entropy).into_http(),
            };
            traced.end(status::code_name(&response), status::code_name(&response) == "OK");
            metrics::call(method, status::code_name(&response), clock.elapsed().saturating_sub(from).unsigned_abs());
            Ok(response)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use http::{Request as HttpRequest, Response as HttpResponse};
    use tonic::{Code, Status};
    use tonic_types::StatusExt as _;
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::grpc::{ApiKey, Organisations};
    use crate::model::OrganisationId;

    fn layer<S>(service: S, seed: u64) -> AuthLayer<S> {
        let (name, hash) = ("test".to_owned(), crate::crypto::digest(b"key"));
        let callers = Callers::new([ApiKey { name, hash, organisations: Organisations::All, client_name: None }]);
        let (clock, entropy) = (Clock::system(), Entropy::seeded(seed));
        let (wrong_keys, needs) = (WrongKeys::new(clock.clone()), Needs::open(false));
        AuthLayer::new(service, Auth { callers, wrong_keys, needs, entropy, clock })
    }

    async fn status_of<S>(layer: AuthLayer<S>, request: HttpRequest<Body>) -> Status
    where
        AuthLayer<S>: tower::Service<HttpRequest<Body>, Response = HttpResponse<Body>, Error = Infallible>,
    {
        let Ok(response) = layer.oneshot(request).await;
        Status::from_header_map(response.headers()).expect("a status in the headers")
    }

    fn request(authorization: &str) -> HttpRequest<Body> {
        let request = HttpRequest::builder().header("authorization", authorization).header("accept-language", "en");
        request.body(Body::empty()).expect("a request")
    }

    #[tokio::test]
    async fn an_unknown_caller_never_reaches_the_service() {
        let reached = Arc::new(AtomicBool::new(false));
        let reach = reached.clone();
        let service = service_fn(move |_: HttpRequest<Body>| {
            reach.store(true, Ordering::Relaxed);
            async { Ok(HttpResponse::new(Body::empty())) }
        });
        let status = status_of(layer(service, 1), request("Bearer wrong")).await;
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "INVALID_API_KEY");
        assert_eq!(status.get_details_localized_message().expect("a message").locale, "en");
        assert!(!reached.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_known_caller_arrives_with_its_context() {
        let service = service_fn(async |request: HttpRequest<Body>| {
            let context = request.extensions().get::<RequestContext>().expect("a context");
            let refusal = context.authorise(&OrganisationId::parse("practice-1").expect("well formed"));
            assert!(refusal.is_ok() && context.language == Language::English);
            Ok(HttpResponse::new(Body::empty()))
        });
        let layer = layer(service, 1);
        let Ok(response) = layer.oneshot(request("Bearer key")).await;
        assert!(Status::from_header_map(response.headers()).is_none(), "the answer passes untouched");
    }

    #[tokio::test]
    async fn a_panic_becomes_an_internal_error_with_an_incident() {
        let service = service_fn(async |_: HttpRequest<Body>| -> Result<HttpResponse<Body>, Infallible> {
            panic!("a defect, on purpose")
        });
        let status = status_of(layer(service, 1), request("Bearer key")).await;
        assert_eq!(status.code(), Code::Internal);
        let info = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!(info.reason, "INTERNAL");
        assert_eq!(info.metadata["incident"].len(), 16);
        assert!(!status.message().contains("on purpose"));
    }

    #[tokio::test]
    async fn what_the_decoder_refuses_is_the_callers_fault_and_what_we_refuse_stays() {
        for (inner, expected) in [
            (Status::internal("failed to decode Protobuf message"), Code::InvalidArgument),
            (Status::out_of_range("decoded message length too large"), Code::InvalidArgument),
            (Status::resource_exhausted("size limit exceeded while decompressing"), Code::InvalidArgument),
            (Status::unimplemented("gzip"), Code::Unimplemented),
            (Refusal::Panicked.into_status(Language::French, &Entropy::seeded(2)), Code::Internal),
        ] {
            let service = service_fn(move |_: HttpRequest<Body>| {
                let response = inner.clone().into_http::<Body>();
                async { Ok(response) }
            });
            let status = status_of(layer(service, 1), request("Bearer key")).await;
            assert_eq!(status.code(), expected);
        }
    }
}
