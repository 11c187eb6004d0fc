//! Acceptances: new states of appointments, one statement for many.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::rows::{LINK_COLUMNS, LinkRow};
use super::{CONNECTED, Conn, FOR_SHARE, Fault, InstantSql, rows_of, statement};
use crate::model::{AppointmentId, OrganisationId};
use crate::store::instant::Instant;
use crate::store::{Acceptance, Link};

pub(in crate::store) async fn accept(
    conn: &mut Conn,
    acceptances: Vec<Acceptance>,
    now: Timestamp,
) -> Result<Vec<Link>, Fault> {
    if acceptances.is_empty() {
        return Ok(Vec::new());
    }
    // The integrations are held until the commit: one that is connected or enabled meanwhile either is seen here, or
    // finds these rows when it catches up. All is taken in the order of keys.
    let mut upsert = statement(format!(
        "WITH incoming (organisation_id, appointment_id, revision, snapshot, starts_at, ends_at) AS (VALUES {values}),
         standing AS (
            SELECT organisation_id, is_enabled AND {CONNECTED} AS is_sending
            FROM calendar_integrations
            WHERE provider = 'google' AND organisation_id IN (SELECT incoming.organisation_id FROM incoming)
            ORDER BY organisation_id {FOR_SHARE}
         )
         INSERT INTO appointment_external_links AS kept (
            organisation_id, appointment_id, provider, revision, snapshot, starts_at, ends_at,
            sync_status, next_attempt_at, created_at, updated_at
         )
         SELECT n.organisation_id, n.appointment_id, 'google', n.revision, n.snapshot, n.starts_at, n.ends_at,
            CASE WHEN s.is_sending THEN 'pending' ELSE 'none' END, CASE WHEN s.is_sending THEN ${now} END, ${now}, ${now}
         FROM incoming AS n LEFT JOIN standing AS s ON s.organisation_id = n.organisation_id
         WHERE TRUE
         ORDER BY n.organisation_id, n.appointment_id
         ON CONFLICT (organisation_id, appointment_id, provider) DO UPDATE SET
            revision = excluded.revision, snapshot = excluded.snapshot,
            starts_at = COALESCE(excluded.starts_at, kept.starts_at),
            ends_at = COALESCE(excluded.ends_at, kept.ends_at),
            sync_status = excluded.sync_status, next_attempt_at = excluded.next_attempt_at,
            attempts = 0, lane = 0, demand = kept.demand + 1, last_error = NULL, last_error_detail = NULL,
            updated_at = excluded.updated_at
         WHERE excluded.revision > kept.revision
         RETURNING {LINK_COLUMNS}",
        values = rows_of(acceptances.len(), 6, 1),
        now = acceptances.len() * 6 + 1,
    ));
    let mut keys = Vec::with_capacity(acceptances.len());
    for acceptance in acceptances {
        upsert = upsert
            .bind::<Text, _>(acceptance.organisation.as_str().to_owned())
            .bind::<Text, _>(acceptance.appointment.as_str().to_owned())
            .bind::<BigInt, _>(acceptance.revision.number())
            .bind::<Binary, _>(acceptance.snapshot.as_bytes().to_vec())
            .bind::<Nullable<InstantSql>, _>(acceptance.starts_at.map(Instant))
            .bind::<Nullable<InstantSql>, _>(acceptance.ends_at.map(Instant));
        keys.push((acceptance.organisation, acceptance.appointment));
    }
    let accepted: Vec<LinkRow> = upsert.bind::<InstantSql, _>(Instant(now)).load(conn).await?;
    let mut links = HashMap::with_capacity(keys.len());
    collect(accepted, &mut links)?;
    let stale: Vec<_> = keys.iter().filter(|key| !links.contains_key(*key)).cloned().collect();
    if !stale.is_empty() {
        collect(standing(conn, stale).await?, &mut links)?;
    }
    // Links are never deleted, so each key has one by now.
    keys.iter().map(|key| links.remove(key).ok_or(Fault::Corrupt("appointment_id"))).collect()
}

type Key = (OrganisationId, AppointmentId);

fn collect(rows: Vec<LinkRow>, links: &mut HashMap<Key, Link>) -> Result<(), Fault> {
    for row in rows {
        let link = Link::try_from(row)?;
        links.insert((link.organisation.clone(), link.appointment.clone()), link);
    }
    Ok(())
}

async fn standing(conn: &mut Conn, keys: Vec<Key>) -> Result<Vec<LinkRow>, Fault> {
    let mut select = statement(format!(
        "SELECT {LINK_COLUMNS} FROM (VALUES {}) AS wanted
         JOIN appointment_external_links ON organisation_id = wanted.column1 AND appointment_id = wanted.column2
         WHERE provider = 'google'",
        rows_of(keys.len(), 2, 1)
    ));
    for (organisation, appointment) in keys {
        select =
            select.bind::<Text, _>(organisation.as_str().to_owned()).bind::<Text, _>(appointment.as_str().to_owned());
    }
    Ok(select.load(conn).await?)
}
