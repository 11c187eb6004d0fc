//! Links: read, counted, and their snapshots erased.
//!
//! Owns these statements, and what it means to be done, to have an event and to be unsent. Never loads a snapshot.
//! Invariant: the sweep holds the queue of each snapshot that it erases, and leaves what another transaction holds.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, unleased, unreached_by_catch_ups};
use super::overview::HAS_BEGUN;
use super::rows::LinkRow;
use super::schema::appointment_external_links::dsl;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, InstantSql, SKIP_LOCKED, rows};
use crate::model::{AppointmentId, OrganisationId, Revision, SyncStatus};
use crate::store::instant::Instant;
use crate::store::words::{self, ERROR, GOOGLE_UNAVAILABLE, KEYRING_INCOMPLETE, NONE, PENDING, PROVIDER};
use crate::store::{Counts, ErasedSnapshots, Link};

pub(in crate::store) async fn link(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
) -> Result<Option<Link>, Fault> {
    let select = dsl::appointment_external_links
        .find((organisation.as_str(), appointment.as_str(), PROVIDER))
        .filter(dsl::erasing_at.is_null())
        .select(LinkRow::as_select());
    let row = named("links.link", select).get_result(conn).await.optional()?;
    Ok(row.map(Link::from))
}

pub(in crate::store) async fn recent_calls(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
) -> Result<Option<Option<String>>, Fault> {
    let select = dsl::appointment_external_links
        .find((organisation.as_str(), appointment.as_str(), PROVIDER))
        .select(dsl::recent_calls);
    // A link that keeps no call is `Some(None)`.
    Ok(named("links.recent_calls", select).get_result(conn).await.optional()?)
}

pub(in crate::store) async fn some(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
) -> Result<Vec<Link>, Fault> {
    let select = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::appointment_id.eq_any(appointments.iter().map(AppointmentId::as_str)))
        .filter(dsl::erasing_at.is_null())
        .order(dsl::appointment_id)
        .select(LinkRow::as_select());
    Ok(named("links.some", select).load(conn).await?.into_iter().map(|row: LinkRow| row.into()).collect())
}

pub(in crate::store) async fn links(
    conn: &mut Conn,
    organisation: &OrganisationId,
    status: Option<SyncStatus>,
    after: Option<&AppointmentId>,
    limit: i64,
) -> Result<Vec<Link>, Fault> {
    let mut query = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::appointment_id.gt(after.map_or("", AppointmentId::as_str)))
        .filter(dsl::erasing_at.is_null())
        .order(dsl::appointment_id)
        .limit(limit)
        .select(LinkRow::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(dsl::sync_status.eq(words::of_status(status)));
    }
    Ok(named("links.page", query).load(conn).await?.into_iter().map(|row: LinkRow| row.into()).collect())
}

pub(in crate::store) async fn revisions(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
) -> Result<HashMap<AppointmentId, Revision>, Fault> {
    let mut known = HashMap::with_capacity(appointments.len());
    // SQLite takes some 32,000 binds in one statement.
    for some in appointments.chunks(10_000) {
        let select = dsl::appointment_external_links
            .filter(dsl::organisation_id.eq(organisation.as_str()))
            .filter(dsl::provider.eq(PROVIDER))
            .filter(dsl::appointment_id.eq_any(some.iter().map(AppointmentId::as_str)))
            .filter(dsl::erasing_at.is_null())
            .select((dsl::appointment_id, dsl::revision));
        let found: Vec<(String, i64)> = named("links.revisions", select).load(conn).await?;
        for (appointment, revision) in found {
            if let Ok(revision) = rows::revision(revision) {
                known.insert(AppointmentId::as_stored(appointment), revision);
            }
        }
    }
    Ok(known)
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    synced: i64,
    #[diesel(sql_type = BigInt)]
    error: i64,
    #[diesel(sql_type = BigInt)]
    catching_up: i64,
    #[diesel(sql_type = BigInt)]
    catch_up_failed: i64,
    #[diesel(sql_type = BigInt)]
    unreached: i64,
    #[diesel(sql_type = BigInt)]
    unsent: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = Nullable<InstantSql>)]
    unavailable_until: Option<Instant>,
    #[diesel(sql_type = Nullable<InstantSql>)]
    unopened_until: Option<Instant>,
}

