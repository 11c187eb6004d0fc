//! Comparisons: when they are due, under whose lease, and what becomes of what they find.
//!
//! Owns the columns that say when an integration is compared, and what its latest comparison found. Never writes over a
//! link that a worker holds, or that was changed while Google's events were listed. Invariant: what is written under a
//! claim is fenced by its lease.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::fragments::{CONNECTED, and_no_problem_that_was_due, of_organisation, unleased};
use super::statement::{Fragment, list_of, named, rows_of, sql};
use super::{
    Conn, Fault, InstantSql, LOCKED_BY_KEY, catch_ups, execute_in_turn, integrations, link_queues, owed, reading_leases,
};
use crate::model::{AppointmentId, CalendarId, Epoch, GoogleUserId, OrganisationId, Place};
use crate::store::fault::unless_fenced;
use crate::store::instant::Instant;
use crate::store::queue_kind::QueueKind;
use crate::store::words::{CALENDAR_UNAVAILABLE, GOOGLE, PENDING, Priority, SYNCED};
use crate::store::{ChangeWindow, ComparisonClaim, Guarded, Lease, Mend, OwedCause};

/// The number of a round stays below this: which calendars a round takes goes by it, and it never outgrows its column.
const ROUNDS: i32 = 1_000_000;
/// How long after its first connect an integration is compared by itself.
const FIRST: SignedDuration = SignedDuration::from_hours(24);

/// Makes the first comparison of an integration due in a day; one that is due already stays so.
pub(super) async fn schedule(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_due_at = ")
        .bind(now + FIRST)
        .sql(" WHERE compare_due_at IS NULL AND ")
        .with(of_organisation(organisation));
    named("comparisons.schedule", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn ask(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_attempts = 0, compare_due_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation));
    named("comparisons.ask", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn bring_forward(
    conn: &mut Conn,
    organisation: &OrganisationId,
    by: Timestamp,
) -> Result<(), Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_due_at = ")
        .bind(by)
        .sql(" WHERE compare_due_at > ")
        .bind(by)
        .sql(" AND ")
        .with(of_organisation(organisation));
    named("comparisons.bring_forward", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn note_vanished(
    conn: &mut Conn,
    organisation: &OrganisationId,
    compare_by: Timestamp,
) -> Result<(), Fault> {
    bring_forward(conn, organisation, compare_by).await?;
    // One that is counted already says enough, unless a comparison is under way that may not know of this one.
    let update = sql("UPDATE calendar_integrations SET vanished_count = vanished_count + 1
         WHERE (vanished_count = 0 OR compare_lease_token IS NOT NULL) AND ")
    .with(of_organisation(organisation));
    named("comparisons.note_vanished", update).execute(conn).await?;
    Ok(())
}

/// The integrations whose comparison is due and may be made.
fn due(now: Timestamp) -> Fragment {
    sql("compare_due_at <= ")
        .bind(now)
        .sql(" AND ")
        .with(reading_leases::is_free(now))
        .sql(" AND served_from <= ")
        .bind(now)
        .sql(format!(" AND provider = {GOOGLE}"))
}

pub(in crate::store) async fn is_any_due(conn: &mut Conn, now: Timestamp) -> Result<bool, Fault> {
    let select = sql("SELECT organisation_id FROM calendar_integrations WHERE ").with(due(now)).limit(1);
    let first: Option<WhoseRow> = named("comparisons.is_any_due", select).get_result(conn).await.optional()?;
    Ok(first.is_some())
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text, column_name = organisation_id)]
    _organisation_id: String,
}

pub(in crate::store) async fn give_back(
    conn: &mut Conn,
    organisation: &OrganisationId,
    lease: Lease,
) -> Result<(), Fault> {
    let update = sql(format!("UPDATE calendar_integrations SET {} WHERE ", reading_leases::GIVE_BACK))
        .with(reading_leases::is_ours(organisation, &lease));
    named("comparisons.give_back", update).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = InstantSql)]
    compare_due_at: Instant,
    #[diesel(sql_type = Integer)]
    compare_attempts: i32,
}

