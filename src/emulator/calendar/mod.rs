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

use super::{CALENDAR_PATH, Shared};

pub(crate) use body::{Checked, check, merge};
pub(crate) use calendars::new_calendar_id;

/// Every route of Calendar v3.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    let at = |below: &str| format!("{CALENDAR_PATH}{below}");
    let event = get(events::get).patch(events::patch).put(events::update).delete(events::delete);
    Router::new()
        .route(&at("/users/me/calendarList"), get(calendars::list))
        .route(&at("/users/me/calendarList/{calendar}"), get(calendars::list_entry))
        .route(&at("/calendars"), post(calendars::insert))
        .route(&at("/calendars/{calendar}"), get(calendars::get).delete(calendars::delete))
        .route(&at("/calendars/{calendar}/events"), get(list::list).post(events::insert))
        .route(&at("/calendars/{calendar}/events/{event}"), event)
        .route(&at("/calendars/{calendar}/events/{event}/move"), post(events::relocate))
}
