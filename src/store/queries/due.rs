//! What is due, and when the next is.
//!
//! Owns the look: it goes by the queues that are ready, or become so next. What is noted in a queue may be too early;
//! each that is about to be answered is held against its links. Never holds or changes a row. Invariant: a look walks
//! no table.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{is_not_finishing, is_owed_served, unleased};
use super::link_queues::first_due_at;
use super::owed_claims::claimable;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, InstantSql, rows};
use crate::model::{GoogleUserId, OrganisationId};
use crate::store::DueOrganisation;
use crate::store::due::Ready;
use crate::store::fault::Corrupt;
use crate::store::instant::Instant;
use crate::store::queue_kind::QueueKind;
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
    let of = |queued: QueueKind, due: Fragment| {
        let ready_at = queued.ready_at();
        beginning(queued)
            .with(due)
            .sql(format!(" AS due FROM (SELECT * FROM link_queues WHERE {ready_at} <= "))
            .bind(now)
            .sql(format!(" AND {ready_at} >= "))
            .bind(not_before)
            .with(first_of(queued, limit))
    };
    of(QueueKind::Links, due_links(each, now))
        .sql(" UNION ALL ")
        .with(of(QueueKind::Owed, due_deletions(each, now)))
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
            queued: if row.is_owed { QueueKind::Owed } else { QueueKind::Links },
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
        owes: row.is_owed,
    })
}

/// Whose queue it is, and when it is ready; what else is selected follows.
fn beginning(queued: QueueKind) -> Fragment {
    sql(format!(
        "SELECT q.organisation_id AS organisation_id, i.google_user_id, i.title_privacy, i.problem_reason,
            i.disconnecting_at IS NOT NULL AS is_disconnecting, q.{} AS ready_at, {} AS is_owed, ",
        queued.ready_at(),
        match queued {
            QueueKind::Links => "FALSE",
            QueueKind::Owed => "TRUE",
        }
    ))
}

/// The first of the queues with their integrations.
fn first_of(queued: QueueKind, limit: i64) -> Fragment {
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
        // The order is that of the index of what is due: where each has one link, another one would cost as much. The
        // limit is a literal: a planner that does not know it takes it for many.
        .sql(format!(" ORDER BY l.next_attempt_at LIMIT {each}) AS counted)"))
    };
    count(Priority::Live).sql(" + ").with(count(Priority::CatchUp))
}

fn due_deletions(each: i64, now: Timestamp) -> Fragment {
    sql("(SELECT COUNT(*) FROM (SELECT 1 FROM owed_deletions AS o
          WHERE o.organisation_id = q.organisation_id AND o.provider = q.provider AND ")
    .sql(is_owed_served())
    .sql(" AND ")
    .with(is_not_finishing(now))
    .sql(" AND ")
    .with(claimable(now))
    .sql(format!(" LIMIT {each}) AS counted)"))
}

#[derive(QueryableByName)]
struct NotedRow {
    #[diesel(sql_type = InstantSql)]
    ready_at: Instant,
}

pub(in crate::store) async fn next_noted(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let noted: Vec<NotedRow> = named("due.next_noted", first_noted(now).keep()).load(conn).await?;
    Ok(noted.into_iter().map(|noted| noted.ready_at.0).min())
}

fn first_noted(now: Timestamp) -> Fragment {
    let of = |queued: QueueKind| {
        let ready_at = queued.ready_at();
        sql(format!("SELECT * FROM (SELECT {ready_at} AS ready_at FROM link_queues WHERE {ready_at} > "))
            .bind(now)
            .sql(format!(" AND provider = {GOOGLE} ORDER BY {ready_at} LIMIT 1) AS first_noted"))
    };
    of(QueueKind::Links).sql(" UNION ALL ").with(of(QueueKind::Owed))
}

pub(in crate::store) async fn next_ready(conn: &mut Conn, limit: i64, now: Timestamp) -> Result<Vec<Ready>, Fault> {
    // Nothing is counted: `due` is one where something can be attempted by then.
    let found: Vec<ReadyRow> = named("due.next_ready", all_next_ready(limit, now).keep()).load(conn).await?;
    Ok(found.into_iter().map(Ready::from).collect())
}

fn all_next_ready(limit: i64, now: Timestamp) -> Fragment {
    let of = |queued: QueueKind| {
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
    of(QueueKind::Links).sql(" UNION ALL ").with(of(QueueKind::Owed)).sql(" ORDER BY ready_at, organisation_id")
}

#[cfg(test)]
mod tests {
    use super::super::plans::plan;
    use super::*;

    #[test]
    fn a_look_walks_no_table_on_sqlite() {
        let now = Timestamp::UNIX_EPOCH;
        for query in [all_ready(now, 9, 3, now), first_noted(now), all_next_ready(9, now)] {
            // What PostgreSQL reads is measured with a server.
            let Some(plan) = plan(&query) else { return };
            let walked: Vec<_> = plan
                .iter()
                .filter(|step| {
                    step.starts_with("SCAN ")
                        && ![
                            "SCAN q",
                            "SCAN first_noted",
                            "SCAN counted",
                            "SCAN instants",
                            "SCAN first_of_priority",
                            "SCAN first_leased",
                            "SCAN first_later",
                        ]
                        .contains(&step.as_str())
                })
                .collect();
            assert_eq!(walked, Vec::<&String>::new(), "{plan:?}");
            let seek = |index: &str| plan.iter().any(|step| step.contains(index));
            assert!(seek("link_queues_ready (ready_at>") && seek("link_queues_owed_ready (owed_ready_at>"));
        }
    }
}
