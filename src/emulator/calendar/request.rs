//! A call of the Calendar API: its token, its parameters, and the access they give.
//!
//! Owns the reading of headers and query, and the checks that every method shares. It never knows a method's own
//! rules. Invariant: quota is spent once a call, after the token and before the act.

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH};
use jiff::Timestamp;
use serde_json::Value;

use super::super::call::{Call, perform};
use super::super::refusal::Refusal;
use super::super::response::Answer;
use super::super::scope::{Reach, Right, reach};
use super::super::selection::Selection;
use super::super::world::{AccessRole, Calendar, Object, World};
use super::super::{Google, Shared};
use super::properties;

/// A call as it came in.
#[derive(Debug)]
pub(crate) struct Request {
    operation: &'static str,
    right: Right,
    token: Option<String>,
    account: Option<String>,
    calendar_id: Option<String>,
    event_id: Option<String>,
    parameters: Vec<(String, String)>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    raw: Bytes,
    body: Result<Object, Refusal>,
}

/// A call whose token holds.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) account: String,
    pub(crate) now: Timestamp,
    pub(crate) request: &'a Request,
    pub(crate) base_url: &'a str,
    reach: Reach,
}

impl Request {
    /// Reads what every method reads.
    pub(crate) fn new(
        shared: &Shared,
        (operation, right): (&'static str, Right),
        headers: &HeaderMap,
        query: Option<&str>,
        raw: Bytes,
    ) -> Self {
        let parameters: Vec<(String, String)> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim().to_owned());
        let account = token.as_deref().and_then(|token| shared.lock().world.grants.owner(token).map(ToOwned::to_owned));
        let body = if raw.is_empty() {
            Ok(Object::new())
        } else {
            serde_json::from_slice(&raw).map_err(|_| Refusal::unreadable())
        };
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let (if_match, if_none_match) = (header(IF_MATCH), header(IF_NONE_MATCH));
        Self {
            operation,
            right,
            token,
            account,
            calendar_id: None,
            event_id: None,
            parameters,
            if_match,
            if_none_match,
            raw,
            body,
        }
    }

    /// Names the calendar of the call.
    pub(crate) fn calendar(mut self, calendar_id: &str) -> Self {
        let id = self.account.as_deref().map_or(calendar_id, |account| World::resolve(account, calendar_id));
        self.calendar_id = Some(id.to_owned());
        self
    }

    /// Names the event of the call.
    pub(crate) fn event(mut self, event_id: Option<String>) -> Self {
        self.event_id = event_id;
        self
    }

    /// The first value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a repeated parameter.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A page size: 1 to `most`, above which it is cut silently.
    pub(crate) fn page_size(&self, default: usize, most: usize) -> Result<usize, Refusal> {
        match self.parameter("maxResults") {
            None => Ok(default),
            Some(text) => match text.parse::<usize>() {
                Ok(size) if size > 0 => Ok(size.min(most)),
                _ => Err(Refusal::parameter("maxResults")),
            },
        }
    }

