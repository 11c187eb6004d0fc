//! Leases: held, fenced, given back.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::{CONNECTED, Conn, Fault, HELD_BY_KEY, InstantSql, Statement, rows_of, statement};
use crate::model::Placement;
use crate::store::Claimed;
use crate::store::instant::Instant;
use crate::store::placement::PlacementColumns;

/// Binds the six columns, in the order of `PLACEMENT`.
pub(super) fn bind_placement(statement: Statement, placement: &Placement) -> Statement {
    let columns = PlacementColumns::from(placement);
    statement
        .bind::<Nullable<Text>, _>(columns.external_calendar_id)
        .bind::<Nullable<Text>, _>(columns.external_event_id)
        .bind::<Integer, _>(columns.generation)
        .bind::<Nullable<Text>, _>(columns.moving_from_calendar_id)
        .bind::<Nullable<Text>, _>(columns.etag)
        .bind::<Nullable<Binary>, _>(columns.content_hash)
}

/// Sets the six columns to `$1` to `$6`.
pub(super) const PLACEMENT: &str = "external_calendar_id = $1, external_event_id = $2, generation = $3, \
     moving_from_calendar_id = $4, etag = $5, content_hash = $6";

/// Binds who holds the row, for [`mine`].
pub(super) fn bind_mine(statement: Statement, claimed: &Claimed) -> Statement {
    statement
        .bind::<Text, _>(claimed.organisation.as_str().to_owned())
        .bind::<Text, _>(claimed.appointment.as_str().to_owned())
        .bind::<Text, _>(claimed.lease.token.to_string())
}

/// Which row it is, while the lease is the claim's own; three placeholders from `first`.
pub(super) fn mine(first: usize) -> String {
    format!(
        "organisation_id = ${} AND appointment_id = ${} AND provider = 'google' AND lease_token = ${}",
        first,
        first + 1,
        first + 2
    )
}

/// Whether the integration is still the one that was claimed under: two placeholders, the first being [`mine`]'s first.
fn unfenced(organisation: usize, epoch: usize) -> String {
    format!(
        "EXISTS (SELECT 1 FROM calendar_integrations AS i WHERE i.organisation_id = ${organisation} \
         AND i.provider = 'google' AND i.epoch = ${epoch} AND {CONNECTED})"
    )
}

pub(in crate::store) async fn hold(
    conn: &mut Conn,
    claimed: &Claimed,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    let update = statement(format!(
        "UPDATE appointment_external_links SET lease_until = $1, updated_at = $2 WHERE {} AND {}",
        mine(3),
        unfenced(3, 6)
    ))
    .bind::<InstantSql, _>(Instant(until))
    .bind::<InstantSql, _>(Instant(now));
    let rows = bind_mine(update, claimed).bind::<BigInt, _>(claimed.epoch.0).execute(conn).await?;
    Ok(rows > 0)
}

pub(in crate::store) async fn reserve(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    let update = statement(format!(
        "UPDATE appointment_external_links SET {PLACEMENT}, lease_until = $7, updated_at = $8 WHERE {} AND {}",
        mine(9),
        unfenced(9, 12)
    ));
    let update =
        bind_placement(update, placement).bind::<InstantSql, _>(Instant(until)).bind::<InstantSql, _>(Instant(now));
    let rows = bind_mine(update, claimed).bind::<BigInt, _>(claimed.epoch.0).execute(conn).await?;
    Ok(rows > 0)
}

pub(in crate::store) async fn release(conn: &mut Conn, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Fault> {
    let mut released = 0;
    for some in lease_tokens.chunks(1_000) {
        let mut update = statement(format!(
            "UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL, updated_at = $1
             WHERE (organisation_id, appointment_id, provider) IN (
                SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                WHERE lease_until IS NOT NULL AND lease_token IN {}
                {HELD_BY_KEY}
             )",
            rows_of(1, some.len(), 2),
        ))
        .bind::<InstantSql, _>(Instant(now));
        for token in some {
            update = update.bind::<Text, _>(token.to_string());
        }
        released += update.execute(conn).await? as u64;
    }
    Ok(released)
}

pub(in crate::store) async fn release_all(conn: &mut Conn) -> Result<u64, Fault> {
    let released = statement(
        "UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL WHERE lease_token IS NOT NULL",
    )
    .execute(conn)
    .await?;
    Ok(u64::try_from(released).unwrap_or(u64::MAX))
}
