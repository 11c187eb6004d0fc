//! The Calendar calls.
//!
//! Owns which address, which body and which headers each call has, and how its success is read. Never decides which call
//! comes next, and never mails anybody: every write says `sendUpdates=none`.
//!
//! Invariant: each [`Call`] is one request, and each answer to it one [`Answer`].

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::Google;
use super::classify::classify;
use super::event::{insert_body, owner, patch_body, shown};
use super::retry_after::retry_after;
use super::wire::{EventAnswer, EventsAnswer, ListedEvent, address};
use crate::crypto::{ExposeSecret, Secret};
use crate::metrics;
use crate::model::{CalendarId, Etag, Place};
use crate::sync::{Answer, Call};
use crate::traces;

const SILENT: (&str, &str) = ("sendUpdates", "none");
const COMPACT: (&str, &str) = ("prettyPrint", "false");
const EVENT_FIELDS: (&str, &str) = ("fields", "id,etag,status,htmlLink");
/// Of an event that is moved: what it shows in our fields, too.
const MOVED_EVENT_FIELDS: (&str, &str) = (
    "fields",
    "id,etag,status,htmlLink,summary,description,location,start/dateTime,end/dateTime,source/url,visibility",
);
const OWNED_EVENT_FIELDS: (&str, &str) = ("fields", "id,etag,status,htmlLink,extendedProperties/private");
const UNAVAILABLE: Answer = Answer::Unavailable { retry_after: None };

impl Google {
    /// Makes one call in the name of an account.
    pub async fn call(&self, access_token: &Secret, call: &Call) -> Answer {
        let from = self.client.clock.elapsed();
        let traced = traces::Span::of_google(call.name());
        let answer = traced.within(self.answer(access_token, call)).await;
        traced.end(answer.name(), !matches!(answer, Answer::Unavailable { .. }));
        let took = self.client.clock.elapsed().saturating_sub(from);
        metrics::google_call(call.name(), answer.name(), took.unsigned_abs());
        answer
    }

    async fn answer(&self, access_token: &Secret, call: &Call) -> Answer {
        let answer = match self.send(access_token, self.request(call)).await {
            Ok(answer) => answer,
            Err(refusal) => return for_call(call, refusal),
        };
        match call {
            Call::Insert { .. } | Call::Patch { .. } => stored(&answer),
            Call::Move { .. } => moved(&answer),
            Call::Get { .. } => found(&answer),
            // Google answers 204. Whatever something between answers, with or without a page, has deleted nothing: the next try
            // is told what stands.
            Call::Delete { .. } if answer.status() == StatusCode::NO_CONTENT => Answer::Deleted,
            Call::Delete { .. } => UNAVAILABLE,
            Call::Probe { .. } => match read::<EventsAnswer>(&answer) {
                Some(EventsAnswer { access_role: Some(role), .. }) if may_write(&role) => Answer::CalendarOpen,
                Some(EventsAnswer { access_role: Some(_), .. }) => Answer::CalendarReadOnly,
                Some(EventsAnswer { access_role: None, .. }) | None => UNAVAILABLE,
            },
        }
    }

    fn request(&self, call: &Call) -> Request<Bytes> {
        match call {
            Call::Insert { place, event, names_zone } => {
                let uri = self.events(&place.calendar, &[], &[SILENT, EVENT_FIELDS, COMPACT]);
                with_body(Method::POST, uri, insert_body(event, *names_zone, &place.event))
            }
            Call::Patch { place, event, names_zone, etag } => {
                let uri = self.event(place, &[SILENT, EVENT_FIELDS, COMPACT]);
                only_if(with_body(Method::PATCH, uri, patch_body(event, *names_zone)), Some(etag))
            }
            Call::Delete { place, etag } => {
                only_if(bare(Method::DELETE, self.event(place, &[SILENT, COMPACT])), etag.as_ref())
            }
            Call::Move { place, from } => {
                let destination = ("destination", place.calendar.as_str());
                let query = [destination, SILENT, MOVED_EVENT_FIELDS, COMPACT];
                with_body(Method::POST, self.events(from, &[place.event.as_str(), "move"], &query), Vec::new())
            }
            Call::Get { place } => bare(Method::GET, self.event(place, &[OWNED_EVENT_FIELDS, COMPACT])),
            Call::Probe { calendar } => {
                let query = [("maxResults", "1"), ("fields", "accessRole"), COMPACT];
                bare(Method::GET, self.events(calendar, &[], &query))
            }
        }
    }

    fn event(&self, place: &Place, query: &[(&str, &str)]) -> Uri {
        self.events(&place.calendar, &[place.event.as_str()], query)
    }

    fn events(&self, calendar: &CalendarId, below: &[&str], query: &[(&str, &str)]) -> Uri {
        let segments = [&["calendars", calendar.as_str(), "events"], below].concat();
        address(&self.client.endpoints.calendar_url, &segments, query)
    }

