//! Owed deletions under a lease: claimed, renewed, settled.
//!
//! Owns these statements. Never claims of an organisation whose queue another transaction holds, and never owes
//! anything. Invariant: the link of the appointment, where there is one, is taken before the row and is under the same
//! lease.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::{
    IS_ALL_OWED_SERVED, QUEUE_OF_I, is_granted_in, is_not_finishing, of_appointment, of_organisation, unleased,
    unleased_by,
};
use super::owed::IS_WANTED;
use super::schema::owed_deletions;
use super::statement::{Fragment, list_of, named, sql};
use super::{
    Conn, Fault, LOCKED_WITH_ITS_INTEGRATION, erasures, execute_in_turn, link_queues, owed_counts, rows,
    search_requests,
};
use crate::model::{CalendarId, Epoch, EventId, Generation, GoogleUserId, OrganisationId, Place};
use crate::store::fault::{Corrupt, unless_fenced};
use crate::store::queue_kind::QueueKind;
use crate::store::words::{self, ERASURE, GOOGLE, INTERNAL};
use crate::store::{Found, Guarded, Lease, LinkError, OwedCause, OwedClaim, OwedSettlement, Unreadable};

pub(in crate::store) async fn claim(
    conn: &mut Conn,
    organisations: Vec<OrganisationId>,
    lease_token: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<Found<OwedClaim>, Fault> {
    let mut room: BTreeMap<String, i64> = BTreeMap::new();
    for organisation in organisations {
        *room.entry(organisation.as_str().to_owned()).or_default() += 1;
    }
    transaction!(conn, async |conn| {
        let (mut claims, mut held, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for served in lock_served(conn, &room.keys().cloned().collect::<Vec<_>>(), now).await? {
            let limit = room.get(&served.organisation_id).copied().unwrap_or_default();
            let mut taken = 0;
            for row in due(conn, &served, limit, now).await? {
                let token = Uuid::from_u128(lease_token.as_u128().wrapping_add(claims.len() as u128));
                let claim = match owed_claim(&row, &served, Lease { token, until }) {
                    Ok(claim) => claim,
                    Err(Corrupt(column)) => {
                        leave_out(conn, &row, column, now).await?;
                        let (organisation, appointment) = (row.organisation_id, Some(row.appointment_id));
                        unreadable.push(Unreadable { organisation, appointment, column });
                        continue;
                    }
                };
                if take(conn, &claim, now).await? {
                    claims.push(claim);
                    taken += 1;
                }
            }
            if taken < limit {
                drop_wanted(conn, &served, now).await?;
            }
            held.push(served.organisation_id);
        }
        execute_in_turn(conn, link_queues::put_off_locked(held, QueueKind::Owed, now)).await?;
        Ok(Found { rows: claims, unreadable })
    })
}

#[derive(QueryableByName)]
struct ServedRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Text)]
    google_user_id: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Bool)]
    is_all_served: bool,
}

/// What the integrations say whose queues nobody else holds; they are held until the end of the transaction. None whose
/// grant is just being revoked.
async fn lock_served(conn: &mut Conn, organisations: &[String], now: Timestamp) -> Result<Vec<ServedRow>, Fault> {
    let select = sql(format!(
        "SELECT i.organisation_id, i.google_user_id, i.epoch, {IS_ALL_OWED_SERVED} AS is_all_served
         FROM {QUEUE_OF_I} WHERE q.provider = {GOOGLE} AND i.google_user_id IS NOT NULL AND i.owed_served_from <= "
    ))
    .bind(now)
    .sql(" AND ")
    .with(is_not_finishing(now))
    .sql(" AND q.organisation_id IN ")
    .with(list_of(organisations))
    .sql(" AND i.organisation_id IN ")
    .with(list_of(organisations))
    .sql(format!(" ORDER BY q.organisation_id {LOCKED_WITH_ITS_INTEGRATION}"));
    Ok(named("owed_claims.lock_served", select).load(conn).await?)
}

#[derive(QueryableByName)]
#[diesel(table_name = owed_deletions)]
struct OwedRow {
    organisation_id: String,
    google_user_id: String,
    calendar_id: String,
    event_id: String,
    appointment_id: String,
    generation: i32,
    cause: String,
    attempts: i32,
}

/// The rows `o` that are due and that nobody is at.
pub(super) fn claimable(now: Timestamp) -> Fragment {
    sql("o.next_attempt_at <= ")
        .bind(now)
        .sql(" AND ")
        .with(unleased_by("o.lease_until", now))
        .sql(
            " AND NOT EXISTS (SELECT 1 FROM appointment_external_links AS l
             WHERE l.organisation_id = o.organisation_id AND l.provider = o.provider
                AND l.appointment_id = o.appointment_id AND NOT ",
        )
        .with(unleased_by("l.lease_until", now))
        .sql(")")
}

