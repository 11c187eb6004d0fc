//! Claims: due links, leased to one worker.
//!
//! Owns the statements that find due links and lease them. Never waits for an organisation that another transaction
//! holds: it is left out. Invariant: a link is leased with its queue held, so that whoever makes a change of all links
//! waits for the claim, and then finds its leases.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::{QUEUE_OF_I, unleased};
use super::placement::{PLACEMENT, PlacementRow, set_from, values_of};
use super::schema::appointment_external_links;
use super::statement::{Fragment, Named, joined, list_of, named, padded, rows_of, sql};
use super::{Conn, Fault, LOCKED_WITH_ITS_INTEGRATION, SKIP_LOCKED, execute_in_turn, link_queues, rows};
use crate::crypto::Sealed;
use crate::model::{CalendarId, Epoch, Generation, OrganisationId, Placement, SyncStatus, TitlePrivacy};
use crate::store::fault::Corrupt;
use crate::store::queue_kind::QueueKind;
use crate::store::words::{self, ERROR, GOOGLE, INTERNAL, Priority};
use crate::store::{Claimed, Found, Lease, Unreadable};

/// How many organisations one statement claims from: each is a subquery of its own.
const CLAIMED_TOGETHER: usize = 32;

/// How many rows one statement leases: SQLite takes some 32,000 binds.
const LEASED_TOGETHER: usize = 1_000;

pub(in crate::store) async fn claim<T, F>(
    conn: &mut Conn,
    organisations: Vec<OrganisationId>,
    lease_token: Uuid,
    until: Timestamp,
    write_not_before: Timestamp,
    now: Timestamp,
    mut begin: F,
) -> Result<Found<(Claimed, T)>, Fault>
where
    T: Send,
    F: FnMut(&Claimed) -> (Option<Placement>, T) + Send,
{
    let mut limits: BTreeMap<String, i64> = BTreeMap::new();
    for organisation in organisations {
        *limits.entry(organisation.as_str().to_owned()).or_default() += 1;
    }
    if limits.is_empty() {
        return Ok(Found::default());
    }
    transaction!(conn, async |conn| {
        let served = lock_served(conn, &limits.keys().cloned().collect::<Vec<_>>(), now).await?;
        let limits: Vec<_> = limits.into_iter().filter(|(organisation, _)| served.contains_key(organisation)).collect();
        let Found { rows: mut claimed, unreadable } =
            claimable(conn, &limits, &served, Lease { token: lease_token, until }, now).await?;
        let (mut calls, mut begun) = (Vec::with_capacity(claimed.len()), Vec::with_capacity(claimed.len()));
        for link in &mut claimed {
            let (placement, its) = begin(link);
            calls.push(placement.as_ref().map(|_| write_not_before));
            begun.push(its);
            if let Some(placement) = placement {
                link.placement = placement;
            }
        }
        let held: Vec<String> = served.into_keys().collect();
        // Where nothing was claimed, nothing brings the queue up again by itself.
        let with_claims: HashSet<&str> = claimed.iter().map(|link| link.organisation.as_str()).collect();
        let without = held.iter().filter(|organisation| !with_claims.contains(organisation.as_str()));
        link_queues::order_unknown(conn, without.cloned().collect(), now).await?;
        let mut changes = Vec::new();
        for (some, calls) in claimed.chunks(LEASED_TOGETHER).zip(calls.chunks(LEASED_TOGETHER)) {
            changes.push(lease(some, calls, until, now));
        }
        changes.extend(unreadable.iter().map(|link| leave_out(link, now)));
        changes.extend(link_queues::put_off_locked(held, QueueKind::Links, now));
        execute_in_turn(conn, changes).await?;
        Ok(Found { rows: claimed.into_iter().zip(begun).collect(), unreadable })
    })
}

