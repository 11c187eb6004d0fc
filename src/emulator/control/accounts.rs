//! Accounts, their calendars and grants, from outside the API.
//!
//! Owns these routes. It never touches an event. Invariant: what is changed here is seen by the next call.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::oauth;
use super::super::world::{AccessRole, NewCalendar, World, zone};
use super::super::{Google, Shared};
use super::{ControlError, ok};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    email: String,
    name: Option<String>,
    time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    read_only: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    scopes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AddedCalendar {
    id: Option<String>,
    summary: Option<String>,
    access_role: Option<AccessRole>,
    time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    access_role: AccessRole,
}

/// Changes the world, and answers once it is saved.
pub(crate) async fn change_world(
    shared: &Shared,
    change: impl FnOnce(&mut Google) -> Result<Value, ControlError>,
) -> Response {
    let (version, value) = {
        let mut google = shared.lock();
        match change(&mut google) {
            Ok(value) => (shared.changed(&mut google), value),
            Err(wrong) => return wrong.into_response(),
        }
    };
    shared.saved(version).await;
    ok(&value)
}

pub(crate) fn read<T: DeserializeOwned>(raw: &Bytes) -> Result<T, ControlError> {
    let raw = if raw.is_empty() { b"{}" } else { raw.as_ref() };
    serde_json::from_slice(raw).map_err(|error| ControlError::BadRequest(error.to_string()))
}

fn list(world: &World, email: &str) -> Value {
    let entries = world.accounts.get(email).map_or(&[][..], |account| account.list.as_slice());
    entries
        .iter()
        .filter_map(|entry| {
            let calendar = world.calendars.get(&entry.calendar_id)?;
            Some(json!({
                "id": entry.calendar_id,
                "summary": calendar.summary,
                "access_role": entry.access_role,
                "primary": entry.primary,
                "time_zone": calendar.time_zone,
            }))
        })
        .collect()
}

/// `GET accounts`.
pub(crate) async fn all(State(shared): State<Arc<Shared>>) -> Response {
    let google = shared.lock();
    let accounts: Vec<Value> = google
        .world
        .accounts
        .values()
        .map(|account| {
            json!({
                "email": account.email,
                "name": account.name,
                "sub": account.sub,
                "hosted_domain": account.hosted_domain,
                "read_only": account.read_only,
                "has_grant": google.world.grants.stands(&account.email),
                "calendars": list(&google.world, &account.email),
            })
        })
        .collect();
    ok(&json!({"accounts": accounts}))
}

/// `POST accounts`.
pub(crate) async fn add(State(shared): State<Arc<Shared>>, raw: Bytes) -> Response {
    change_world(&shared, |google| {
        let sent: NewAccount = read(&raw)?;
        let time_zone = sent.time_zone.as_deref().unwrap_or("Europe/Paris");
        if zone(time_zone).is_none() || google.world.accounts.contains_key(&sent.email) {
            return Err(ControlError::BadRequest("the zone is unknown or the account is there".to_owned()));
        }
        let sub = format!("1{:020}", shared.entropy.number());
        google.world.add_account(&sent.email, sent.name.as_deref().unwrap_or(&sent.email), sub, time_zone);
        Ok(json!({"email": sent.email}))
    })
    .await
}

/// `POST accounts/{email}`.
pub(crate) async fn change(State(shared): State<Arc<Shared>>, Path(email): Path<String>, raw: Bytes) -> Response {
    change_world(&shared, |google| {
        let Change { read_only } = read(&raw)?;
        google.world.accounts.get_mut(&email).ok_or(ControlError::Unknown("account"))?.read_only = read_only;
        Ok(json!({}))
    })
    .await
}

/// `POST accounts/{email}/revoke`.
pub(crate) async fn revoke(State(shared): State<Arc<Shared>>, Path(email): Path<String>) -> Response {
    change_world(&shared, |google| Ok(json!({"revoked": google.world.grants.revoke(&email)}))).await
}

/// `POST accounts/{email}/expire`.
pub(crate) async fn expire(State(shared): State<Arc<Shared>>, Path(email): Path<String>) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        google.world.grants.expire_access_tokens(&email, now);
        Ok(json!({}))
    })
    .await
}

/// `POST accounts/{email}/grants`.
pub(crate) async fn grant(State(shared): State<Arc<Shared>>, Path(email): Path<String>, raw: Bytes) -> Response {
    let now = shared.now();
    change_world(&shared, |google| {
        let NewGrant { scopes } = read(&raw)?;
        if !google.world.accounts.contains_key(&email) {
            return Err(ControlError::Unknown("account"));
        }
        let (access_token, refresh_token) = oauth::grant(&shared, google, (&email, scopes), true, now);
        Ok(json!({"access_token": access_token, "refresh_token": refresh_token}))
    })
    .await
}

/// `GET accounts/{email}/calendars`.
pub(crate) async fn calendars(State(shared): State<Arc<Shared>>, Path(email): Path<String>) -> Response {
    ok(&json!({"calendars": list(&shared.lock().world, &email)}))
}

/// `POST accounts/{email}/calendars`.
pub(crate) async fn add_calendar(State(shared): State<Arc<Shared>>, Path(email): Path<String>, raw: Bytes) -> Response {
    change_world(&shared, |google| {
        let sent: AddedCalendar = read(&raw)?;
        let time_zone = sent.time_zone.unwrap_or_else(|| "Europe/Paris".to_owned());
        if zone(&time_zone).is_none() {
            return Err(ControlError::BadRequest("unknown time zone".to_owned()));
        }
        if !google.world.accounts.contains_key(&email) {
            return Err(ControlError::Unknown("account"));
        }
        let id = sent.id.unwrap_or_else(|| super::super::calendar::new_calendar_id(&shared));
        google.world.add_calendar(
            &email,
            NewCalendar {
                id: id.clone(),
                summary: sent.summary.unwrap_or_else(|| "Agenda".to_owned()),
                time_zone,
                access_role: sent.access_role.unwrap_or(AccessRole::Owner),
                background_color: "#9a9cff".to_owned(),
                app_created: false,
            },
        );
        Ok(json!({"id": id}))
    })
    .await
}

/// `POST accounts/{email}/calendars/{id}`.
pub(crate) async fn change_role(
    State(shared): State<Arc<Shared>>,
    Path((email, calendar)): Path<(String, String)>,
    raw: Bytes,
) -> Response {
    change_world(&shared, |google| {
        let Role { access_role } = read(&raw)?;
        let account = google.world.accounts.get_mut(&email).ok_or(ControlError::Unknown("account"))?;
        let id = World::resolve(&email, &calendar);
        let entry =
            account.list.iter_mut().find(|entry| entry.calendar_id == id).ok_or(ControlError::Unknown("calendar"))?;
        entry.access_role = access_role;
        Ok(json!({}))
    })
    .await
}

/// `DELETE calendars/{id}`.
pub(crate) async fn remove_calendar(State(shared): State<Arc<Shared>>, Path(calendar): Path<String>) -> Response {
    change_world(&shared, |google| {
        if google.world.remove_calendar(&calendar) { Ok(json!({})) } else { Err(ControlError::Unknown("calendar")) }
    })
    .await
}
