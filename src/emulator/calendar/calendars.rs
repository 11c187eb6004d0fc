//! `calendarList` and `calendars`: what an account sees, and calendars of its own.
//!
//! Owns their answers. It never touches an event. Invariant: an account sees the calendars in its list and no other.

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
use super::super::world::{AccessRole, NewCalendar, World, zone};
use super::list::{read_token, write_token};
use super::request::Request;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 250;

/// `calendarList.list`.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let method = ("calendarList.list", Right::ListCalendars);
    Request::new(&shared, method, &headers, query.as_deref(), Bytes::new())
        .carry_out(&shared, |google, caller| {
            let request = caller.request;
            let size = request.page_size(DEFAULT_PAGE, LARGEST_PAGE)?;
            let least = match request.parameter("minAccessRole") {
                None => AccessRole::FreeBusyReader,
                Some(word) => serde_json::from_value(json!(word)).map_err(|_| Refusal::parameter("minAccessRole"))?,
            };
            let after = match request.parameter("pageToken") {
                None => -1,
                Some(token) => read_token(token)?.0,
            };
            let account = google.world.accounts.get(&caller.account).ok_or_else(Refusal::not_found)?;
            let mut entries = account
                .list
                .iter()
                .zip(0_i64..)
                .filter(|(entry, place)| *place > after && entry.access_role >= least)
                .filter_map(|(entry, place)| {
                    Some((entry.resource(google.world.calendars.get(&entry.calendar_id)?), place))
                });
            let mut page = json!({"kind": "calendar#calendarList", "etag": "\"p1\""});
            let mut items = Vec::new();
            let mut last = after;
            for (entry, place) in entries.by_ref().take(size) {
                items.push(entry);
                last = place;
            }
            page["items"] = Value::Array(items);
            if entries.next().is_some() {
                page["nextPageToken"] = json!(write_token(last, ""));
            } else {
                page["nextSyncToken"] = json!("emulated");
            }
            Ok(Answer::read(page))
        })
        .await
}

/// `calendarList.get`.
pub(crate) async fn list_entry(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Path(calendar): Path<String>,
) -> Response {
    let method = ("calendarList.get", Right::ReadListEntry);
    Request::new(&shared, method, &headers, query.as_deref(), Bytes::new())
        .calendar(&calendar)
        .carry_out(&shared, |google, caller| {
            let id = caller.calendar(&mut google.world)?.0.id.clone();
            let entry = google.world.accounts.get(&caller.account).and_then(|account| {
                let entry = account.list.iter().find(|entry| entry.calendar_id == id)?;
                Some(entry.resource(google.world.calendars.get(&id)?))
            });
            entry.map(Answer::read).ok_or_else(Refusal::not_found)
        })
        .await
}

/// `calendars.get`.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Path(calendar): Path<String>,
) -> Response {
    let method = ("calendars.get", Right::ReadCalendar);
    Request::new(&shared, method, &headers, query.as_deref(), Bytes::new())
        .calendar(&calendar)
        .carry_out(&shared, |google, caller| Ok(Answer::read(caller.calendar(&mut google.world)?.0.resource())))
        .await
}

/// `calendars.insert`.
pub(crate) async fn insert(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    raw: Bytes,
) -> Response {
    let method = ("calendars.insert", Right::WriteCalendars);
    Request::new(&shared, method, &headers, query.as_deref(), raw)
        .carry_out(&shared, |google, caller| {
            let sent = caller.request.body()?;
            let Some(summary) = sent.get("summary").and_then(Value::as_str) else {
                return Err(Refusal::required("Missing title."));
            };
            let time_zone = sent.get("timeZone").and_then(Value::as_str).unwrap_or("UTC");
            if zone(time_zone).is_none() {
                return Err(Refusal::invalid("Invalid time zone."));
            }
            let id = new_calendar_id(&shared);
            google.world.add_calendar(
                &caller.account,
                NewCalendar {
                    id: id.clone(),
                    summary: summary.to_owned(),
                    time_zone: time_zone.to_owned(),
                    access_role: AccessRole::Owner,
                    background_color: "#9a9cff".to_owned(),
                    app_created: true,
                },
            );
            let calendar = google.world.calendars.get(&id).ok_or_else(Refusal::not_found)?;
            Ok(Answer::written(calendar.resource()))
        })
        .await
}

/// `calendars.delete`.
pub(crate) async fn delete(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Path(calendar): Path<String>,
) -> Response {
    let method = ("calendars.delete", Right::WriteCalendars);
    Request::new(&shared, method, &headers, query.as_deref(), Bytes::new())
        .calendar(&calendar)
        .carry_out(&shared, |google, caller| {
            let (calendar, role) = caller.calendar(&mut google.world)?;
            if role < AccessRole::Owner {
                return Err(Refusal::access_level("owner"));
            }
            let id = calendar.id.clone();
            if id == World::resolve(&caller.account, "primary") {
                return Err(Refusal::bad("cannotDeletePrimaryCalendar", "Cannot delete primary calendar."));
            }
            google.world.remove_calendar(&id);
            Ok(Answer::deleted())
        })
        .await
}

/// An id as Google gives to a secondary calendar.
pub(crate) fn new_calendar_id(shared: &Shared) -> String {
    format!("c_{}@group.calendar.google.com", data_encoding::HEXLOWER.encode(&shared.entropy.bytes::<16>()))
}
