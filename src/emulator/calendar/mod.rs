//! Calendar API v3: its routes, and what every method asks of a caller before it acts.
//!
//! Owns the order token, scope, quota, act. It never stores anything itself. Invariant: a method acts only for a live
//! token whose scopes reach the calendar.

mod body;
mod calendars;
mod events;
mod list;
mod properties;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::Shared;

pub(crate) use body::{Checked, check, merge};
pub(crate) use calendars::new_calendar_id;

/// Every route under `/calendar/v3`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/calendar/v3/users/me/calendarList", get(calendars::list))
        .route("/calendar/v3/users/me/calendarList/{calendar}", get(calendars::list_entry))
        .route("/calendar/v3/calendars", post(calendars::insert))
        .route("/calendar/v3/calendars/{calendar}", get(calendars::get).delete(calendars::delete))
        .route("/calendar/v3/calendars/{calendar}/events", get(list::list).post(events::insert))
        .route(
            "/calendar/v3/calendars/{calendar}/events/{event}",
            get(events::get).patch(events::patch).put(events::update).delete(events::delete),
        )
        .route("/calendar/v3/calendars/{calendar}/events/{event}/move", post(events::relocate))
}