pub(in crate::store) async fn claim(
    conn: &mut Conn,
    lease: Lease,
    now: Timestamp,
) -> Result<Option<ComparisonClaim>, Fault> {
    let columns = "organisation_id, epoch, compare_due_at, compare_attempts";
    let update = reading_leases::lease_first(lease, due(now), "compare_due_at", columns);
    let row: Option<ClaimRow> = named("comparisons.claim", update).get_result(conn).await.optional()?;
    Ok(row.map(|row| ComparisonClaim {
        organisation: OrganisationId::as_stored(row.organisation_id),
        epoch: Epoch(row.epoch),
        due_at: row.compare_due_at.0,
        attempts: row.compare_attempts,
        lease,
    }))
}

pub(in crate::store) async fn renew(
    conn: &mut Conn,
    claim: &ComparisonClaim,
    until: Timestamp,
) -> Result<Guarded, Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_lease_until = ")
        .bind(until)
        .sql(" WHERE ")
        .with(reading_leases::is_ours(&claim.organisation, &claim.lease))
        .sql(format!(" AND {CONNECTED} AND epoch = "))
        .bind(claim.epoch.0);
    Ok(Guarded::by(named("comparisons.renew", update).execute(conn).await?))
}

pub(in crate::store) async fn note_compared(
    conn: &mut Conn,
    claim: &ComparisonClaim,
    behind_count: i32,
    looked_for: Option<i32>,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let round = format!("compare_round = (compare_round % {ROUNDS} + 1) % {ROUNDS}");
    let update = sql(format!("UPDATE calendar_integrations SET {round}, behind_count = "))
        .bind(behind_count)
        .sql(", vanished_count = CASE WHEN vanished_count = ")
        .bind(looked_for)
        .sql(" THEN 0 ELSE vanished_count END")
        .with(and_no_problem_that_was_due(now))
        .sql(" WHERE ")
        .with(reading_leases::is_ours(&claim.organisation, &claim.lease));
    transaction!(conn, async |conn| {
        // Whether it is served may change with the problem.
        link_queues::lock(conn, [&claim.organisation]).await?;
        let noted = Guarded::by(named("comparisons.note_compared", update).execute(conn).await?);
        if noted.is_done() {
            // What waited for the problem to end was due long ago: it is put in line now, where a look finds it.
            let its = || vec![claim.organisation.to_string()];
            let kinds = [QueueKind::Links, QueueKind::Owed];
            let put_off = kinds.into_iter().flat_map(|kind| link_queues::put_off_locked(its(), kind, now)).collect();
            execute_in_turn(conn, put_off).await?;
        }
        Ok(noted)
    })
}

pub(in crate::store) async fn end(
    conn: &mut Conn,
    claim: &ComparisonClaim,
    (next_at, attempts): (Timestamp, i32),
    unlisted_at: Option<Timestamp>,
) -> Result<Guarded, Fault> {
    let unlisted = match unlisted_at {
        Some(at) if claim.attempts > 0 => sql("COALESCE(unlisted_since, ").bind(at).sql(")"),
        // One answer alone is not told.
        Some(_) => sql("unlisted_since"),
        None => sql("NULL"),
    };
    let unasked = |value: Fragment, column: &str| {
        sql("CASE WHEN compare_due_at = ")
            .bind(claim.due_at)
            .sql(" THEN ")
            .with(value)
            .sql(format!(" ELSE {column} END"))
    };
    let update = sql(format!("UPDATE calendar_integrations SET {}, compare_attempts = ", reading_leases::GIVE_BACK))
        .with(unasked(Fragment::default().bind(attempts), "compare_attempts"))
        .sql(", compare_due_at = ")
        .with(unasked(Fragment::default().bind(next_at), "compare_due_at"))
        .sql(", unlisted_since = ")
        .with(unlisted)
        .sql(" WHERE ")
        .with(reading_leases::is_ours(&claim.organisation, &claim.lease));
    Ok(Guarded::by(named("comparisons.end", update).execute(conn).await?))
}

