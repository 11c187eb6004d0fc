//! Accepts: one statement for many, which no organisation holds up for the others.
//!
//! Owns that statement, and the wait for what another transaction holds. Never changes what another transaction holds (a
//! link, or all of an organisation), unless it has waited for that. Invariant: queues, integrations and links are taken in
//! the order of their keys, and held until the commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::CONNECTED;
use super::rows::{LinkRow, link_columns};
use super::statement::{Fragment, list_of, named, padded, rows_of, sql};
use super::{Conn, FOR_UPDATE, Fault, HOLDS_ROWS, KEY_SHARE, KEY_SHARE_SKIP_LOCKED, SKIP_LOCKED, link_queues};
use crate::model::{AppointmentId, OrganisationId, Revision};
use crate::store::words::{GOOGLE, NONE, PENDING, Priority};
use crate::store::{Acceptance, Accepted, Link};

/// How many may be accepted together for the statement to be kept prepared: of the lengths that [`padded`] leaves, those
/// that come again and again.
const KEPT_TOGETHER: usize = 64;
/// Less than any revision.
const NO_REVISION: i64 = 0;

pub(in crate::store) async fn accept(
    conn: &mut Conn,
    acceptances: Vec<Acceptance>,
    now: Timestamp,
) -> Result<Vec<Accepted>, Fault> {
    if acceptances.is_empty() {
        return Ok(Vec::new());
    }
    let accepted = upsert(conn, &acceptances, None, now).await?;
    let mut links = HashMap::with_capacity(acceptances.len());
    collect(accepted, &mut links);
    let keys: Vec<(Key, Revision)> =
        acceptances.into_iter().map(|it| ((it.organisation, it.appointment), it.revision)).collect();
    let others: Vec<&Key> = keys.iter().map(|(key, _)| key).filter(|key| !links.contains_key(*key)).collect();
    if !others.is_empty() {
        collect(held(conn, &others).await?, &mut links);
    }
    let accepted = keys.iter().map(|(key, revision)| match links.remove(key) {
        Some(link) if link.revision.is_some_and(|held| held >= *revision) => Accepted::Stored(Box::new(link)),
        // Neither newer nor stale, or its revision does not read, and any is newer: it was passed by.
        Some(_) | None => Accepted::Locked,
    });
    Ok(accepted.collect())
}

pub(in crate::store) async fn accept_once_free(
    conn: &mut Conn,
    acceptances: Vec<Acceptance>,
    now: Timestamp,
) -> Result<Vec<Accepted>, Fault> {
    if acceptances.is_empty() {
        return Ok(Vec::new());
    }
    transaction!(conn, async |conn| {
        lock(conn, &acceptances).await?;
        accept(conn, acceptances, now).await
    })
}

pub(in crate::store) async fn replace(
    conn: &mut Conn,
    acceptances: Vec<Acceptance>,
    begun_at: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut latest: BTreeMap<Key, Acceptance> = BTreeMap::new();
    for acceptance in acceptances {
        let key = (acceptance.organisation.clone(), acceptance.appointment.clone());
        if latest.get(&key).is_none_or(|it| it.revision <= acceptance.revision) {
            latest.insert(key, acceptance);
        }
    }
    let acceptances: Vec<_> = latest.into_values().collect();
    if acceptances.is_empty() {
        return Ok(());
    }
    transaction!(conn, async |conn| {
        lock(conn, &acceptances).await?;
        // What the clock of another process says must not make it look older than the replacement.
        upsert(conn, &acceptances, Some(begun_at), now.max(begun_at)).await?;
        Ok(())
    })
}

/// Holds the queues and integrations of these organisations, and the links.
async fn lock(conn: &mut Conn, acceptances: &[Acceptance]) -> Result<(), Fault> {
    link_queues::lock(conn, acceptances.iter().map(|it| &it.organisation)).await?;
    let organisations: BTreeSet<_> = acceptances.iter().map(|it| &it.organisation).collect();
    let integrations =
        sql(format!("SELECT 1 FROM calendar_integrations WHERE provider = {GOOGLE} AND organisation_id IN "))
            .with(list_of(organisations))
            .sql(format!(" ORDER BY organisation_id {KEY_SHARE}"));
    named("accepts.lock", integrations).execute(conn).await?;
    if HOLDS_ROWS {
        let keys: BTreeSet<_> = acceptances.iter().map(|it| (&it.organisation, &it.appointment)).collect();
        let links = sql("SELECT 1 FROM appointment_external_links AS l WHERE ")
            .with(is_one_of(keys))
            .sql(format!(" ORDER BY organisation_id, appointment_id {FOR_UPDATE}"));
        named("accepts.lock_links", links).execute(conn).await?;
    }
    Ok(())
}

