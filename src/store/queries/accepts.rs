//! Accepts: one statement for many.

use std::collections::HashMap;

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::CONNECTED;
use super::rows::{LinkRow, link_columns};
use super::statement::{named, rows_of, sql};
use super::{Conn, FOR_SHARE, Fault};
use crate::model::{AppointmentId, OrganisationId};
use crate::store::words::{GOOGLE, NONE, PENDING, Priority};
use crate::store::{Acceptance, Link};

pub(in crate::store) async fn accept(
    conn: &mut Conn,
    acceptances: Vec<Acceptance>,
    now: Timestamp,
) -> Result<Vec<Link>, Fault> {
    if acceptances.is_empty() {
        return Ok(Vec::new());
    }
    let accepted = upsert(conn, &acceptances, now).await?;
    let mut links = HashMap::with_capacity(acceptances.len());
    collect(accepted, &mut links);
    let keys: Vec<Key> = acceptances.into_iter().map(|it| (it.organisation, it.appointment)).collect();
    let stale: Vec<_> = keys.iter().filter(|key| !links.contains_key(*key)).collect();
    if !stale.is_empty() {
        collect(held(conn, &stale).await?, &mut links);
    }
    // Links are never deleted, so each key has one by now.
    keys.iter().map(|key| links.remove(key).ok_or(Fault::Corrupt("appointment_id"))).collect()
}

type Key = (OrganisationId, AppointmentId);

fn collect(rows: Vec<LinkRow>, links: &mut HashMap<Key, Link>) {
    let keyed = |link: Link| ((link.organisation.clone(), link.appointment.clone()), link);
    links.extend(rows.into_iter().map(Link::from).map(keyed));
}

/// Stores what is newer, and answers those links.
///
/// The integrations are held until the commit: one that is connected or enabled meanwhile either is seen here, or finds
/// these rows when it catches up. All is taken in the order of keys.
async fn upsert(conn: &mut Conn, acceptances: &[Acceptance], now: Timestamp) -> Result<Vec<LinkRow>, Fault> {
    let upsert =
        sql("WITH incoming (organisation_id, appointment_id, revision, snapshot, wants_event, starts_at, ends_at) AS (VALUES ")
            .with(rows_of(acceptances, |row, acceptance| {
                row.bind(&acceptance.organisation)
                    .sql(", ")
                    .bind(&acceptance.appointment)
                    .sql(", ")
                    .bind(acceptance.revision.number())
                    .sql(", ")
                    .bind(&acceptance.snapshot)
                    .sql(", ")
                    .bind(acceptance.wants_event)
                    .sql(", ")
                    .bind(acceptance.starts_at)
                    .sql(", ")
                    .bind(acceptance.ends_at)
            }))
            .sql(format!(
                "), sending AS (
                SELECT organisation_id, is_enabled AND {CONNECTED} AS is_sending
                FROM calendar_integrations
                WHERE provider = {GOOGLE} AND organisation_id IN (SELECT incoming.organisation_id FROM incoming)
                ORDER BY organisation_id {FOR_SHARE}
             )
             INSERT INTO appointment_external_links AS kept (
                organisation_id, appointment_id, provider, revision, snapshot, wants_event, starts_at, ends_at,
                sync_status, next_attempt_at, created_at, updated_at
             )
             SELECT n.organisation_id, n.appointment_id, {GOOGLE}, n.revision, n.snapshot, n.wants_event, n.starts_at, n.ends_at,
                CASE WHEN s.is_sending THEN {PENDING} ELSE {NONE} END, CASE WHEN s.is_sending THEN "
            ))
            .bind(now)
            .sql(" END, ")
            .bind(now)
            .sql(", ")
            .bind(now)
            .sql(format!(
                " FROM incoming AS n LEFT JOIN sending AS s ON s.organisation_id = n.organisation_id
             WHERE TRUE
             ORDER BY n.organisation_id, n.appointment_id
             ON CONFLICT (organisation_id, appointment_id, provider) DO UPDATE SET
                revision = excluded.revision, snapshot = excluded.snapshot, wants_event = excluded.wants_event,
                starts_at = COALESCE(excluded.starts_at, kept.starts_at),
                ends_at = COALESCE(excluded.ends_at, kept.ends_at),
                sync_status = excluded.sync_status,
                next_attempt_at = CASE WHEN excluded.wants_event AND kept.write_not_before > excluded.next_attempt_at
                    THEN kept.write_not_before ELSE excluded.next_attempt_at END,
                attempts = 0, priority = {live}, request_seq = kept.request_seq + 1,
                last_error = NULL, last_error_detail = NULL, updated_at = excluded.updated_at
             WHERE excluded.revision > kept.revision
             RETURNING ",
                live = Priority::Live,
            ))
            .with(link_columns());
    Ok(named("accepts.accept", upsert).load(conn).await?)
}

/// The links of these appointments, which have them.
async fn held(conn: &mut Conn, keys: &[&Key]) -> Result<Vec<LinkRow>, Fault> {
    let select = sql("SELECT ")
        .with(link_columns())
        .sql(" FROM (VALUES ")
        .with(rows_of(keys, |row, (organisation, appointment)| row.bind(organisation).sql(", ").bind(appointment)))
        .sql(format!(
            ") AS wanted
             JOIN appointment_external_links ON organisation_id = wanted.column1 AND appointment_id = wanted.column2
             WHERE provider = {GOOGLE}"
        ));
    Ok(named("accepts.held", select).load(conn).await?)
}
