//! Integrations: read, and what is noted of them.
//!
//! Owns how the row of an integration is read, made and held. Never clears a problem, and never writes one over a
//! graver one that stands. Invariant: everything is written with the queue held.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::rows::IntegrationRow;
use super::schema::calendar_integrations::dsl;
use super::statement::{named, sql};
use super::{Conn, FOR_UPDATE, Fault, link_queues};
use crate::model::{Calendar, CalendarId, Epoch, OrganisationId, Problem};
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};
use crate::store::{Guarded, Integration};

pub(in crate::store) async fn ping(conn: &mut Conn) -> Result<(), Fault> {
    named("integrations.ping", sql("SELECT 1")).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn integration(
    conn: &mut Conn,
    organisation: &OrganisationId,
) -> Result<Option<Integration>, Fault> {
    let select = dsl::calendar_integrations.find((organisation.as_str(), PROVIDER)).select(IntegrationRow::as_select());
    let row: Option<IntegrationRow> = named("integrations.integration", select).get_result(conn).await.optional()?;
    Ok(row.map(Integration::from))
}

/// Makes the row of an integration where there is none, and holds its queue. One that is made for a setting alone is not
/// listed among those that have begun to connect.
pub(super) async fn insert_if_absent(
    conn: &mut Conn,
    organisation: &OrganisationId,
    never_began: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    link_queues::lock(conn, [organisation]).await?;
    let insert = diesel::insert_into(dsl::calendar_integrations)
        .values((
            dsl::organisation_id.eq(organisation.as_str()),
            dsl::provider.eq(PROVIDER),
            dsl::never_began.eq(never_began),
            dsl::created_at.eq(Instant(now)),
            dsl::updated_at.eq(Instant(now)),
        ))
        .on_conflict_do_nothing();
    named("integrations.insert_if_absent", insert).execute(conn).await?;
    Ok(())
}

/// The integration, held until the end of the transaction together with its queue.
pub(super) async fn locked(conn: &mut Conn, organisation: &OrganisationId) -> Result<Option<Integration>, Fault> {
    link_queues::lock(conn, [organisation]).await?;
    let select =
        sql("SELECT * FROM calendar_integrations WHERE ").with(of_organisation(organisation)).sql(" ").sql(FOR_UPDATE);
    let row: Option<IntegrationRow> = named("integrations.locked", select).get_result(conn).await.optional()?;
    Ok(row.map(Integration::from))
}

/// The integration, after a change of it in the same transaction.
pub(super) async fn reread(conn: &mut Conn, organisation: &OrganisationId) -> Result<Integration, Fault> {
    integration(conn, organisation).await?.ok_or(Fault::Corrupt("organisation_id"))
}

pub(super) async fn set_calendar(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendar: &Calendar,
) -> Result<(), Fault> {
    let Calendar { id, name, time_zone, color, is_primary } = calendar;
    let update = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
        dsl::calendar_id.eq(id.as_str()),
        dsl::calendar_name.eq(name),
        dsl::calendar_time_zone.eq(time_zone),
        dsl::calendar_color.eq(color),
        dsl::calendar_is_primary.eq(is_primary),
        dsl::unlisted_since.eq(None::<Instant>),
    ));
    named("integrations.set_calendar", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn note_problem(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    problem: &Problem,
    of_calendar: Option<&CalendarId>,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await? else {
            return Ok(Guarded::Fenced);
        };
        let is_of_target =
            |calendar: &CalendarId| integration.calendar.as_ref().is_some_and(|target| target.id == *calendar);
        if integration.epoch != epoch
            || integration.refresh_token.is_none()
            || !of_calendar.is_none_or(is_of_target)
            || integration.problem.as_ref().is_some_and(|noted| !problem.outweighs(noted, now))
        {
            return Ok(Guarded::Fenced);
        }
        let same = integration.problem.filter(|noted| noted.reason == problem.reason);
        let since_at = same.map_or(problem.since_at, |noted| noted.since_at);
        let note = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
            dsl::problem_reason.eq(words::of_reason(problem.reason)),
            dsl::problem_since.eq(Instant(since_at)),
            dsl::problem_retry_at.eq(problem.retry_at.map(Instant)),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("integrations.note_problem", note).execute(conn).await?;
        Ok(Guarded::Done)
    })
}
