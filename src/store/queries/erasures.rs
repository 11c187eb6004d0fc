//! Erasures: what is owed first, then rows.
//!
//! Owns what is reset in a link that is erased, and which tables an organisation is erased from. Never takes an event
//! from its link before its deletion is owed, where an account is known. Invariant: everything is erased with the queue
//! held.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{CONNECTED, of_appointment, of_organisation, reset_placement, unleased};
use super::integrations::{integration, locked};
use super::links::{OWES_NOTHING, OWES_NOTHING_DUE};
use super::statement::{Fragment, list_of, named, sql};
use super::{Conn, Fault, link_queues, owed, owed_counts, search_requests};
use crate::model::{AccountSearch, AppointmentId, Generation, OrganisationId};
use crate::store::words::{self, ERASURE, GOOGLE, NONE, PARTIAL, Priority};
use crate::store::{ErasureLeft, Integration, OwedCause};

/// How many organisations one look finds: the others are found by the next.
const FOUND_TOGETHER: i64 = 100;

/// The tables that hold rows of an organisation and nothing that is still to be done.
const TABLES: [&str; 8] = [
    "appointment_external_links",
    "owed_deletions",
    "sealed_calendars",
    "oauth_consents",
    "calendar_integrations",
    "upcoming_link_counts",
    "link_wishes",
    "link_queues",
];

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn appointments(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
    now: Timestamp,
) -> Result<i64, Fault> {
    transaction!(conn, async |conn| {
        let integration = locked(conn, organisation).await?;
        let these = || sql("appointment_id IN ").with(list_of(appointments));
        erase(conn, organisation, integration.as_ref(), these, now).await
    })
}

pub(in crate::store) async fn accepted_before(
    conn: &mut Conn,
    organisation: &OrganisationId,
    accepted_before: Timestamp,
    now: Timestamp,
) -> Result<i64, Fault> {
    transaction!(conn, async |conn| {
        let integration = locked(conn, organisation).await?;
        let these = || {
            sql("appointment_id IN (SELECT l.appointment_id FROM appointment_external_links AS l WHERE l.organisation_id = ")
                .bind(organisation)
                .sql(format!(
                    " AND l.provider = {GOOGLE} AND l.erasing_at IS NULL AND (l.accepted_at IS NULL OR l.accepted_at < "
                ))
                .bind(accepted_before)
                .sql("))")
        };
        let replaced = sql("UPDATE calendar_integrations SET replaced_at = ")
            .bind(accepted_before)
            .sql(" WHERE ")
            .with(of_organisation(organisation));
        named("erasures.note_replaced", replaced).execute(conn).await?;
        erase(conn, organisation, integration.as_ref(), these, now).await
    })
}

/// Erases the appointments that `which` is true of (in links and in what is owed alike), within a transaction that holds
/// the integration; answers how many links were known. A disconnect that is under way counts what is owed with that.
pub(super) async fn erase(
    conn: &mut Conn,
    organisation: &OrganisationId,
    integration: Option<&Integration>,
    which: impl Fn() -> Fragment,
    now: Timestamp,
) -> Result<i64, Fault> {
    let cause = OwedCause::Erasure;
    let left_before = owed_counts::left(conn, organisation).await?;
    let its = || of_organisation(organisation).sql(" AND (").with(which()).sql(")");
    let known =
        sql("SELECT COUNT(*) AS found FROM appointment_external_links WHERE erasing_at IS NULL AND ").with(its());
    let known: CountRow = named("erasures.known", known).get_result(conn).await?;
    // What is owed already is given back to nobody from now on.
    let owed = sql("UPDATE owed_deletions SET attempts = 0, last_error = NULL, last_error_detail = NULL, cause = ")
        .bind(words::of_cause(cause))
        .sql(", next_attempt_at = ")
        .bind(now)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(its());
    named("erasures.owe_again", owed).execute(conn).await?;
    if let Some(account) = integration.and_then(|it| it.google_user_id.as_ref()) {
        owed::owe_placed(conn, organisation, account, cause, &which, Fragment::default(), now).await?;
    }
    let erase = sql(format!(
        "UPDATE appointment_external_links SET {}, revision = 0, snapshot = NULL, wants_event = FALSE, starts_at = NULL,
            ends_at = NULL, sync_status = {NONE}, next_attempt_at = NULL, attempts = 0, priority = {live},
            write_not_before = NULL, last_synced_at = NULL, recent_calls = NULL, shown_ends_at = NULL, last_error = NULL, last_error_detail = NULL,
            is_unsearched = ",
        reset_placement(),
        live = Priority::Live,
    ))
    .with(is_to_be_searched(integration))
    .sql(", erasing_at = ")
    .bind(now)
    .sql(", updated_at = ")
    .bind(now)
    .sql(" WHERE ")
    .with(its());
    named("erasures.erase", erase).execute(conn).await?;
    owed_counts::count_since(conn, organisation, left_before).await?;
    sweep(conn, organisation, now).await?;
    search_requests::ask_for_erased(conn, organisation, now).await?;
    Ok(known.found)
}

