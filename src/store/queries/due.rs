//! What is due, and when the next is.
//!
//! Owns the look: it reads the queues that are ready and nothing else. What is noted in a queue may be too early; each that
//! is about to be answered is held against its links.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::fragments::{is_not_finishing, unleased};
use super::link_queues::{self, first_due_at};
use super::owed_claims::claimable;
use super::statement::{Fragment, joined, named, sql};
use super::{Conn, Fault, HELD_BY_KEY, InstantSql, MICROSECONDS, probes, rows};
use crate::model::{GoogleUserId, OrganisationId};
use crate::store::DueOrganisation;
use crate::store::due::{Queued, Ready};
use crate::store::fault::Corrupt;
use crate::store::instant::Instant;
use crate::store::words::{self, GOOGLE, Priority};

#[derive(QueryableByName)]
struct ReadyRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    google_user_id: Option<String>,
    #[diesel(sql_type = Text)]
    title_privacy: String,
    #[diesel(sql_type = Nullable<Text>)]
    problem_reason: Option<String>,
    #[diesel(sql_type = Bool)]
    is_disconnecting: bool,
    #[diesel(sql_type = InstantSql)]
    ready_at: Instant,
    #[diesel(sql_type = Bool)]
    is_owed: bool,
    #[diesel(sql_type = BigInt)]
    due: i64,
}

/// Up to `limit` queues of each kind that are ready at `now`, but none that was before `not_before`: the longest ready
/// first. Of each up to `each` rows are counted.
pub(in crate::store) async fn ready(
    conn: &mut Conn,
    not_before: Timestamp,
    limit: i64,
    each: i64,
    now: Timestamp,
) -> Result<Vec<Ready>, Fault> {
    let found: Vec<ReadyRow> = named("due.ready", all_ready(not_before, limit, each, now).keep()).load(conn).await?;
    Ok(found.into_iter().map(Ready::from).collect())
}

fn all_ready(not_before: Timestamp, limit: i64, each: i64, now: Timestamp) -> Fragment {
    let of = |queued: Queued, due: Fragment| {
        let ready_at = queued.ready_at();
        beginning(queued)
            .with(due)
            .sql(format!(" AS due FROM (SELECT * FROM link_queues WHERE {ready_at} <= "))
            .bind(now)
            .sql(format!(" AND {ready_at} >= "))
            .bind(not_before)
            .with(first_of(queued, limit))
    };
    of(Queued::Links, due_links(each, now))
        .sql(" UNION ALL ")
        .with(of(Queued::Owed, due_deletions(each, now)))
        .sql(" ORDER BY ready_at, organisation_id")
}

impl From<ReadyRow> for Ready {
    fn from(row: ReadyRow) -> Self {
        let served = served(&row);
        let due = usize::try_from(row.due).unwrap_or_default();
        // What is deleted needs no title.
        let privacy = if row.is_disconnecting { Ok(()) } else { words::privacy(&row.title_privacy).map(drop) };
        Self {
            unreadable: served.as_ref().err().or(privacy.as_ref().err()).map(|Corrupt(column)| *column),
            served: served.ok(),
            organisation: OrganisationId::as_stored(row.organisation_id),
            queued: if row.is_owed { Queued::Owed } else { Queued::Links },
            ready_at: row.ready_at.0,
            due,
        }
    }
}

fn served(row: &ReadyRow) -> Result<DueOrganisation, Corrupt> {
    row.problem_reason.as_deref().map(words::reason).transpose()?;
    Ok(DueOrganisation {
        organisation: rows::organisation(&row.organisation_id)?,
        google_user_id: row.google_user_id.clone().map(GoogleUserId::new).ok_or(Corrupt("google_user_id"))?,
        count: usize::try_from(row.due).unwrap_or_default(),
    })
}

/// Whose queue it is, and when it is ready; what else is selected follows.
fn beginning(queued: Queued) -> Fragment {
    sql(format!(
        "SELECT q.organisation_id AS organisation_id, i.google_user_id, i.title_privacy, i.problem_reason,
            i.disconnecting_at IS NOT NULL AS is_disconnecting, q.{} AS ready_at, {} AS is_owed, ",
        queued.ready_at(),
        match queued {
            Queued::Links => "FALSE",
            Queued::Owed => "TRUE",
        }
    ))
}

/// The first of the queues with their integrations.
fn first_of(queued: Queued, limit: i64) -> Fragment {
    sql(format!(" AND provider = {GOOGLE} ORDER BY {}", queued.ready_at())).limit(limit).sql(
        ") AS q JOIN calendar_integrations AS i ON i.organisation_id = q.organisation_id AND i.provider = q.provider",
    )
}

