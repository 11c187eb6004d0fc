//! Leases: renewed, fenced, given back.
//!
//! Owns these statements about links and owed deletions, and the one that gives back whatever a lone process held when it
//! ended (also to compare and to refresh; those to revoke and to end a disconnect lapse). Never begins a lease: claims do.
//! Invariant: a lease whose token is another one stays as it is, but where all of them are given back; one that is
//! fenced may end later with those of the same appointment that are renewed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::{is_connected_in, is_not_finishing, of_appointment, of_organisation};
use super::statement::{Fragment, list_of, named, rows_of, sql};
use super::{Conn, Fault, LOCKED_BY_KEY, link_queues, owed, placement, reading_leases};
use crate::model::{OrganisationId, Place, Placement};
use crate::store::fault::unless_fenced;
use crate::store::words::GOOGLE;
use crate::store::{Claimed, Guarded, LeasedAppointment};

/// The claimed link, while the lease is the claim's own.
fn lease_is_ours(claimed: &Claimed) -> Fragment {
    of_appointment(&claimed.organisation, &claimed.appointment).sql(" AND lease_token = ").bind(claimed.lease.token)
}

pub(in crate::store) async fn renew(
    conn: &mut Conn,
    claimed: &Claimed,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let update = renewed(claimed, until, now).with(is_connected_in(&claimed.organisation, claimed.epoch));
    Ok(Guarded::by(named("leases.renew", update).execute(conn).await?))
}

/// Renews a lease; a condition follows.
fn renewed(claimed: &Claimed, until: Timestamp, now: Timestamp) -> Fragment {
    sql("UPDATE appointment_external_links SET lease_until = ")
        .bind(until)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(lease_is_ours(claimed))
        .sql(" AND ")
}

pub(in crate::store) async fn renew_in_any_epoch(
    conn: &mut Conn,
    claimed: &Claimed,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    // While the lease lives, no disconnect ends.
    let update = renewed(claimed, until, now)
        .sql("lease_until > ")
        .bind(now)
        .sql(" AND EXISTS (SELECT 1 FROM calendar_integrations AS i WHERE i.organisation_id = ")
        .bind(&claimed.organisation)
        .sql(format!(" AND i.provider = {GOOGLE} AND i.refresh_token IS NOT NULL AND "))
        .with(is_not_finishing(now))
        .sql(")");
    Ok(Guarded::by(named("leases.renew_in_any_epoch", update).execute(conn).await?))
}

pub(in crate::store) async fn renew_all(
    conn: &mut Conn,
    leased: &[LeasedAppointment],
    until: Timestamp,
) -> Result<(), Fault> {
    if leased.is_empty() {
        return Ok(());
    }
    let rows = || {
        sql("WITH held (organisation_id, appointment_id, lease_token) AS (VALUES ").with(rows_of(leased, |row, its| {
            row.bind(&its.organisation).sql(", ").bind(&its.appointment).sql(", ").bind(its.token)
        }))
    };
    transaction!(conn, async |conn| {
        link_queues::lock(conn, leased.iter().map(|its| &its.organisation)).await?;
        let links = rows().sql(") UPDATE appointment_external_links AS l SET lease_until = ").bind(until).sql(format!(
            " FROM held AS h WHERE l.organisation_id = h.organisation_id AND l.appointment_id = h.appointment_id
                AND l.provider = {GOOGLE} AND l.lease_until IS NOT NULL
                AND (l.lease_token IS NULL OR l.lease_token = h.lease_token)"
        ));
        named("leases.renew_links", links).execute(conn).await?;
        let owed = rows().sql(") UPDATE owed_deletions AS o SET lease_until = ").bind(until).sql(format!(
            " FROM held AS h WHERE o.organisation_id = h.organisation_id AND o.provider = {GOOGLE}
                AND o.lease_until IS NOT NULL AND o.lease_token = h.lease_token"
        ));
        named("leases.renew_owed", owed).execute(conn).await?;
        Ok(())
    })
}

pub(in crate::store) async fn reserve(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [&claimed.organisation]).await?;
        reserve_within(conn, claimed, placement, until, now).await
    })
}

/// Reserves within a transaction that holds the queue.
async fn reserve_within(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let update = sql("UPDATE appointment_external_links SET ")
        .with(placement::set(placement))
        .sql(", lease_until = ")
        .bind(until)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(lease_is_ours(claimed))
        .sql(" AND ")
        .with(is_connected_in(&claimed.organisation, claimed.epoch));
    Ok(Guarded::by(named("leases.reserve", update).execute(conn).await?))
}

pub(in crate::store) async fn leave_behind(
    conn: &mut Conn,
    claimed: &Claimed,
    (placement, left_behind): (&Placement, &[Place]),
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let outcome = transaction!(conn, async |conn| {
        link_queues::lock(conn, [&claimed.organisation]).await?;
        if !reserve_within(conn, claimed, placement, until, now).await?.is_done() {
            return Err(Fault::Fenced);
        }
        owed::leave_behind(conn, claimed, left_behind, now).await
    });
    unless_fenced(outcome)
}