    /// Asks with a token for something that an account has; `call` is Google's name of the method. `Err` is every answer
    /// that is no success.
    pub(super) async fn ask(
        &self,
        access_token: &Secret,
        call: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Answer> {
        let from = self.client.clock.elapsed();
        let traced = traces::Span::of_google(call);
        let answer = traced.within(self.send(access_token, request)).await;
        traced.end(answer.as_ref().map_or_else(Answer::name, |_| "read"), answer.is_ok());
        let took = self.client.clock.elapsed().saturating_sub(from);
        metrics::google_call(call, answer.as_ref().map_or_else(Answer::name, |_| "read"), took.unsigned_abs());
        answer
    }

    async fn send(&self, access_token: &Secret, mut request: Request<Bytes>) -> Result<Response<Bytes>, Answer> {
        let bearer = format!("Bearer {}", access_token.expose_secret());
        // A token that fits into no header is none that Google gave.
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| Answer::Unauthorized)?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.transport.send(request).await.map_err(|_| UNAVAILABLE)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let wait = retry_after(answer.headers(), self.client.clock.now());
        Err(classify(answer.status(), wait, answer.body()))
    }
}

/// Whether a role lets events be written.
pub(super) fn may_write(role: &str) -> bool {
    matches!(role, "owner" | "writer")
}

/// A successful answer's JSON, or nothing if it is none.
pub(super) fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Option<T> {
    serde_json::from_slice(answer.body()).ok()
}

/// A request without a body.
pub(super) fn bare(method: Method, uri: Uri) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    request
}

fn with_body(method: Method, uri: Uri, body: Vec<u8>) -> Request<Bytes> {
    let mut request = bare(method, uri).map(|_| Bytes::from(body));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// Makes a request fail unless the event is still in one state.
fn only_if(mut request: Request<Bytes>, etag: Option<&Etag>) -> Request<Bytes> {
    // An etag that fits into no header matches nothing, which is what a made-up one says.
    let header = |etag: &Etag| HeaderValue::from_str(etag.as_str()).unwrap_or(HeaderValue::from_static("\"none\""));
    if let Some(etag) = etag {
        request.headers_mut().insert(IF_MATCH, header(etag));
    }
    request
}

/// A refusal in the words of the call that it answers: what is about an event is about the calendar for a probe.
fn for_call(call: &Call, refusal: Answer) -> Answer {
    match (call, refusal) {
        (Call::Probe { .. }, Answer::NotFound | Answer::Gone) => Answer::CalendarMissing,
        (Call::Probe { .. }, Answer::NotPermitted { .. }) => Answer::CalendarReadOnly,
        (_, refusal) => refusal,
    }
}

fn stored(answer: &Response<Bytes>) -> Answer {
    match read::<EventAnswer>(answer) {
        Some(event) if is_cancelled(&event) => Answer::Gone,
        Some(EventAnswer { etag: Some(etag), html_link, .. }) => Answer::Stored { etag: Etag::new(etag), html_link },
        Some(EventAnswer { etag: None, .. }) | None => UNAVAILABLE,
    }
}

fn moved(answer: &Response<Bytes>) -> Answer {
    match (stored(answer), read::<ListedEvent>(answer)) {
        (Answer::Stored { etag, html_link }, Some(event)) => {
            Answer::Moved { etag, html_link, shown: Box::new(shown(event)) }
        }
        (Answer::Stored { .. }, None) => UNAVAILABLE,
        (other, _) => other,
    }
}

fn found(answer: &Response<Bytes>) -> Answer {
    match read::<EventAnswer>(answer) {
        Some(event) if is_cancelled(&event) => Answer::Gone,
        Some(EventAnswer { etag: Some(etag), html_link, extended_properties, .. }) => {
            Answer::Found { etag: Etag::new(etag), html_link, owner: owner(extended_properties.as_ref()) }
        }
        Some(EventAnswer { etag: None, .. }) | None => UNAVAILABLE,
    }
}

fn is_cancelled(event: &EventAnswer) -> bool {
    event.status.as_deref() == Some("cancelled")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;
    use crate::google::classify::classify;
    use crate::google::wire::{CalendarPage, EventsPage};

    proptest! {
        #[test]
        fn whatever_google_answers_has_a_meaning(
            code in 100_u16..1000, body: Vec<u8>, text: String, cut: prop::sample::Index,
        ) {
            let event = serde_json::json!({
                "id": text, "etag": text, "status": text, "htmlLink": text, "accessRole": text,
                "extendedProperties": {"private": {"cassiusAppointmentId": text, "cassiusOrganisationId": text}},
                "items": [{"id": text, "start": {"dateTime": text}, "end": null}],
                "error": {"code": code, "message": text, "errors": [{"reason": text}]},
            })
            .to_string();
            let cut = event.as_bytes()[..cut.index(event.len())].to_vec();
            for body in [body, event.into_bytes(), cut] {
                classify(StatusCode::from_u16(code).expect("a status"), None, &body);
                let answer = Response::new(Bytes::from(body));
                let is_crossed = matches!(stored(&answer), Answer::Found { .. })
                    || matches!(found(&answer), Answer::Stored { .. });
                prop_assert!(!is_crossed, "a read stores nothing, a write finds nothing");
                let _ = (read::<EventsAnswer>(&answer).is_some(), read::<EventsPage>(&answer).is_some());
                let _ = read::<CalendarPage>(&answer).is_some();
            }
        }
    }
}
