//! Comparisons: when they are due, under whose lease, what they read, and what they find.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::fragments::{CONNECTED, and_no_problem_that_was_due, of_organisation, unleased};
use super::placement::PlacementRow;
use super::schema::{appointment_external_links, owed_deletions};
use super::statement::{Fragment, list_of, named, rows_of, sql};
use super::{
    Conn, Fault, HELD_BY_KEY, InstantSql, catch_ups, execute_in_turn, instant, integrations, link_queues, owed,
    reading_leases, rows,
};
use crate::crypto::Sealed;
use crate::model::{
    AppointmentId, CalendarId, Epoch, EventId, GoogleUserId, OrganisationId, Place, Placement, SyncStatus,
};
use crate::store::due::QueueKind;
use crate::store::fault::unless_fenced;
use crate::store::instant::Instant;
use crate::store::words::{self, CALENDAR_UNAVAILABLE, GOOGLE, PENDING, PROVIDER, Priority, SYNCED};
use crate::store::{ChangeWindow, ComparedLink, ComparisonClaim, Guarded, Lease, Mend, OwedCause};

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
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let update = sql("UPDATE calendar_integrations SET compare_round = (compare_round + 1) % 1000000, behind_count = ")
        .bind(behind_count)
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
            let put_off = kinds.into_iter().flat_map(|kind| link_queues::put_off_held(its(), kind, now)).collect();
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

#[derive(QueryableByName)]
struct CalendarRow {
    #[diesel(sql_type = Text)]
    calendar_id: String,
}

pub(in crate::store) async fn calendars(
    conn: &mut Conn,
    organisation: &OrganisationId,
    owed_in: Option<&GoogleUserId>,
    now: Timestamp,
) -> Result<Vec<CalendarId>, Fault> {
    let of_links = |column: &str| {
        sql(format!(
            "SELECT {column} AS calendar_id FROM appointment_external_links WHERE {column} IS NOT NULL AND ends_at > "
        ))
        .bind(now)
        .sql(" AND ")
        .with(of_organisation(organisation))
    };
    let select = of_links("external_calendar_id")
        .sql(" UNION ")
        .with(of_links("moving_from_calendar_id"))
        .sql(" UNION SELECT calendar_id FROM owed_deletions WHERE ")
        .with(of_organisation(organisation))
        .with(owed_in.map_or_else(Fragment::default, |account| sql(" AND google_user_id = ").bind(account)))
        .sql(" ORDER BY calendar_id");
    let found: Vec<CalendarRow> = named("comparisons.calendars", select).load(conn).await?;
    Ok(found.into_iter().map(|row| CalendarId::new(row.calendar_id)).collect())
}

pub(in crate::store) async fn owed_events(
    conn: &mut Conn,
    organisation: &OrganisationId,
) -> Result<HashSet<(CalendarId, EventId)>, Fault> {
    use owed_deletions::dsl;
    let select = dsl::owed_deletions
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .select((dsl::calendar_id, dsl::event_id));
    let found: Vec<(String, String)> = named("comparisons.owed_events", select).load(conn).await?;
    Ok(found.into_iter().map(|(calendar, event)| (CalendarId::new(calendar), EventId::new(event))).collect())
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

#[derive(Queryable, Selectable)]
#[diesel(table_name = appointment_external_links)]
struct ComparedRow {
    appointment_id: String,
    revision: i64,
    sync_status: String,
    #[diesel(embed)]
    placement: PlacementRow,
    snapshot: Option<Vec<u8>>,
    ends_at: Option<Instant>,
    updated_at: Instant,
    lease_until: Option<Instant>,
}

/// One of which a value does not read is in error: nothing is found of it.
impl From<ComparedRow> for ComparedLink {
    fn from(row: ComparedRow) -> Self {
        let generation = row.placement.generation();
        let (sync_status, placement) = match (words::status(&row.sync_status), row.placement.try_into()) {
            (Ok(sync_status), Ok(placement)) => (sync_status, placement),
            (Err(_), _) | (_, Err(_)) => (SyncStatus::Error, Placement::Absent { generation }),
        };
        Self {
            appointment: AppointmentId::as_stored(row.appointment_id),
            revision: rows::revision(row.revision).ok(),
            sync_status,
            placement,
            snapshot: row.snapshot.map(Sealed::from_bytes),
            ends_at: instant(row.ends_at),
            updated_at: row.updated_at.0,
            lease_until: instant(row.lease_until),
        }
    }
}

pub(in crate::store) async fn upcoming(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
    after: Option<&AppointmentId>,
    limit: i64,
) -> Result<Vec<ComparedLink>, Fault> {
    use appointment_external_links::dsl;
    let select = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::ends_at.gt(Instant(now)))
        .filter(dsl::appointment_id.gt(after.map_or("", AppointmentId::as_str)))
        .order(dsl::appointment_id)
        .limit(limit)
        .select(ComparedRow::as_select());
    let found: Vec<ComparedRow> = named("comparisons.upcoming", select).load(conn).await?;
    Ok(found.into_iter().map(ComparedLink::from).collect())
}

pub(in crate::store) async fn links_of(
    conn: &mut Conn,
    organisation: &OrganisationId,
    appointments: &[AppointmentId],
) -> Result<Vec<ComparedLink>, Fault> {
    use appointment_external_links::dsl;
    let select = dsl::appointment_external_links
        .filter(dsl::organisation_id.eq(organisation.as_str()))
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::appointment_id.eq_any(appointments.iter().map(AppointmentId::as_str)))
        .select(ComparedRow::as_select());
    let found: Vec<ComparedRow> = named("comparisons.links_of", select).load(conn).await?;
    Ok(found.into_iter().map(ComparedLink::from).collect())
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
                .sql(format!(" {HELD_BY_KEY}) AS held"));
            named("comparisons.hold", hold).execute(conn).await?;
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