fn due_links(each: i64, now: Timestamp) -> Fragment {
    // A subquery with a limit is probed once for each queue; what has none may become a join over every due row.
    let count = |priority: Priority| {
        sql(format!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM appointment_external_links AS l
              WHERE l.organisation_id = q.organisation_id AND l.provider = q.provider AND l.priority = {priority}
                AND l.next_attempt_at <= "
        ))
        .bind(now)
        .sql(" AND ")
        .with(unleased(now))
        // The order is that of the index of what is due: where each has one link, another one would cost as much. The limit is
        // a literal: a planner that does not know it takes it for many.
        .sql(format!(" ORDER BY l.next_attempt_at LIMIT {each}) AS counted)"))
    };
    count(Priority::Live).sql(" + ").with(count(Priority::CatchUp))
}

fn due_deletions(each: i64, now: Timestamp) -> Fragment {
    sql("(SELECT COUNT(*) FROM (SELECT 1 FROM owed_deletions AS o
          WHERE o.organisation_id = q.organisation_id AND o.provider = q.provider AND ")
    .with(is_not_finishing(now))
    .sql(" AND ")
    .with(claimable(now))
    .sql(format!(" LIMIT {each}) AS counted)"))
}

/// Up to `limit` queues of each kind that become ready after `now`, the earliest first. `due` is one where something can be
/// attempted by then.
pub(in crate::store) async fn next_ready(conn: &mut Conn, limit: i64, now: Timestamp) -> Result<Vec<Ready>, Fault> {
    let found: Vec<ReadyRow> = named("due.next_ready", all_next_ready(limit, now).keep()).load(conn).await?;
    Ok(found.into_iter().map(Ready::from).collect())
}

fn all_next_ready(limit: i64, now: Timestamp) -> Fragment {
    let of = |queued: Queued| {
        let ready_at = queued.ready_at();
        beginning(queued)
            .sql("CASE WHEN ")
            .with(first_due_at(queued, now))
            .sql(format!(
                " <= q.{ready_at} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS due
                FROM (SELECT * FROM link_queues WHERE {ready_at} > "
            ))
            .bind(now)
            .with(first_of(queued, limit))
    };
    of(Queued::Links).sql(" UNION ALL ").with(of(Queued::Owed)).sql(" ORDER BY ready_at, organisation_id")
}

pub(in crate::store) async fn bring_nearer(
    conn: &mut Conn,
    by: SignedDuration,
    longest_lease: SignedDuration,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        bring_accounts_nearer(conn, by, now + longest_lease).await?;
        link_queues::lock_all(conn).await?;
        bring_nearer_held(conn, by, longest_lease, now).await?;
        // What was noted of the clock is as wrong as what was reckoned by it.
        probes::set_back(conn, now).await
    })
}

