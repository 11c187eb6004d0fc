//! What is sent back: an act's answer, a refusal, or nothing at all.
//!
//! Owns the form of responses. It never decides which one is sent. Invariant: JSON leaves as Google writes it, compact or
//! pretty as the call asked.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::refusal::Refusal;
use super::selection::Selection;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

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

    /// 304: the caller has this already.
    pub(crate) fn not_modified() -> Self {
        Self { status: StatusCode::NOT_MODIFIED, content: Content::Nothing, changed: false }
    }

    /// 204 after a deletion.
    pub(crate) fn deleted() -> Self {
        Self { status: StatusCode::NO_CONTENT, content: Content::Nothing, changed: true }
    }
}

/// Marks a response that the server does not send: it drops the connection instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropConnection;

/// The response that becomes a dropped connection.
pub(crate) fn dropped_connection() -> Response {
    let mut response = StatusCode::BAD_GATEWAY.into_response();
    response.extensions_mut().insert(DropConnection);
    response
}

/// The response of an act that was carried out.
pub(crate) fn respond(answer: Answer, compact: bool, fields: Option<&Selection>) -> Response {
    match answer.content {
        Content::Nothing => answer.status.into_response(),
        Content::Html(page) => {
            (answer.status, [(CONTENT_TYPE, HTML), (CACHE_CONTROL, HeaderValue::from_static("no-store"))], page)
                .into_response()
        }
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

/// The response of a refusal.
pub(crate) fn refuse(refusal: &Refusal, compact: bool) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match refusal.html() {
        Some(page) => (status, [(CONTENT_TYPE, HTML)], page.to_owned()).into_response(),
        None => json(status, &refusal.body(), compact),
    };
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