/// What is due of these organisations, as many of each as its limit, as claims: the first under the token of `lease`, each
/// other one under the next.
async fn claimable(
    conn: &mut Conn,
    limits: &[(String, i64)],
    served: &HashMap<String, ServedIntegration>,
    lease: Lease,
    now: Timestamp,
) -> Result<Found<Claimed>, Fault> {
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    for chunk in limits.chunks(CLAIMED_TOGETHER) {
        for row in due(conn, chunk, now).await? {
            let served = served.get(&row.organisation_id).ok_or(Fault::Corrupt("organisation_id"))?;
            let token = Uuid::from_u128(lease.token.as_u128().wrapping_add(rows.len() as u128));
            let (organisation, appointment) = (row.organisation_id.clone(), row.appointment_id.clone());
            match claimed_link(row, served, Lease { token, ..lease }) {
                Ok(link) => rows.push(link),
                Err(Corrupt(column)) => {
                    unreadable.push(Unreadable { organisation, appointment: Some(appointment), column });
                }
            }
        }
    }
    Ok(Found { rows, unreadable })
}

#[derive(QueryableByName)]
struct ServedRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Text)]
    calendar_id: String,
    #[diesel(sql_type = Text)]
    title_privacy: String,
}

/// What an integration says to each of its links.
struct ServedIntegration {
    epoch: Epoch,
    target: CalendarId,
    title_privacy: TitlePrivacy,
}

/// What the integrations say whose queues nobody else holds; they are held until the end of the transaction: a disconnect
/// that begins meanwhile waits for the claim, and then finds its leases.
async fn lock_served(
    conn: &mut Conn,
    organisations: &[String],
    now: Timestamp,
) -> Result<HashMap<String, ServedIntegration>, Fault> {
    let select = sql(format!(
        "SELECT i.organisation_id, i.epoch, i.calendar_id, i.title_privacy FROM {QUEUE_OF_I}
         WHERE q.provider = {GOOGLE} AND i.served_from <= "
    ))
    .bind(now)
    .sql(" AND q.organisation_id IN ")
    .with(list_of(organisations))
    .sql(" AND i.organisation_id IN ")
    .with(list_of(organisations))
    .sql(format!(" ORDER BY q.organisation_id {LOCKED_WITH_ITS_INTEGRATION}"));
    let found: Vec<ServedRow> = named("claims.lock_served", select).load(conn).await?;
    let mut served = HashMap::with_capacity(found.len());
    for row in found {
        // One that does not read is noted by whoever looks for what is due.
        if let Ok(title_privacy) = words::privacy(&row.title_privacy) {
            let its =
                ServedIntegration { epoch: Epoch(row.epoch), target: CalendarId::new(row.calendar_id), title_privacy };
            served.insert(row.organisation_id, its);
        }
    }
    Ok(served)
}

#[derive(QueryableByName)]
#[diesel(table_name = appointment_external_links)]
struct ClaimRow {
    organisation_id: String,
    appointment_id: String,
    revision: i64,
    snapshot: Option<Vec<u8>>,
    sync_status: String,
    request_seq: i64,
    attempts: i32,
    traceparent: Option<String>,
    #[diesel(embed)]
    placement: PlacementRow,
}

/// The due links of each of these organisations that nobody holds: live edits first, then the longest due.
async fn due(conn: &mut Conn, limits: &[(String, i64)], now: Timestamp) -> Result<Vec<ClaimRow>, Fault> {
    let Some((last, _)) = limits.last() else { return Ok(Vec::new()) };
    // The last one once more, with limits for nothing.
    let limits = padded(limits.to_vec(), || (last.clone(), 0));
    // Each priority for itself: so much of the index is named that a planner without statistics sees what to read.
    let queue = |n: usize, (organisation, limit): &(String, i64), priority: Priority| {
        let of_priority = sql(format!(
            "queue{n}_{priority} AS (
                SELECT organisation_id, appointment_id, revision, snapshot, sync_status, request_seq, attempts, traceparent,
                    {PLACEMENT}
                FROM appointment_external_links WHERE priority = {priority} AND next_attempt_at <= "
        ))
        .bind(now)
        .sql(" AND ")
        .with(unleased(now))
        .sql(format!(" AND provider = {GOOGLE} AND organisation_id = "))
        .bind(organisation.clone())
        .sql(" ORDER BY next_attempt_at")
        .limit(*limit);
        let of_priority = match priority {
            Priority::Live => of_priority,
            Priority::CatchUp => of_priority.sql(format!(" - (SELECT COUNT(*) FROM queue{n}_{})", Priority::Live)),
        };
        of_priority.sql(format!(" {SKIP_LOCKED})"))
    };
    let both = [Priority::Live, Priority::CatchUp];
    let queues = limits.iter().enumerate().flat_map(|(n, its)| both.map(|priority| queue(n, its, priority)));
    let all = (0..limits.len()).flat_map(|n| both.map(|priority| sql(format!("SELECT * FROM queue{n}_{priority}"))));
    let select = joined(all, " UNION ALL ", joined(queues, ", ", sql("WITH ")).sql(" "));
    Ok(named("claims.due", select.keep()).load(conn).await?)
}

