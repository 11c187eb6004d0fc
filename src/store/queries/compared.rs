//! What a comparison reads: where events may stand, and the links that they are held against.
//!
//! Owns these statements. Never changes anything. Invariant: a link whose status or placement does not read is told as
//! one in error, and nothing is found of it.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::placement::PlacementRow;
use super::schema::{appointment_external_links, owed_deletions};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, instant, rows};
use crate::crypto::Sealed;
use crate::model::{AppointmentId, CalendarId, EventId, GoogleUserId, OrganisationId, Placement, SyncStatus};
use crate::store::ComparedLink;
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};

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
    let found: Vec<CalendarRow> = named("compared.calendars", select).load(conn).await?;
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
    let found: Vec<(String, String)> = named("compared.owed_events", select).load(conn).await?;
    Ok(found.into_iter().map(|(calendar, event)| (CalendarId::new(calendar), EventId::new(event))).collect())
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

/// One whose status or placement does not read is in error: nothing is found of it.
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
    let found: Vec<ComparedRow> = named("compared.upcoming", select).load(conn).await?;
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
    let found: Vec<ComparedRow> = named("compared.links_of", select).load(conn).await?;
    Ok(found.into_iter().map(ComparedLink::from).collect())
}