/// When the first of an organisation's links that wait for this reason is tried again.
fn waiting_until(reason: &str, organisation: &OrganisationId) -> Fragment {
    sql(format!(
        "(SELECT MIN(next_attempt_at) FROM appointment_external_links
          WHERE sync_status = {PENDING} AND last_error = {reason} AND "
    ))
    .with(of_organisation(organisation))
    .sql(")")
}

/// A link that has an event.
pub(super) const IS_EVENT: &str = "external_event_id IS NOT NULL";

/// A link that was never sent, though an event should stand.
pub(super) fn is_unsent() -> String {
    format!("sync_status = {NONE} AND wants_event AND snapshot IS NOT NULL")
}

/// A day in UTC has so many seconds.
const DAY_S: i64 = 86_400;

/// The day of an instant, as the counts of upcoming links number it.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_S)
}

pub(in crate::store) async fn counts(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Counts, Fault> {
    // What ends later than today is counted already.
    let today = day_of(now);
    let tomorrow_at = Timestamp::from_second((today + 1) * DAY_S).unwrap_or(Timestamp::MAX);
    let upcoming = |column: &str, condition: &str| {
        sql(format!("(SELECT CAST(COALESCE(SUM({column}), 0) AS BIGINT) FROM upcoming_link_counts WHERE day > "))
            .bind(today)
            .sql(" AND ")
            .with(of_organisation(organisation))
            .sql(format!(") + (SELECT COUNT(*) FROM appointment_external_links WHERE {condition} AND ends_at > "))
            .bind(now)
            .sql(" AND ends_at < ")
            .bind(tomorrow_at)
            .sql(" AND ")
            .with(of_organisation(organisation))
            .sql(format!(") AS {column}"))
    };
    let select = sql("SELECT pending, synced, error, catching_up, catch_up_failed, ")
        .with(unreached_by_catch_ups(organisation))
        .sql(" AS unreached, ")
        .with(upcoming("events", IS_EVENT))
        .sql(", ")
        .with(upcoming("unsent", &is_unsent()))
        .sql(", ")
        .with(waiting_until(GOOGLE_UNAVAILABLE, organisation))
        .sql(" AS unavailable_until, ")
        .with(waiting_until(KEYRING_INCOMPLETE, organisation))
        .sql(" AS unopened_until FROM link_queues WHERE ")
        .with(of_organisation(organisation));
    let row: Option<CountsRow> = named("links.counts", select).get_result(conn).await.optional()?;
    Ok(row.map_or_else(Counts::default, |row| Counts {
        pending: row.pending,
        synced: row.synced,
        error: row.error,
        unsent: row.unsent,
        upcoming_events: row.events,
        catching_up: row.catching_up,
        catch_up_failed: row.catch_up_failed,
        unreached: row.unreached,
        unavailable_until: super::instant(row.unavailable_until),
        unopened_until: super::instant(row.unopened_until),
    }))
}

/// A link no event of whose appointment is due to be deleted: what is owed all the same is out of reach.
pub(super) const OWES_NOTHING_DUE: &str = "NOT EXISTS (SELECT 1 FROM owed_deletions AS o \
     WHERE o.organisation_id = appointment_external_links.organisation_id \
     AND o.provider = appointment_external_links.provider \
     AND o.appointment_id = appointment_external_links.appointment_id AND o.next_attempt_at IS NOT NULL)";

/// A link no event of whose appointment is owed.
pub(super) const OWES_NOTHING: &str = "NOT EXISTS (SELECT 1 FROM owed_deletions AS o \
     WHERE o.organisation_id = appointment_external_links.organisation_id \
     AND o.provider = appointment_external_links.provider \
     AND o.appointment_id = appointment_external_links.appointment_id)";

/// How many snapshots one statement erases: others are not kept waiting for long.
const ERASED_AT_ONCE: u64 = 2_000;

/// A link that has nothing left to do. One that was called off while its event may stand has: that was refused, or waits
/// until sending is on again; and so has one that was edited while nothing was sent, and whose event shows an older
/// revision.
fn is_done() -> String {
    format!(
        "sync_status <> {PENDING} AND {OWES_NOTHING} AND (external_event_id IS NULL
            OR (wants_event AND NOT (sync_status = {NONE} AND synced_revision < revision)))"
    )
}