/// Brings an instant nearer that lies behind `after`, as far as 1970: what is put further back would be looked for nowhere.
fn nearer(column: &str, by: SignedDuration, after: Timestamp) -> Fragment {
    let first = Timestamp::UNIX_EPOCH;
    sql(format!("{column} = CASE WHEN {column} <= "))
        .bind(after)
        .sql(format!(" THEN {column} WHEN {column} <= "))
        .bind(first.saturating_add(by).unwrap_or(Timestamp::MAX))
        .sql(" THEN ")
        .bind(first)
        .sql(format!(" ELSE {column} - "))
        .bind(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
        .sql(format!("{MICROSECONDS} END"))
}

/// The rows of accounts are taken before the queues.
async fn bring_accounts_nearer(conn: &mut Conn, by: SignedDuration, lapsed_by: Timestamp) -> Result<(), Fault> {
    let accounts = sql("UPDATE google_accounts SET ")
        .with(nearer("revoking_until", by, lapsed_by))
        .sql(" WHERE revoking_until > ")
        .bind(lapsed_by);
    named("due.bring_accounts_nearer", accounts).execute(conn).await?;
    Ok(())
}

async fn bring_nearer_held(
    conn: &mut Conn,
    by: SignedDuration,
    longest_lease: SignedDuration,
    now: Timestamp,
) -> Result<(), Fault> {
    let lapsed_by = now + longest_lease;
    let nearer = |column: &str, after: Timestamp| nearer(column, by, after);
    let columns = [
        // What is served again stands in the line since then.
        ("updated_at", now),
        ("last_sync_at", now),
        ("problem_retry_at", now),
        ("compare_due_at", now),
        ("search_due_at", now),
        ("search_asked_at", now),
        ("disconnecting_at", now),
        ("refresh_lease_until", lapsed_by),
        ("compare_lease_until", lapsed_by),
        ("finishing_until", lapsed_by),
    ];
    let ahead = columns.map(|(column, after)| sql(format!("{column} > ")).bind(after));
    let integrations = joined(columns.map(|(column, after)| nearer(column, after)), ", ", sql("SET ")).with(joined(
        ahead,
        " OR ",
        sql(" WHERE "),
    ));
    let integrations = sql("UPDATE calendar_integrations ").with(integrations);
    named("due.bring_integrations_nearer", integrations).execute(conn).await?;
    let unkept = sql("UPDATE unkept_grants SET ")
        .with(nearer("next_attempt_at", now))
        .sql(", ")
        .with(nearer("created_at", now))
        .sql(" WHERE next_attempt_at > ")
        .bind(now)
        .sql(" OR created_at > ")
        .bind(now);
    named("due.bring_unkept_grants_nearer", unkept).execute(conn).await?;
    let links = sql("UPDATE appointment_external_links SET ")
        .with(nearer("next_attempt_at", now))
        .sql(", ")
        .with(nearer("write_not_before", now))
        .sql(", ")
        .with(nearer("lease_until", lapsed_by))
        .sql(
            " WHERE (organisation_id, appointment_id, provider) IN (
                SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                WHERE next_attempt_at > ",
        )
        .bind(now)
        .sql(" OR write_not_before > ")
        .bind(now)
        .sql(" OR lease_until > ")
        .bind(lapsed_by)
        .sql(format!(" {HELD_BY_KEY})"));
    named("due.bring_links_nearer", links).execute(conn).await?;
    let owed = sql("UPDATE owed_deletions SET ")
        .with(nearer("next_attempt_at", now))
        .sql(", ")
        .with(nearer("lease_until", lapsed_by))
        .sql(" WHERE next_attempt_at > ")
        .bind(now)
        .sql(" OR lease_until > ")
        .bind(lapsed_by);
    named("due.bring_owed_nearer", owed).execute(conn).await?;
    let queues = sql("UPDATE link_queues SET ")
        .with(nearer("due_at", now))
        .sql(", ")
        .with(nearer("owed_due_at", now))
        .sql(" WHERE due_at > ")
        .bind(now)
        .sql(" OR owed_due_at > ")
        .bind(now);
    named("due.bring_queues_nearer", queues).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;

    use super::*;

    #[derive(QueryableByName)]
    struct PlanRow {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    /// The migrated tables of SQLite, with nothing in them: its planner needs no rows.
    fn migrated() -> diesel::SqliteConnection {
        let mut conn = diesel::SqliteConnection::establish(":memory:").unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut migrations: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        migrations.sort();
        for migration in migrations {
            conn.batch_execute(&std::fs::read_to_string(migration.join("up.sql")).unwrap()).unwrap();
        }
        conn
    }

    #[test]
    fn a_look_walks_no_table_on_sqlite() {
        let now = Timestamp::UNIX_EPOCH;
        for query in [all_ready(now, 9, 3, now), all_next_ready(9, now)] {
            let text = diesel::debug_query::<super::super::super::Db, _>(&query).to_string();
            if text.contains("$1") {
                // The mount of PostgreSQL: what it reads there is measured with a server.
                return;
            }
            let text = format!("EXPLAIN QUERY PLAN {}", text.split(" -- binds").next().unwrap());
            let plan: Vec<PlanRow> = diesel::RunQueryDsl::load(diesel::sql_query(text), &mut migrated()).unwrap();
            let walked: Vec<_> = plan
                .iter()
                .map(|row| row.detail.as_str())
                .filter(|detail| {
                    detail.starts_with("SCAN ")
                        && ![
                            "SCAN q",
                            "SCAN counted",
                            "SCAN instants",
                            "SCAN first_of_priority",
                            "SCAN first_leased",
                            "SCAN first_later",
                        ]
                        .contains(detail)
                })
                .collect();
            assert_eq!(walked, Vec::<&str>::new(), "{:?}", plan.iter().map(|row| &row.detail).collect::<Vec<_>>());
            let seek = |index: &str| plan.iter().any(|row| row.detail.contains(index));
            assert!(seek("link_queues_ready (ready_at>") && seek("link_queues_owed_ready (owed_ready_at>"));
        }
    }
}
