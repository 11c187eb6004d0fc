//! Leases: renewed, fenced, given back.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::{is_connected_in, lease_is_ours};
use super::schema::appointment_external_links::dsl;
use super::statement::{list_of, named, sql};
use super::{Conn, Fault, HELD_BY_KEY, placement};
use crate::model::{OrganisationId, Placement};
use crate::store::instant::Instant;
use crate::store::words::PROVIDER;
use crate::store::{Claimed, Guarded};

pub(in crate::store) async fn renew(
    conn: &mut Conn,
    claimed: &Claimed,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let update = sql("UPDATE appointment_external_links SET lease_until = ")
        .bind(until)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(lease_is_ours(claimed))
        .sql(" AND ")
        .with(is_connected_in(&claimed.organisation, claimed.epoch));
    Ok(Guarded::by(named("leases.renew", update).execute(conn).await?))
}

pub(in crate::store) async fn reserve(
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

pub(in crate::store) async fn release(conn: &mut Conn, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Fault> {
    let mut released = 0;
    for some in lease_tokens.chunks(1_000) {
        let update = sql("UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL, updated_at = ")
            .bind(now)
            .sql(
                " WHERE (organisation_id, appointment_id, provider) IN (
                    SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                    WHERE lease_until IS NOT NULL AND lease_token IN ",
            )
            .with(list_of(some.iter().copied()))
            .sql(format!(" {HELD_BY_KEY})"));
        released += named("leases.release", update).execute(conn).await? as u64;
    }
    Ok(released)
}

pub(in crate::store) async fn release_all(conn: &mut Conn) -> Result<u64, Fault> {
    let update = sql(
        "UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL WHERE lease_token IS NOT NULL",
    );
    let released = named("leases.release_all", update).execute(conn).await? as u64;
    let refreshes = sql("UPDATE calendar_integrations SET refresh_lease_token = NULL, refresh_lease_until = NULL
         WHERE refresh_lease_token IS NOT NULL");
    named("leases.release_refreshes", refreshes).execute(conn).await?;
    // What was being revoked may have been, so that the lease lapses and is not forgotten.
    let revocations = sql("UPDATE google_accounts SET revoking_until = ")
        .bind(Timestamp::UNIX_EPOCH)
        .sql(" WHERE revoking_token IS NOT NULL");
    named("leases.release_revocations", revocations).execute(conn).await?;
    Ok(released)
}

pub(in crate::store) async fn live(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<i64, Fault> {
    let count = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::lease_until.gt(Instant(now)))
        .count();
    Ok(named("leases.live", count).get_result(conn).await?)
}
