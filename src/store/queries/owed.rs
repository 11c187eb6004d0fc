//! Owed deletions: made of what links stand for, given back to them, parked and due again.
//!
//! Owns how a row of `owed_deletions` comes about, is given back, and becomes due again or parked, but where an
//! erasure, the end of a disconnect or an attempt says so itself. Never leases one. Invariant: the queue is held, by
//! the function itself or by whoever calls it, so that no claim is made meanwhile.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{epoch_is_current, of_organisation, reset_placement};
use super::statement::{Fragment, named, rows_of, sql};
use super::{Conn, Fault, LOCKED_BY_KEY, link_queues};
use crate::model::{AppointmentId, CalendarId, Epoch, GoogleUserId, OrganisationId, Place};
use crate::store::words::{
    self, ACCOUNT_EXCHANGED, CALENDAR_UNAVAILABLE, ERASURE, GOOGLE, LEFT_BEHIND, PENDING, Priority,
};
use crate::store::{Claimed, OwedCause};

/// How many events one statement owes: SQLite takes some 32,000 binds.
const OWED_TOGETHER: usize = 1_000;

/// The columns that a new row fills.
const NEW_ROW: &str = "INSERT INTO owed_deletions (organisation_id, provider, google_user_id, calendar_id, event_id, \
     appointment_id, generation, cause, next_attempt_at, created_at, updated_at) ";

/// What is owed already is due again.
const OR_AGAIN: &str = " ON CONFLICT (organisation_id, provider, google_user_id, calendar_id, event_id) DO UPDATE SET \
     cause = excluded.cause, next_attempt_at = excluded.next_attempt_at, attempts = 0, last_error = NULL, \
     last_error_detail = NULL, updated_at = excluded.updated_at";

/// The same of what was found at Google; but what an erased appointment left stays what it is.
fn or_again_as_it_is() -> String {
    let cause = format!("CASE WHEN owed_deletions.cause = {ERASURE} THEN owed_deletions.cause ELSE excluded.cause END");
    OR_AGAIN.replace("cause = excluded.cause", &format!("cause = {cause}"))
}

/// A row `o` whose event the link of its appointment stands at: the link wants it.
pub(super) const IS_WANTED: &str = "EXISTS (SELECT 1 FROM appointment_external_links AS l \
     WHERE l.organisation_id = o.organisation_id AND l.provider = o.provider AND l.appointment_id = o.appointment_id \
     AND (l.external_calendar_id = o.calendar_id AND l.external_event_id = o.event_id \
        OR l.moving_from_calendar_id = o.calendar_id \
            AND COALESCE(l.moving_from_event_id, l.external_event_id) = o.event_id))";

pub(in crate::store) async fn owe(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    events: &[(AppointmentId, Place)],
    cause: OwedCause,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        owe_within(conn, organisation, account, events, cause, now).await
    })
}

/// The same, within a transaction that holds the queue.
pub(super) async fn owe_within(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    events: &[(AppointmentId, Place)],
    cause: OwedCause,
    now: Timestamp,
) -> Result<(), Fault> {
    owe_or(conn, organisation, account, events, cause, OR_AGAIN, now).await
}

/// Owes what a search has found, within a transaction that holds the queue. What was refused before is due again.
pub(super) async fn owe_found(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    events: &[(AppointmentId, Place)],
    cause: OwedCause,
    now: Timestamp,
) -> Result<(), Fault> {
    owe_or(conn, organisation, account, events, cause, &or_again_as_it_is(), now).await
}

async fn owe_or(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    events: &[(AppointmentId, Place)],
    cause: OwedCause,
    or_again: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    for some in events.chunks(OWED_TOGETHER) {
        let insert = sql(NEW_ROW)
            .sql("VALUES ")
            .with(rows_of(some, |row, (appointment, place)| {
                row.bind(organisation)
                    .sql(format!(", {GOOGLE}, "))
                    .bind(account)
                    .sql(", ")
                    .bind(&place.calendar)
                    .sql(", ")
                    .bind(place.event.as_str().to_owned())
                    .sql(", ")
                    .bind(appointment)
                    .sql(", ")
                    .bind(place.generation.0)
                    .sql(", ")
                    .bind(words::of_cause(cause))
                    .sql(", ")
                    .bind(now)
                    .sql(", ")
                    .bind(now)
                    .sql(", ")
                    .bind(now)
            }))
            .sql(or_again);
        named("owed.owe", insert).execute(conn).await?;
    }
    Ok(())
}

