//! Recounts: an organisation at a time, with its queue held.
//!
//! Owns what each kept count counts. Never changes a link, and never waits for a queue that another transaction holds.
//! Invariant: what was found wrong is right when the transaction commits.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::links::{IS_EVENT, day_of, is_unsent};
use super::statement::{Fragment, named, sql};
use super::{Conn, DAY_OF_END, Fault, SKIP_LOCKED};
use crate::store::Recount;
use crate::store::words::{ERROR, GOOGLE, PENDING, Priority, SYNCED};

/// The counts of a queue, and what each of them counts.
fn counted() -> [(&'static str, String); 5] {
    let catch_up = Priority::CatchUp;
    [
        ("pending", format!("sync_status = {PENDING}")),
        ("synced", format!("sync_status = {SYNCED}")),
        ("error", format!("sync_status = {ERROR}")),
        ("catching_up", format!("sync_status = {PENDING} AND priority = {catch_up}")),
        ("catch_up_failed", format!("sync_status = {ERROR} AND priority = {catch_up}")),
    ]
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn recount(
    conn: &mut Conn,
    before: Timestamp,
    now: Timestamp,
) -> Result<Option<Recount>, Fault> {
    transaction!(conn, async |conn| {
        let select = sql(format!(
            "SELECT organisation_id FROM link_queues WHERE provider = {GOOGLE} AND (recounted_at IS NULL OR recounted_at < "
        ))
        .bind(before)
        .sql(format!(") ORDER BY recounted_at NULLS FIRST, organisation_id LIMIT 1 {SKIP_LOCKED}"));
        let row: Option<WhoseRow> = named("recounts.next", select).get_result(conn).await.optional()?;
        let Some(WhoseRow { organisation_id: organisation }) = row else { return Ok(None) };
        let wrong = correct_statuses(conn, &organisation).await? + correct_days(conn, &organisation, now).await?;
        let done = sql("UPDATE link_queues SET recounted_at = ").bind(now).sql(" WHERE ").with(of(&organisation));
        named("recounts.done", done).execute(conn).await?;
        Ok(Some(Recount { organisation, was_right: wrong == 0 }))
    })
}

fn of(organisation: &str) -> Fragment {
    sql(format!("provider = {GOOGLE} AND organisation_id = ")).bind(organisation.to_owned())
}

/// Sets the counts by status right; answers how many rows were wrong.
async fn correct_statuses(conn: &mut Conn, organisation: &str) -> Result<usize, Fault> {
    let set = counted().map(|(column, _)| format!("{column} = c.{column}")).join(", ");
    let counts = counted().map(|(column, what)| format!("COUNT(*) FILTER (WHERE {what}) AS {column}")).join(", ");
    let differs = counted().map(|(column, _)| format!("q.{column} <> c.{column}")).join(" OR ");
    let update =
        sql(format!("UPDATE link_queues AS q SET {set} FROM (SELECT {counts} FROM appointment_external_links WHERE "))
            .with(of(organisation))
            .sql(format!(" AND sync_status IN ({PENDING}, {SYNCED}, {ERROR})) AS c WHERE ({differs}) AND "))
            .with(of(organisation));
    Ok(named("recounts.correct_statuses", update).execute(conn).await?)
}

/// Drops the days that are over, and sets the others right; answers how many rows were wrong.
async fn correct_days(conn: &mut Conn, organisation: &str, now: Timestamp) -> Result<usize, Fault> {
    let today = day_of(now);
    let over = sql("DELETE FROM upcoming_link_counts WHERE day < ").bind(today).sql(" AND ").with(of(organisation));
    named("recounts.drop_days", over).execute(conn).await?;
    let dropped = named("recounts.drop_wrong_days", drop_wrong_days(organisation, today)).execute(conn).await?;
    let missing =
        sql("INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent) SELECT * FROM (")
            .with(days(organisation, today))
            .sql(
                ") AS c WHERE TRUE ON CONFLICT (organisation_id, provider, day) DO UPDATE
                SET events = excluded.events, unsent = excluded.unsent
                WHERE upcoming_link_counts.events <> excluded.events OR upcoming_link_counts.unsent <> excluded.unsent",
            );
    Ok(dropped + named("recounts.add_days", missing).execute(conn).await?)
}

/// The counts of each day from `today` on, counted.
fn days(organisation: &str, today: i64) -> Fragment {
    sql(format!(
        "SELECT organisation_id, provider, {DAY_OF_END} AS day, COUNT(*) FILTER (WHERE {IS_EVENT}) AS events,
            COUNT(*) FILTER (WHERE {unsent}) AS unsent
         FROM appointment_external_links WHERE {DAY_OF_END} >= ",
        unsent = is_unsent(),
    ))
    .bind(today)
    .sql(" AND ")
    .with(of(organisation))
    .sql(format!(" AND ({IS_EVENT} OR {}) GROUP BY organisation_id, provider, {DAY_OF_END}", is_unsent()))
}

/// Drops what was counted and does not stand so. The links are counted once, not once for each day.
fn drop_wrong_days(organisation: &str, today: i64) -> Fragment {
    sql("DELETE FROM upcoming_link_counts WHERE ")
        .with(of(organisation))
        .sql(" AND (events <> 0 OR unsent <> 0) AND (day, events, unsent) NOT IN (SELECT day, events, unsent FROM (")
        .with(days(organisation, today))
        .sql(") AS counted)")
}

#[cfg(test)]
mod tests {
    use super::super::plans::plan;
    use super::*;

    #[test]
    fn the_links_are_counted_once_and_not_once_for_each_day_on_sqlite() {
        let Some(plan) = plan(&drop_wrong_days("cabinet", 20_000)) else { return };
        assert!(!plan.iter().any(|step| step.contains("CORRELATED")), "{plan:?}");
    }
}