/// The links whose snapshots are erased, found by one of [`OVER`].
fn is_erased(over: &str, over_before: Timestamp, now: Timestamp) -> Fragment {
    sql(format!("snapshot IS NOT NULL AND {} AND {over}", is_done()))
        .bind(over_before)
        .sql(" AND ")
        .with(unleased(now))
        .sql(" AND NOT ")
        .with(waits_to_be_sent(over_before))
}

/// A link that was handed in since `over_before` and never sent, of a practice that has begun to connect: it is sent once
/// sending is on again, however long the appointment is over. Nobody hands it in once more.
fn waits_to_be_sent(over_before: Timestamp) -> Fragment {
    sql(format!("({} AND accepted_at >= ", is_unsent())).bind(over_before).sql(format!(
        " AND EXISTS (SELECT 1 FROM calendar_integrations AS i WHERE i.provider = appointment_external_links.provider
            AND i.organisation_id = appointment_external_links.organisation_id AND {HAS_BEGUN}))"
    ))
}

/// What is over: an appointment by its end, and what has none by its last change. Each is found by an index of its own.
const OVER: [&str; 2] = ["ends_at < ", "ends_at IS NULL AND updated_at < "];

#[derive(QueryableByName)]
struct LeftRow {
    #[diesel(sql_type = Text, column_name = organisation_id)]
    _organisation_id: String,
}

pub(in crate::store) async fn erase_snapshots(
    conn: &mut Conn,
    over_before: Timestamp,
    now: Timestamp,
) -> Result<ErasedSnapshots, Fault> {
    let mut erased = ErasedSnapshots { count: 0, is_any_held: false };
    for over in OVER {
        loop {
            let update = sql("WITH over AS (SELECT organisation_id FROM appointment_external_links WHERE ")
                .with(is_erased(over, over_before, now))
                .sql(format!(
                    " ORDER BY ends_at LIMIT {ERASED_AT_ONCE}
                 ), free AS (
                    SELECT organisation_id FROM link_queues WHERE organisation_id IN (SELECT over.organisation_id FROM over)
                    ORDER BY organisation_id {SKIP_LOCKED}
                 )
                UPDATE appointment_external_links
                SET snapshot = NULL, recent_calls = NULL, last_error = NULL, last_error_detail = NULL, updated_at = "
                ))
                .bind(now)
                .sql(format!(
                    ", sync_status = CASE WHEN sync_status = {ERROR} THEN {NONE} ELSE sync_status END
                 WHERE (organisation_id, appointment_id, provider) IN (
                    SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                    WHERE organisation_id IN (SELECT free.organisation_id FROM free) AND "
                ))
                .with(is_erased(over, over_before, now))
                .sql(format!(
                    " ORDER BY ends_at, organisation_id, appointment_id LIMIT {ERASED_AT_ONCE} {SKIP_LOCKED})"
                ))
                // Said again of the row itself: it may have become another one since it was found.
                .sql(format!(" AND {} AND COALESCE(ends_at, updated_at) < ", is_done()))
                .bind(over_before)
                .sql(" AND ")
                .with(unleased(now));
            let rows = named("links.erase_snapshots", update).execute(conn).await? as u64;
            erased.count += rows;
            if rows < ERASED_AT_ONCE {
                break;
            }
        }
        let select = sql("SELECT organisation_id FROM appointment_external_links WHERE ")
            .with(is_erased(over, over_before, now))
            .limit(1);
        let left: Option<LeftRow> = named("links.left_to_erase", select).get_result(conn).await.optional()?;
        erased.is_any_held |= left.is_some();
    }
    Ok(erased)
}
