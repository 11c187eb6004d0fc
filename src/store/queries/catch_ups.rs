//! The catch-up of an organisation: one at a time, and what is queued meanwhile joins it.
//!
//! Owns what a catch-up queues, what it has nothing to send of, and of how many links it consists. Never asks why it is made:
//! a person's wish, a new connection and enabling are one rule. Whoever calls holds the integration, and says which part of
//! its links is meant.
//! Invariant: what a catch-up has done never shrinks, whatever joins it.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, unreached_by_catch_ups};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::model::OrganisationId;
use crate::store::Integration;
use crate::store::words::{ERROR, NONE, PENDING, Priority, SYNCED};

/// What being asked to send again changes.
const REQUEUE: &str = "attempts = 0, request_seq = request_seq + 1, last_error = NULL, last_error_detail = NULL";

/// What a catch-up makes of the priority: what a live edit waits for goes first still.
pub(super) fn caught_up() -> String {
    format!("CASE WHEN sync_status = {PENDING} THEN priority ELSE {} END", Priority::CatchUp)
}

/// A catch-up that links are about to be queued in, and how many it had before that are not done.
pub(super) struct CatchUp {
    undone: i64,
}

/// The catch-up that is under way; if none is, a new one, to which what the one before left in error does not belong, as far
/// as `which` is true of it.
pub(super) async fn open(
    conn: &mut Conn,
    organisation: &OrganisationId,
    which: Fragment,
    now: Timestamp,
) -> Result<CatchUp, Fault> {
    let before = undone(conn, organisation).await?;
    if before.waiting + before.unreached > 0 {
        return Ok(CatchUp { undone: before.waiting + before.refused });
    }
    let end = sql("UPDATE calendar_integrations SET catch_up_total = 0, catch_up_started_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation));
    named("catch_ups.end", end).execute(conn).await?;
    leave(conn, organisation, which, now).await?;
    // What the one before left elsewhere is reached later.
    Ok(CatchUp { undone: undone(conn, organisation).await?.refused })
}

/// The catch-up that is under way where more links are reached by it: what failed before it began does not belong to it.
pub(super) async fn go_on(
    conn: &mut Conn,
    integration: &Integration,
    which: Fragment,
    now: Timestamp,
) -> Result<CatchUp, Fault> {
    let organisation = &integration.organisation;
    if let Some((_, started_at)) = integration.catch_up {
        leave(conn, organisation, which.sql(" AND updated_at < ").bind(started_at), now).await?;
    }
    let before = undone(conn, organisation).await?;
    Ok(CatchUp { undone: before.waiting + before.refused })
}

/// Leaves what was refused out of a catch-up.
async fn leave(conn: &mut Conn, organisation: &OrganisationId, which: Fragment, now: Timestamp) -> Result<(), Fault> {
    let (live, catch_up) = (Priority::Live, Priority::CatchUp);
    let leave = sql(format!("UPDATE appointment_external_links SET priority = {live}, updated_at = "))
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status = {ERROR} AND priority = {catch_up} AND "))
        .with(which);
    named("catch_ups.leave", leave).execute(conn).await?;
    Ok(())
}

/// Counts what was queued since `catch_up` was opened, and answers how many more wait for it.
pub(super) async fn count_queued(
    conn: &mut Conn,
    organisation: &OrganisationId,
    catch_up: CatchUp,
    now: Timestamp,
) -> Result<i64, Fault> {
    let now_undone = undone(conn, organisation).await?;
    let undone = now_undone.waiting + now_undone.refused;
    let queued = undone - catch_up.undone;
    let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let update = sql("UPDATE calendar_integrations SET catch_up_total = COALESCE(catch_up_total + ")
        .bind(number(queued))
        .sql(", ")
        .bind(number(undone))
        .sql("), catch_up_started_at = COALESCE(catch_up_started_at, ")
        .bind(now)
        .sql("), updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation));
    named("catch_ups.count_queued", update).execute(conn).await?;
    Ok(queued)
}

/// How many links of the catch-up wait, how many were refused, and whether it is still to reach some.
#[derive(QueryableByName)]
struct UndoneRow {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
    #[diesel(sql_type = BigInt)]
    unreached: i64,
}

async fn undone(conn: &mut Conn, organisation: &OrganisationId) -> Result<UndoneRow, Fault> {
    let select = sql("SELECT catching_up AS waiting, catch_up_failed AS refused, ")
        .with(unreached_by_catch_ups(organisation))
        .sql(" AS unreached FROM link_queues WHERE ")
        .with(of_organisation(organisation));
    let row: Option<UndoneRow> = named("catch_ups.undone", select).get_result(conn).await.optional()?;
    Ok(row.unwrap_or(UndoneRow { waiting: 0, refused: 0, unreached: 0 }))
}

/// What was never sent and has no event: it is called off, so that there is nothing to send.
fn has_nothing_to_send() -> String {
    format!("sync_status = {NONE} AND NOT wants_event AND external_event_id IS NULL")
}

/// Says of what has nothing to send that it is in step: nobody waits for it, and the comparison looks after it.
pub(super) async fn settle_what_has_nothing_to_send(
    conn: &mut Conn,
    organisation: &OrganisationId,
    which: Fragment,
    now: Timestamp,
) -> Result<(), Fault> {
    let settle = sql(format!(
        "UPDATE appointment_external_links SET sync_status = {SYNCED}, synced_revision = revision, updated_at = "
    ))
    .bind(now)
    .sql(" WHERE ")
    .with(of_organisation(organisation))
    .sql(format!(" AND snapshot IS NOT NULL AND {} AND ", has_nothing_to_send()))
    .with(which);
    named("catch_ups.settle_what_has_nothing_to_send", settle).execute(conn).await?;
    Ok(())
}

/// What a catch-up queues: what was never sent, was refused or waits for another attempt, and what is upcoming with its
/// event in another calendar than the target. What is due already is not queued again.
pub(super) fn uncaught(organisation: &OrganisationId, now: Timestamp) -> Fragment {
    sql(format!(
        "snapshot IS NOT NULL AND (sync_status = {ERROR} OR (sync_status = {NONE} AND NOT ({}))
            OR (sync_status = {PENDING} AND next_attempt_at > ",
        has_nothing_to_send()
    ))
    .bind(now)
    .sql(format!(
        ") OR (sync_status = {SYNCED}
            AND external_calendar_id <> (SELECT i.calendar_id FROM calendar_integrations AS i WHERE "
    ))
    .with(of_organisation(organisation))
    .sql(") AND ends_at > ")
    .bind(now)
    .sql("))")
}

/// Makes due at `now` the links of `organisation` that `condition` is true of, with this SQL for their priority.
pub(super) async fn requeue(
    conn: &mut Conn,
    organisation: &OrganisationId,
    condition: Fragment,
    priority: &str,
    now: Timestamp,
) -> Result<i32, Fault> {
    let update = sql(format!(
        "UPDATE appointment_external_links SET {REQUEUE}, sync_status = {PENDING}, priority = {priority}, next_attempt_at = "
    ))
    .bind(now)
    .sql(", updated_at = ")
    .bind(now)
    .sql(" WHERE ")
    .with(of_organisation(organisation))
    .sql(" AND (")
    .with(condition)
    .sql(")");
    let rows = named("catch_ups.requeue", update).execute(conn).await?;
    Ok(i32::try_from(rows).unwrap_or(i32::MAX))
}
