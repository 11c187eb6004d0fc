//! The queue of an organisation's links: held before they change, and put off.
//!
//! Owns the row that every change of links takes its turn at, the only statement that makes a queue due later (but for
//! the trigger that puts an integration which is served again at the end of the line), and the one that gives links a
//! known priority in place of one that this version does not know. Never counts a link, and never makes a queue due earlier: triggers do. Invariant: no link
//! can be attempted before its queue is due, since whoever puts it off holds it, and so does whoever makes a link due.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{QUEUE_OF_I, is_owed_served, unleased, unleased_by};
use super::statement::{Fragment, Named, list_of, named, padded, rows_of, sql};
use super::{CHANGED_WITH_ITS_INTEGRATION, Conn, FOR_UPDATE, Fault, HOLDS_ROWS, SKIP_LOCKED, execute_in_turn};
use crate::model::OrganisationId;
use crate::store::queue_kind::QueueKind;
use crate::store::words::{GOOGLE, Priority};

/// Holds the queues of these organisations until the end of the transaction, one after the other in the order of their
/// keys. It stands before every other lock of a transaction that changes links, what is owed, or what an integration says
/// of them; only the row of a Google account is taken before.
pub(super) async fn lock(
    conn: &mut Conn,
    organisations: impl IntoIterator<Item = &OrganisationId>,
) -> Result<(), Fault> {
    let organisations: BTreeSet<&OrganisationId> = organisations.into_iter().collect();
    if !HOLDS_ROWS || organisations.is_empty() {
        return Ok(());
    }
    if lock_rows(conn, &organisations).await? < organisations.len() {
        let first = sql("INSERT INTO link_queues (organisation_id, provider) VALUES ")
            .with(rows_of(&organisations, |row, organisation| row.bind(*organisation).sql(format!(", {GOOGLE}"))))
            .sql(" ON CONFLICT (organisation_id, provider) DO NOTHING");
        named("link_queues.insert_if_absent", first).execute(conn).await?;
        lock_rows(conn, &organisations).await?;
    }
    Ok(())
}

async fn lock_rows(conn: &mut Conn, organisations: &BTreeSet<&OrganisationId>) -> Result<usize, Fault> {
    let select = of(sql("SELECT organisation_id FROM link_queues WHERE "), organisations.iter().copied())
        .sql(format!(" ORDER BY organisation_id {FOR_UPDATE}"));
    Ok(named("link_queues.lock", select).execute(conn).await?)
}

/// Holds the queues of those organisations that no other transaction holds, and their integrations for a change of
/// columns that no key is made of. Waits for nobody; answers the others, and whoever has no queue or no integration.
pub(super) async fn lock_free<'a>(
    conn: &mut Conn,
    organisations: BTreeSet<&'a OrganisationId>,
) -> Result<BTreeSet<&'a OrganisationId>, Fault> {
    if !HOLDS_ROWS || organisations.is_empty() {
        return Ok(BTreeSet::new());
    }
    let named_organisations =
        || list_of(padded(organisations.iter().map(|it| it.as_str().to_owned()).collect(), String::new));
    let select = sql(format!(
        "SELECT q.organisation_id FROM {QUEUE_OF_I} WHERE q.provider = {GOOGLE} AND q.organisation_id IN "
    ))
    .with(named_organisations())
    .sql(" AND i.organisation_id IN ")
    .with(named_organisations())
    .sql(format!(" ORDER BY q.organisation_id {CHANGED_WITH_ITS_INTEGRATION}"));
    let free: Vec<LockedRow> = named("link_queues.lock_free", select.keep()).load(conn).await?;
    let free: BTreeSet<_> = free.into_iter().map(|row| row.organisation_id).collect();
    Ok(organisations.into_iter().filter(|it| !free.contains(it.as_str())).collect())
}

/// Holds the queues of all organisations.
pub(super) async fn lock_all(conn: &mut Conn) -> Result<(), Fault> {
    let select = sql(format!("SELECT organisation_id FROM link_queues ORDER BY organisation_id {FOR_UPDATE}"));
    named("link_queues.lock_all", select).execute(conn).await?;
    Ok(())
}

