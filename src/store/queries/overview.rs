//! All integrations and their queues at a glance.
//!
//! Owns these statements. Never changes or holds a row. Invariant: links are counted by their queues; of the links
//! themselves nothing is read but when the first ones are due.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::rows::IntegrationRow;
use super::statement::{list_of, named, padded, sql};
use super::{Conn, Fault, InstantSql, instant};
use crate::model::{OrganisationId, Reason};
use crate::store::instant::Instant;
use crate::store::words::{self, GOOGLE, GOOGLE_UNAVAILABLE, KEYRING_INCOMPLETE, PENDING, Priority};
use crate::store::{IntegrationCount, ListedIntegration, QueueCounts};

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// An integration that somebody has begun to connect: one that only chose its settings is none yet.
pub(super) const HAS_BEGUN: &str = "(NOT never_began OR google_user_id IS NOT NULL)";

pub(in crate::store) async fn integration_counts(conn: &mut Conn) -> Result<Vec<IntegrationCount>, Fault> {
    // A word of a newer version counts as the gravest.
    let delays = Reason::of_integrations().filter(|reason| !reason.is_breaking());
    let delays: Vec<_> = delays.map(|reason| format!("'{}'", words::of_reason(reason))).collect();
    let select = format!(
        "SELECT CASE WHEN disconnecting_at IS NOT NULL THEN 'disconnecting' WHEN refresh_token IS NULL THEN 'not_connected'
            WHEN problem_reason NOT IN ({}) THEN 'error' WHEN NOT is_enabled THEN 'paused' ELSE 'connected' END AS state,
            COALESCE(problem_reason, '') AS reason, COUNT(*) AS count
         FROM calendar_integrations WHERE {HAS_BEGUN} GROUP BY 1, 2",
        delays.join(", ")
    );
    let rows: Vec<CountRow> = named("overview.integration_counts", sql(select)).load(conn).await?;
    Ok(rows.into_iter().map(|CountRow { state, reason, count }| IntegrationCount { state, reason, count }).collect())
}

#[derive(QueryableByName)]
struct QueuesRow {
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    synced: i64,
    #[diesel(sql_type = BigInt)]
    error: i64,
    #[diesel(sql_type = BigInt)]
    due_organisations: i64,
    #[diesel(sql_type = Nullable<InstantSql>)]
    links_due_at: Option<Instant>,
    #[diesel(sql_type = Nullable<InstantSql>)]
    owed_due_at: Option<Instant>,
}

pub(in crate::store) async fn queue_counts(conn: &mut Conn, now: Timestamp) -> Result<QueueCounts, Fault> {
    let total = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}");
    let columns = ["pending", "synced", "error"].map(total).join(", ");
    let select = sql(format!("SELECT {columns}, COUNT(CASE WHEN ready_at <= "))
        .bind(now)
        .sql(" OR owed_ready_at <= ")
        .bind(now)
        .sql(" THEN 1 END) AS due_organisations, MIN(CASE WHEN ready_at <= ")
        .bind(now)
        .sql(" THEN ready_at END) AS links_due_at, MIN(CASE WHEN owed_ready_at <= ")
        .bind(now)
        .sql(" THEN owed_ready_at END) AS owed_due_at FROM link_queues");
    let row: QueuesRow = named("overview.queue_counts", select).get_result(conn).await?;
    let QueuesRow { pending, synced, error, due_organisations, links_due_at, owed_due_at } = row;
    let oldest_due_at = [instant(links_due_at), instant(owed_due_at)].into_iter().flatten().min();
    Ok(QueueCounts { pending, synced, error, due_organisations, oldest_due_at })
}

#[derive(QueryableByName)]
struct ListedRow {
    #[diesel(embed)]
    integration: IntegrationRow,
    #[diesel(sql_type = BigInt)]
    pending_links: i64,
    #[diesel(sql_type = BigInt)]
    refused_links: i64,
    #[diesel(sql_type = Nullable<InstantSql>)]
    live_due_at: Option<Instant>,
    #[diesel(sql_type = Nullable<InstantSql>)]
    catch_up_due_at: Option<Instant>,
    #[diesel(sql_type = Nullable<InstantSql>)]
    unavailable_until: Option<Instant>,
    #[diesel(sql_type = Nullable<InstantSql>)]
    unopened_until: Option<Instant>,
}

pub(in crate::store) async fn list(
    conn: &mut Conn,
    only: Option<&[OrganisationId]>,
    has_problem: bool,
    after: Option<&OrganisationId>,
    limit: i64,
) -> Result<Vec<ListedIntegration>, Fault> {
    let first = |condition: String| {
        format!(
            "(SELECT MIN(l.next_attempt_at) FROM appointment_external_links AS l
              WHERE l.organisation_id = i.organisation_id AND l.provider = i.provider AND {condition})"
        )
    };
    let waiting = |reason: &str| first(format!("l.sync_status = {PENDING} AND l.last_error = {reason}"));
    let due = |priority: Priority| first(format!("l.priority = {priority} AND l.next_attempt_at IS NOT NULL"));
    let mut select = sql(format!(
        "SELECT i.*, COALESCE(q.pending, 0) AS pending_links, COALESCE(q.error, 0) AS refused_links,
            {} AS live_due_at, {} AS catch_up_due_at, {} AS unavailable_until, {} AS unopened_until
         FROM calendar_integrations AS i
         LEFT JOIN link_queues AS q ON q.organisation_id = i.organisation_id AND q.provider = i.provider
         WHERE i.provider = {GOOGLE} AND {HAS_BEGUN} AND i.organisation_id > ",
        due(Priority::Live),
        due(Priority::CatchUp),
        waiting(GOOGLE_UNAVAILABLE),
        waiting(KEYRING_INCOMPLETE),
    ))
    .bind(after.map_or("", OrganisationId::as_str).to_owned());
    if has_problem {
        select = select.sql(" AND i.problem_reason IS NOT NULL");
    }
    if let Some(only) = only {
        let only = padded(only.iter().map(|it| it.as_str().to_owned()).collect(), String::new);
        select = select.sql(" AND i.organisation_id IN ").with(list_of(only));
    }
    let select = select.sql(" ORDER BY i.organisation_id").limit(limit);
    let rows: Vec<ListedRow> = named("overview.list", select).load(conn).await?;
    Ok(rows.into_iter().map(ListedIntegration::from).collect())
}

impl From<ListedRow> for ListedIntegration {
    fn from(row: ListedRow) -> Self {
        Self {
            integration: row.integration.into(),
            pending: row.pending_links,
            error: row.refused_links,
            oldest_due_at: [instant(row.live_due_at), instant(row.catch_up_due_at)].into_iter().flatten().min(),
            unavailable_until: instant(row.unavailable_until),
            unopened_until: instant(row.unopened_until),
        }
    }
}
