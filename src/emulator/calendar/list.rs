//! `events.list`: filtered, ordered, paged.
//!
//! Owns the filters and the page token. It never changes an event. Invariant: paging by token shows every event once,
//! also while others are written.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::json;

use super::super::Shared;
use super::super::refusal::Refusal;
use super::super::response::Answer;
use super::super::scope::Right;
use super::super::world::{AccessRole, Event, Origin, zone};
use super::properties::constraint;
use super::request::Request;

const DEFAULT_PAGE: usize = 250;
const LARGEST_PAGE: usize = 2500;

/// What a list shows.
struct Filter<'a> {
    properties: Vec<(&'a str, &'a str)>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    updated_from: Option<Timestamp>,
    ical_uid: Option<&'a str>,
    words: Option<String>,
    deleted: bool,
    order: Order,
}

#[derive(Clone, Copy)]
enum Order {
    Id,
    Start,
    Updated,
}

impl<'a> Filter<'a> {
    fn read(request: &'a Request) -> Result<Self, Refusal> {
        if request.parameter("syncToken").is_some() {
            // None was ever given, so each is one that Google has forgotten.
            return Err(Refusal::full_sync_required());
        }
        let instant = |name: &'static str| match request.parameter(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| Refusal::parameter(name)),
        };
        let order = match request.parameter("orderBy") {
            None => Order::Id,
            Some("updated") => Order::Updated,
            Some("startTime") if request.switch("singleEvents", false)? => Order::Start,
            Some(_) => return Err(Refusal::parameter("orderBy")),
        };
        let properties =
            request.parameters("privateExtendedProperty").map(constraint).collect::<Result<Vec<_>, Refusal>>()?;
        let (from, until) = (instant("timeMin")?, instant("timeMax")?);
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return Err(Refusal::empty_time_range());
        }
        Ok(Self {
            properties,
            from,
            until,
            updated_from: instant("updatedMin")?,
            ical_uid: request.parameter("iCalUID"),
            words: request.parameter("q").map(str::to_lowercase),
            deleted: request.switch("showDeleted", false)?,
            order,
        })
    }

    fn shows(&self, id: &str, event: &Event) -> bool {
        (self.deleted || !event.cancelled)
            && self.properties.iter().all(|(key, value)| event.private_property(key) == Some(value))
            && self.from.is_none_or(|from| event.end.at > from)
            && self.until.is_none_or(|until| event.start.at < until)
            && self.updated_from.is_none_or(|from| event.updated >= from)
            && self.ical_uid.is_none_or(|uid| match event.body.get("iCalUID") {
                Some(own) => own == uid,
                None => uid.strip_suffix("@google.com") == Some(id),
            })
            && self.words.as_ref().is_none_or(|words| {
                ["summary", "description", "location"].iter().any(|name| {
                    event
                        .body
                        .get(*name)
                        .and_then(|text| text.as_str())
                        .is_some_and(|text| text.to_lowercase().contains(words))
                })
            })
    }

    fn key(&self, event: &Event) -> i64 {
        match self.order {
            Order::Id => 0,
            Order::Start => event.start.at.as_second(),
            Order::Updated => event.updated.as_microsecond(),
        }
    }
}

/// `events.list`.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Path(calendar): Path<String>,
) -> Response {
    let method = ("events.list", Right::ReadEvents);
    let request = Request::new(&shared, method, &headers, query.as_deref(), Bytes::new()).calendar(&calendar);
    request
        .carry_out(&shared, |google, caller| {
            let request = caller.request;
            let filter = Filter::read(request)?;
            let size = request.page_size(DEFAULT_PAGE, LARGEST_PAGE)?;
            let after = request.parameter("pageToken").map(read_token).transpose()?;
            let (calendar, role) = caller.calendar(&mut google.world)?;
            if role < AccessRole::Reader {
                return Err(Refusal::access_level("reader"));
            }
            let shown_zone = match request.parameter("timeZone") {
                Some(name) => zone(name).ok_or_else(|| Refusal::parameter("timeZone"))?,
                None => calendar.zone(),
            };
            let mut chosen: Vec<(i64, &str, &Event)> = calendar
                .events
                .iter()
                .filter(|(id, event)| filter.shows(id, event))
                .map(|(id, event)| (filter.key(event), id.as_str(), event))
                .filter(|(key, id, _)| after.as_ref().is_none_or(|(k, i)| (*key, *id) > (*k, i.as_str())))
                .collect();
            chosen.sort_by_key(|(key, id, _)| (*key, *id));
            let more = chosen.len() > size;
            chosen.truncate(size);
            let origin = Origin { base_url: caller.base_url, reader: &caller.account };
            let items: Vec<_> =
                chosen.iter().map(|(_, id, event)| event.resource(id, calendar, &shown_zone, origin)).collect();
            let mut page = json!({
                "kind": "calendar#events",
                "etag": format!("\"p{}\"", calendar.etag),
                "summary": calendar.summary,
                "updated": caller.now.to_string(),
                "timeZone": shown_zone.iana_name().unwrap_or("UTC"),
                "accessRole": role,
                "defaultReminders": [],
                "items": items,
            });
            match chosen.last() {
                Some((key, id, _)) if more => page["nextPageToken"] = json!(write_token(*key, id)),
                _ => page["nextSyncToken"] = json!("emulated"),
            }
            Ok(Answer::read(page))
        })
        .await
}

/// The token after an entry: its place in the order.
pub(crate) fn write_token(key: i64, id: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{key} {id}").as_bytes())
}

/// The place that a token names.
pub(crate) fn read_token(token: &str) -> Result<(i64, String), Refusal> {
    let unfit = || Refusal::parameter("pageToken");
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| unfit())?;
    let text = String::from_utf8(bytes).map_err(|_| unfit())?;
    let (key, id) = text.split_once(' ').ok_or_else(unfit)?;
    Ok((key.parse().map_err(|_| unfit())?, id.to_owned()))
}
