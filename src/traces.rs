//! What took how long, from the call that asked for it to the call of Google: spans, for whoever collects them by OTLP.
//!
//! Owns the spans and what they say: names of methods, words of outcomes. Never names an organisation, an appointment, an
//! account or a person, and never decides where spans go (`app` does). Invariant: while nobody collects, there are no spans,
//! and nothing of a trace is stored.

use std::collections::HashMap;
use std::sync::OnceLock;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

/// The header, and the column, that carry a trace from one to the next (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Makes spans from now on, of this provider: the first one stays, for the life of the process.
pub fn collect(provider: &SdkTracerProvider) {
    let _ = TRACER.set(provider.tracer("cassius-calendar"));
}

/// A piece of work that is timed; nothing while nobody collects.
#[derive(Debug, Clone, Default)]
pub struct Span(Option<Context>);

impl Span {
    /// A call that came in, with the `traceparent` that its caller sent.
    pub fn of_call(method: &str, traceparent: Option<&str>) -> Self {
        Self::begin(SpanKind::Server, method.to_owned(), || parent(traceparent))
    }

    /// An attempt to bring Google in step, behind the call that asked for it as it was stored.
    pub fn of_attempt(traceparent: Option<&str>) -> Self {
        Self::begin(SpanKind::Consumer, "attempt".to_owned(), || parent(traceparent))
    }

    /// A call of Google, behind whatever is under way.
    pub fn of_google(method: &str) -> Self {
        Self::begin(SpanKind::Client, format!("google {method}"), Context::current)
    }

    fn begin(kind: SpanKind, name: String, parent: impl FnOnce() -> Context) -> Self {
        let Some(tracer) = TRACER.get() else { return Self(None) };
        let parent = parent();
        let span = tracer.span_builder(name).with_kind(kind).start_with_context(tracer, &parent);
        Self(Some(parent.with_span(span)))
    }

    /// What is under way here.
    pub fn current() -> Self {
        Self(TRACER.get().map(|_| Context::current()))
    }

    /// Does work within it.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.0 {
            Some(context) => work.with_context(context.clone()).await,
            None => work.await,
        }
    }

    /// Ends it with the word of its outcome.
    pub fn end(&self, outcome: &'static str, is_ok: bool) {
        let Some(context) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("outcome", outcome));
        if !is_ok {
            span.set_status(Status::error(outcome));
        }
        span.end();
    }

    /// What ties later work to it, and says whether that is sampled; `None`: nothing is collected.
    pub fn traceparent(&self) -> Option<String> {
        let context = self.0.as_ref()?;
        if !context.span().span_context().is_valid() {
            return None;
        }
        let mut carried = HashMap::new();
        TraceContextPropagator::new().inject_context(context, &mut carried);
        carried.remove(TRACEPARENT)
    }
}

/// What `traceparent` says; one that does not read says nothing.
fn parent(traceparent: Option<&str>) -> Context {
    let carried: HashMap<String, String> =
        traceparent.map(|text| (TRACEPARENT.to_owned(), text.to_owned())).into_iter().collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carried)
}
