//! Searches of an account: under whose lease, and what they find.
//!
//! Owns the statements that lease, renew and end a search. Never asks for one. Invariant: what is written under a claim
//! is fenced by its lease and its epoch.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, unleased, unleased_by};
use super::integrations::locked;
use super::owed::IS_WANTED;
use super::search_requests::is_unsearched;
use super::statement::{Fragment, list_of, named, sql};
use super::{Conn, Fault, InstantSql, erasures, instant, owed, owed_counts, reading_leases};
use crate::model::{AppointmentId, Epoch, GoogleUserId, OrganisationId, Place};
use crate::store::fault::unless_fenced;
use crate::store::instant::Instant;
use crate::store::words::{self, DISCONNECT, GOOGLE};
use crate::store::{Guarded, Integration, Lease, OwedCause, SearchClaim, SearchEnd, Searched};

/// How many appointments one statement names: SQLite takes some 32,000 binds.
const NAMED_TOGETHER: usize = 1_000;

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// The integrations whose search is due and may be made: not while the grant is revoked.
fn due(now: Timestamp) -> Fragment {
    sql("search_due_at <= ")
        .bind(now)
        .sql(" AND owed_served_from <= ")
        .bind(now)
        .sql(" AND ")
        .with(unleased_by("finishing_until", now))
        .sql(" AND ")
        .with(reading_leases::is_free(now))
        .sql(format!(" AND google_user_id IS NOT NULL AND provider = {GOOGLE}"))
}

pub(in crate::store) async fn is_any_due(conn: &mut Conn, now: Timestamp) -> Result<bool, Fault> {
    let select = sql("SELECT COUNT(*) AS found FROM (SELECT 1 FROM calendar_integrations WHERE ")
        .with(due(now))
        .sql(" LIMIT 1) AS first_due");
    let row: CountRow = named("searches.is_any_due", select).get_result(conn).await?;
    Ok(row.found > 0)
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Nullable<InstantSql>)]
    search_asked_at: Option<Instant>,
    #[diesel(sql_type = Integer)]
    search_attempts: i32,
}

pub(in crate::store) async fn claim(
    conn: &mut Conn,
    lease: Lease,
    now: Timestamp,
) -> Result<Option<SearchClaim>, Fault> {
    let columns = "organisation_id, epoch, search_asked_at, search_attempts";
    let update = reading_leases::lease_first(lease, due(now), "search_due_at", columns);
    let row: Option<ClaimRow> = named("searches.claim", update).get_result(conn).await.optional()?;
    Ok(row.map(|row| SearchClaim {
        organisation: OrganisationId::as_stored(row.organisation_id),
        epoch: Epoch(row.epoch),
        asked_at: instant(row.search_asked_at).unwrap_or(now),
        attempts: row.search_attempts,
        lease,
    }))
}

pub(in crate::store) async fn renew(conn: &mut Conn, claim: &SearchClaim, until: Timestamp) -> Result<Guarded, Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_lease_until = ")
        .bind(until)
        .sql(" WHERE ")
        .with(reading_leases::is_ours(&claim.organisation, &claim.lease))
        .sql(" AND owed_served_from IS NOT NULL AND epoch = ")
        .bind(claim.epoch.0);
    Ok(Guarded::by(named("searches.renew", update).execute(conn).await?))
}

#[derive(QueryableByName)]
struct AppointmentRow {
    #[diesel(sql_type = Text)]
    appointment_id: String,
}

async fn appointments(
    conn: &mut Conn,
    organisation: &OrganisationId,
    which: Fragment,
) -> Result<Vec<AppointmentId>, Fault> {
    let select = sql("SELECT appointment_id FROM appointment_external_links WHERE is_unsearched AND ")
        .with(of_organisation(organisation))
        .sql(" AND ")
        .with(which);
    let rows: Vec<AppointmentRow> = named("searches.appointments", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| AppointmentId::as_stored(row.appointment_id)).collect())
}