/// Owes the events of a link that stand out of reach of the account that is connected, parked as long as they do. What is
/// owed already stays as it is.
pub(super) async fn leave_behind(
    conn: &mut Conn,
    claimed: &Claimed,
    places: &[Place],
    now: Timestamp,
) -> Result<(), Fault> {
    for place in places {
        let insert =
            sql("INSERT INTO owed_deletions (organisation_id, provider, google_user_id, calendar_id, event_id,
                appointment_id, generation, cause, last_error, created_at, updated_at)
             SELECT organisation_id, provider, google_user_id, ")
            .bind(&place.calendar)
            .sql(", ")
            .bind(place.event.as_str().to_owned())
            .sql(", ")
            .bind(&claimed.appointment)
            .sql(", ")
            .bind(place.generation.0)
            .sql(format!(", {LEFT_BEHIND}, {CALENDAR_UNAVAILABLE}, "))
            .bind(now)
            .sql(", ")
            .bind(now)
            .sql(" FROM calendar_integrations WHERE google_user_id IS NOT NULL AND ")
            .with(of_organisation(&claimed.organisation))
            .sql(" ON CONFLICT (organisation_id, provider, google_user_id, calendar_id, event_id) DO NOTHING");
        named("owed.leave_behind", insert).execute(conn).await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// Owes whatever the placed links that `which` is true of may have at Google, and answers how many links forgot it; `set`
/// says what else becomes of them. They keep their generation: nothing was deleted yet.
///
/// A call that is under way for such a link may still take effect. Its worker has nothing to settle any more, and nobody
/// else gets the link before its lease lapses.
pub(super) async fn owe_placed(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    cause: OwedCause,
    which: impl Fn() -> Fragment,
    set: Fragment,
    now: Timestamp,
) -> Result<i64, Fault> {
    let placed =
        || of_organisation(organisation).sql(" AND external_event_id IS NOT NULL AND (").with(which()).sql(")");
    // Held, so that what is owed is what is forgotten.
    let hold = sql("SELECT COUNT(*) AS found FROM (SELECT 1 FROM appointment_external_links WHERE ")
        .with(placed())
        .sql(format!(" {LOCKED_BY_KEY}) AS held"));
    let held: CountRow = named("owed.lock_placed", hold).get_result(conn).await?;
    if held.found == 0 {
        return Ok(0);
    }
    let events_in = |calendar: &str, event: &str| {
        sql("SELECT organisation_id, provider, ")
            .bind(account)
            .sql(format!(", {calendar}, {event}, appointment_id, generation, "))
            .bind(words::of_cause(cause))
            .sql(", ")
            .with(due_at(cause, now))
            .sql(", ")
            .bind(now)
            .sql(", ")
            .bind(now)
            .sql(" FROM appointment_external_links WHERE ")
            .with(placed())
            .sql(format!(" AND {calendar} IS NOT NULL"))
    };
    let insert = sql(NEW_ROW)
        .with(events_in("external_calendar_id", "external_event_id"))
        .sql(" UNION ")
        .with(events_in("moving_from_calendar_id", "COALESCE(moving_from_event_id, external_event_id)"))
        .sql(OR_AGAIN);
    named("owed.owe_placed", insert).execute(conn).await?;
    let reset = sql(format!("UPDATE appointment_external_links SET {}", reset_placement()))
        .with(set)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(placed());
    named("owed.reset_placed", reset).execute(conn).await?;
    Ok(held.found)
}

/// When the event of a link is due to be deleted. What is no longer known cannot be written anew in another account: the
/// event that stands is the only one, and waits for its own account.
fn due_at(cause: OwedCause, now: Timestamp) -> Fragment {
    match cause {
        OwedCause::AccountExchanged => sql("CASE WHEN snapshot IS NOT NULL THEN ").bind(now).sql(" END"),
        OwedCause::LeftBehind | OwedCause::Disconnect | OwedCause::Erasure | OwedCause::Comparison => {
            Fragment::default().bind(now)
        }
    }
}

/// What makes a link pending again that can be sent, behind the live edits.
pub(super) fn sent_again(now: Timestamp) -> Fragment {
    sql(format!(
        ", attempts = 0, request_seq = request_seq + 1,
            last_error = CASE WHEN snapshot IS NULL THEN last_error END,
            last_error_detail = CASE WHEN snapshot IS NULL THEN last_error_detail END,
            priority = CASE WHEN snapshot IS NULL OR sync_status = {PENDING} THEN priority ELSE {catch_up} END,
            sync_status = CASE WHEN snapshot IS NULL THEN sync_status ELSE {PENDING} END,
            next_attempt_at = CASE WHEN snapshot IS NULL THEN next_attempt_at ELSE ",
        catch_up = Priority::CatchUp,
    ))
    .bind(now)
    .sql(" END")
}

/// Gives events of `account` back to the links that stand for nothing, one a link and the latest first, and answers how
/// many. `which` is asked of the rows, `set` says what else becomes of the links. What an erased appointment left is
/// given back to nobody.
pub(super) async fn restore(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    which: Fragment,
    set: Fragment,
    now: Timestamp,
) -> Result<i64, Fault> {
    let update = sql("WITH latest AS (
            SELECT appointment_id, calendar_id, event_id, generation, ROW_NUMBER() OVER (
                PARTITION BY appointment_id ORDER BY generation DESC, calendar_id, event_id
            ) AS nth
            FROM owed_deletions WHERE ")
    .with(of_organisation(organisation))
    .sql(" AND google_user_id = ")
    .bind(account)
    .sql(format!(" AND cause <> {ERASURE} AND "))
    .with(which)
    .sql(
        ") UPDATE appointment_external_links AS l SET external_calendar_id = o.calendar_id,
            external_event_id = o.event_id, generation = o.generation, lease_token = NULL, updated_at = ",
    )
    .bind(now)
    .with(set)
    .sql(
        " FROM latest AS o WHERE o.nth = 1 AND l.appointment_id = o.appointment_id AND l.external_event_id IS NULL
            AND l.erasing_at IS NULL AND ",
    )
    .with(of_organisation(organisation));
    let restored = named("owed.restore", update).execute(conn).await?;
    if restored > 0 {
        let wanted =
            sql(format!("DELETE FROM owed_deletions AS o WHERE {IS_WANTED} AND ")).with(of_organisation(organisation));
        named("owed.drop_restored", wanted).execute(conn).await?;
    }
    Ok(i64::try_from(restored).unwrap_or(i64::MAX))
}

/// Makes parked rows due that `which` is true of; not those whose event is the only one (see [`due_at`]).
pub(super) async fn make_due(
    conn: &mut Conn,
    organisation: &OrganisationId,
    which: Fragment,
    now: Timestamp,
) -> Result<(), Fault> {
    let update = sql(
        "UPDATE owed_deletions AS o SET attempts = 0, last_error = NULL, last_error_detail = NULL, next_attempt_at = ",
    )
    .bind(now)
    .sql(", updated_at = ")
    .bind(now)
    .sql(" WHERE ")
    .with(of_organisation(organisation))
    .sql(format!(
        " AND (cause <> {ACCOUNT_EXCHANGED} OR EXISTS (
                SELECT 1 FROM appointment_external_links AS l
                WHERE l.organisation_id = o.organisation_id AND l.provider = o.provider
                    AND l.appointment_id = o.appointment_id AND l.snapshot IS NOT NULL
             )) AND "
    ))
    .with(which);
    named("owed.make_due", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn park_calendar(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    calendar: &CalendarId,
    now: Timestamp,
) -> Result<(), Fault> {
    let update = sql(format!(
        "UPDATE owed_deletions SET next_attempt_at = NULL, last_error = {CALENDAR_UNAVAILABLE}, last_error_detail = NULL, \
         updated_at = "
    ))
    .bind(now)
    .sql(" WHERE calendar_id = ")
    .bind(calendar)
    .sql(" AND ")
    .with(of_organisation(organisation))
    .sql(" AND ")
    .with(epoch_is_current(organisation, epoch));
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        named("owed.park_calendar", update).execute(conn).await?;
        Ok(())
    })
}
