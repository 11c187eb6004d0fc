//! What a disconnect takes over of links: events that are to be deleted become owed, and what waits rests.
//!
//! Owns which links those are. Never takes over what a call is under way for: it is left until that has ended.
//! Invariant: whoever calls holds the integration, and says which part of its links is meant.

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, unleased};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, owed};
use crate::model::RemoteEvents;
use crate::store::words::{ERROR, NONE, PENDING, Priority};
use crate::store::{Integration, OwedCause};

/// What rests in a link after a disconnect: nothing is to be sent, and nothing is said of an attempt.
pub(super) fn at_rest() -> String {
    format!(
        ", sync_status = {NONE}, next_attempt_at = NULL, attempts = 0, priority = {live}, last_error = NULL,
            last_error_detail = NULL",
        live = Priority::Live,
    )
}

/// The placed links whose events are to be deleted. Those of `Keep`: none.
pub(super) fn taken_over(remote_events: RemoteEvents, now: Timestamp) -> Fragment {
    match remote_events {
        RemoteEvents::Keep => sql("FALSE"),
        // What was not sent yet may show a time that Cassius has changed since.
        RemoteEvents::DeleteUpcoming => sql("(ends_at > ")
            .bind(now)
            .sql(" OR (synced_revision < revision AND shown_ends_at > ")
            .bind(now)
            .sql(")) AND ")
            .with(unleased(now)),
        RemoteEvents::DeleteAll => unleased(now),
    }
}

/// Owes the events of the links that `which` is true of, as far as they are to be deleted; answers how many links that
/// changed.
pub(super) async fn take_over(
    conn: &mut Conn,
    integration: &Integration,
    remote_events: RemoteEvents,
    which: impl Fn() -> Fragment,
    now: Timestamp,
) -> Result<i64, Fault> {
    let set = match remote_events {
        RemoteEvents::Keep => return Ok(0),
        RemoteEvents::DeleteUpcoming => sql(at_rest()),
        // What is over is not written anew by whoever connects again, unless its appointment changes. What was called
        // off is kept: its event may have to be deleted yet.
        RemoteEvents::DeleteAll => sql(at_rest())
            .sql(", snapshot = CASE WHEN wants_event AND ends_at <= ")
            .bind(now)
            .sql(" THEN NULL ELSE snapshot END, recent_calls = CASE WHEN wants_event AND ends_at <= ")
            .bind(now)
            .sql(" THEN NULL ELSE recent_calls END"),
    };
    let account = integration.google_user_id.as_ref().ok_or(Fault::Corrupt("google_user_id"))?;
    let its = || which().sql(" AND ").with(taken_over(remote_events, now));
    owed::owe_placed(conn, &integration.organisation, account, OwedCause::Disconnect, its, set, now).await
}

/// Lets the links rest that wait or were refused, and that `which` is true of.
pub(super) async fn rest(
    conn: &mut Conn,
    integration: &Integration,
    which: Fragment,
    now: Timestamp,
) -> Result<(), Fault> {
    let rest = sql("UPDATE appointment_external_links SET updated_at = ")
        .bind(now)
        .sql(at_rest())
        .sql(" WHERE ")
        .with(of_organisation(&integration.organisation))
        .sql(format!(" AND sync_status IN ({PENDING}, {ERROR}) AND "))
        .with(unleased(now))
        .sql(" AND ")
        .with(which);
    named("takeovers.rest", rest).execute(conn).await?;
    Ok(())
}