pub(in crate::store) async fn unsearched(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<AppointmentId>, Fault> {
    appointments(conn, organisation, sql(format!("{} AND ", is_unsearched())).with(unleased(now))).await
}

pub(in crate::store) async fn end(
    conn: &mut Conn,
    claim: &SearchClaim,
    account: &GoogleUserId,
    searched: &Searched,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let ended = transaction!(conn, async |conn| {
        let its = |it: &Integration| it.epoch == claim.epoch && it.is_erasure_served();
        let Some(integration) = locked(conn, &claim.organisation).await?.filter(its) else {
            return Err(Fault::Fenced);
        };
        let disconnect = integration.disconnecting.and_then(|it| it.remote_events);
        // Another disposition wants another search, in its time.
        let is_same = disconnect == searched.disconnect;
        let state = match searched.end {
            SearchEnd::Again(at) if is_same => sql("search_attempts = search_attempts + 1, search_due_at = ").bind(at),
            SearchEnd::Over(search) if is_same => {
                sql("search_attempts = 0, search_asked_at = NULL, search_due_at = NULL, last_search = ")
                    .bind(words::of_search(search))
            }
            SearchEnd::Again(_) | SearchEnd::Over(_) => sql("search_asked_at = NULL, search_due_at = NULL"),
        };
        let update = sql(format!("UPDATE calendar_integrations SET {}, ", reading_leases::GIVE_BACK))
            .with(state)
            .sql(" WHERE ")
            .with(reading_leases::is_ours(&claim.organisation, &claim.lease));
        if named("searches.end", update).execute(conn).await? == 0 {
            return Err(Fault::Fenced);
        }
        owe_found(conn, claim, account, searched, is_same && disconnect.is_some(), now).await?;
        if let SearchEnd::Over(_) = searched.end {
            for some in searched.erased.chunks(NAMED_TOGETHER) {
                let done = sql("UPDATE appointment_external_links SET is_unsearched = FALSE WHERE is_unsearched AND ")
                    .with(of_organisation(&claim.organisation))
                    .sql(" AND appointment_id IN ")
                    .with(list_of(some));
                named("searches.done", done).execute(conn).await?;
            }
            erasures::sweep(conn, &claim.organisation, now).await?;
        }
        Ok(())
    });
    unless_fenced(ended)
}

/// Owes what was found of the appointments that were erased; and the rest, where a disconnect deletes it. Of one that was
/// sent again, the event that its link stands at is wanted: a claim drops what is.
async fn owe_found(
    conn: &mut Conn,
    claim: &SearchClaim,
    account: &GoogleUserId,
    searched: &Searched,
    is_rest_owed: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    let organisation = &claim.organisation;
    let erasing = appointments(conn, organisation, sql("erasing_at IS NOT NULL")).await?;
    let sent_again = appointments(conn, organisation, sql("erasing_at IS NULL")).await?;
    let searched_for: HashSet<_> = searched.erased.iter().collect();
    let of = |these: Vec<AppointmentId>| {
        let these: HashSet<_> = these.into_iter().filter(|it| searched_for.contains(it)).collect();
        move |(appointment, _): &(AppointmentId, Place)| these.contains(appointment)
    };
    let (erased, rest): (Vec<_>, Vec<_>) = searched.found.iter().cloned().partition(of(erasing));
    let (left_before_erasure, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(of(sent_again));
    let left_before = owed_counts::left(conn, organisation).await?;
    owed::owe_found(conn, organisation, account, &erased, OwedCause::Erasure, now).await?;
    owed::owe_found(conn, organisation, account, &left_before_erasure, OwedCause::Comparison, now).await?;
    if is_rest_owed {
        owed::owe_found(conn, organisation, account, &rest, OwedCause::Disconnect, now).await?;
        // What a link still stands at is over for Cassius, whatever a person made of it.
        let wanted = sql(format!("DELETE FROM owed_deletions AS o WHERE cause = {DISCONNECT} AND {IS_WANTED} AND "))
            .with(of_organisation(organisation));
        named("searches.drop_wanted", wanted).execute(conn).await?;
    }
    owed_counts::count_since(conn, organisation, left_before).await
}
