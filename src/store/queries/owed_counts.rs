//! How many events an organisation owes, and how many a disconnect counts.
//!
//! Owns what counts as one event. Never owes or deletes one. Invariant: whoever changes a count holds the queue, so
//! that no claim is made meanwhile; reading what is left wants no lock.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use super::fragments::{of_organisation, untaken};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::model::{GoogleUserId, OrganisationId, Place};
use crate::store::OwedLeft;

#[derive(QueryableByName)]
struct LeftRow {
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    parked: i64,
    #[diesel(sql_type = BigInt)]
    untaken: i64,
}

pub(in crate::store) async fn left(conn: &mut Conn, organisation: &OrganisationId) -> Result<OwedLeft, Fault> {
    // An event of which nobody knows in which of two calendars it stands is one event; the one that another account wrote
    // for the same appointment has the same id.
    let select = sql("SELECT COUNT(*) AS events, COUNT(CASE WHEN due = 0 THEN 1 END) AS parked, ")
        .with(untaken(organisation))
        .sql(" AS untaken FROM (SELECT COUNT(next_attempt_at) AS due FROM owed_deletions WHERE ")
        .with(of_organisation(organisation))
        .sql(" GROUP BY google_user_id, event_id) AS events_owed");
    let row: LeftRow = named("owed_counts.left", select).get_result(conn).await?;
    Ok(OwedLeft { events: row.events, parked: row.parked, untaken: row.untaken })
}

/// Counts in the total of a disconnect that is under way what owing the events of these links adds to what is owed.
pub(super) async fn count_new(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    which: Fragment,
) -> Result<(), Fault> {
    let total = sql("UPDATE calendar_integrations SET disconnect_total = disconnect_total + (
            SELECT COUNT(*) + COUNT(moving_from_event_id) FROM appointment_external_links AS l
            WHERE external_event_id IS NOT NULL AND ")
    .with(of_organisation(organisation))
    .sql(" AND ")
    .with(which)
    .sql(
        " AND NOT EXISTS (SELECT 1 FROM owed_deletions AS o WHERE o.organisation_id = l.organisation_id
            AND o.provider = l.provider AND o.appointment_id = l.appointment_id AND o.event_id = l.external_event_id
            AND o.google_user_id = ",
    )
    .bind(account)
    .sql(")) WHERE disconnecting_at IS NOT NULL AND ")
    .with(of_organisation(organisation));
    named("owed_counts.count_new", total).execute(conn).await?;
    Ok(())
}

/// Counts in the total of a disconnect that is under way what came to be owed since `left_before` was left, or was given
/// back.
pub(super) async fn count_since(
    conn: &mut Conn,
    organisation: &OrganisationId,
    left_before: OwedLeft,
) -> Result<(), Fault> {
    let more = left(conn, organisation).await?.events - left_before.events;
    let total = sql("UPDATE calendar_integrations SET disconnect_total = disconnect_total + ")
        .bind(i32::try_from(more).unwrap_or(i32::MAX))
        .sql(" WHERE disconnecting_at IS NOT NULL AND ")
        .with(of_organisation(organisation));
    named("owed_counts.count_since", total).execute(conn).await?;
    Ok(())
}

/// Counts a deletion that is settled: one that found nothing makes the total of a disconnect that is under way one less,
/// unless the event was deleted in another calendar, or may still be.
pub(super) async fn count_deletion(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    place: &Place,
    was_deleted: bool,
) -> Result<(), Fault> {
    let elsewhere = || {
        of_organisation(organisation)
            .sql(" AND google_user_id = ")
            .bind(account)
            .sql(" AND event_id = ")
            .bind(place.event.as_str().to_owned())
            .sql(" AND calendar_id <> ")
            .bind(&place.calendar)
    };
    if was_deleted {
        // One that was tried before counts as deleted, whatever is found.
        let tried = sql("UPDATE owed_deletions SET attempts = 1 WHERE attempts = 0 AND ").with(elsewhere());
        named("owed_counts.counted", tried).execute(conn).await?;
        return Ok(());
    }
    let total = sql("UPDATE calendar_integrations SET disconnect_total = disconnect_total - 1
         WHERE disconnecting_at IS NOT NULL AND disconnect_total > 0 AND ")
    .with(of_organisation(organisation))
    .sql(" AND NOT EXISTS (SELECT 1 FROM owed_deletions WHERE ")
    .with(elsewhere())
    .sql(")");
    named("owed_counts.count_less", total).execute(conn).await?;
    Ok(())
}
