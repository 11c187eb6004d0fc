//! The path of every call: journal, faults, latency, the act itself, the state file, the answer.
//!
//! Owns that order. It never knows what an act does. Invariant: an act runs at most once, under the lock, and its
//! journal entry says in the same moment whether it changed anything.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::fault::{Hit, Target, Trouble};
use super::journal::Entry;
use super::refusal::Refusal;
use super::selection::Selection;
use super::server::Cut;
use super::{Google, Shared};

/// What is known of a call before it is carried out.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) account: Option<String>,
    pub(crate) calendar_id: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) units: u64,
    pub(crate) send_updates_none: bool,
    pub(crate) has_attendees: bool,
    pub(crate) body: Bytes,
    /// How a JSON answer is written.
    pub(crate) compact: bool,
    pub(crate) fields: Option<Selection>,
}

/// What an act answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Content,
    /// Whether the world changed.
    pub(crate) changed: bool,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    Html(String),
    /// 303 to this address.
    Redirect(String),
}

impl Answer {
    /// 200 with JSON of a state that was only read.
    pub(crate) fn read(value: Value) -> Self {
        Self { status: StatusCode::OK, content: Content::Json(value), changed: false }
    }

    /// 200 with JSON of a state that changed.
    pub(crate) fn written(value: Value) -> Self {
        Self { changed: true, ..Self::read(value) }
    }

    /// 204 after a deletion.
    pub(crate) fn deleted() -> Self {
        Self { status: StatusCode::NO_CONTENT, content: Content::Nothing, changed: true }
    }
}

/// Ends the journal entry, whichever way the call ends.
struct Open<'a> {
    shared: &'a Shared,
    sequence: u64,
    event_id: Option<String>,
    status: Option<u16>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.lock().journal.close(self.sequence, self.event_id.as_deref(), self.status, now);
    }
}

/// Takes one call from its arrival to its answer.
pub(crate) async fn perform(
    shared: &Shared,
    call: Call,
    act: impl FnOnce(&mut Google, Timestamp) -> Result<Answer, Refusal>,
) -> Response {
    let operation = call.operation;
    let (compact, fields) = (call.compact, call.fields.clone());
    let (mut open, hit, latency_ms) = open(shared, call);
    let half = Duration::from_micros((hit.latency_ms + latency_ms) * 500);
    pause(half).await;

    let mut carry_out = true;
    let mut refused = None;
    match &hit.trouble {
        Some(Trouble::Reset) => carry_out = false,
        Some(Trouble::Error { code, reason, message, retry_after_seconds }) => {
            let mut refusal = Refusal::asked(operation, *code, reason.clone(), message.clone());
            refusal.retry_after_seconds = *retry_after_seconds;
            (carry_out, refused) = (false, Some(refusal));
        }
        Some(Trouble::Hang { carry_out: false }) => released(hit.hold.clone()).await,
        Some(Trouble::Hang { carry_out: true } | Trouble::LoseAnswer | Trouble::Latency { .. }) | None => {}
    }

    let mut version = None;
    let outcome = {
        let mut google = shared.lock();
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None if carry_out => act(&mut google, shared.now()),
            None => Err(Refusal::forbidden()),
        };
        let changed = matches!(&outcome, Ok(answer) if answer.changed);
        if changed {
            version = Some(shared.changed(&mut google));
        }
        if let Some(entry) = google.journal.entry(open.sequence) {
            entry.carried_out = changed;
            entry.reason = outcome.as_ref().err().map(|refusal| refusal.reason.to_string());
        }
        outcome
    };
    if let Some(version) = version {
        shared.saved(version).await;
    }
    if let Some(Trouble::Hang { carry_out: true }) = hit.trouble {
        released(hit.hold.clone()).await;
    }
    pause(half).await;

    if matches!(hit.trouble, Some(Trouble::LoseAnswer | Trouble::Reset)) {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(Cut);
        return response;
    }
    let response = match outcome {
        Ok(answer) => respond(answer, compact, fields.as_ref()),
        Err(refusal) => refuse(&refusal, compact),
    };
    open.status = Some(response.status().as_u16());
    response
}

fn open(shared: &Shared, call: Call) -> (Open<'_>, Hit, u64) {
    let now = shared.now();
    let mut google = shared.lock();
    let hit = google.faults.strike(Target {
        operation: call.operation,
        account: call.account.as_deref(),
        calendar_id: call.calendar_id.as_deref(),
        event_id: call.event_id.as_deref(),
    });
    let fault = hit.trouble.as_ref().map(Trouble::kind).or((hit.latency_ms > 0).then_some("latency"));
    let event_id = call.event_id.clone();
    let cut = matches!(hit.trouble, Some(Trouble::Reset));
    let entry = Entry {
        sequence: 0,
        operation: call.operation.to_owned(),
        account: call.account,
        calendar_id: call.calendar_id,
        event_id: call.event_id,
        units: if cut { 0 } else { call.units },
        started_at: now,
        ended_at: None,
        status: None,
        reason: None,
        carried_out: false,
        fault,
        max_in_flight: 0,
        send_updates_none: call.send_updates_none,
        has_attendees: call.has_attendees,
        body: call.body,
    };
    let (capacity, latency_ms) = (google.settings.journal_capacity, google.settings.latency_ms);
    let sequence = google.journal.open(entry, capacity);
    (Open { shared, sequence, event_id, status: None }, hit, latency_ms)
}

#[expect(clippy::disallowed_methods, reason = "emulated latency is real time, also while a test holds the clock still")]
async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

/// Waits until the fault that holds the call is removed.
async fn released(hold: Option<watch::Receiver<()>>) {
    if let Some(mut hold) = hold {
        while hold.changed().await.is_ok() {}
    }
}

fn respond(answer: Answer, compact: bool, fields: Option<&Selection>) -> Response {
    match answer.content {
        Content::Nothing => answer.status.into_response(),
        Content::Html(page) => (
            answer.status,
            [
                (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            page,
        )
            .into_response(),
        Content::Redirect(address) => match HeaderValue::from_str(&address) {
            Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        },
        Content::Json(value) => {
            let etag = value.get("etag").and_then(Value::as_str).and_then(|etag| HeaderValue::from_str(etag).ok());
            let value = match fields {
                Some(fields) => fields.apply(value),
                None => value,
            };
            let mut response = json(answer.status, &value, compact);
            if let Some(etag) = etag {
                response.headers_mut().insert(ETAG, etag);
            }
            response
        }
    }
}

fn refuse(refusal: &Refusal, compact: bool) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &refusal.body(), compact);
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A JSON answer, pretty as Google's default is.
pub(crate) fn json(status: StatusCode, value: &Value, compact: bool) -> Response {
    let written = if compact { serde_json::to_vec(value) } else { serde_json::to_vec_pretty(value) };
    let bytes = written.expect("a JSON value with string keys can be written");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate")),
    ];
    (status, headers, Body::from(bytes)).into_response()
}
