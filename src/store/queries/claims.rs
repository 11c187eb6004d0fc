//! Claims: what is due, leased, and settled.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::{CONNECTED, Conn, FOR_UPDATE, Fault, InstantSql, SKIP_LOCKED, Statement, rows, rows_of, statement};
use crate::crypto::Sealed;
use crate::model::{CalendarId, Epoch, GoogleUserId, Placement, TitlePrivacy};
use crate::store::fault::unless_fenced;
use crate::store::instant::Instant;
use crate::store::placement::PlacementColumns;
use crate::store::words;
use crate::store::{Claimed, DueOrganisation, Lease, LinkError, Settlement, Wanted};

/// Which integrations may be served at `$1`.
fn served() -> String {
    format!(
        "provider = 'google' AND {CONNECTED} AND is_enabled AND calendar_id IS NOT NULL \
         AND (problem_reason IS NULL OR problem_retry_at <= $1)"
    )
}

/// Which links nobody holds at `$1`.
const FREE: &str = "(lease_until IS NULL OR lease_until <= $1)";

#[derive(QueryableByName)]
struct DueOrganisationRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Text)]
    google_user_id: String,
}

pub(in crate::store) async fn due_organisations(
    conn: &mut Conn,
    now: Timestamp,
) -> Result<Vec<DueOrganisation>, Fault> {
    // A subquery with a limit is probed once for each integration; an EXISTS may become a join over every due row.
    let found: Vec<DueOrganisationRow> = statement(format!(
        "SELECT i.organisation_id, i.google_user_id FROM calendar_integrations AS i
         WHERE {} AND (
            SELECT 1 FROM appointment_external_links AS l
            WHERE l.organisation_id = i.organisation_id AND l.provider = 'google' AND l.lane IN (0, 1)
                AND l.next_attempt_at <= $1 AND {FREE}
            LIMIT 1
         ) = 1
         ORDER BY i.organisation_id",
        served()
    ))
    .bind::<InstantSql, _>(Instant(now))
    .load(conn)
    .await?;
    let due = |row: DueOrganisationRow| {
        Ok(DueOrganisation {
            organisation: rows::organisation(&row.organisation_id)?,
            google_user_id: GoogleUserId::new(row.google_user_id),
        })
    };
    found.into_iter().map(due).collect()
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Nullable<InstantSql>)]
    due_at: Option<Instant>,
}

pub(in crate::store) async fn next_due_at(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let earliest = |lane: u8| {
        format!(
            "SELECT (
                SELECT next_attempt_at FROM appointment_external_links AS l
                WHERE l.organisation_id = i.organisation_id AND l.provider = 'google' AND l.lane = {lane}
                    AND next_attempt_at > $1 AND (lease_until IS NULL OR lease_until <= next_attempt_at)
                ORDER BY next_attempt_at LIMIT 1
             ) AS due_at FROM calendar_integrations AS i WHERE {}",
            served()
        )
    };
    let row: DueRow = statement(format!(
        "SELECT MIN(due_at) AS due_at FROM (
            {live}
            UNION ALL
            {catch_up}
            UNION ALL
            SELECT (
                SELECT MIN(lease_until) FROM appointment_external_links AS l
                WHERE l.organisation_id = i.organisation_id AND l.provider = 'google'
                    AND lease_until > $1 AND next_attempt_at < lease_until
            ) AS due_at FROM calendar_integrations AS i WHERE {served}
            UNION ALL
            SELECT problem_retry_at AS due_at FROM calendar_integrations AS i
            WHERE provider = 'google' AND {CONNECTED} AND is_enabled AND problem_reason IS NOT NULL
                AND problem_retry_at > $1 AND (
                    SELECT 1 FROM appointment_external_links AS l
                    WHERE l.organisation_id = i.organisation_id AND l.provider = 'google'
                        AND l.next_attempt_at IS NOT NULL
                    LIMIT 1
                ) = 1
         ) AS instants",
        live = earliest(0),
        catch_up = earliest(1),
        served = served(),
    ))
    .bind::<InstantSql, _>(Instant(now))
    .get_result(conn)
    .await?;
    Ok(super::instant(row.due_at))
}

