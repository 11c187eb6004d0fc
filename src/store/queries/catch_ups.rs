//! The catch-up of an organisation: one at a time, and what is queued meanwhile joins it.
//!
//! Owns what a catch-up queues, and of how many links it consists. Never asks why it is made: a person's wish, a new
//! connection and enabling are one rule. Whoever calls holds the integration. Invariant: what a catch-up has done never
//! shrinks, whatever joins it.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::model::OrganisationId;
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

/// The catch-up that is under way; if none is, a new one, to which what the one before left in error does not belong.
pub(super) async fn open(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<CatchUp, Fault> {
    let (waiting, refused) = undone(conn, organisation).await?;
    if waiting > 0 {
        return Ok(CatchUp { undone: waiting + refused });
    }
    let end = sql("UPDATE calendar_integrations SET catch_up_total = NULL, catch_up_started_at = NULL WHERE ")
        .with(of_organisation(organisation));
    named("catch_ups.end", end).execute(conn).await?;
    let (live, catch_up) = (Priority::Live, Priority::CatchUp);
    let leave = sql(format!("UPDATE appointment_external_links SET priority = {live}, updated_at = "))
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status = {ERROR} AND priority = {catch_up}"));
    named("catch_ups.leave", leave).execute(conn).await?;
    Ok(CatchUp { undone: 0 })
}

/// Counts what was queued since `catch_up` was opened.
pub(super) async fn count_queued(
    conn: &mut Conn,
    organisation: &OrganisationId,
    catch_up: CatchUp,
    now: Timestamp,
) -> Result<(), Fault> {
    let (waiting, refused) = undone(conn, organisation).await?;
    let undone = waiting + refused;
    let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let update = sql("UPDATE calendar_integrations SET catch_up_total = COALESCE(catch_up_total + ")
        .bind(number(undone - catch_up.undone))
        .sql(", ")
        .bind(number(undone))
        .sql("), catch_up_started_at = COALESCE(catch_up_started_at, ")
        .bind(now)
        .sql("), updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation));
    named("catch_ups.count_queued", update).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct UndoneRow {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
}

/// How many links of the catch-up wait, and how many were refused.
async fn undone(conn: &mut Conn, organisation: &OrganisationId) -> Result<(i64, i64), Fault> {
    let select = sql("SELECT catching_up AS waiting, catch_up_failed AS refused FROM link_queues WHERE ")
        .with(of_organisation(organisation));
    let row: Option<UndoneRow> = named("catch_ups.undone", select).get_result(conn).await.optional()?;
    Ok(row.map_or((0, 0), |row| (row.waiting, row.refused)))
}

/// Catches up: queues what was never sent, was refused or waits for another attempt, and what is upcoming with its event
/// in another calendar than the target; answers how many. What is due already is not queued again.
pub(super) async fn catch_up(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<i32, Fault> {
    let catch_up = open(conn, organisation, now).await?;
    let unsent = sql(format!(
        "snapshot IS NOT NULL AND (sync_status IN ({NONE}, {ERROR}) OR (sync_status = {PENDING} AND next_attempt_at > "
    ))
    .bind(now)
    .sql(format!(
        ") OR (sync_status = {SYNCED}
            AND external_calendar_id <> (SELECT i.calendar_id FROM calendar_integrations AS i WHERE "
    ))
    .with(of_organisation(organisation))
    .sql(") AND ends_at > ")
    .bind(now)
    .sql("))");
    let queued = requeue(conn, organisation, unsent, &caught_up(), now).await?;
    count_queued(conn, organisation, catch_up, now).await?;
    Ok(queued)
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