/// What is due is pending: whatever else its status says, no settlement would end it.
fn claimed_link(row: ClaimRow, served: &ServedIntegration, lease: Lease) -> Result<Claimed, Corrupt> {
    match words::status(&row.sync_status)? {
        SyncStatus::Pending => {}
        SyncStatus::None | SyncStatus::Synced | SyncStatus::Error => return Err(Corrupt("sync_status")),
    }
    Ok(Claimed {
        organisation: rows::organisation(&row.organisation_id)?,
        appointment: rows::appointment(&row.appointment_id)?,
        revision: rows::revision(row.revision)?,
        request_seq: row.request_seq,
        attempts: row.attempts,
        traceparent: row.traceparent,
        snapshot: row.snapshot.map(Sealed::from_bytes),
        placement: row.placement.try_into()?,
        lease,
        epoch: served.epoch,
        target: served.target.clone(),
        title_privacy: served.title_privacy,
    })
}

/// Leaves a link out of the queue, and tells it there.
fn leave_out(link: &Unreadable, now: Timestamp) -> Named<Fragment> {
    let update = sql(format!(
        "UPDATE appointment_external_links SET sync_status = {ERROR}, next_attempt_at = NULL, last_error = {INTERNAL}, \
         last_error_detail = "
    ))
    .bind(link.column)
    .sql(", updated_at = ")
    .bind(now)
    .sql(format!(" WHERE provider = {GOOGLE} AND organisation_id = "))
    .bind(link.organisation.clone())
    .sql(" AND appointment_id = ")
    .bind(link.appointment.clone());
    named("claims.leave_out", update)
}

/// Leases `claimed`. `calls` says of each until when a later edit waits for the call that is made; `None`: none is made.
fn lease(claimed: &[Claimed], calls: &[Option<Timestamp>], until: Timestamp, now: Timestamp) -> Named<Fragment> {
    let row = |(link, call): (&Claimed, &Option<Timestamp>)| {
        let (organisation, appointment) = (link.organisation.to_string(), link.appointment.to_string());
        (organisation, appointment, link.lease.token, *call, link.placement.clone())
    };
    // It belongs to no organisation, and leases nothing.
    let filler = || {
        let nowhere = Placement::Absent { generation: Generation::FIRST };
        (String::new(), String::new(), Uuid::nil(), None, nowhere)
    };
    let rows = padded(claimed.iter().zip(calls).map(row).collect(), filler);
    let columns = format!("organisation_id, appointment_id, lease_token, write_not_before, {PLACEMENT}");
    let update = sql(format!("WITH claimed ({columns}) AS (VALUES "))
        .with(rows_of(rows, |row, (organisation, appointment, token, call, placement)| {
            row.bind(organisation)
                .sql(", ")
                .bind(appointment)
                .sql(", ")
                .bind(token)
                .sql(", ")
                .bind(call)
                .sql(", ")
                .with(values_of(&placement))
        }))
        .sql(") UPDATE appointment_external_links AS l SET lease_token = c.lease_token, lease_until = ")
        .bind(until)
        .sql(", updated_at = ")
        .bind(now)
        .sql(format!(
            ", write_not_before = COALESCE(c.write_not_before, l.write_not_before), {} FROM claimed AS c
             WHERE l.organisation_id = c.organisation_id AND l.appointment_id = c.appointment_id
                AND l.provider = {GOOGLE}",
            set_from("c")
        ));
    named("claims.lease", update.keep())
}
