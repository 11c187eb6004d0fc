//! The edge, before services made for the purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, stream};
use http::{Request as HttpRequest, Response as HttpResponse};
use tonic::Code;
use tonic_types::StatusExt as _;
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::grpc::Organisations;

fn callers() -> Callers {
    Callers::new([("test".to_owned(), crate::crypto::digest(b"key"), Organisations::All)])
}

async fn status_of<S>(edge: Edge<S>, request: HttpRequest<Body>) -> Status
where
    Edge<S>: tower::Service<HttpRequest<Body>, Response = HttpResponse<Body>, Error = Infallible>,
{
    let Ok(response) = edge.oneshot(request).await;
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
    let status = status_of(Edge::new(service, callers(), Entropy::seeded(1)), request("Bearer wrong")).await;
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "INVALID_API_KEY");
    assert_eq!(status.get_details_localized_message().expect("a message").locale, "en");
    assert!(!reached.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_known_caller_arrives_with_its_call() {
    let service = service_fn(async |request: HttpRequest<Body>| {
        let call = request.extensions().get::<Call>().expect("a call");
        let refusal = call.authorise(&OrganisationId::parse("practice-1").expect("well formed"));
        assert!(refusal.is_ok() && call.language == Language::English);
        Ok(HttpResponse::new(Body::empty()))
    });
    let edge = Edge::new(service, callers(), Entropy::seeded(1));
    let Ok(response) = edge.oneshot(request("Bearer key")).await;
    assert!(Status::from_header_map(response.headers()).is_none(), "the answer passes untouched");
}

#[tokio::test]
async fn a_panic_becomes_an_internal_error_with_an_incident() {
    let service = service_fn(async |_: HttpRequest<Body>| -> Result<HttpResponse<Body>, Infallible> {
        panic!("a defect, on purpose")
    });
    let status = status_of(Edge::new(service, callers(), Entropy::seeded(1)), request("Bearer key")).await;
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
        (Status::unimplemented("gzip"), Code::Unimplemented),
        (Refusal::Panicked.into_status(Language::French, &Entropy::seeded(2)), Code::Internal),
    ] {
        let service = service_fn(move |_: HttpRequest<Body>| {
            let response = inner.clone().into_http::<Body>();
            async { Ok(response) }
        });
        let status = status_of(Edge::new(service, callers(), Entropy::seeded(1)), request("Bearer key")).await;
        assert_eq!(status.code(), expected);
    }
}

#[tokio::test]
async fn a_panic_inside_a_stream_ends_it_with_an_internal_error() {
    let call = Call::of_a_caller_for(&["practice-1"]);
    let answers = stream::iter(0..).map(|number| match number {
        0..2 => Ok(number),
        _ => panic!("a defect, on purpose"),
    });
    let mut answers = call.guarded(answers);
    assert_eq!(answers.next().await.expect("an answer").expect("no status"), 0);
    assert_eq!(answers.next().await.expect("an answer").expect("no status"), 1);
    assert_eq!(answers.next().await.expect("an answer").expect_err("a status").code(), Code::Internal);
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn a_drain_ends_a_stream_with_a_word_to_open_it_again() {
    let call = Call::of_a_caller_for(&["practice-1"]);
    let drain = CancellationToken::new();
    let items = stream::iter([Ok(1)]).chain(stream::pending());
    let mut items = std::pin::pin!(call.until_drained(items, &drain));
    assert_eq!(items.next().await.expect("an item").expect("no status"), 1);
    drain.cancel();
    let status = items.next().await.expect("an item").expect_err("a status");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "DRAINING");
    assert!(status.get_details_retry_info().is_some());
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn a_stream_that_ends_by_itself_ends_without_a_status() {
    let call = Call::of_a_caller_for(&["practice-1"]);
    let items = call.until_drained(stream::iter([Ok(1), Ok(2)]), &CancellationToken::new());
    assert_eq!(items.filter_map(async |item| item.ok()).collect::<Vec<_>>().await, [1, 2]);
}
