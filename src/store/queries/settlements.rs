//! Settlements: what an attempt came to.

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{lease_is_ours, of_organisation};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, link_queues, placement};
use crate::model::{Placement, Revision};
use crate::store::words::{self, ERROR, PENDING, SYNCED};
use crate::store::{Claimed, Guarded, LinkError, Settlement};

pub(in crate::store) async fn settle(
    conn: &mut Conn,
    claimed: &Claimed,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let settled = transaction!(conn, async |conn| {
        link_queues::hold(conn, [&claimed.organisation]).await?;
        settle_within(conn, claimed, settlement, now).await
    });
    match settled {
        Err(Fault::Fenced) => Ok(Guarded::Fenced),
        settled => settled,
    }
}

/// Settles within a transaction that holds the queue.
async fn settle_within(
    conn: &mut Conn,
    claimed: &Claimed,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    match settlement {
        Settlement::Synced { placement, html_link, revision } => {
            let link = html_link.as_deref().filter(|_| placement.place().is_some());
            synced(conn, claimed, placement, link, *revision, now).await?;
            Ok(Guarded::Done)
        }
        Settlement::Later { placement, next_attempt_at, error } => {
            let update = beginning(placement, now)
                .with(if_unasked(claimed, "next_attempt_at", Fragment::default().bind(*next_attempt_at)))
                .with(if_unasked(claimed, "attempts", sql("attempts + 1")))
                .with(failed(claimed, error));
            Ok(Guarded::by(named("settlements.later", update.with(end(claimed))).execute(conn).await?))
        }
        Settlement::Refused { placement, error } => {
            let update = beginning(placement, now)
                .with(failed(claimed, error))
                .with(if_unasked(claimed, "next_attempt_at", sql("NULL")))
                .with(if_unasked(claimed, "sync_status", sql(ERROR)));
            Ok(Guarded::by(named("settlements.refused", update.with(end(claimed))).execute(conn).await?))
        }
        Settlement::Parked { placement } => {
            let update = beginning(placement, now).with(end(claimed));
            Ok(Guarded::by(named("settlements.parked", update).execute(conn).await?))
        }
    }
}

/// What every settlement records.
fn beginning(placement: &Placement, now: Timestamp) -> Fragment {
    sql("UPDATE appointment_external_links SET ").with(placement::set(placement)).sql(", updated_at = ").bind(now)
}

/// Gives the lease back, of the claimed link alone.
fn end(claimed: &Claimed) -> Fragment {
    sql(", lease_token = NULL, lease_until = NULL WHERE ").with(lease_is_ours(claimed))
}

/// Sets a column where nobody has asked to send the link again since it was claimed, nor let it rest.
fn if_unasked(claimed: &Claimed, column: &str, value: Fragment) -> Fragment {
    sql(format!(", {column} = CASE WHEN sync_status = {PENDING} AND request_seq = "))
        .bind(claimed.request_seq)
        .sql(" THEN ")
        .with(value)
        .sql(format!(" ELSE {column} END"))
}

fn failed(claimed: &Claimed, error: &LinkError) -> Fragment {
    let (reason, detail) = (words::of_reason(error.reason), error.detail.clone());
    if_unasked(claimed, "last_error", Fragment::default().bind(reason)).with(if_unasked(
        claimed,
        "last_error_detail",
        Fragment::default().bind(detail),
    ))
}

async fn synced(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    html_link: Option<&str>,
    revision: Revision,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut update = beginning(placement, now)
        .with(if_unasked(claimed, "next_attempt_at", sql("NULL")))
        .with(if_unasked(claimed, "attempts", sql("0")))
        .with(if_unasked(claimed, "last_error", sql("NULL")))
        .with(if_unasked(claimed, "last_error_detail", sql("NULL")))
        .with(if_unasked(claimed, "sync_status", sql(SYNCED)))
        .sql(", synced_revision = ")
        .bind(revision.number())
        .sql(", last_synced_at = ")
        .bind(now);
    // A settlement without a call brings no page: the one that is known stays as long as the event does.
    if html_link.is_some() || placement.place().is_none() {
        update = update.sql(", html_link = ").bind(html_link.map(str::to_owned));
    }
    match named("settlements.synced", update.with(end(claimed))).execute(conn).await? {
        0 => Err(Fault::Fenced),
        _ => note_sync(conn, claimed, now).await,
    }
}

/// Notes at the integration that a link was brought in step. What Google asked patience for is over once a call went
/// through.
async fn note_sync(conn: &mut Conn, claimed: &Claimed, now: Timestamp) -> Result<(), Fault> {
    let unless_over = |column| {
        sql(format!(", {column} = CASE WHEN problem_retry_at <= "))
            .bind(now)
            .sql(format!(" THEN NULL ELSE {column} END"))
    };
    let update = sql("UPDATE calendar_integrations SET last_sync_at = ")
        .bind(now)
        .with(unless_over("problem_reason"))
        .with(unless_over("problem_since"))
        .with(unless_over("problem_retry_at"))
        .sql(" WHERE ")
        .with(of_organisation(&claimed.organisation))
        .sql(" AND (last_sync_at IS NULL OR last_sync_at < ")
        .bind(now)
        .sql(")");
    named("settlements.note_sync", update).execute(conn).await?;
    Ok(())
}