/// Whether `l` is the link of one of these appointments.
fn is_one_of<'a>(keys: impl IntoIterator<Item = (&'a OrganisationId, &'a AppointmentId)>) -> Fragment {
    sql(format!("l.provider = {GOOGLE} AND (l.organisation_id, l.appointment_id) IN (VALUES "))
        .with(rows_of(keys, |row, (organisation, appointment)| row.bind(organisation).sql(", ").bind(appointment)))
        .sql(")")
}

type Key = (OrganisationId, AppointmentId);

fn collect(rows: Vec<LinkRow>, links: &mut HashMap<Key, Link>) {
    let keyed = |link: Link| ((link.organisation.clone(), link.appointment.clone()), link);
    links.extend(rows.into_iter().map(Link::from).map(keyed));
}

/// Stores what is newer, and answers those links.
///
/// An integration that is connected or enabled meanwhile either is seen here, or finds these rows when it catches up: its
/// queue is held until the commit.
///
/// `replaced_before`: what was accepted before is overwritten whatever its revision, and written to Google again where that
/// shows a higher one.
async fn upsert(
    conn: &mut Conn,
    acceptances: &[Acceptance],
    replaced_before: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<LinkRow>, Fault> {
    let is_replaced = match replaced_before {
        None => Fragment::default(),
        Some(before) => sql(" OR kept.accepted_at IS NULL OR kept.accepted_at < ").bind(before),
    };
    let is_kept = acceptances.len() <= KEPT_TOGETHER;
    let rows: Vec<_> = acceptances.iter().map(|acceptance| (acceptance, acceptance.revision.number())).collect();
    // The last one once more, at a revision that there is not: it is left out below.
    let filler = rows.last().map(|(acceptance, _)| (*acceptance, NO_REVISION));
    let rows = match filler {
        Some(filler) => padded(rows, || filler),
        None => rows,
    };
    // Named again wherever queues and integrations are read: from the rows alone, a planner without statistics would read
    // those of all organisations.
    let named_organisations = || list_of(rows.iter().map(|(acceptance, _)| &acceptance.organisation));
    let (held, read) = (twice(named_organisations), twice(named_organisations));
    let free_links = match HOLDS_ROWS {
        true => free_links(&rows),
        false => Fragment::default(),
    };
    let upsert = sql("WITH ")
        .with(incoming(rows))
        .sql(", ")
        .with(free_and_sending(held))
        .with(free_links)
        .sql(
            " INSERT INTO appointment_external_links AS kept (
                organisation_id, appointment_id, provider, revision, snapshot, wants_event, starts_at, ends_at,
                traceparent, sync_status, next_attempt_at, accepted_at, created_at, updated_at
             ) ",
        )
        .with(new_links(read, now))
        .with(or_replaced())
        .with(is_replaced)
        .sql(" RETURNING ")
        .with(link_columns());
    let upsert = if is_kept { upsert.keep() } else { upsert };
    Ok(named("accepts.accept", upsert).load(conn).await?)
}

fn twice(fragment: impl Fn() -> Fragment) -> [Fragment; 2] {
    [fragment(), fragment()]
}

/// What was sent.
fn incoming(rows: Vec<(&Acceptance, i64)>) -> Fragment {
    sql("incoming (organisation_id, appointment_id, revision, snapshot, wants_event, starts_at, ends_at, traceparent) AS (VALUES ")
        .with(rows_of(rows, |row, (acceptance, revision)| {
            row.bind(&acceptance.organisation)
                .sql(", ")
                .bind(&acceptance.appointment)
                .sql(", ")
                .bind(revision)
                .sql(", ")
                .bind(&acceptance.snapshot)
                .sql(", ")
                .bind(acceptance.wants_event)
                .sql(", ")
                .bind(acceptance.starts_at)
                .sql(", ")
                .bind(acceptance.ends_at)
                .sql(", ")
                .bind(acceptance.traceparent.clone())
        }))
        .sql(")")
}

/// Whose queue nobody else holds, and whether its integration sends.
fn free_and_sending([of_queues, of_integrations]: [Fragment; 2]) -> Fragment {
    sql(format!("free AS (SELECT organisation_id FROM link_queues WHERE provider = {GOOGLE} AND organisation_id IN "))
        .with(of_queues)
        .sql(format!(
            " ORDER BY organisation_id {SKIP_LOCKED}
             ), sending AS (
                SELECT organisation_id, is_enabled AND {CONNECTED} AS is_sending
                FROM calendar_integrations
                WHERE provider = {GOOGLE} AND organisation_id IN "
        ))
        .with(of_integrations)
        .sql(format!(
            " AND organisation_id IN (SELECT free.organisation_id FROM free)
                ORDER BY organisation_id {KEY_SHARE_SKIP_LOCKED}
             )"
        ))
}

