//! The controls under `/emulator/`: what a test reads, and what it makes happen. All JSON.
//!
//! Owns these routes. It never takes part in a call. Invariant: a control acts at once and leaves no trace in the
//! journal.
//!
//! | route | does |
//! |---|---|
//! | `GET journal?since=&operation=` | `{calls, last}`: the calls after a sequence, of one operation |
//! | `DELETE journal` | forgets them; sequences go on |
//! | `GET faults`, `POST faults`, `DELETE faults` | see `fault::Fault`; removed, they let go on what hangs by them |
//! | `DELETE faults/{id}` | removes one |
//! | `GET settings`, `POST settings` | see `settings::Settings`; only what is sent changes |
//! | `GET accounts`, `POST accounts` | the accounts; adds one: `{email, name?, time_zone?}` |
//! | `POST accounts/{email}` | `{read_only}`: writes answer `quotaExceeded` |
//! | `POST accounts/{email}/revoke` | ends its grants, as the person can at Google |
//! | `POST accounts/{email}/expire` | expires its access tokens |
//! | `POST accounts/{email}/grants` | `{scopes}` → `{access_token, refresh_token}` without a browser |
//! | `GET accounts/{email}/calendars`, `POST` | its calendar list; adds one: `{id?, summary?, access_role?, time_zone?}` |
//! | `POST accounts/{email}/calendars/{id}` | `{access_role}` |
//! | `DELETE calendars/{id}` | the calendar vanishes, for everybody |
//! | `GET accounts/{email}/events` | every event in its calendars, deleted ones too, with full bodies |
//! | `POST calendars/{id}/events` | writes one as somebody else than the service would, under the `id` in the body |
//! | `PATCH calendars/{id}/events/{event}` | alters one as its user would |
//! | `POST calendars/{id}/events/{event}/move` | `{destination}`: moves one to another calendar as its user would |
//! | `DELETE calendars/{id}/events/{event}?answer=` | deletes one as its user would: `cancelled`, `not_found` or `gone` |
//! | `POST reset` | a fresh emulator |

mod accounts;
mod events;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use http::StatusCode;
use serde_json::Value;

use super::Shared;
use super::response::json;

/// Every route under `/emulator/`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    let routes = Router::new()
        .route("/journal", get(watch::journal).delete(watch::forget))
        .route("/faults", get(watch::faults).post(watch::set_fault).delete(watch::clear_faults))
        .route("/faults/{id}", delete(watch::remove_fault))
        .route("/settings", get(watch::settings).post(watch::set))
        .route("/reset", post(watch::reset))
        .route("/accounts", get(accounts::all).post(accounts::add))
        .route("/accounts/{email}", post(accounts::change))
        .route("/accounts/{email}/revoke", post(accounts::revoke))
        .route("/accounts/{email}/expire", post(accounts::expire))
        .route("/accounts/{email}/grants", post(accounts::grant))
        .route("/accounts/{email}/calendars", get(accounts::calendars).post(accounts::add_calendar))
        .route("/accounts/{email}/calendars/{calendar}", post(accounts::change_role))
        .route("/accounts/{email}/events", get(events::all))
        .route("/calendars/{calendar}", delete(accounts::remove_calendar))
        .route("/calendars/{calendar}/events", post(events::add))
        .route("/calendars/{calendar}/events/{event}", patch(events::alter).delete(events::vanish))
        .route("/calendars/{calendar}/events/{event}/move", post(events::relocate));
    Router::new().nest("/emulator", routes)
}

fn ok(value: &Value) -> Response {
    json(StatusCode::OK, value, true)
}

/// Why a control does nothing.
#[derive(Debug)]
pub(crate) enum ControlError {
    /// 404: there is no such thing.
    Unknown(&'static str),
    /// 400: the request makes no sense.
    BadRequest(String),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Unknown(thing) => (StatusCode::NOT_FOUND, format!("no such {thing}")),
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, message),
        };
        json(status, &serde_json::json!({"error": message}), true)
    }
}
