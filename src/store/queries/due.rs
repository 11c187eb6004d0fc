//! What is due, and when the next is.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::fragments::{CONNECTED, served, serves_owed, unleased};
use super::owed_claims::claimable;
use super::statement::{Fragment, joined, named, sql};
use super::{Conn, Fault, HELD_BY_KEY, InstantSql, MICROSECONDS, rows};
use crate::model::GoogleUserId;
use crate::store::fault::Corrupt;
use crate::store::instant::Instant;
use crate::store::words::{self, DISCONNECT, GOOGLE, Priority};
use crate::store::{DueOrganisation, Found, Unreadable};

#[derive(QueryableByName)]
struct DueOrganisationRow {
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
}

pub(in crate::store) async fn due_organisations(
    conn: &mut Conn,
    now: Timestamp,
) -> Result<Found<DueOrganisation>, Fault> {
    // A subquery with a limit is probed once for each integration; an EXISTS may become a join over every due row.
    let probe = |priority| {
        sql("(SELECT 1 FROM appointment_external_links AS l WHERE ")
            .sql(links_of_i(priority))
            .sql(" AND l.next_attempt_at <= ")
            .bind(now)
            .sql(" AND ")
            .with(unleased(now))
            .sql(" LIMIT 1)")
    };
    let select = sql("SELECT i.organisation_id, i.google_user_id, i.title_privacy, i.problem_reason,
            i.disconnecting_at IS NOT NULL AS is_disconnecting
         FROM calendar_integrations AS i WHERE ")
    .with(served(now))
    .sql(" AND COALESCE(")
    .with(probe(Priority::Live))
    .sql(", ")
    .with(probe(Priority::CatchUp))
    .sql(") = 1 OR ")
    .with(serves_owed(now))
    .sql(" AND (SELECT 1 FROM owed_deletions AS o WHERE o.organisation_id = i.organisation_id AND ")
    .with(owed_of_i())
    .sql(" AND ")
    .with(claimable(now))
    .sql(" LIMIT 1) = 1 ORDER BY i.organisation_id");
    let rows: Vec<DueOrganisationRow> = named("due.organisations", select).load(conn).await?;
    let mut found = Found::default();
    for row in rows {
        let due = due_organisation(&row);
        // What is deleted needs no title.
        let privacy = words::privacy(&row.title_privacy).map(|_| ()).or_else(|corrupt| match row.is_disconnecting {
            true => Ok(()),
            false => Err(corrupt),
        });
        if let Some(Corrupt(column)) = due.as_ref().err().copied().or(privacy.err()) {
            let organisation = row.organisation_id;
            found.unreadable.push(Unreadable { organisation, appointment: None, column });
        }
        found.rows.extend(due);
    }
    Ok(found)
}

fn due_organisation(row: &DueOrganisationRow) -> Result<DueOrganisation, Corrupt> {
    row.problem_reason.as_deref().map(words::reason).transpose()?;
    Ok(DueOrganisation {
        organisation: rows::organisation(&row.organisation_id)?,
        google_user_id: row.google_user_id.clone().map(GoogleUserId::new).ok_or(Corrupt("google_user_id"))?,
    })
}

/// The links `l` of the integration `i` that are due in their turn.
fn links_of_i(priority: Priority) -> String {
    format!("l.organisation_id = i.organisation_id AND l.provider = {GOOGLE} AND l.priority = {priority}")
}

/// The rows `o` of the integration `i` that are served: while it is being disconnected, those of the disconnect alone.
fn owed_of_i() -> Fragment {
    sql(format!("o.provider = {GOOGLE} AND (i.disconnecting_at IS NULL OR o.cause = {DISCONNECT})"))
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Nullable<InstantSql>)]
    due_at: Option<Instant>,
}

pub(in crate::store) async fn next_due_at(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let select = sql("SELECT MIN(due_at) AS due_at FROM (")
        .with(earliest_attempt(Priority::Live, now))
        .sql(" UNION ALL ")
        .with(earliest_attempt(Priority::CatchUp, now))
        .sql(" UNION ALL ")
        .with(earliest_lapse(now))
        .sql(" UNION ALL ")
        .with(earliest_retry(now))
        .sql(" UNION ALL ")
        .with(earliest_owed(now))
        .sql(") AS instants");
    let row: DueRow = named("due.next", select).get_result(conn).await?;
    Ok(super::instant(row.due_at))
}

/// When the first attempt of each integration is due.
fn earliest_attempt(priority: Priority, now: Timestamp) -> Fragment {
    sql("SELECT (SELECT next_attempt_at FROM appointment_external_links AS l WHERE ")
        .sql(links_of_i(priority))
        .sql(" AND next_attempt_at > ")
        .bind(now)
        .sql(
            " AND (lease_until IS NULL OR lease_until <= next_attempt_at) ORDER BY next_attempt_at LIMIT 1
             ) AS due_at FROM calendar_integrations AS i WHERE ",
        )
        .with(served(now))
}

/// When the first owed deletion of each integration is due. What else holds one up is found by looking now and then.
fn earliest_owed(now: Timestamp) -> Fragment {
    sql("SELECT (SELECT next_attempt_at FROM owed_deletions AS o WHERE o.organisation_id = i.organisation_id AND ")
        .with(owed_of_i())
        .sql(" AND next_attempt_at > ")
        .bind(now)
        .sql(" ORDER BY next_attempt_at LIMIT 1) AS due_at FROM calendar_integrations AS i WHERE ")
        .with(serves_owed(now))
}

/// When the first lease of each integration lapses whose link is due by then.
fn earliest_lapse(now: Timestamp) -> Fragment {
    sql("SELECT (SELECT MIN(lease_until) FROM appointment_external_links AS l")
        .sql(format!(" WHERE l.organisation_id = i.organisation_id AND l.provider = {GOOGLE} AND lease_until > "))
        .bind(now)
        .sql(" AND next_attempt_at < lease_until) AS due_at FROM calendar_integrations AS i WHERE ")
        .with(served(now))
}

/// When each integration that has a problem and something to send is tried again.
fn earliest_retry(now: Timestamp) -> Fragment {
    sql(format!(
        "SELECT problem_retry_at AS due_at FROM calendar_integrations AS i
         WHERE provider = {GOOGLE} AND {CONNECTED} AND is_enabled AND problem_reason IS NOT NULL AND problem_retry_at > "
    ))
    .bind(now)
    .sql(format!(
        " AND (
            SELECT 1 FROM appointment_external_links AS l
            WHERE l.organisation_id = i.organisation_id AND l.provider = {GOOGLE} AND l.next_attempt_at IS NOT NULL
            LIMIT 1
         ) = 1"
    ))
}

pub(in crate::store) async fn bring_nearer(
    conn: &mut Conn,
    by: SignedDuration,
    longest_lease: SignedDuration,
    now: Timestamp,
) -> Result<(), Fault> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    let lapsed_by = now + longest_lease;
    let nearer = |column: &str, after: Timestamp| {
        sql(format!("{column} = CASE WHEN {column} > "))
            .bind(after)
            .sql(format!(" THEN {column} - "))
            .bind(by)
            .sql(format!("{MICROSECONDS} ELSE {column} END"))
    };
    let columns = [
        ("problem_retry_at", now),
        ("compare_due_at", now),
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
    let accounts = sql("UPDATE google_accounts SET ")
        .with(nearer("revoking_until", lapsed_by))
        .sql(" WHERE revoking_until > ")
        .bind(lapsed_by);
    named("due.bring_accounts_nearer", accounts).execute(conn).await?;
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
    Ok(())
}
