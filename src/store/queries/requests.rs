//! Requests to send again: changed settings, catch-ups, retries.
//!
//! Owns what each request changes at once. Never reaches further than the first part of the links, unless they are
//! named: the rest is a wish. Invariant: each request is one transaction, with the integration held.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::catch_ups::requeue;
use super::fragments::of_organisation;
use super::integrations::{insert_if_absent, locked, reread, set_calendar};
use super::links::revisions;
use super::schema::calendar_integrations::dsl;
use super::statement::{list_of, named, sql};
use super::{Conn, Fault, owed, wishes};
use crate::model::{AppointmentId, OrganisationId, Reason};
use crate::store::instant::Instant;
use crate::store::wish::Wish;
use crate::store::words::{
    self, CALENDAR_UNAVAILABLE, ERROR, GOOGLE_THROTTLED, PENDING, PROVIDER, Priority, RECONNECT_REQUIRED,
};
use crate::store::{Integration, Retry, SettingsChange};

pub(in crate::store) async fn change_settings(
    conn: &mut Conn,
    organisation: &OrganisationId,
    change: SettingsChange,
    size: i64,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let is_of_privacy_alone =
            change.title_privacy.is_some() && change.is_enabled.is_none() && change.calendar.is_none();
        if is_of_privacy_alone {
            insert_if_absent(conn, organisation, true, now).await?;
        }
        let found = locked(conn, organisation).await?;
        let is_as_seen = |before: &Integration| change.epoch.is_none_or(|epoch| epoch == before.epoch);
        let may_change = |before: &Integration| before.is_connected() && is_as_seen(before) || is_of_privacy_alone;
        let Some(before) = found.filter(may_change) else { return Ok(None) };
        let row = || dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
        // What does not read is left as it is, until a person chooses.
        let settings = diesel::update(row()).set((
            dsl::is_enabled.eq(change.is_enabled.unwrap_or(before.is_enabled)),
            change.title_privacy.map(|privacy| dsl::title_privacy.eq(words::of_privacy(privacy))),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("requests.change_settings", settings).execute(conn).await?;
        let mut is_moved = false;
        if let Some(calendar) = &change.calendar {
            is_moved = before.calendar.as_ref().is_none_or(|kept| kept.id != calendar.id);
            set_calendar(conn, organisation, calendar).await?;
            // It has just been seen to take writes.
            let in_it = sql("calendar_id = ").bind(&calendar.id);
            owed::make_due(conn, organisation, in_it, now).await?;
        }
        if before.problem.as_ref().is_some_and(|problem| is_mended(problem.reason, &change)) {
            let problem = diesel::update(row()).set((
                dsl::problem_reason.eq(None::<String>),
                dsl::problem_since.eq(None::<Instant>),
                dsl::problem_retry_at.eq(None::<Instant>),
            ));
            named("requests.clear_problem", problem).execute(conn).await?;
        }
        let shown = change.title_privacy.unwrap_or(before.title_privacy);
        let is_retold =
            change.title_privacy.is_some() && (shown != before.title_privacy || before.unreadable.is_some());
        let is_tighter = is_retold && (shown > before.title_privacy || before.unreadable.is_some());
        if is_moved || is_retold {
            let wish = if is_tighter { Wish::RetellAll } else { Wish::Retell };
            wishes::make(conn, organisation, wish, size, now).await?;
        }
        let is_enabled_now = change.is_enabled == Some(true) && !before.is_enabled;
        if before.is_connected() && is_enabled_now {
            wishes::make(conn, organisation, Wish::CatchUp, size, now).await?;
        }
        reread(conn, organisation).await.map(Some)
    })
}

/// Whether a change of the settings mends this.
fn is_mended(reason: Reason, change: &SettingsChange) -> bool {
    match reason {
        Reason::CalendarUnavailable => change.calendar.is_some(),
        // If a setting still does not read, that is found again.
        Reason::Internal => true,
        Reason::NotConnected
        | Reason::ReconnectRequired
        | Reason::GoogleUnavailable
        | Reason::GoogleThrottled
        | Reason::EventRefused
        | Reason::GoogleMisconfigured
        | Reason::AccountUnavailable
        | Reason::KeyringIncomplete => false,
    }
}

pub(in crate::store) async fn catch_up(
    conn: &mut Conn,
    organisation: &OrganisationId,
    size: i64,
    now: Timestamp,
) -> Result<(i32, bool), Fault> {
    transaction!(conn, async |conn| {
        match locked(conn, organisation).await?.filter(Integration::is_connected) {
            Some(_) => {
                // What lies in a calendar out of reach is due again once the comparison has listed that calendar.
                let failed = sql(format!("last_error <> {CALENDAR_UNAVAILABLE}"));
                owed::make_due(conn, organisation, failed, now).await?;
                try_again(conn, organisation, now).await?;
                let made = wishes::make(conn, organisation, Wish::CatchUp, size, now).await?;
                Ok((made.queued, made.has_rest))
            }
            None => Ok((0, false)),
        }
    })
}

/// Lets a problem be tried again now that is tried again by itself, but for what Google asked to wait for. It stands until
/// something has worked.
async fn try_again(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    let update = sql("UPDATE calendar_integrations SET problem_retry_at = ")
        .bind(now)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(
            " AND problem_reason NOT IN ({RECONNECT_REQUIRED}, {GOOGLE_THROTTLED})
                AND (problem_retry_at IS NULL OR problem_retry_at > "
        ))
        .bind(now)
        .sql(")");
    named("requests.try_again", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn retry(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: Option<Vec<AppointmentId>>,
    size: i64,
    now: Timestamp,
) -> Result<(Retry, bool), Fault> {
    transaction!(conn, async |conn| {
        let integration = locked(conn, organisation).await?;
        if let Some(appointments) = &appointments {
            let known = revisions(conn, organisation, appointments).await?;
            let unknown: Vec<_> = appointments.iter().filter(|id| !known.contains_key(*id)).cloned().collect();
            if !unknown.is_empty() {
                return Ok((Retry::Unknown(unknown), false));
            }
        }
        if !integration.is_some_and(|integration| integration.is_connected()) {
            return Ok((Retry::Queued(0), false));
        }
        let Some(appointments) = appointments else {
            let made = wishes::make(conn, organisation, Wish::Retry, size, now).await?;
            return Ok((Retry::Queued(made.queued), made.has_rest));
        };
        let live = Priority::Live.to_string();
        let mut queued = 0;
        for some in appointments.chunks(NAMED_TOGETHER) {
            let these =
                sql(format!("sync_status IN ({ERROR}, {PENDING}) AND snapshot IS NOT NULL AND appointment_id IN "))
                    .with(list_of(some));
            queued += requeue(conn, organisation, these, &live, now).await?;
        }
        Ok((Retry::Queued(queued), false))
    })
}

/// How many appointments one statement names: SQLite takes some 32,000 binds.
const NAMED_TOGETHER: usize = 10_000;
