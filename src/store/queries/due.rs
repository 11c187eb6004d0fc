//! What is due, and when the next is.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::{CONNECTED, Conn, Fault, InstantSql, rows, statement};
use crate::model::GoogleUserId;
use crate::store::DueOrganisation;
use crate::store::instant::Instant;

/// Which integrations may be served at `$1`.
pub(super) fn served() -> String {
    format!(
        "provider = 'google' AND {CONNECTED} AND is_enabled AND calendar_id IS NOT NULL \
         AND (problem_reason IS NULL OR problem_retry_at <= $1)"
    )
}

/// Which links nobody holds at `$1`.
pub(super) const FREE: &str = "(lease_until IS NULL OR lease_until <= $1)";

#[derive(QueryableByName)]
struct DueOrganisationRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Text)]
    google_user_id: String,
}

pub(in crate::store) async fn due_organisations(
    conn: &mut Conn,
    now: Timestamp,
) -> Result<Vec<DueOrganisation>, Fault> {
    // A subquery with a limit is probed once for each integration; an EXISTS may become a join over every due row.
    let probe = |lane: u8| {
        format!(
            "SELECT 1 FROM appointment_external_links AS l
             WHERE l.organisation_id = i.organisation_id AND l.provider = 'google' AND l.lane = {lane}
                AND l.next_attempt_at <= $1 AND {FREE}
             LIMIT 1"
        )
    };
    let found: Vec<DueOrganisationRow> = statement(format!(
        "SELECT i.organisation_id, i.google_user_id FROM calendar_integrations AS i
         WHERE {served} AND COALESCE(({live}), ({catch_up})) = 1
         ORDER BY i.organisation_id",
        served = served(),
        live = probe(0),
        catch_up = probe(1),
    ))
    .bind::<InstantSql, _>(Instant(now))
    .load(conn)
    .await?;
    let due = |row: DueOrganisationRow| {
        Ok(DueOrganisation {
            organisation: rows::organisation(&row.organisation_id)?,
            google_user_id: GoogleUserId::new(row.google_user_id),
        })
    };
    found.into_iter().map(due).collect()
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Nullable<InstantSql>)]
    due_at: Option<Instant>,
}

pub(in crate::store) async fn next_due_at(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let earliest = |lane: u8| {
        format!(
            "SELECT (
                SELECT next_attempt_at FROM appointment_external_links AS l
                WHERE l.organisation_id = i.organisation_id AND l.provider = 'google' AND l.lane = {lane}
                    AND next_attempt_at > $1 AND (lease_until IS NULL OR lease_until <= next_attempt_at)
                ORDER BY next_attempt_at LIMIT 1
             ) AS due_at FROM calendar_integrations AS i WHERE {}",
            served()
        )
    };
    let row: DueRow = statement(format!(
        "SELECT MIN(due_at) AS due_at FROM (
            {live}
            UNION ALL
            {catch_up}
            UNION ALL
            SELECT (
                SELECT MIN(lease_until) FROM appointment_external_links AS l
                WHERE l.organisation_id = i.organisation_id AND l.provider = 'google'
                    AND lease_until > $1 AND next_attempt_at < lease_until
            ) AS due_at FROM calendar_integrations AS i WHERE {served}
            UNION ALL
            SELECT problem_retry_at AS due_at FROM calendar_integrations AS i
            WHERE provider = 'google' AND {CONNECTED} AND is_enabled AND problem_reason IS NOT NULL
                AND problem_retry_at > $1 AND (
                    SELECT 1 FROM appointment_external_links AS l
                    WHERE l.organisation_id = i.organisation_id AND l.provider = 'google'
                        AND l.next_attempt_at IS NOT NULL
                    LIMIT 1
                ) = 1
         ) AS instants",
        live = earliest(0),
        catch_up = earliest(1),
        served = served(),
    ))
    .bind::<InstantSql, _>(Instant(now))
    .get_result(conn)
    .await?;
    Ok(super::instant(row.due_at))
}