pub(in crate::store) async fn try_owed_again(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendars: &[CalendarId],
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        if calendars.is_empty() || integrations::locked(conn, organisation).await?.is_none() {
            return Ok(());
        }
        // Out of reach before; or the only event of an appointment that was not known, and is again.
        let parked = sql(format!(
            "next_attempt_at IS NULL AND (last_error IS NULL OR last_error = {CALENDAR_UNAVAILABLE}) AND calendar_id IN "
        ))
        .with(list_of(calendars));
        owed::make_due(conn, organisation, parked, now).await
    })
}

pub(in crate::store) async fn mend(
    conn: &mut Conn,
    claim: &ComparisonClaim,
    account: &GoogleUserId,
    (mends, surplus): (&[Mend], &[(AppointmentId, Place)]),
    within: ChangeWindow,
    until: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let mended = transaction!(conn, async |conn| {
        // Nothing is claimed or disconnected meanwhile.
        link_queues::lock(conn, [&claim.organisation]).await?;
        if !renew(conn, claim, until).await?.is_done() {
            return Err(Fault::Fenced);
        }
        let organisation = &claim.organisation;
        if !mends.is_empty() {
            let appointments = list_of(mends.iter().map(|mend| &mend.appointment));
            let hold = sql("SELECT COUNT(*) FROM (SELECT 1 FROM appointment_external_links WHERE ")
                .with(of_organisation(organisation))
                .sql(" AND appointment_id IN ")
                .with(appointments)
                .sql(format!(" {LOCKED_BY_KEY}) AS held"));
            named("comparisons.lock", hold).execute(conn).await?;
        }
        let (due, touched): (Vec<_>, Vec<_>) = mends.iter().partition(|mend| mend.is_due);
        if !touched.is_empty() {
            let update = found(&touched, sql("etag = f.etag"), claim, within, now);
            named("comparisons.note_etags", update).execute(conn).await?;
        }
        if !due.is_empty() {
            let catch_up = catch_ups::open(conn, organisation, sql("TRUE"), now).await?;
            // What is confirmed of the content is no longer believed.
            let set = sql(format!(
                "sync_status = {PENDING}, priority = {}, attempts = 0, request_seq = request_seq + 1,
                 content_hash = NULL, etag = COALESCE(f.etag, l.etag), next_attempt_at = ",
                Priority::CatchUp,
            ))
            .bind(now);
            let update = found(&due, set, claim, within, now);
            named("comparisons.queue", update).execute(conn).await?;
            catch_ups::count_queued(conn, organisation, catch_up, now).await?;
        }
        owed::owe_within(conn, organisation, account, surplus, OwedCause::Comparison, now).await
    });
    unless_fenced(mended)
}

/// Sets this in the links that were found, which nobody holds or has changed since.
fn found(mends: &[&Mend], set: Fragment, claim: &ComparisonClaim, within: ChangeWindow, now: Timestamp) -> Fragment {
    sql("WITH found (appointment_id, etag) AS (VALUES ")
        .with(rows_of(mends, |row, mend| {
            row.bind(&mend.appointment).sql(", ").bind(mend.etag.as_ref().map(|etag| etag.as_str().to_owned()))
        }))
        .sql(") UPDATE appointment_external_links AS l SET ")
        .with(set)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" FROM found AS f WHERE l.appointment_id = f.appointment_id AND ")
        .with(of_organisation(&claim.organisation))
        .sql(format!(" AND sync_status = {SYNCED} AND NOT (updated_at BETWEEN "))
        .bind(within.since)
        .sql(" AND ")
        .bind(within.until)
        .sql(") AND ")
        .with(unleased(now))
}