pub(in crate::store) async fn release(conn: &mut Conn, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Fault> {
    let mut released = 0;
    for some in lease_tokens.chunks(1_000) {
        released += release_some(conn, some, now).await?;
    }
    Ok(released)
}

async fn release_some(conn: &mut Conn, some: &[Uuid], now: Timestamp) -> Result<u64, Fault> {
    transaction!(conn, async |conn| {
        lock_leased(conn, some).await?;
        let update = sql("UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL, updated_at = ")
            .bind(now)
            .sql(
                " WHERE (organisation_id, appointment_id, provider) IN (
                    SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                    WHERE lease_until IS NOT NULL AND lease_token IN ",
            )
            .with(list_of(some.iter().copied()))
            .sql(format!(" {LOCKED_BY_KEY})"));
        let mut released = named("leases.release", update).execute(conn).await? as u64;
        // What was fenced waits for the end of the call that was under way.
        let fenced =
            sql("UPDATE appointment_external_links SET fenced_lease_token = NULL, lease_until = NULL, updated_at = ")
                .bind(now)
                .sql(
                    " WHERE (organisation_id, appointment_id, provider) IN (
                SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                WHERE lease_until IS NOT NULL AND lease_token IS NULL AND fenced_lease_token IN ",
                )
                .with(list_of(some.iter().copied()))
                .sql(format!(" {LOCKED_BY_KEY})"));
        released += named("leases.release_fenced", fenced).execute(conn).await? as u64;
        let owed = sql("UPDATE owed_deletions SET lease_token = NULL, lease_until = NULL, updated_at = ")
            .bind(now)
            .sql(" WHERE lease_until IS NOT NULL AND lease_token IN ")
            .with(list_of(some.iter().copied()));
        named("leases.release_owed", owed).execute(conn).await?;
        Ok(released)
    })
}

#[derive(QueryableByName)]
struct LeasedRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

/// Holds the queues of what is leased under these tokens.
async fn lock_leased(conn: &mut Conn, lease_tokens: &[Uuid]) -> Result<(), Fault> {
    let of = |table, column| {
        sql(format!("SELECT organisation_id FROM {table} WHERE lease_until IS NOT NULL AND {column} IN "))
            .with(list_of(lease_tokens.iter().copied()))
    };
    let select = of("appointment_external_links", "lease_token")
        .sql(" UNION ")
        .with(of("appointment_external_links", "fenced_lease_token"))
        .sql(" UNION ")
        .with(of("owed_deletions", "lease_token"));
    let found: Vec<LeasedRow> = named("leases.leased", select).load(conn).await?;
    let organisations: Vec<_> = found.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect();
    link_queues::lock(conn, &organisations).await
}

pub(in crate::store) async fn release_all(conn: &mut Conn) -> Result<u64, Fault> {
    let everything =
        |table| sql(format!("UPDATE {table} SET lease_token = NULL, lease_until = NULL WHERE lease_until IS NOT NULL"));
    named("leases.release_all_owed", everything("owed_deletions")).execute(conn).await?;
    let comparisons = sql(format!(
        "UPDATE calendar_integrations SET {} WHERE compare_lease_until IS NOT NULL",
        reading_leases::GIVE_BACK
    ));
    named("leases.release_all_comparisons", comparisons).execute(conn).await?;
    let refreshes = sql("UPDATE calendar_integrations SET refresh_lease_token = NULL, refresh_lease_until = NULL
         WHERE refresh_lease_token IS NOT NULL");
    named("leases.release_refreshes", refreshes).execute(conn).await?;
    // What was being revoked may have been, so that the lease lapses and is not forgotten.
    let revocations = sql("UPDATE google_accounts SET revoking_until = ")
        .bind(Timestamp::UNIX_EPOCH)
        .sql(" WHERE revoking_token IS NOT NULL");
    named("leases.release_revocations", revocations).execute(conn).await?;
    Ok(named("leases.release_all", everything("appointment_external_links")).execute(conn).await? as u64)
}

#[derive(QueryableByName)]
struct LiveRow {
    #[diesel(sql_type = BigInt)]
    live: i64,
}

pub(in crate::store) async fn live(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<i64, Fault> {
    let of = |table| {
        sql(format!("SELECT lease_token FROM {table} WHERE lease_until > "))
            .bind(now)
            .sql(" AND ")
            .with(of_organisation(organisation))
    };
    // A deletion and the link of its appointment are under one lease.
    let select = sql("SELECT COUNT(*) AS live FROM (")
        .with(of("appointment_external_links"))
        .sql(" UNION ")
        .with(of("owed_deletions"))
        // A search of a disconnect.
        .sql(
            " UNION SELECT compare_lease_token AS lease_token FROM calendar_integrations
             WHERE disconnecting_at IS NOT NULL AND search_due_at IS NOT NULL AND compare_lease_until > ",
        )
        .bind(now)
        .sql(" AND ")
        .with(of_organisation(organisation))
        .sql(") AS leases");
    let row: LiveRow = named("leases.live", select).get_result(conn).await?;
    Ok(row.live)
}
