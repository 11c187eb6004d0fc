//! Settlements: what an attempt came to.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::leases::{PLACEMENT, bind_mine, bind_placement, mine};
use super::{Conn, Fault, InstantSql, Statement, statement};
use crate::model::Placement;
use crate::store::fault::unless_fenced;
use crate::store::instant::Instant;
use crate::store::words;
use crate::store::{Claimed, LinkError, Settlement};

/// The statement that settles: binds the placement, `now` as `$7`, the claim's demand as `$8`, what the caller adds from
/// `$9` on, and [`mine`] from `first`.
///
/// `standing` holds only where the request that was claimed still stands: nobody has asked again since, nor let the link
/// rest.
fn settling(standing: &[(&str, &str)], always: &str, first: usize) -> String {
    let standing: String = standing
        .iter()
        .map(|(column, value)| {
            format!("{column} = CASE WHEN demand = $8 AND sync_status = 'pending' THEN {value} ELSE {column} END, ")
        })
        .collect();
    format!(
        "UPDATE appointment_external_links SET {PLACEMENT}, updated_at = $7, {standing} {always}
            lease_token = NULL, lease_until = NULL
         WHERE {}",
        mine(first)
    )
}

fn bind_settling(sql: String, placement: &Placement, now: Timestamp, claimed: &Claimed) -> Statement {
    bind_placement(statement(sql), placement).bind::<InstantSql, _>(Instant(now)).bind::<BigInt, _>(claimed.demand)
}

fn bind_error(statement: Statement, error: &LinkError) -> Statement {
    statement.bind::<Text, _>(words::of_reason(error.reason)).bind::<Nullable<Text>, _>(error.detail.clone())
}

async fn ended(conn: &mut Conn, update: Statement, claimed: &Claimed) -> Result<(), Fault> {
    match bind_mine(update, claimed).execute(conn).await? {
        0 => Err(Fault::Fenced),
        _ => Ok(()),
    }
}

pub(in crate::store) async fn settle(
    conn: &mut Conn,
    claimed: &Claimed,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool, Fault> {
    let outcome = match settlement {
        Settlement::Synced { placement, html_link, revision } => {
            synced(conn, claimed, placement, html_link.as_deref(), revision.number(), now).await
        }
        Settlement::Later { placement, next_attempt_at, error } => {
            let sql = settling(
                &[
                    ("next_attempt_at", "$9"),
                    ("attempts", "attempts + 1"),
                    ("last_error", "$10"),
                    ("last_error_detail", "$11"),
                ],
                "",
                12,
            );
            let update = bind_settling(sql, placement, now, claimed).bind::<InstantSql, _>(Instant(*next_attempt_at));
            ended(conn, bind_error(update, error), claimed).await
        }
        Settlement::Refused { placement, error } => {
            // The status goes last: the others look at the one that stands, but a reader need not know that.
            let sql = settling(
                &[
                    ("last_error", "$9"),
                    ("last_error_detail", "$10"),
                    ("next_attempt_at", "NULL"),
                    ("sync_status", "'error'"),
                ],
                "",
                11,
            );
            let update = bind_settling(sql, placement, now, claimed);
            ended(conn, bind_error(update, error), claimed).await
        }
        Settlement::Parked { placement } => {
            let sql = settling(&[("next_attempt_at", "next_attempt_at")], "", 9);
            ended(conn, bind_settling(sql, placement, now, claimed), claimed).await
        }
    };
    unless_fenced(outcome)
}

async fn synced(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    html_link: Option<&str>,
    revision: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        statement(
            // What Google asked patience for is over once a call went through.
            "UPDATE calendar_integrations SET last_sync_at = $1,
                problem_reason = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_reason END,
                problem_since = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_since END,
                problem_retry_at = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_retry_at END
             WHERE organisation_id = $2 AND provider = 'google' AND (last_sync_at IS NULL OR last_sync_at < $1)",
        )
        .bind::<InstantSql, _>(Instant(now))
        .bind::<Text, _>(claimed.organisation.as_str().to_owned())
        .execute(conn)
        .await?;
        // A settlement without a call brings no link: the one that stands stays as long as the event does.
        let html_link_now = if placement.place().is_some() { "COALESCE($10, html_link)" } else { "$10" };
        let sql = settling(
            &[
                ("next_attempt_at", "NULL"),
                ("attempts", "0"),
                ("last_error", "NULL"),
                ("last_error_detail", "NULL"),
                ("sync_status", "'synced'"),
            ],
            &format!("synced_revision = $9, html_link = {html_link_now}, last_synced_at = $7,"),
            11,
        );
        let html_link = html_link.filter(|_| placement.place().is_some()).map(str::to_owned);
        let update = bind_settling(sql, placement, now, claimed)
            .bind::<BigInt, _>(revision)
            .bind::<Nullable<Text>, _>(html_link);
        ended(conn, update, claimed).await
    })
}
