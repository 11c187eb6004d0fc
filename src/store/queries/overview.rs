//! All integrations and their queues at a glance: read at the pace of whoever looks.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::statement::{named, sql};
use super::{Conn, Fault, InstantSql, instant};
use crate::store::instant::Instant;
use crate::store::{IntegrationCount, QueueCounts};

#[derive(diesel::QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const COUNTS: &str = "SELECT CASE WHEN disconnecting_at IS NOT NULL THEN 'disconnecting'
        WHEN refresh_token IS NULL THEN 'not_connected'
        WHEN problem_reason IS NOT NULL THEN 'error'
        WHEN NOT is_enabled THEN 'paused' ELSE 'connected' END AS state,
    COALESCE(problem_reason, '') AS reason, COUNT(*) AS count
    FROM calendar_integrations GROUP BY 1, 2";

pub(in crate::store) async fn integration_counts(conn: &mut Conn) -> Result<Vec<IntegrationCount>, Fault> {
    let rows: Vec<CountRow> = named("overview.integration_counts", sql(COUNTS)).load(conn).await?;
    Ok(rows.into_iter().map(|CountRow { state, reason, count }| IntegrationCount { state, reason, count }).collect())
}

#[derive(diesel::QueryableByName)]
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