/// Whether the account has to be searched for the event of a link that is erased, which a person may have moved: one that
/// was ever written. Nothing is asked of an account that is no longer connected, but of what is owed there.
fn is_to_be_searched(integration: Option<&Integration>) -> Fragment {
    let is_any_known = integration.is_some_and(|it| it.google_user_id.is_some());
    let is_reached = integration.is_some_and(|it| {
        let is_searched = it.disconnecting.is_some() && it.last_search.is_some();
        it.refresh_token.is_some() && !is_searched
    });
    sql("(")
        .bind(is_any_known)
        .sql(format!(" AND (is_unsearched OR NOT {OWES_NOTHING} OR ("))
        .bind(is_reached)
        .sql(format!(" AND generation > {})))", Generation::FIRST.0))
}

/// A link that is being erased and has nothing left to wait for.
fn is_erased(now: Timestamp) -> Fragment {
    sql(format!("erasing_at IS NOT NULL AND NOT is_unsearched AND {OWES_NOTHING} AND ")).with(unleased(now))
}

pub(super) async fn sweep(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<usize, Fault> {
    let delete = sql("DELETE FROM appointment_external_links WHERE ")
        .with(of_organisation(organisation))
        .sql(" AND ")
        .with(is_erased(now));
    Ok(named("erasures.sweep", delete).execute(conn).await?)
}

/// Deletes the link of an appointment that is being erased, if it has nothing left to wait for.
pub(super) async fn sweep_one(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    now: Timestamp,
) -> Result<(), Fault> {
    let delete = sql("DELETE FROM appointment_external_links WHERE ")
        .with(of_appointment(organisation, appointment))
        .sql(" AND ")
        .with(is_erased(now));
    named("erasures.sweep_one", delete).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct LeftRow {
    #[diesel(sql_type = BigInt)]
    appointments: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    parked: i64,
    #[diesel(sql_type = BigInt)]
    unsearched: i64,
}

pub(in crate::store) async fn left(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: Option<&[AppointmentId]>,
) -> Result<ErasureLeft, Fault> {
    let named_alone = || match appointments {
        Some(appointments) => sql(" AND appointment_id IN ").with(list_of(appointments)),
        None => Fragment::default(),
    };
    let owed = |what: &str| {
        let cause = if appointments.is_some() { format!(" AND cause = {ERASURE}") } else { String::new() };
        sql(format!("(SELECT COUNT(*) FROM owed_deletions WHERE {what} AND "))
            .with(of_organisation(organisation))
            .sql(cause)
            .with(named_alone())
            .sql(")")
    };
    let select = sql("SELECT (SELECT COUNT(*) FROM appointment_external_links WHERE erasing_at IS NOT NULL AND ")
        .with(of_organisation(organisation))
        .with(named_alone())
        .sql(") AS appointments, ")
        .with(owed("TRUE"))
        .sql(" AS events, ")
        .with(owed("next_attempt_at IS NULL"))
        .sql(format!(
            " AS parked, (SELECT COUNT(*) FROM appointment_external_links
                WHERE erasing_at IS NOT NULL AND is_unsearched AND {OWES_NOTHING_DUE} AND "
        ))
        .with(of_organisation(organisation))
        .with(named_alone())
        .sql(") AS unsearched");
    let row: LeftRow = named("erasures.left", select).get_result(conn).await?;
    let LeftRow { appointments, events, parked, unsearched } = row;
    Ok(ErasureLeft { appointments, events, parked, unsearched })
}

/// Whether everything of the organisation is being erased.
pub(super) async fn is_under_way(conn: &mut Conn, organisation: &OrganisationId) -> Result<bool, Fault> {
    let select = sql("SELECT COUNT(*) AS found FROM calendar_integrations WHERE erasing_at IS NOT NULL AND ")
        .with(of_organisation(organisation));
    let row: CountRow = named("erasures.is_under_way", select).get_result(conn).await?;
    Ok(row.found > 0)
}

pub(in crate::store) async fn finish(
    conn: &mut Conn,
    organisation: &OrganisationId,
    leaves_events: bool,
    now: Timestamp,
) -> Result<bool, Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        finish_within(conn, organisation, leaves_events, now).await
    })
}

