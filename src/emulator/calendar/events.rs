//! `events`: insert, get, patch, update, delete, move.
//!
//! Owns what each of them does to an event. It never lists. Invariant: an id that was ever taken in a calendar is
//! refused to an insert, and every write gives the event a new etag.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::refusal::Refusal;
use super::super::response::Answer;
use super::super::scope::Right;
use super::super::settings::{DeletedAnswer, Settings};
use super::super::world::{Calendar, Event, Object, Origin, quoted};
use super::body::{Checked, check, merge};
use super::request::{Caller, Request};

type Parts = (State<Arc<Shared>>, HeaderMap, RawQuery);

fn request(
    (State(shared), headers, RawQuery(query)): &Parts,
    method: (&'static str, Right),
    calendar: &str,
    raw: Bytes,
) -> Request {
    Request::new(shared, method, headers, query.as_deref(), raw).calendar(calendar)
}

/// `events.insert`.
pub(crate) async fn insert(parts: Parts, Path(calendar): Path<String>, raw: Bytes) -> Response {
    let request = request(&parts, ("events.insert", Right::WriteEvents), &calendar, raw);
    let id = request.id_in_body();
    let entropy = &parts.0.entropy;
    request
        .event(id)
        .carry_out(&parts.0, |google, caller| {
            let etag = google.world.next_etag();
            let sent = caller.request.body()?;
            let calendar = caller.writable(&mut google.world, None)?;
            let id = match sent.get("id") {
                None | Some(Value::Null) => {
                    data_encoding::BASE32HEX_NOPAD.encode(&entropy.bytes::<16>()).to_lowercase()
                }
                Some(Value::String(id)) if is_event_id(id) => id.clone(),
                Some(_) => return Err(Refusal::invalid("Invalid resource id value.")),
            };
            if sent.contains_key("id") && sent.contains_key("iCalUID") {
                return Err(Refusal::invalid("Only one of id and iCalUID can be given."));
            }
            let Checked { body, start, end, cancelled } =
                check(sent, &calendar.time_zone, &google.settings.unknown_zones)?;
            if calendar.events.contains_key(&id) {
                return Err(Refusal::duplicate());
            }
            let event = Event {
                body,
                start,
                end,
                etag,
                sequence: sent.get("sequence").and_then(Value::as_i64).unwrap_or(0),
                created: caller.now,
                updated: caller.now,
                creator: caller.account.clone(),
                cancelled,
                moved_away: false,
                deleted_answer: None,
            };
            calendar.events.insert(id.clone(), event);
            Ok(Answer::written(show(calendar, &id, caller)))
        })
        .await
}

/// `events.get`.
pub(crate) async fn get(parts: Parts, Path((calendar, event)): Path<(String, String)>) -> Response {
    let request = request(&parts, ("events.get", Right::ReadEvents), &calendar, Bytes::new()).event(Some(event));
    request
        .carry_out(&parts.0, |google, caller| {
            let (calendar, _) = caller.calendar(&mut google.world)?;
            existing(calendar, caller.event_id(), &google.settings)?;
            Ok(caller.request.answer(show(calendar, caller.event_id(), caller)))
        })
        .await
}

/// `events.patch`.
pub(crate) async fn patch(parts: Parts, Path((calendar, event)): Path<(String, String)>, raw: Bytes) -> Response {
    write(&parts, "events.patch", &calendar, event, raw, |old, sent| Ok(merge(old, sent))).await
}

/// `events.update`: what is not sent is erased.
pub(crate) async fn update(parts: Parts, Path((calendar, event)): Path<(String, String)>, raw: Bytes) -> Response {
    write(&parts, "events.update", &calendar, event, raw, |_, sent| Ok(sent.clone())).await
}

async fn write(
    parts: &Parts,
    operation: &'static str,
    calendar: &str,
    event: String,
    raw: Bytes,
    combine: impl FnOnce(&Object, &Object) -> Result<Object, Refusal>,
) -> Response {
    let request = request(parts, (operation, Right::WriteEvents), calendar, raw).event(Some(event));
    request
        .carry_out(&parts.0, |google, caller| {
            let etag = google.world.next_etag();
            let sent = caller.request.body()?;
            let calendar = caller.writable(&mut google.world, None)?;
            let id = caller.event_id();
            let event = existing(calendar, id, &google.settings)?;
            caller.request.precondition(&quoted(event.etag))?;
            if sent.get("id").is_some_and(|sent| sent != id) {
                return Err(Refusal::invalid("Invalid resource id value."));
            }
            let revived = event.cancelled
                && matches!(sent.get("status").and_then(Value::as_str), Some("confirmed" | "tentative"));
            if revived && !google.settings.allow_revive {
                return Err(Refusal::forbidden());
            }
            sequence(sent, event, operation)?;
            let Checked { body, start, end, cancelled } =
                check(&combine(&event.body, sent)?, &calendar.time_zone, &google.settings.unknown_zones)?;
            let event = calendar.events.get_mut(id).ok_or_else(Refusal::not_found)?;
            if (start, end) != (event.start, event.end) {
                event.sequence += 1;
            }
            let asked = sent.get("sequence").and_then(Value::as_i64).unwrap_or(0);
            event.sequence = event.sequence.max(asked);
            event.cancelled = cancelled || (event.cancelled && !revived);
            event.moved_away &= event.cancelled;
            (event.body, event.start, event.end) = (body, start, end);
            (event.etag, event.updated) = (etag, caller.now);
            Ok(Answer::written(show(calendar, id, caller)))
        })
        .await
}

/// A sequence below the event's own is refused; an update that sends none counts as 0.
fn sequence(sent: &Object, event: &Event, operation: &str) -> Result<(), Refusal> {
    let asked = match sent.get("sequence") {
        Some(sequence) => sequence.as_i64(),
        None => (operation == "events.update").then_some(0),
    };
    if asked.is_some_and(|asked| asked < event.sequence) {
        return Err(Refusal::invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the resource. Re-fetch the resource and use its sequence number on the following request.",
        ));
    }
    Ok(())
}

