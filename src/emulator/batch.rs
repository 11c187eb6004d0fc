//! `/batch/calendar/v3`: up to 50 calls in one request, as `multipart/mixed`.
//!
//! Owns the envelope. It never acts: each part is a request of its own to the routes of the Calendar API, with the headers
//! of the whole where it has none. Invariant: the answers stand in the order of the calls, each under the id of its own.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request};
use tower::ServiceExt;

use super::refusal::Refusal;
use super::response::{DropConnection, dropped_connection, refuse};

const MOST_CALLS: usize = 50;
const BOUNDARY: &str = "batch_emulated";

/// One call of a batch.
struct Part {
    /// Its `Content-ID`, without the brackets.
    id: Option<String>,
    request: Request<Body>,
}

/// Answers a batch: `calls` answers each of its calls.
pub(crate) async fn answer(calls: Router, headers: HeaderMap, body: Bytes) -> Response {
    let parts = match read(&headers, &body) {
        Ok(parts) => parts,
        Err(refusal) => return refuse(&refusal, false),
    };
    let mut written = String::new();
    for Part { id, request } in parts {
        let response = match calls.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if response.extensions().get::<DropConnection>().is_some() {
            return dropped_connection();
        }
        written.push_str(&part(id.as_deref(), response).await);
    }
    written.push_str(&format!("--{BOUNDARY}--\r\n"));
    ([(CONTENT_TYPE, format!("multipart/mixed; boundary={BOUNDARY}"))], written).into_response()
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Part>, Refusal> {
    let unreadable = || Refusal::invalid("Failed to parse batch request.");
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = content_type.strip_prefix("multipart/mixed").and_then(boundary).ok_or_else(unreadable)?;
    let body = std::str::from_utf8(body).map_err(|_| unreadable())?.replace("\r\n", "\n");
    // What stands before the first boundary and after the last one belongs to nobody.
    let parts: Vec<Part> = body
        .split(&format!("--{boundary}"))
        .skip(1)
        .take_while(|piece| !piece.starts_with("--"))
        .map(|piece| call(headers, piece).ok_or_else(unreadable))
        .collect::<Result<_, _>>()?;
    match parts.len() {
        0 => Err(unreadable()),
        1..=MOST_CALLS => Ok(parts),
        _ => Err(Refusal::invalid(format!("The batch request has more than {MOST_CALLS} calls."))),
    }
}

fn boundary(parameters: &str) -> Option<&str> {
    let named = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(named.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// The call that a part holds: its own headers, then a request as it would stand on a connection of its own.
fn call(whole: &HeaderMap, piece: &str) -> Option<Part> {
    let (own, inner) = piece.trim_start_matches('\n').split_once("\n\n")?;
    let id = fields(own)
        .find(|(name, _)| name.eq_ignore_ascii_case("content-id"))
        .map(|(_, id)| id.trim_matches(['<', '>']).to_owned());
    let (head, body) = inner.split_once("\n\n").unwrap_or((inner, ""));
    let (first, rest) = head.split_once('\n').unwrap_or((head, ""));
    let mut words = first.split(' ');
    let mut request = Request::builder().method(words.next()?).uri(words.next()?);
    for (name, value) in fields(rest) {
        request = request.header(name, value);
    }
    if !request.headers_ref()?.contains_key(AUTHORIZATION)
        && let Some(authorization) = whole.get(AUTHORIZATION)
    {
        request = request.header(AUTHORIZATION, authorization);
    }
    let body = body.strip_suffix('\n').unwrap_or(body).to_owned();
    Some(Part { id, request: request.body(Body::from(body)).ok()? })
}

fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
    head.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()))
}

/// An answer as a part of the whole.
async fn part(id: Option<&str>, response: Response) -> String {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("an answer of the routes is in memory");
    let mut written = format!("--{BOUNDARY}\r\nContent-Type: application/http\r\n");
    if let Some(id) = id {
        written.push_str(&format!("Content-ID: <response-{id}>\r\n"));
    }
    written.push_str(&format!("\r\nHTTP/1.1 {}\r\n", head.status));
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        written.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    written.push_str(&format!("Content-Length: {}\r\n\r\n{}\r\n", body.len(), String::from_utf8_lossy(&body)));
    written
}