/// The same, within a transaction that holds the queue.
pub(super) async fn finish_within(
    conn: &mut Conn,
    organisation: &OrganisationId,
    leaves_events: bool,
    now: Timestamp,
) -> Result<bool, Fault> {
    if integration(conn, organisation).await?.is_some_and(|it| it.refresh_token.is_some()) {
        return Ok(false);
    }
    if leaves_events {
        let give_up = sql("DELETE FROM owed_deletions WHERE ").with(of_organisation(organisation));
        named("erasures.give_up", give_up).execute(conn).await?;
    }
    // Whatever search there was, is over.
    end_searches(conn, organisation, "TRUE").await?;
    sweep(conn, organisation, now).await?;
    let left = left(conn, organisation, None).await?;
    let unkept = sql("SELECT COUNT(*) AS found FROM unkept_grants WHERE organisation_id = ").bind(organisation);
    let unkept: CountRow = named("erasures.unkept", unkept).get_result(conn).await?;
    if !left.is_none() || unkept.found > 0 {
        return Ok(false);
    }
    for table in TABLES {
        let delete = sql(format!("DELETE FROM {table} WHERE organisation_id = ")).bind(organisation);
        named("erasures.purge", delete).execute(conn).await?;
    }
    Ok(true)
}

/// Lets no appointment that is being erased wait for a search any more of which this is true.
pub(super) async fn end_searches(conn: &mut Conn, organisation: &OrganisationId, which: &str) -> Result<(), Fault> {
    let update = sql(format!(
        "UPDATE appointment_external_links SET is_unsearched = FALSE WHERE is_unsearched AND {which} AND "
    ))
    .with(of_organisation(organisation));
    named("erasures.end_searches", update).execute(conn).await?;
    Ok(())
}

/// The same as [`finish_within`], where nobody is told that it is done: not where the account was searched in part alone,
/// since that is to be told first.
pub(super) async fn finish_untold(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let last_search = integration(conn, organisation).await?.and_then(|it| it.last_search);
    match last_search {
        Some(AccountSearch::Partial) => Ok(false),
        Some(AccountSearch::Whole) | None => finish_within(conn, organisation, false, now).await,
    }
}

/// A link whose organisation may ask for a search.
fn is_unasked() -> String {
    format!(
        "EXISTS (SELECT 1 FROM calendar_integrations AS i
            WHERE i.organisation_id = appointment_external_links.organisation_id
                AND i.provider = appointment_external_links.provider AND {CONNECTED} AND i.search_due_at IS NULL)"
    )
}

pub(in crate::store) async fn under_way(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql(format!(
        "SELECT organisation_id FROM calendar_integrations
         WHERE erasing_at IS NOT NULL AND refresh_token IS NULL AND provider = {GOOGLE}
            AND (last_search IS NULL OR last_search <> {PARTIAL})
         UNION SELECT organisation_id FROM appointment_external_links
         WHERE erasing_at IS NOT NULL AND provider = {GOOGLE}
            AND ((NOT is_unsearched AND {OWES_NOTHING}) OR (is_unsearched AND {OWES_NOTHING_DUE} AND {unasked}))
         UNION SELECT organisation_id FROM appointment_external_links
         WHERE is_unsearched AND erasing_at IS NULL AND provider = {GOOGLE} AND {unasked}",
        unasked = is_unasked()
    ))
    .limit(FOUND_TOGETHER);
    let rows: Vec<WhoseRow> = named("erasures.under_way", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect())
}

pub(in crate::store) async fn go_on(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<bool, Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        let swept = sweep(conn, organisation, now).await?;
        let is_whole = is_under_way(conn, organisation).await?;
        let is_done = is_whole && finish_untold(conn, organisation, now).await?;
        let is_asked = search_requests::ask_for_erased(conn, organisation, now).await?;
        Ok(swept > 0 || is_done || is_asked)
    })
}