/// The due rows of an organisation that may be deleted.
fn due_of(served: &ServedRow, now: Timestamp) -> Fragment {
    let which = if served.is_all_served { String::new() } else { format!("o.cause = {ERASURE} AND ") };
    sql(format!("{which}o.provider = {GOOGLE} AND o.organisation_id = "))
        .bind(served.organisation_id.clone())
        .sql(" AND ")
        .with(claimable(now))
}

async fn due(conn: &mut Conn, served: &ServedRow, limit: i64, now: Timestamp) -> Result<Vec<OwedRow>, Fault> {
    let select =
        sql("SELECT o.organisation_id, o.google_user_id, o.calendar_id, o.event_id, o.appointment_id, o.generation,
            o.cause, o.attempts FROM owed_deletions AS o WHERE ")
        .with(due_of(served, now))
        .sql(format!(" AND NOT {IS_WANTED} ORDER BY o.next_attempt_at"))
        .limit(limit);
    Ok(named("owed_claims.due", select).load(conn).await?)
}

/// Ends the rows whose event a link stands at.
async fn drop_wanted(conn: &mut Conn, served: &ServedRow, now: Timestamp) -> Result<(), Fault> {
    let delete =
        sql("DELETE FROM owed_deletions AS o WHERE ").with(due_of(served, now)).sql(format!(" AND {IS_WANTED}"));
    named("owed_claims.drop_wanted", delete).execute(conn).await?;
    Ok(())
}

fn owed_claim(row: &OwedRow, served: &ServedRow, lease: Lease) -> Result<OwedClaim, Corrupt> {
    Ok(OwedClaim {
        organisation: rows::organisation(&row.organisation_id)?,
        google_user_id: GoogleUserId::new(row.google_user_id.clone()),
        connected: GoogleUserId::new(served.google_user_id.clone()),
        appointment: rows::appointment(&row.appointment_id)?,
        place: Place {
            calendar: CalendarId::new(row.calendar_id.clone()),
            event: EventId::new(row.event_id.clone()),
            generation: Generation(row.generation),
        },
        cause: words::cause(&row.cause)?,
        attempts: row.attempts,
        lease,
        epoch: Epoch(served.epoch),
    })
}

/// Parks a row that does not read, and tells it there.
async fn leave_out(conn: &mut Conn, row: &OwedRow, column: &'static str, now: Timestamp) -> Result<(), Fault> {
    let park =
        sql(format!("UPDATE owed_deletions SET next_attempt_at = NULL, last_error = {INTERNAL}, last_error_detail = "))
            .bind(column)
            .sql(", updated_at = ")
            .bind(now)
            .sql(format!(" WHERE provider = {GOOGLE} AND organisation_id = "))
            .bind(row.organisation_id.clone())
            .sql(" AND google_user_id = ")
            .bind(row.google_user_id.clone())
            .sql(" AND calendar_id = ")
            .bind(row.calendar_id.clone())
            .sql(" AND event_id = ")
            .bind(row.event_id.clone());
    named("owed_claims.leave_out", park).execute(conn).await?;
    Ok(())
}

/// The row of a claim.
fn row_of(claimed: &OwedClaim) -> Fragment {
    of_organisation(&claimed.organisation)
        .sql(" AND google_user_id = ")
        .bind(&claimed.google_user_id)
        .sql(" AND calendar_id = ")
        .bind(&claimed.place.calendar)
        .sql(" AND event_id = ")
        .bind(claimed.place.event.as_str().to_owned())
}

/// The row of a claim, while the lease is the claim's own.
fn row_is_ours(claimed: &OwedClaim) -> Fragment {
    row_of(claimed).sql(" AND lease_token = ").bind(claimed.lease.token)
}

/// The link of a claim, while the lease is the claim's own.
fn link_is_ours(claimed: &OwedClaim) -> Fragment {
    of_appointment(&claimed.organisation, &claimed.appointment).sql(" AND lease_token = ").bind(claimed.lease.token)
}

/// Leases the link, if there is one, and then the row; `false`: somebody else was faster.
async fn take(conn: &mut Conn, claimed: &OwedClaim, now: Timestamp) -> Result<bool, Fault> {
    let lease = |table: &str| {
        sql(format!("UPDATE {table} SET lease_token = "))
            .bind(claimed.lease.token)
            .sql(", lease_until = ")
            .bind(claimed.lease.until)
    };
    // A deletion changes nothing of what the link says: a comparison still looks at it.
    let link = lease("appointment_external_links")
        .sql(" WHERE ")
        .with(of_appointment(&claimed.organisation, &claimed.appointment))
        .sql(" AND ")
        .with(unleased(now));
    named("owed_claims.lease_link", link).execute(conn).await?;
    // A link that another worker has taken meanwhile is under another lease than this row would be.
    let row = lease("owed_deletions")
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(row_of(claimed))
        .sql(" AND next_attempt_at <= ")
        .bind(now)
        .sql(" AND ")
        .with(unleased(now))
        .sql(" AND NOT EXISTS (SELECT 1 FROM appointment_external_links AS l WHERE l.organisation_id = ")
        .bind(&claimed.organisation)
        .sql(format!(" AND l.provider = {GOOGLE} AND l.appointment_id = "))
        .bind(&claimed.appointment)
        .sql(" AND NOT ")
        .with(unleased_by("l.lease_until", now))
        .sql(" AND (l.lease_token IS NULL OR l.lease_token <> ")
        .bind(claimed.lease.token)
        .sql("))");
    if named("owed_claims.lease_row", row).execute(conn).await? > 0 {
        return Ok(true);
    }
    give_back_link(conn, claimed, Fragment::default()).await?;
    Ok(false)
}

/// Ends the lease of the link; `set` says what else becomes of it.
async fn give_back_link(conn: &mut Conn, claimed: &OwedClaim, set: Fragment) -> Result<(), Fault> {
    let link = sql("UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL")
        .with(set)
        .sql(" WHERE ")
        .with(link_is_ours(claimed));
    named("owed_claims.give_back_link", link).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn renew(
    conn: &mut Conn,
    claimed: &OwedClaim,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let renewed = |table: &str| sql(format!("UPDATE {table} SET lease_until = ")).bind(until);
    let outcome = transaction!(conn, async |conn| {
        link_queues::lock(conn, [&claimed.organisation]).await?;
        let link = renewed("appointment_external_links").sql(" WHERE ").with(link_is_ours(claimed));
        named("owed_claims.renew_link", link).execute(conn).await?;
        let row = renewed("owed_deletions")
            .sql(", updated_at = ")
            .bind(now)
            .sql(" WHERE ")
            .with(row_is_ours(claimed))
            .sql(" AND ")
            .with(is_granted_in(&claimed.organisation, claimed.epoch));
        match named("owed_claims.renew_row", row).execute(conn).await? {
            0 => Err(Fault::Fenced),
            _ => Ok(()),
        }
    });
    unless_fenced(outcome)
}

#[derive(QueryableByName)]
struct OneRow {
    #[expect(dead_code, reason = "what is read is whether there is a row")]
    #[diesel(sql_type = Integer)]
    one: i32,
}

/// Settles within a transaction that holds the queue.
pub(super) async fn settle_within(
    conn: &mut Conn,
    claimed: &OwedClaim,
    settlement: &OwedSettlement,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let select = sql("SELECT 1 AS one FROM owed_deletions WHERE ").with(row_is_ours(claimed));
    let ours: Vec<OneRow> = named("owed_claims.is_ours", select).load(conn).await?;
    if ours.is_empty() {
        return Ok(Guarded::Fenced);
    }
    match settlement {
        OwedSettlement::Gone { was_deleted } => {
            let OwedClaim { organisation, google_user_id, place, .. } = claimed;
            owed_counts::count_deletion(conn, organisation, google_user_id, place, *was_deleted).await?;
            // An id at Google is never free again: what is written next is of a later generation.
            let next = claimed.place.generation.next().0;
            let generation = sql(", generation = CASE WHEN external_event_id IS NULL AND generation < ")
                .bind(next)
                .sql(" THEN ")
                .bind(next)
                .sql(" ELSE generation END");
            let delete = sql("DELETE FROM owed_deletions WHERE ").with(row_is_ours(claimed));
            named("owed_claims.gone", delete).execute(conn).await?;
            give_back_link(conn, claimed, generation).await?;
            erasures::sweep_one(conn, &claimed.organisation, &claimed.appointment, now).await?;
        }
        OwedSettlement::Later { next_attempt_at, error } => {
            let set = sql(", attempts = attempts + 1, next_attempt_at = ").bind(*next_attempt_at).with(failed(error));
            give_back(conn, claimed, set, now).await?;
        }
        OwedSettlement::Refused { error } => {
            give_back(conn, claimed, sql(", next_attempt_at = NULL").with(failed(error)), now).await?;
        }
        OwedSettlement::Unchanged => give_back(conn, claimed, Fragment::default(), now).await?,
    }
    if claimed.cause == OwedCause::Erasure {
        search_requests::ask_for_erased(conn, &claimed.organisation, now).await?;
    }
    Ok(Guarded::Done)
}

fn failed(error: &LinkError) -> Fragment {
    sql(", last_error = ").bind(words::of_reason(error.reason)).sql(", last_error_detail = ").bind(error.detail.clone())
}

/// Ends both leases: that of the row first, since what is due of it counts from the moment that its link is free.
async fn give_back(conn: &mut Conn, claimed: &OwedClaim, set: Fragment, now: Timestamp) -> Result<(), Fault> {
    let row = sql("UPDATE owed_deletions SET lease_token = NULL, lease_until = NULL, updated_at = ")
        .bind(now)
        .with(set)
        .sql(" WHERE ")
        .with(row_is_ours(claimed));
    named("owed_claims.give_back", row).execute(conn).await?;
    give_back_link(conn, claimed, Fragment::default()).await
}