#[derive(QueryableByName)]
struct TermsRow {
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
struct Terms {
    epoch: Epoch,
    target: CalendarId,
    title_privacy: TitlePrivacy,
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Text)]
    appointment_id: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    snapshot: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    demand: i64,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = SmallInt)]
    lane: i16,
    #[diesel(sql_type = Nullable<Text>)]
    external_calendar_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    external_event_id: Option<String>,
    #[diesel(sql_type = Integer)]
    generation: i32,
    #[diesel(sql_type = Nullable<Text>)]
    moving_from_calendar_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    content_hash: Option<Vec<u8>>,
}

const CLAIM_COLUMNS: &str = "organisation_id, appointment_id, revision, snapshot, demand, attempts, lane, \
     external_calendar_id, external_event_id, generation, moving_from_calendar_id, etag, content_hash";

/// How many organisations one statement claims from: each is a subquery of its own.
const CLAIMED_TOGETHER: usize = 32;

pub(in crate::store) async fn claim<F>(
    conn: &mut Conn,
    wanted: Vec<Wanted>,
    lease_token: Uuid,
    until: Timestamp,
    now: Timestamp,
    mut place: F,
) -> Result<Vec<Claimed>, Fault>
where
    F: FnMut(&Claimed) -> Option<Placement> + Send,
{
    let mut room: BTreeMap<String, i64> = BTreeMap::new();
    for wanted in wanted.iter().filter(|wanted| wanted.count > 0) {
        *room.entry(wanted.organisation.as_str().to_owned()).or_default() += wanted.count;
    }
    if room.is_empty() {
        return Ok(Vec::new());
    }
    transaction!(conn, async |conn| {
        let terms = terms(conn, room.keys(), now).await?;
        let room: Vec<_> = room.into_iter().filter(|(organisation, _)| terms.contains_key(organisation)).collect();
        let mut claimed = Vec::new();
        for some in room.chunks(CLAIMED_TOGETHER) {
            for row in due(conn, some, now).await? {
                let terms = terms.get(&row.organisation_id).ok_or(Fault::Corrupt("organisation_id"))?;
                let token = Uuid::from_u128(lease_token.as_u128().wrapping_add(claimed.len() as u128));
                let mut link = claimed_link(row, terms, Lease { token, until })?;
                if let Some(placement) = place(&link) {
                    link.placement = placement;
                }
                claimed.push(link);
            }
        }
        lease(conn, &claimed, until, now).await?;
        Ok(claimed)
    })
}

async fn terms(
    conn: &mut Conn,
    organisations: impl ExactSizeIterator<Item = &String>,
    now: Timestamp,
) -> Result<HashMap<String, Terms>, Fault> {
    let mut select = statement(format!(
        "SELECT organisation_id, epoch, calendar_id, title_privacy FROM calendar_integrations
         WHERE {} AND organisation_id IN {}",
        served(),
        rows_of(1, organisations.len(), 2)
    ))
    .bind::<InstantSql, _>(Instant(now));
    for organisation in organisations {
        select = select.bind::<Text, _>(organisation.clone());
    }
    let found: Vec<TermsRow> = select.load(conn).await?;
    let mut terms = HashMap::with_capacity(found.len());
    for row in found {
        let its = Terms {
            epoch: Epoch(row.epoch),
            target: CalendarId::new(row.calendar_id),
            title_privacy: words::privacy(&row.title_privacy)?,
        };
        terms.insert(row.organisation_id, its);
    }
    Ok(terms)
}

/// The due links of each of these organisations that nobody holds: live edits first, then the longest due.
async fn due(conn: &mut Conn, room: &[(String, i64)], now: Timestamp) -> Result<Vec<ClaimRow>, Fault> {
    if room.is_empty() {
        return Ok(Vec::new());
    }
    let queues: Vec<String> = (0..room.len())
        .map(|n| {
            format!(
                "queue{n} AS (
                    SELECT {CLAIM_COLUMNS} FROM appointment_external_links
                    WHERE next_attempt_at <= $1 AND {FREE} AND provider = 'google' AND organisation_id = ${organisation}
                    ORDER BY lane, next_attempt_at LIMIT ${limit} {SKIP_LOCKED}
                 )",
                organisation = 2 * n + 2,
                limit = 2 * n + 3,
            )
        })
        .collect();
    let all: Vec<String> = (0..room.len()).map(|n| format!("SELECT * FROM queue{n}")).collect();
    let mut select = statement(format!("WITH {} {}", queues.join(", "), all.join(" UNION ALL ")))
        .bind::<InstantSql, _>(Instant(now));
    for (organisation, limit) in room {
        select = select.bind::<Text, _>(organisation.clone()).bind::<BigInt, _>(*limit);
    }
    Ok(select.load(conn).await?)
}

