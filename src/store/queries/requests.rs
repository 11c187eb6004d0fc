//! Requests to send again: changed settings, catch-ups, retries.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::integrations::{changed, clear_problem, locked, set_calendar};
use super::links::{counts, revisions};
use super::schema::calendar_integrations::dsl;
use super::{Conn, Fault, InstantSql, rows_of, statement};
use crate::model::{AppointmentId, OrganisationId, Reason};
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};
use crate::store::{CatchUp, Integration, Retry, SettingsChange};

pub(in crate::store) async fn change_settings(
    conn: &mut Conn,
    organisation: &OrganisationId,
    change: SettingsChange,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let Some(before) = locked(conn, organisation).await? else {
            return Ok(None);
        };
        let row = || dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
        let privacy = change.title_privacy.unwrap_or(before.title_privacy);
        diesel::update(row())
            .set((
                dsl::is_enabled.eq(change.is_enabled.unwrap_or(before.is_enabled)),
                dsl::title_privacy.eq(words::of_privacy(privacy)),
                dsl::updated_at.eq(Instant(now)),
            ))
            .execute(conn)
            .await?;
        let mut is_moved = false;
        if let Some(calendar) = &change.calendar {
            is_moved = before.calendar.as_ref().is_none_or(|kept| kept.id != calendar.id);
            set_calendar(conn, organisation, calendar).await?;
        }
        let is_unavailable =
            before.problem.as_ref().is_some_and(|problem| problem.reason == Reason::CalendarUnavailable);
        if change.calendar.is_some() && is_unavailable {
            clear_problem(conn, organisation, before.epoch, now).await?;
        }
        if before.is_connected() && (is_moved || privacy != before.title_privacy) {
            let upcoming = "ends_at > $1 AND (external_event_id IS NOT NULL OR sync_status = 'pending')";
            requeue(conn, organisation, upcoming, "1", now).await?;
            note_catch_up(conn, organisation, now).await?;
        }
        changed(conn, organisation).await.map(Some)
    })
}

/// Notes how many links the catch-up that begins has to bring in step.
async fn note_catch_up(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    statement(
        "UPDATE calendar_integrations SET catch_up_started_at = $1, updated_at = $1, catch_up_total = (
            SELECT COUNT(*) FROM appointment_external_links AS l
            WHERE l.organisation_id = $2 AND l.provider = 'google' AND l.sync_status = 'pending' AND l.lane = 1
         )
         WHERE organisation_id = $2 AND provider = 'google'",
    )
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

pub(in crate::store) async fn catch_up(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<CatchUp, Fault> {
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await?.filter(Integration::is_connected) else {
            return Ok(CatchUp::Queued(0));
        };
        if counts(conn, organisation, now).await?.catching_up > 0 {
            return Ok(CatchUp::AlreadyRunning);
        }
        statement(
            "UPDATE appointment_external_links SET lane = 0, updated_at = $1
             WHERE organisation_id = $2 AND provider = 'google' AND lane = 1",
        )
        .bind::<InstantSql, _>(Instant(now))
        .bind::<Text, _>(organisation.as_str().to_owned())
        .execute(conn)
        .await?;
        let unsent = "snapshot IS NOT NULL AND (sync_status IN ('none', 'error', 'pending') \
                      OR ends_at > $1 AND external_calendar_id <> (SELECT i.calendar_id FROM calendar_integrations AS i \
                      WHERE i.organisation_id = $2 AND i.provider = 'google'))";
        let lane = "CASE WHEN sync_status = 'pending' THEN lane ELSE 1 END";
        let queued = requeue(conn, &integration.organisation, unsent, lane, now).await?;
        note_catch_up(conn, organisation, now).await?;
        Ok(CatchUp::Queued(queued))
    })
}

pub(in crate::store) async fn retry(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: Option<Vec<AppointmentId>>,
    now: Timestamp,
) -> Result<Retry, Fault> {
    transaction!(conn, async |conn| {
        let integration = locked(conn, organisation).await?;
        if let Some(appointments) = &appointments {
            let known = revisions(conn, organisation, appointments).await?;
            let unknown: Vec<_> = appointments.iter().filter(|id| !known.contains_key(*id)).cloned().collect();
            if !unknown.is_empty() {
                return Ok(Retry::Unknown(unknown));
            }
        }
        if !integration.is_some_and(|integration| integration.is_connected()) {
            return Ok(Retry::Queued(0));
        }
        let Some(appointments) = appointments else {
            let rows = requeue(conn, organisation, "sync_status = 'error' AND snapshot IS NOT NULL", "0", now).await?;
            return Ok(Retry::Queued(rows));
        };
        let mut queued = 0;
        for some in appointments.chunks(10_000) {
            queued += requeue_named(conn, organisation, some, now).await?;
        }
        Ok(Retry::Queued(queued))
    })
}

/// What being asked to send again changes.
const DUE_AGAIN: &str = "sync_status = 'pending', attempts = 0, demand = demand + 1, last_error = NULL, \
                         last_error_detail = NULL";

/// Makes due at `now` the links of `organisation` that `condition` is true of; it may name the two as `$1` and `$2`.
async fn requeue(
    conn: &mut Conn,
    organisation: &OrganisationId,
    condition: &str,
    lane: &str,
    now: Timestamp,
) -> Result<i32, Fault> {
    let rows = statement(format!(
        "UPDATE appointment_external_links SET lane = {lane}, next_attempt_at = $1, updated_at = $1, {DUE_AGAIN}
         WHERE organisation_id = $2 AND provider = 'google' AND ({condition})"
    ))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .execute(conn)
    .await?;
    Ok(i32::try_from(rows).unwrap_or(i32::MAX))
}

async fn requeue_named(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
    now: Timestamp,
) -> Result<i32, Fault> {
    let mut update = statement(format!(
        "UPDATE appointment_external_links SET lane = 0, next_attempt_at = $1, updated_at = $1, {DUE_AGAIN}
         WHERE organisation_id = $2 AND provider = 'google' AND sync_status IN ('error', 'pending')
            AND snapshot IS NOT NULL AND appointment_id IN {}",
        // One row of placeholders is a list of them.
        rows_of(1, appointments.len(), 3),
    ))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned());
    for appointment in appointments {
        update = update.bind::<Text, _>(appointment.as_str().to_owned());
    }
    Ok(i32::try_from(update.execute(conn).await?).unwrap_or(i32::MAX))
}
