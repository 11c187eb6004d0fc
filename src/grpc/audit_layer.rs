//! The layer that notes in the audit who did what.
//!
//! Owns which methods are noted there: all but those that read, and those that come with every edit. It stands behind
//! the auth layer, so that of a caller who is not known nothing is noted. Never looks at a request's fields: the
//! context knows the organisation. Invariant: what was answered has been noted, or stands in the log with the reason
//! why it could not be; but for a call that found no database, which the log tells of as an outage.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use tonic::body::Body;
use tonic::server::NamedService;

use super::context::RequestContext;
use super::status;
use crate::connection::{Audit, AuditEntry};

/// The header in which a caller says on whose behalf it calls: an id of its own.
const ACTOR: &str = "cassius-actor";
/// The outcome of a call that found no database.
const STORAGE_UNAVAILABLE: &str = "STORAGE_UNAVAILABLE";
const MAX_ACTOR_BYTES: usize = 128;

/// The methods that leave no trace.
const NOT_AUDITED: [&str; 14] = [
    "GetStatus",
    "WatchStatus",
    "ListCalendars",
    "PreviewEvent",
    "ListIntegrations",
    "WatchProblems",
    "ListAuditEvents",
    "SyncAppointment",
    "SyncAppointments",
    "ReconcileAppointments",
    "GetAppointmentLink",
    "BatchGetAppointmentLinks",
    "ListAppointmentLinks",
    "GetAppointmentHistory",
];

/// A service whose calls are noted.
#[derive(Debug, Clone)]
pub(super) struct AuditLayer<S> {
    inner: S,
    audit: Audit,
}

impl<S> AuditLayer<S> {
    /// Puts the layer before `inner`.
    pub(super) fn new(inner: S, audit: Audit) -> Self {
        Self { inner, audit }
    }
}

impl<S: NamedService> NamedService for AuditLayer<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> tower::Service<http::Request<Body>> for AuditLayer<S>
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

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let action = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let context = request.extensions().get::<RequestContext>().cloned();
        let Some(context) = context.filter(|_| !NOT_AUDITED.contains(&&*action)) else {
            return self.inner.call(request).boxed();
        };
        let (actor, audit) = (actor(request.headers()), self.audit.clone());
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        async move {
            let answered = answer.await;
            let (outcome, incident) = match &answered {
                Ok(Ok(response)) => status::outcome_of(response),
                Ok(Err(never)) => match *never {},
                Err(_) => ("INTERNAL".to_owned(), None),
            };
            // Where the database is away nothing could be noted: the caller need not wait for that too.
            if outcome != STORAGE_UNAVAILABLE {
                let (caller, organisation) = (context.caller_name().to_owned(), context.organisation());
                audit.note(AuditEntry { caller, actor, organisation, action, outcome, incident }).await;
            }
            answered.unwrap_or_else(|panic| resume_unwind(panic))
        }
        .boxed()
    }
}

/// On whose behalf a call is made, as the caller says. What is no plain ASCII, too long for an id, or has a blank or an `@`
/// in it, as the names and the addresses of people have, says nothing: no person is named in the audit.
fn actor(headers: &HeaderMap) -> Option<String> {
    let actor = headers.get(ACTOR)?.to_str().ok()?.trim();
    let is_id = |byte: u8| byte.is_ascii_graphic() && byte != b'@';
    ((1..=MAX_ACTOR_BYTES).contains(&actor.len()) && actor.bytes().all(is_id)).then(|| actor.to_owned())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::grpc::pb;

    #[test]
    fn what_leaves_no_trace_is_a_method_of_the_wire() {
        let files = prost_types::FileDescriptorSet::decode(pb::DESCRIPTORS).expect("it is compiled in").file;
        let services = files.iter().flat_map(|file| &file.service);
        let methods: Vec<_> = services.flat_map(|service| &service.method).map(|method| method.name()).collect();
        assert_eq!(NOT_AUDITED.iter().find(|not_audited| !methods.contains(not_audited)), None);
    }

    #[test]
    fn an_actor_is_a_short_plain_word_or_nobody() {
        let of = |value: &[u8]| {
            let value = http::HeaderValue::from_bytes(value).expect("a header value");
            actor(&[(http::HeaderName::from_static(ACTOR), value)].into_iter().collect())
        };
        assert_eq!(of(b" user-42 ").as_deref(), Some("user-42"));
        assert_eq!(of(b"auth0|5f7c8:a/b.c").as_deref(), Some("auth0|5f7c8:a/b.c"));
        for nobody in ["".as_bytes(), "é".as_bytes(), &[b'a'; 129], b"Camille Exemple", b"camille@example.fr", b"a\tb"]
        {
            assert_eq!(of(nobody), None);
        }
        assert_eq!(actor(&HeaderMap::new()), None);
    }
}
