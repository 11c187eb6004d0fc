//! Events, as their user sees and changes them at Google.
//!
//! Owns these routes. It never goes through scopes or quota. Invariant: a change made here gives the event a new etag,
//! as any other does.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::calendar::{Checked, check, merge};
use super::super::settings::DeletedAnswer;
use super::super::world::{Event, Object, Origin};
use super::accounts::{change_world, read};
use super::{ControlError, ok};

/// `GET accounts/{email}/events`.
pub(crate) async fn all(State(shared): State<Arc<Shared>>, Path(email): Path<String>) -> Response {
    let google = shared.lock();
    let Some(account) = google.world.accounts.get(&email) else {
        return ControlError::Unknown("account").into_response();
    };
    let origin = Origin { base_url: &shared.base_url, reader: &email };
    let mut events: Vec<Value> = Vec::new();
    for calendar in account.list.iter().filter_map(|entry| google.world.calendars.get(&entry.calendar_id)) {
        for (id, event) in &calendar.events {
            let mut shown = event.whole(id, calendar, &calendar.zone(), origin);
            shown["calendar_id"] = json!(calendar.id);
            shown["moved_away"] = json!(event.moved_away);
            events.push(shown);
        }
    }
    ok(&json!({"events": events}))
}

/// `POST calendars/{id}/events`: somebody else than the service writes an event, under the `id` in the body.
pub(crate) async fn add(State(shared): State<Arc<Shared>>, Path(calendar): Path<String>, raw: Bytes) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        let sent: Object = read(&raw)?;
        let id = sent.get("id").and_then(Value::as_str).ok_or(ControlError::Unknown("id"))?.to_owned();
        let etag = google.world.next_etag();
        let calendar = google.world.calendars.get_mut(&calendar).ok_or(ControlError::Unknown("calendar"))?;
        let Checked { body, start, end, cancelled } = check(&sent, &calendar.time_zone, &google.settings.unknown_zones)
            .map_err(|refusal| ControlError::BadRequest(refusal.body().to_string()))?;
        let creator = calendar.id.clone();
        let event = Event {
            body,
            start,
            end,
            etag,
            sequence: 0,
            created: now,
            updated: now,
            creator,
            cancelled,
            moved_away: false,
            deleted_answer: None,
        };
        calendar.events.insert(id, event);
        Ok(json!({}))
    })
    .await
}

/// `PATCH calendars/{id}/events/{event}`.
pub(crate) async fn alter(
    State(shared): State<Arc<Shared>>,
    Path((calendar, id)): Path<(String, String)>,
    raw: Bytes,
) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        let sent: Object = read(&raw)?;
        let etag = google.world.next_etag();
        let calendar = google.world.calendars.get_mut(&calendar).ok_or(ControlError::Unknown("calendar"))?;
        let event = calendar.events.get_mut(&id).ok_or(ControlError::Unknown("event"))?;
        let checked = check(&merge(&event.body, &sent), &calendar.time_zone, &google.settings.unknown_zones)
            .map_err(|refusal| ControlError::BadRequest(refusal.body().to_string()))?;
        event.sequence += i64::from((checked.start, checked.end) != (event.start, event.end));
        (event.body, event.start, event.end) = (checked.body, checked.start, checked.end);
        (event.etag, event.updated) = (etag, now);
        event.cancelled = checked.cancelled || (event.cancelled && !sent.contains_key("status"));
        Ok(json!({}))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vanishing {
    answer: Option<DeletedAnswer>,
}

/// `DELETE calendars/{id}/events/{event}`.
pub(crate) async fn vanish(
    State(shared): State<Arc<Shared>>,
    Path((calendar, id)): Path<(String, String)>,
    Query(Vanishing { answer }): Query<Vanishing>,
) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        let etag = google.world.next_etag();
        let calendar = google.world.calendars.get_mut(&calendar).ok_or(ControlError::Unknown("calendar"))?;
        let event = calendar.events.get_mut(&id).ok_or(ControlError::Unknown("event"))?;
        (event.cancelled, event.etag, event.updated) = (true, etag, now);
        event.deleted_answer = answer;
        Ok(json!({}))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relocation {
    destination: String,
}

/// `POST calendars/{id}/events/{event}/move`.
pub(crate) async fn relocate(
    State(shared): State<Arc<Shared>>,
    Path((calendar, id)): Path<(String, String)>,
    raw: Bytes,
) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        let Relocation { destination } = read(&raw)?;
        let (stub_etag, etag) = (google.world.next_etag(), google.world.next_etag());
        let source = google.world.calendars.get(&calendar).ok_or(ControlError::Unknown("calendar"))?;
        let event = source.events.get(&id).filter(|event| !event.cancelled).ok_or(ControlError::Unknown("event"))?;
        let event = Event { etag, updated: now, ..event.clone() };
        let target = google.world.calendars.get_mut(&destination).ok_or(ControlError::Unknown("calendar"))?;
        if target.events.get(&id).is_some_and(|there| !there.moved_away) {
            return Err(ControlError::BadRequest("the event stands there already".to_owned()));
        }
        target.events.insert(id.clone(), event);
        let stub = google.world.calendars.get_mut(&calendar).and_then(|source| source.events.get_mut(&id));
        let stub = stub.ok_or(ControlError::Unknown("event"))?;
        (stub.cancelled, stub.moved_away, stub.etag, stub.updated) = (true, true, stub_etag, now);
        Ok(json!({}))
    })
    .await
}