fn claimed_link(row: ClaimRow, terms: &Terms, lease: Lease) -> Result<Claimed, Fault> {
    let placement = Placement::try_from(PlacementColumns {
        external_calendar_id: row.external_calendar_id,
        external_event_id: row.external_event_id,
        generation: row.generation,
        moving_from_calendar_id: row.moving_from_calendar_id,
        etag: row.etag,
        content_hash: row.content_hash,
    })?;
    Ok(Claimed {
        organisation: rows::organisation(&row.organisation_id)?,
        appointment: rows::appointment(&row.appointment_id)?,
        revision: rows::revision(row.revision)?,
        demand: row.demand,
        attempts: row.attempts,
        lane: row.lane,
        snapshot: row.snapshot.map(Sealed::from_bytes),
        placement,
        lease,
        epoch: terms.epoch,
        target: terms.target.clone(),
        title_privacy: terms.title_privacy,
    })
}

/// How many rows one statement leases: SQLite takes some 32,000 binds.
const LEASED_TOGETHER: usize = 1_000;

async fn lease(conn: &mut Conn, claimed: &[Claimed], until: Timestamp, now: Timestamp) -> Result<(), Fault> {
    for some in claimed.chunks(LEASED_TOGETHER) {
        let last = some.len() * 9;
        let mut update = statement(format!(
            "WITH claimed (organisation_id, appointment_id, lease_token, external_calendar_id, external_event_id,
                generation, moving_from_calendar_id, etag, content_hash) AS (VALUES {values})
             UPDATE appointment_external_links AS l SET
                lease_token = c.lease_token, lease_until = ${until}, updated_at = ${now},
                external_calendar_id = c.external_calendar_id, external_event_id = c.external_event_id,
                generation = c.generation, moving_from_calendar_id = c.moving_from_calendar_id, etag = c.etag,
                content_hash = c.content_hash
             FROM claimed AS c
             WHERE l.organisation_id = c.organisation_id AND l.appointment_id = c.appointment_id
                AND l.provider = 'google'",
            values = rows_of(some.len(), 9, 1),
            until = last + 1,
            now = last + 2,
        ));
        for link in some {
            update = bind_placement(
                update
                    .bind::<Text, _>(link.organisation.as_str().to_owned())
                    .bind::<Text, _>(link.appointment.as_str().to_owned())
                    .bind::<Text, _>(link.lease.token.to_string()),
                &link.placement,
            );
        }
        update.bind::<InstantSql, _>(Instant(until)).bind::<InstantSql, _>(Instant(now)).execute(conn).await?;
    }
    Ok(())
}

