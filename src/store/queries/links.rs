//! Links: read, and what makes one forget.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::rows::LinkRow;
use super::schema::appointment_external_links::dsl;
use super::{Conn, Fault, InstantSql, rows, statement};
use crate::model::{AppointmentId, Epoch, OrganisationId, Revision, SyncStatus};
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};
use crate::store::{Counts, Link};

pub(in crate::store) async fn link(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
) -> Result<Option<Link>, Fault> {
    let row = dsl::appointment_external_links
        .find((organisation.as_str(), appointment.as_str(), PROVIDER))
        .select(LinkRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Link::try_from).transpose()
}

pub(in crate::store) async fn links(
    conn: &mut Conn,
    organisation: &OrganisationId,
    status: Option<SyncStatus>,
    after: Option<&AppointmentId>,
    limit: i64,
) -> Result<Vec<Link>, Fault> {
    let mut query = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::appointment_id.gt(after.map_or("", AppointmentId::as_str)))
        .order(dsl::appointment_id)
        .limit(limit)
        .select(LinkRow::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(dsl::sync_status.eq(words::of_status(status)));
    }
    query.load(conn).await?.into_iter().map(Link::try_from).collect()
}

pub(in crate::store) async fn upcoming_placed(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
    after: Option<&AppointmentId>,
    limit: i64,
) -> Result<Vec<Link>, Fault> {
    let rows: Vec<LinkRow> = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::appointment_id.gt(after.map_or("", AppointmentId::as_str)))
        .filter(dsl::external_event_id.is_not_null())
        .filter(dsl::ends_at.gt(Instant(now)))
        .order(dsl::appointment_id)
        .limit(limit)
        .select(LinkRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Link::try_from).collect()
}

pub(in crate::store) async fn revisions(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
) -> Result<HashMap<AppointmentId, Revision>, Fault> {
    let mut known = HashMap::with_capacity(appointments.len());
    // SQLite takes some 32,000 binds in one statement.
    for some in appointments.chunks(10_000) {
        let found: Vec<(String, i64)> = dsl::appointment_external_links
            .filter(dsl::organisation_id.eq(organisation.as_str()))
            .filter(dsl::provider.eq(PROVIDER))
            .filter(dsl::appointment_id.eq_any(some.iter().map(AppointmentId::as_str)))
            .select((dsl::appointment_id, dsl::revision))
            .load(conn)
            .await?;
        for (appointment, revision) in found {
            known.insert(rows::appointment(&appointment)?, rows::revision(revision)?);
        }
    }
    Ok(known)
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    synced: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
    #[diesel(sql_type = BigInt)]
    catching_up: i64,
    #[diesel(sql_type = BigInt)]
    catch_up_failed: i64,
    #[diesel(sql_type = BigInt)]
    upcoming_events: i64,
    #[diesel(sql_type = Nullable<InstantSql>)]
    unavailable_until: Option<Instant>,
}

pub(in crate::store) async fn counts(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Counts, Fault> {
    let row: CountsRow = statement(
        "SELECT
            COUNT(*) FILTER (WHERE sync_status = 'pending') AS pending,
            COUNT(*) FILTER (WHERE sync_status = 'synced') AS synced,
            COUNT(*) FILTER (WHERE sync_status = 'error') AS refused,
            COUNT(*) FILTER (WHERE sync_status = 'pending' AND lane = 1) AS catching_up,
            COUNT(*) FILTER (WHERE sync_status = 'error' AND lane = 1) AS catch_up_failed,
            (SELECT COUNT(*) FROM appointment_external_links
                WHERE organisation_id = $1 AND provider = 'google' AND external_event_id IS NOT NULL AND ends_at > $2
            ) AS upcoming_events,
            (SELECT MIN(next_attempt_at) FROM appointment_external_links
                WHERE organisation_id = $1 AND provider = 'google' AND sync_status = 'pending'
                    AND last_error = 'google_unavailable'
            ) AS unavailable_until
         FROM appointment_external_links
         WHERE organisation_id = $1 AND provider = 'google'",
    )
    .bind::<Text, _>(organisation.as_str().to_owned())
    .bind::<InstantSql, _>(Instant(now))
    .get_result(conn)
    .await?;
    Ok(Counts {
        pending: row.pending,
        synced: row.synced,
        error: row.refused,
        upcoming_events: row.upcoming_events,
        catching_up: row.catching_up,
        catch_up_failed: row.catch_up_failed,
        unavailable_until: super::instant(row.unavailable_until),
    })
}

pub(in crate::store) async fn forget_placement(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<bool, Fault> {
    let rows = statement(format!(
        "UPDATE appointment_external_links SET {FORGOTTEN}, sync_status = 'none', next_attempt_at = NULL,
            attempts = 0, lane = 0, last_error = NULL, last_error_detail = NULL, updated_at = $1
         WHERE organisation_id = $2 AND appointment_id = $3 AND provider = 'google' AND EXISTS (
            SELECT 1 FROM calendar_integrations AS i
            WHERE i.organisation_id = $2 AND i.provider = 'google' AND i.epoch = $4
         )"
    ))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .bind::<Text, _>(appointment.as_str().to_owned())
    .bind::<BigInt, _>(epoch.0)
    .execute(conn)
    .await?;
    Ok(rows > 0)
}

/// What a link loses whose event is gone or out of reach. Whoever holds a lease of it has nothing to settle any more.
pub(super) const FORGOTTEN: &str = "generation = generation + CASE WHEN external_event_id IS NULL THEN 0 ELSE 1 END, \
     external_calendar_id = NULL, external_event_id = NULL, moving_from_calendar_id = NULL, etag = NULL, \
     content_hash = NULL, html_link = NULL, synced_revision = 0, lease_token = NULL, lease_until = NULL";

pub(in crate::store) async fn live_leases(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<i64, Fault> {
    Ok(dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::lease_until.gt(Instant(now)))
        .count()
        .get_result(conn)
        .await?)
}

/// How many snapshots one statement erases: others are not kept waiting for long.
const ERASED_AT_ONCE: u64 = 2_000;

pub(in crate::store) async fn erase_snapshots(
    conn: &mut Conn,
    over_before: Timestamp,
    now: Timestamp,
) -> Result<u64, Fault> {
    let mut erased = 0;
    for over in ["ends_at < $2", "ends_at IS NULL AND updated_at < $2"] {
        loop {
            let rows = statement(format!(
                "UPDATE appointment_external_links SET snapshot = NULL, next_attempt_at = NULL, updated_at = $1,
                    sync_status = CASE WHEN sync_status = 'pending' THEN 'none' ELSE sync_status END
                 WHERE (organisation_id, appointment_id, provider) IN (
                    SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                    WHERE snapshot IS NOT NULL AND {over} AND (lease_until IS NULL OR lease_until <= $1)
                    ORDER BY ends_at, organisation_id, appointment_id LIMIT {ERASED_AT_ONCE}
                 )",
            ))
            .bind::<InstantSql, _>(Instant(now))
            .bind::<InstantSql, _>(Instant(over_before))
            .execute(conn)
            .await? as u64;
            erased += rows;
            if rows < ERASED_AT_ONCE {
                break;
            }
        }
    }
    Ok(erased)
}
