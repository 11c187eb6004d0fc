//! One call: who makes it, and how its caller is spoken to.
//!
//! Owns what every handler is handed beside its message, and how a stream of responses ends. Never looks at a message's
//! fields. Invariant: whatever goes wrong in a handler, its caller is answered with a status of ours.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Span;

use super::auth::Caller;
use super::status::{self, Refusal};
use crate::clock::Entropy;
use crate::language::Language;
use crate::model::OrganisationId;

/// A stream of responses.
pub(super) type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What a handler knows of its call beside the message. The auth layer makes it.
#[derive(Debug, Clone)]
pub(super) struct RequestContext {
    caller: Caller,
    pub(super) language: Language,
    entropy: Entropy,
    /// What every line of the log below this call carries: the method and the caller's name, and the organisation once
    /// the call has named it.
    span: Span,
    /// The organisation that the call has named, once it has.
    named: Arc<OnceLock<OrganisationId>>,
    /// Whether the call is for one organisation. A stream of requests may name another one with each.
    names_one: bool,
}

impl RequestContext {
    /// A call whose organisation is not known yet.
    pub(super) fn new(caller: Caller, language: Language, entropy: Entropy, span: Span) -> Self {
        Self { caller, language, entropy, span, named: Arc::default(), names_one: true }
    }

    /// The same for one request of a stream.
    pub(super) fn of_stream(self) -> Self {
        Self { names_one: false, ..self }
    }

    /// A call of somebody who may act for these organisations alone.
    #[cfg(test)]
    pub(super) fn of_a_caller_for(organisations: &[&str]) -> Self {
        let organisations = organisations.iter().map(|id| OrganisationId::parse(id).expect("well formed")).collect();
        let organisations = super::Organisations::Only(organisations);
        let (name, hash) = ("test".to_owned(), crate::crypto::digest(b"key"));
        let key = super::ApiKey { name, hash, organisations, client_name: None };
        let headers = [(http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer key"))];
        let callers = super::Callers::new([key]);
        let caller = callers.identify(&headers.into_iter().collect(), &[]).expect("a known key");
        Self::new(caller, Language::French, Entropy::seeded(7), Span::none())
    }

    /// Lets the call go on only if its caller stands for `organisation`.
    pub(super) fn authorise(&self, organisation: &OrganisationId) -> Result<(), Refusal> {
        // The first that a stream names stands for it.
        let _ = self.named.set(organisation.clone());
        if self.names_one {
            self.span.record("organisation.id", tracing::field::display(organisation));
        }
        if self.caller.stands_for(organisation) {
            return Ok(());
        }
        tracing::warn!("a key was used for an organisation that it does not stand for");
        Err(Refusal::OrganisationNotAllowed)
    }

    /// What the log and the audit call the caller.
    pub(super) fn caller_name(&self) -> &str {
        self.caller.name()
    }

    /// The organisation that the call has named so far.
    pub(super) fn organisation(&self) -> Option<OrganisationId> {
        self.named.get().cloned()
    }

    /// The organisations that the caller may act for; `None`: every one.
    pub(super) fn visible(&self) -> Option<BTreeSet<OrganisationId>> {
        self.caller.only().cloned()
    }

    /// The status of a refusal, told to this caller.
    pub(super) fn refuse(&self, refusal: Refusal) -> Status {
        refusal.into_status(self.language, &self.entropy)
    }

    /// The status of a stream whose bytes failed.
    pub(super) fn unreadable(&self, status: Status) -> Status {
        status::inbound(status, self.language, &self.entropy)
    }

    /// The items of a stream until the service drains, or the caller's key is withdrawn; then the status that says so.
    pub(super) fn until_drained<T: Send + 'static>(
        &self,
        items: impl Stream<Item = Result<T, Status>> + Send + 'static,
        drain: &CancellationToken,
    ) -> impl Stream<Item = Result<T, Status>> + Send + 'static {
        let (context, drain, withdrawn) = (self.clone(), drain.clone(), self.caller.withdrawn().clone());
        let (is_drained, is_withdrawn) = (drain.clone(), withdrawn.clone());
        let end = stream::once(async move {
            let refusal = match (is_drained.is_cancelled(), is_withdrawn.is_cancelled()) {
                (true, _) => Refusal::Draining,
                (false, true) => Refusal::InvalidApiKey,
                (false, false) => return None,
            };
            Some(Err(context.refuse(refusal)))
        });
        let stop = async move {
            tokio::select! {
                () = drain.cancelled() => {}
                () = withdrawn.cancelled() => {}
            }
        };
        items.take_until(stop).chain(end.filter_map(std::future::ready))
    }

    /// Ends a stream of responses with a status where one of them panics: no layer around the handler sees that.
    pub(super) fn guarded<T: Send + 'static>(
        &self,
        responses: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> ResponseStream<T> {
        let context = self.clone();
        let span = self.span.clone();
        let guarded = AssertUnwindSafe(responses).catch_unwind();
        let mut guarded =
            guarded.map(move |response| response.unwrap_or_else(|_| Err(context.refuse(Refusal::Panicked)))).boxed();
        // The handler has returned by the time that its stream is read: the span is entered anew at each poll.
        stream::poll_fn(move |task| span.in_scope(|| guarded.poll_next_unpin(task))).boxed()
    }
}

/// Splits a request into its context and its message.
pub(super) fn split<Q>(request: Request<Q>) -> (RequestContext, Q) {
    let (_, mut extensions, message) = request.into_parts();
    (extensions.remove().expect("the auth layer stands before every handler"), message)
}

/// Answers a request with what `work` makes of it.
pub(super) async fn answer<Q, A, W: Future<Output = Result<A, Refusal>>>(
    request: Request<Q>,
    work: impl FnOnce(RequestContext, Q) -> W + Send,
) -> Result<Response<A>, Status> {
    let (context, message) = split(request);
    work(context.clone(), message).await.map(Response::new).map_err(|refusal| context.refuse(refusal))
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_inside_a_stream_ends_it_with_an_internal_error() {
        let context = RequestContext::of_a_caller_for(&["practice-1"]);
        let responses = stream::iter(0..).map(|number| match number {
            0..2 => Ok(number),
            _ => panic!("a defect, on purpose"),
        });
        let mut responses = context.guarded(responses);
        assert_eq!(responses.next().await.expect("a response").expect("no status"), 0);
        assert_eq!(responses.next().await.expect("a response").expect("no status"), 1);
        assert_eq!(responses.next().await.expect("a response").expect_err("a status").code(), Code::Internal);
        assert!(responses.next().await.is_none());
    }

    #[tokio::test]
    async fn a_drain_ends_a_stream_with_a_word_to_open_it_again() {
        let context = RequestContext::of_a_caller_for(&["practice-1"]);
        let drain = CancellationToken::new();
        let items = stream::iter([Ok(1)]).chain(stream::pending());
        let mut items = std::pin::pin!(context.until_drained(items, &drain));
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
        let context = RequestContext::of_a_caller_for(&["practice-1"]);
        let items = context.until_drained(stream::iter([Ok(1), Ok(2)]), &CancellationToken::new());
        assert_eq!(items.filter_map(async |item| item.ok()).collect::<Vec<_>>().await, [1, 2]);
    }
}