fn of<'a>(beginning: Fragment, organisations: impl Iterator<Item = &'a OrganisationId>) -> Fragment {
    beginning.sql(format!("provider = {GOOGLE} AND organisation_id IN ")).with(list_of(organisations))
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn put_off(
    conn: &mut Conn,
    links: &[OrganisationId],
    owed: &[OrganisationId],
    now: Timestamp,
) -> Result<usize, Fault> {
    transaction!(conn, async |conn| {
        let all: BTreeSet<_> = links.iter().chain(owed).collect();
        let select = of(sql("SELECT organisation_id FROM link_queues WHERE "), all.iter().copied())
            .sql(format!(" ORDER BY organisation_id {SKIP_LOCKED}"));
        let held: Vec<LockedRow> = named("link_queues.lock_some", select).load(conn).await?;
        let held: BTreeSet<_> = held.into_iter().map(|row| row.organisation_id).collect();
        let its_links = links.iter().map(|it| it.as_str().to_owned()).filter(|it| held.contains(it)).collect();
        let ordered = order_unknown(conn, its_links, now).await?;
        for (organisations, queued) in [(links, QueueKind::Links), (owed, QueueKind::Owed)] {
            let its = organisations.iter().map(|it| it.as_str().to_owned()).filter(|it| held.contains(it)).collect();
            execute_in_turn(conn, put_off_locked(its, queued, now)).await?;
        }
        Ok(all.len().saturating_sub(held.len()) + ordered)
    })
}

/// Gives the waiting links of queues that the transaction holds a priority that is known, where a newer version gave them
/// one of its own: they would never have their turn. Answers how many.
pub(super) async fn order_unknown(conn: &mut Conn, organisations: Vec<String>, now: Timestamp) -> Result<usize, Fault> {
    if organisations.is_empty() {
        return Ok(0);
    }
    let (first, last) = (Priority::Live, Priority::CatchUp);
    let mut ordered = 0;
    // Each side of the known ones for itself: both are ranges of the index of what is due.
    for range in [format!("< {first}"), format!("> {last}")] {
        let update = ordered_anew(&organisations, &range, now);
        ordered += named("link_queues.order_unknown", update).execute(conn).await?;
    }
    Ok(ordered)
}

fn ordered_anew(organisations: &[String], range: &str, now: Timestamp) -> Fragment {
    sql(format!("UPDATE appointment_external_links SET priority = {}, updated_at = ", Priority::Live))
        .bind(now)
        .sql(" WHERE next_attempt_at IS NOT NULL AND organisation_id IN ")
        .with(list_of(organisations))
        .sql(format!(" AND provider = {GOOGLE} AND priority {range}"))
}

/// Puts queues off that the transaction holds, if it holds any.
pub(super) fn put_off_locked(organisations: Vec<String>, queued: QueueKind, now: Timestamp) -> Vec<Named<Fragment>> {
    if organisations.is_empty() {
        return Vec::new();
    }
    let update = sql(format!("UPDATE link_queues AS q SET {} = ", queued.due_at()))
        .with(first_due_at(queued, now))
        .sql(format!(
            " FROM calendar_integrations AS i WHERE i.organisation_id = q.organisation_id AND i.provider = q.provider
                AND q.provider = {GOOGLE} AND q.organisation_id IN "
        ))
        .with(list_of(&organisations))
        .sql(" AND i.organisation_id IN ")
        .with(list_of(&organisations));
    vec![named("link_queues.put_off", update)]
}

/// When the first row in the queue `q` of the integration `i` can be attempted, not before `now`.
pub(super) fn first_due_at(queued: QueueKind, now: Timestamp) -> Fragment {
    match queued {
        QueueKind::Links => first_link_due_at(now),
        QueueKind::Owed => first_owed_due_at(now),
    }
}

fn not_before(now: Timestamp, column: &str) -> Fragment {
    sql(format!("CASE WHEN {column} < ")).bind(now).sql(" THEN ").bind(now).sql(format!(" ELSE {column} END"))
}

fn first_link_due_at(now: Timestamp) -> Fragment {
    let first = |priority: Priority| {
        sql("SELECT * FROM (SELECT ")
            .with(not_before(now, "l.next_attempt_at"))
            .sql(format!(
                " AS due_at FROM appointment_external_links AS l
                  WHERE l.organisation_id = q.organisation_id AND l.provider = q.provider AND l.priority = {priority}
                    AND l.next_attempt_at IS NOT NULL AND "
            ))
            .with(unleased(now))
            .sql(" ORDER BY l.next_attempt_at LIMIT 1) AS first_of_priority")
    };
    sql("(SELECT MIN(due_at) FROM (")
        .with(first(Priority::Live))
        .sql(" UNION ALL ")
        .with(first(Priority::CatchUp))
        // The end of the first lease: a link that is due later still is found to be so then. The order is that of the
        // index of leases, since a planner without statistics would take another one and read every link.
        .sql(
            " UNION ALL SELECT * FROM (SELECT l.lease_until AS due_at
                FROM appointment_external_links AS l WHERE l.organisation_id = q.organisation_id AND l.provider = q.provider
                    AND l.next_attempt_at IS NOT NULL AND l.lease_until > ",
        )
        .bind(now)
        .sql(" ORDER BY l.lease_until LIMIT 1) AS first_leased) AS instants)")
}

/// Not before whoever is just ending a disconnect has done so, or has lost that.
fn first_owed_due_at(now: Timestamp) -> Fragment {
    let of_q = format!(
        "o.organisation_id = q.organisation_id AND o.provider = q.provider AND o.next_attempt_at IS NOT NULL AND {}",
        is_owed_served()
    );
    let link_of_o =
        "l.organisation_id = o.organisation_id AND l.provider = o.provider AND l.appointment_id = o.appointment_id";
    // Most often something is due: then nobody asks how long the others are leased.
    sql("CASE WHEN i.finishing_until > ")
        .bind(now)
        .sql(" THEN i.finishing_until ELSE COALESCE((SELECT ")
        .bind(now)
        .sql(format!(" FROM owed_deletions AS o WHERE {of_q} AND o.next_attempt_at <= "))
        .bind(now)
        .sql(" AND ")
        .with(unleased_by("o.lease_until", now))
        .sql(format!(" AND NOT EXISTS (SELECT 1 FROM appointment_external_links AS l WHERE {link_of_o} AND NOT "))
        .with(unleased_by("l.lease_until", now))
        .sql(
            ") LIMIT 1), (SELECT MIN(due_at) FROM (SELECT * FROM (SELECT o.next_attempt_at AS due_at
                FROM owed_deletions AS o WHERE ",
        )
        .sql(&of_q)
        .sql(" AND o.next_attempt_at > ")
        .bind(now)
        .sql(" ORDER BY o.next_attempt_at LIMIT 1) AS first_later UNION ALL SELECT MIN(CASE WHEN o.lease_until > ")
        .bind(now)
        .sql(
            " AND (l.lease_until IS NULL OR l.lease_until < o.lease_until) THEN o.lease_until ELSE l.lease_until END)
                FROM owed_deletions AS o LEFT JOIN appointment_external_links AS l ON ",
        )
        .sql(link_of_o)
        .sql(format!(" WHERE {of_q} AND o.next_attempt_at <= "))
        .bind(now)
        .sql(" AND (o.lease_until > ")
        .bind(now)
        .sql(" OR l.lease_until > ")
        .bind(now)
        .sql(")) AS instants)) END")
}

#[cfg(test)]
mod tests {
    use super::super::plans::plan;
    use super::*;

    #[test]
    fn what_orders_a_queue_anew_walks_no_table_on_sqlite() {
        for range in [format!("< {}", Priority::Live), format!("> {}", Priority::CatchUp)] {
            // What PostgreSQL reads is measured with a server.
            let Some(plan) = plan(&ordered_anew(&["north".to_owned()], &range, Timestamp::UNIX_EPOCH)) else { return };
            assert!(plan.iter().any(|step| step.contains("priority<") || step.contains("priority>")), "{plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN ")), "{plan:?}");
        }
    }
}