/// Binds the six columns, in the order of `PLACEMENT`.
fn bind_placement(statement: Statement, placement: &Placement) -> Statement {
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
const PLACEMENT: &str = "external_calendar_id = $1, external_event_id = $2, generation = $3, \
     moving_from_calendar_id = $4, etag = $5, content_hash = $6";

/// Binds who holds the row, for [`mine`].
fn bind_mine(statement: Statement, claimed: &Claimed) -> Statement {
    statement
        .bind::<Text, _>(claimed.organisation.as_str().to_owned())
        .bind::<Text, _>(claimed.appointment.as_str().to_owned())
        .bind::<Text, _>(claimed.lease.token.to_string())
}

/// Which row it is, while the lease is the claim's own; three placeholders from `first`.
fn mine(first: usize) -> String {
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

/// The statement that settles: binds the placement, `now` as `$7`, the claim's demand as `$8`, what the caller adds from
/// `$9` on, and [`mine`] from `first`.
///
/// `standing` holds only where the request that was claimed still stands: nobody has asked again since, nor let the link
/// rest.
fn settling(standing: &[(&str, &str)], always: &str, first: usize) -> String {
    let standing: String = standing
        .iter()
        .map(|(column, value)| {
            format!("{column} = CASE WHEN demand = $8 AND sync_status = 'pending' THEN {value} ELSE {column} END, ")
        })
        .collect();
    format!(
        "UPDATE appointment_external_links SET {PLACEMENT}, updated_at = $7, {standing} {always}
            lease_token = NULL, lease_until = NULL
         WHERE {}",
        mine(first)
    )
}

fn bind_settling(sql: String, placement: &Placement, now: Timestamp, claimed: &Claimed) -> Statement {
    bind_placement(statement(sql), placement).bind::<InstantSql, _>(Instant(now)).bind::<BigInt, _>(claimed.demand)
}

fn bind_error(statement: Statement, error: &LinkError) -> Statement {
    statement.bind::<Text, _>(words::of_reason(error.reason)).bind::<Nullable<Text>, _>(error.detail.clone())
}

async fn ended(conn: &mut Conn, update: Statement, claimed: &Claimed) -> Result<(), Fault> {
    match bind_mine(update, claimed).execute(conn).await? {
        0 => Err(Fault::Fenced),
        _ => Ok(()),
    }
}

pub(in crate::store) async fn settle(
    conn: &mut Conn,
    claimed: &Claimed,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool, Fault> {
    let outcome = match settlement {
        Settlement::Synced { placement, html_link, revision } => {
            synced(conn, claimed, placement, html_link.as_deref(), revision.number(), now).await
        }
        Settlement::Later { placement, next_attempt_at, error } => {
            let sql = settling(
                &[
                    ("next_attempt_at", "$9"),
                    ("attempts", "attempts + 1"),
                    ("last_error", "$10"),
                    ("last_error_detail", "$11"),
                ],
                "",
                12,
            );
            let update = bind_settling(sql, placement, now, claimed).bind::<InstantSql, _>(Instant(*next_attempt_at));
            ended(conn, bind_error(update, error), claimed).await
        }
        Settlement::Refused { placement, error } => {
            // The status goes last: the others look at the one that stands, but a reader need not know that.
            let sql = settling(
                &[
                    ("last_error", "$9"),
                    ("last_error_detail", "$10"),
                    ("next_attempt_at", "NULL"),
                    ("sync_status", "'error'"),
                ],
                "",
                11,
            );
            let update = bind_settling(sql, placement, now, claimed);
            ended(conn, bind_error(update, error), claimed).await
        }
        Settlement::Parked { placement } => {
            let sql = settling(&[("next_attempt_at", "next_attempt_at")], "", 9);
            ended(conn, bind_settling(sql, placement, now, claimed), claimed).await
        }
    };
    unless_fenced(outcome)
}

async fn synced(
    conn: &mut Conn,
    claimed: &Claimed,
    placement: &Placement,
    html_link: Option<&str>,
    revision: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        statement(
            // What Google asked patience for is over once a call went through.
            "UPDATE calendar_integrations SET last_sync_at = $1,
                problem_reason = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_reason END,
                problem_since = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_since END,
                problem_retry_at = CASE WHEN problem_retry_at <= $1 THEN NULL ELSE problem_retry_at END
             WHERE organisation_id = $2 AND provider = 'google' AND (last_sync_at IS NULL OR last_sync_at < $1)",
        )
        .bind::<InstantSql, _>(Instant(now))
        .bind::<Text, _>(claimed.organisation.as_str().to_owned())
        .execute(conn)
        .await?;
        // A settlement without a call brings no link: the one that stands stays as long as the event does.
        let html_link_now = if placement.place().is_some() { "COALESCE($10, html_link)" } else { "$10" };
        let sql = settling(
            &[
                ("next_attempt_at", "NULL"),
                ("attempts", "0"),
                ("last_error", "NULL"),
                ("last_error_detail", "NULL"),
                ("sync_status", "'synced'"),
            ],
            &format!("synced_revision = $9, html_link = {html_link_now}, last_synced_at = $7,"),
            11,
        );
        let html_link = html_link.filter(|_| placement.place().is_some()).map(str::to_owned);
        let update = bind_settling(sql, placement, now, claimed)
            .bind::<BigInt, _>(revision)
            .bind::<Nullable<Text>, _>(html_link);
        ended(conn, update, claimed).await
    })
}

pub(in crate::store) async fn release(conn: &mut Conn, lease_tokens: &[Uuid], now: Timestamp) -> Result<u64, Fault> {
    let mut released = 0;
    for some in lease_tokens.chunks(LEASED_TOGETHER) {
        let mut update = statement(format!(
            "UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL, updated_at = $1
             WHERE (organisation_id, appointment_id, provider) IN (
                SELECT organisation_id, appointment_id, provider FROM appointment_external_links
                WHERE lease_until IS NOT NULL AND lease_token IN {}
                ORDER BY organisation_id, appointment_id {FOR_UPDATE}
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