/// The links of what is incoming that nobody else holds: a statement that waited for one would keep all others waiting.
fn free_links(rows: &[(&Acceptance, i64)]) -> Fragment {
    sql(", free_links AS (SELECT l.organisation_id, l.appointment_id FROM appointment_external_links AS l WHERE ")
        .with(is_one_of(rows.iter().map(|(it, _)| (&it.organisation, &it.appointment))))
        .sql(format!(" ORDER BY l.organisation_id, l.appointment_id {SKIP_LOCKED})"))
}

/// Whether nobody else holds the link of `n`, if it has one.
fn is_free_link() -> String {
    match HOLDS_ROWS {
        true => format!(
            " AND ((n.organisation_id, n.appointment_id) IN (SELECT organisation_id, appointment_id FROM free_links)
                OR NOT EXISTS (SELECT 1 FROM appointment_external_links AS l WHERE l.organisation_id = n.organisation_id
                    AND l.appointment_id = n.appointment_id AND l.provider = {GOOGLE}))"
        ),
        false => String::new(),
    }
}

/// The rows of what is incoming, but for the organisations whose queue or integration another transaction holds, and for the
/// links that one does.
fn new_links([of_queues, of_integrations]: [Fragment; 2], now: Timestamp) -> Fragment {
    sql(format!(
        "SELECT n.organisation_id, n.appointment_id, {GOOGLE}, n.revision, n.snapshot, n.wants_event, n.starts_at, n.ends_at,
            n.traceparent,
            CASE WHEN s.is_sending THEN {PENDING} ELSE {NONE} END, CASE WHEN s.is_sending THEN "
    ))
    .bind(now)
    .sql(" END, ")
    .bind(now)
    .sql(", ")
    .bind(now)
    .sql(", ")
    .bind(now)
    .sql(format!(
        " FROM incoming AS n LEFT JOIN free AS f ON f.organisation_id = n.organisation_id
            LEFT JOIN sending AS s ON s.organisation_id = n.organisation_id
         WHERE n.revision > {NO_REVISION} AND (f.organisation_id IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM link_queues AS q WHERE q.organisation_id = n.organisation_id AND q.provider = {GOOGLE}
                    AND q.organisation_id IN "
    ))
    .with(of_queues)
    .sql(format!(
        "))
            AND (s.organisation_id IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM calendar_integrations AS i
                WHERE i.organisation_id = n.organisation_id AND i.provider = {GOOGLE} AND i.organisation_id IN "
    ))
    .with(of_integrations)
    .sql("))")
    .sql(is_free_link())
    .sql(" ORDER BY n.organisation_id, n.appointment_id")
}

/// What becomes of a link that there is, if what is incoming is newer; a condition may follow that it is replaced all the
/// same.
fn or_replaced() -> Fragment {
    sql(format!(
        " ON CONFLICT (organisation_id, appointment_id, provider) DO UPDATE SET
            revision = excluded.revision, snapshot = excluded.snapshot, wants_event = excluded.wants_event,
            starts_at = COALESCE(excluded.starts_at, kept.starts_at),
            ends_at = COALESCE(excluded.ends_at, kept.ends_at),
            shown_ends_at = CASE
                WHEN kept.synced_revision = kept.revision OR kept.shown_ends_at IS NULL
                    OR kept.ends_at > kept.shown_ends_at THEN kept.ends_at
                ELSE kept.shown_ends_at END,
            sync_status = excluded.sync_status, traceparent = excluded.traceparent,
            next_attempt_at = CASE WHEN excluded.wants_event AND kept.write_not_before > excluded.next_attempt_at
                THEN kept.write_not_before ELSE excluded.next_attempt_at END,
            attempts = 0, priority = {live}, request_seq = kept.request_seq + 1,
            last_error = NULL, last_error_detail = NULL, accepted_at = excluded.accepted_at, erasing_at = NULL,
            content_hash = CASE WHEN excluded.revision < kept.revision THEN NULL ELSE kept.content_hash END,
            updated_at = excluded.updated_at
         WHERE excluded.revision > kept.revision",
        live = Priority::Live,
    ))
}

/// The links of these appointments, as far as they have them. One that is being erased is none: whatever is sent is newer.
async fn held(conn: &mut Conn, keys: &[&Key]) -> Result<Vec<LinkRow>, Fault> {
    let select = sql("SELECT ")
        .with(link_columns())
        .sql(" FROM (VALUES ")
        .with(rows_of(keys, |row, (organisation, appointment)| row.bind(organisation).sql(", ").bind(appointment)))
        .sql(format!(
            ") AS wanted
             JOIN appointment_external_links ON organisation_id = wanted.column1 AND appointment_id = wanted.column2
             WHERE provider = {GOOGLE} AND erasing_at IS NULL"
        ));
    Ok(named("accepts.held", select).load(conn).await?)
}