/// `events.delete`.
pub(crate) async fn delete(parts: Parts, Path((calendar, event)): Path<(String, String)>) -> Response {
    let request = request(&parts, ("events.delete", Right::WriteEvents), &calendar, Bytes::new()).event(Some(event));
    request
        .carry_out(&parts.0, |google, caller| {
            let etag = google.world.next_etag();
            let settings = &google.settings;
            let calendar = caller.writable(&mut google.world, None)?;
            let event = calendar.events.get_mut(caller.event_id()).ok_or_else(Refusal::not_found)?;
            if event.cancelled {
                return Err(match event.deleted_answer.unwrap_or(settings.deleted_answer) {
                    DeletedAnswer::NotFound => Refusal::not_found(),
                    DeletedAnswer::Cancelled | DeletedAnswer::Gone => Refusal::deleted(),
                });
            }
            caller.request.precondition(&quoted(event.etag))?;
            (event.cancelled, event.etag, event.updated) = (true, etag, caller.now);
            Ok(Answer::deleted())
        })
        .await
}

/// `events.move`.
pub(crate) async fn relocate(parts: Parts, Path((calendar, event)): Path<(String, String)>) -> Response {
    let request = request(&parts, ("events.move", Right::MoveEvents), &calendar, Bytes::new()).event(Some(event));
    request
        .carry_out(&parts.0, |google, caller| {
            let (stub_etag, etag) = (google.world.next_etag(), google.world.next_etag());
            let id = caller.event_id();
            let destination = caller
                .request
                .parameter("destination")
                .ok_or_else(|| Refusal::required("Required parameter: destination"))?;
            let source = caller.writable(&mut google.world, None)?;
            let source_id = source.id.clone();
            let event = source.events.get(id).ok_or_else(Refusal::not_found)?.clone();
            if event.cancelled {
                return Err(Refusal::deleted());
            }
            let target = caller.writable(&mut google.world, Some(destination))?;
            if target.id == source_id {
                return Err(Refusal::invalid("The destination calendar is the source calendar."));
            }
            if !google.settings.move_supported {
                return Err(Refusal::bad("cannotChangeOrganizer", "Cannot change the organizer of this event."));
            }
            if target.events.get(id).is_some_and(|there| !there.moved_away) {
                return Err(Refusal::duplicate());
            }
            target.events.insert(id.to_owned(), Event { etag, updated: caller.now, ..event });
            let answer = show(target, id, caller);
            let stub = google
                .world
                .calendars
                .get_mut(&source_id)
                .and_then(|source| source.events.get_mut(id))
                .ok_or_else(Refusal::not_found)?;
            (stub.cancelled, stub.moved_away, stub.etag, stub.updated) = (true, true, stub_etag, caller.now);
            Ok(Answer::written(answer))
        })
        .await
}

/// The event, deleted or not, unless a deleted one answers as if it were not there.
fn existing<'a>(calendar: &'a Calendar, id: &str, settings: &Settings) -> Result<&'a Event, Refusal> {
    let event = calendar.events.get(id).ok_or_else(Refusal::not_found)?;
    if event.cancelled {
        match event.deleted_answer.unwrap_or(settings.deleted_answer) {
            DeletedAnswer::Cancelled => {}
            DeletedAnswer::NotFound => return Err(Refusal::not_found()),
            DeletedAnswer::Gone => return Err(Refusal::deleted()),
        }
    }
    Ok(event)
}

fn show(calendar: &Calendar, id: &str, caller: &Caller<'_>) -> Value {
    let origin = Origin { base_url: caller.base_url, reader: &caller.account };
    match calendar.events.get(id) {
        Some(event) => event.resource(id, calendar, &calendar.zone(), origin),
        None => json!({}),
    }
}

/// 5 to 1024 characters of base32hex.
fn is_event_id(id: &str) -> bool {
    (5..=1024).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'v' | b'0'..=b'9'))
}
