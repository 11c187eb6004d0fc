//! Claims: due links, leased to one worker.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::due::{FREE, served};
use super::leases::bind_placement;
use super::{Conn, FOR_SHARE, Fault, InstantSql, SKIP_LOCKED, rows, rows_of, statement};
use crate::crypto::Sealed;
use crate::model::{CalendarId, Epoch, Placement, TitlePrivacy};
use crate::store::instant::Instant;
use crate::store::placement::PlacementColumns;
use crate::store::words;
use crate::store::{Claimed, Lease, Wanted};

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

pub(in crate::store) async fn claim<T, F>(
    conn: &mut Conn,
    wanted: Vec<Wanted>,
    lease_token: Uuid,
    until: Timestamp,
    now: Timestamp,
    mut begin: F,
) -> Result<Vec<(Claimed, T)>, Fault>
where
    T: Send,
    F: FnMut(&Claimed) -> (Option<Placement>, T) + Send,
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
        let (mut claimed, mut begun) = (Vec::new(), Vec::new());
        for some in room.chunks(CLAIMED_TOGETHER) {
            for row in due(conn, some, now).await? {
                let terms = terms.get(&row.organisation_id).ok_or(Fault::Corrupt("organisation_id"))?;
                let token = Uuid::from_u128(lease_token.as_u128().wrapping_add(claimed.len() as u128));
                let mut link = claimed_link(row, terms, Lease { token, until })?;
                let (placement, its) = begin(&link);
                if let Some(placement) = placement {
                    link.placement = placement;
                }
                claimed.push(link);
                begun.push(its);
            }
        }
        lease(conn, &claimed, until, now).await?;
        Ok(claimed.into_iter().zip(begun).collect())
    })
}

/// What the integrations say, held until the end of the transaction: a disconnect that begins meanwhile waits for the
/// claim, and then finds its leases.
async fn terms(
    conn: &mut Conn,
    organisations: impl ExactSizeIterator<Item = &String>,
    now: Timestamp,
) -> Result<HashMap<String, Terms>, Fault> {
    let mut select = statement(format!(
        "SELECT organisation_id, epoch, calendar_id, title_privacy FROM calendar_integrations
         WHERE {} AND organisation_id IN {} ORDER BY organisation_id {FOR_SHARE}",
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