    /// A switch such as `showDeleted`.
    pub(crate) fn switch(&self, name: &'static str, default: bool) -> Result<bool, Refusal> {
        match self.parameter(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Refusal::parameter(name)),
        }
    }

    /// The JSON object that was sent.
    pub(crate) fn body(&self) -> Result<&Object, Refusal> {
        self.body.as_ref().map_err(Clone::clone)
    }

    /// The `id` in the body.
    pub(crate) fn id_in_body(&self) -> Option<String> {
        self.body.as_ref().ok()?.get("id").and_then(Value::as_str).map(ToOwned::to_owned)
    }

    /// Holds `If-Match` against the etag as it stands.
    pub(crate) fn precondition(&self, etag: &str) -> Result<(), Refusal> {
        match self.if_match.as_deref() {
            None | Some("*") => Ok(()),
            Some(wanted) if wanted.split(',').any(|one| one.trim() == etag) => Ok(()),
            Some(_) => Err(Refusal::condition_not_met()),
        }
    }

    /// What is read, unless `If-None-Match` says that the caller has it.
    pub(crate) fn answer(&self, read: Value) -> Answer {
        let known = self.if_none_match.as_deref().zip(read.get("etag").and_then(Value::as_str));
        match known {
            Some((held, etag)) if held.split(',').any(|one| matches!(one.trim(), "*") || one.trim() == etag) => {
                Answer::not_modified()
            }
            _ => Answer::read(read),
        }
    }

    /// Takes the call through journal, faults, token, scope and quota to its act.
    pub(crate) async fn carry_out(
        self,
        shared: &Shared,
        act: impl FnOnce(&mut Google, &Caller<'_>) -> Result<Answer, Refusal>,
    ) -> Response {
        let fields = self.parameter("fields").map(Selection::parse);
        let units = if self.operation == "events.patch" { 3 } else { 1 };
        let call = Call {
            operation: self.operation,
            account: self.account.clone(),
            calendar_id: self.calendar_id.clone(),
            event_id: self.event_id.clone(),
            units,
            send_updates_none: self.parameter("sendUpdates") == Some("none"),
            private_property: self.parameter("privateExtendedProperty").map(ToOwned::to_owned),
            has_attendees: self.body.as_ref().is_ok_and(properties::names_attendees),
            body: self.raw.clone(),
            compact: self.parameter("prettyPrint") == Some("false"),
            fields: fields.clone().flatten(),
        };
        perform(shared, call, |google, now| {
            let token = self.token.as_deref().ok_or_else(Refusal::login_required)?;
            let token = google.world.grants.access(token, now).ok_or_else(Refusal::unauthenticated)?;
            let reach = reach(self.right, &token.scopes);
            if !reach.is_some() {
                return Err(Refusal::scope_insufficient(self.operation));
            }
            let account = token.account.clone();
            google
                .quota
                .spend(&account, units, now, &google.settings)
                .map_err(|exhausted| Refusal::rate(google.settings.rate_limit_status, exhausted))?;
            if matches!(fields, Some(None)) {
                return Err(Refusal::parameter("fields"));
            }
            if !matches!(self.parameter("sendUpdates"), None | Some("all" | "externalOnly" | "none")) {
                return Err(Refusal::parameter("sendUpdates"));
            }
            act(google, &Caller { account, now, request: &self, base_url: &shared.base_url, reach })
        })
        .await
    }
}

impl Caller<'_> {
    /// The id of the call's calendar, and the calendar, if the account may see it at all.
    pub(crate) fn calendar<'a>(&self, world: &'a mut World) -> Result<(&'a mut Calendar, AccessRole), Refusal> {
        let id = self.request.calendar_id.as_deref().unwrap_or_default();
        self.open(world, id)
    }

    /// Any calendar that the account may see and the token's scopes reach.
    pub(crate) fn open<'a>(&self, world: &'a mut World, id: &str) -> Result<(&'a mut Calendar, AccessRole), Refusal> {
        let id = World::resolve(&self.account, id);
        let role = world
            .accounts
            .get(&self.account)
            .and_then(|account| account.list.iter().find(|entry| entry.calendar_id == id))
            .map(|entry| entry.access_role)
            .ok_or_else(Refusal::not_found)?;
        let calendar = world.calendars.get_mut(id).ok_or_else(Refusal::not_found)?;
        if !self.reach.covers(role, calendar.app_created) {
            return Err(Refusal::scope_insufficient(self.request.operation));
        }
        Ok((calendar, role))
    }

    /// The same, to be written to.
    pub(crate) fn writable<'a>(&self, world: &'a mut World, id: Option<&str>) -> Result<&'a mut Calendar, Refusal> {
        let read_only = world.accounts.get(&self.account).is_some_and(|account| account.read_only);
        let id = id.or(self.request.calendar_id.as_deref()).unwrap_or_default();
        let (calendar, role) = self.open(world, id)?;
        if role < AccessRole::Writer {
            return Err(Refusal::access_level("writer"));
        }
        if read_only {
            return Err(Refusal::usage_limits());
        }
        Ok(calendar)
    }

    /// The id of the call's event.
    pub(crate) fn event_id(&self) -> &str {
        self.request.event_id.as_deref().unwrap_or_default()
    }
}
