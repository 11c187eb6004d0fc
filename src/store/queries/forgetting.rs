//! What is kept of organisations that are not connected: found and forgotten.
//!
//! Owns these statements. Never goes by what was found before: each condition is asked again within the transaction
//! that changes something. Invariant: everything is forgotten with the queue held.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, reset_placement};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, erasures, link_queues};
use crate::model::OrganisationId;
use crate::store::words::{GOOGLE, NONE};

/// How many organisations one look finds: the others are found by the next.
const FOUND_TOGETHER: i64 = 100;

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

fn whose(rows: Vec<WhoseRow>) -> Vec<OrganisationId> {
    rows.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect()
}

/// The integrations that were disconnected before that.
fn is_forgotten(disconnected_before: Timestamp) -> Fragment {
    sql(format!("provider = {GOOGLE} AND refresh_token IS NULL AND disconnected_at < ")).bind(disconnected_before)
}

pub(in crate::store) async fn disconnected_before(
    conn: &mut Conn,
    disconnected_before: Timestamp,
) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql("SELECT organisation_id FROM calendar_integrations WHERE ")
        .with(is_forgotten(disconnected_before))
        .limit(FOUND_TOGETHER);
    Ok(whose(named("forgetting.disconnected_before", select).load(conn).await?))
}

pub(in crate::store) async fn forget_kept(
    conn: &mut Conn,
    organisation: &OrganisationId,
    disconnected_before: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        let forget = sql("UPDATE calendar_integrations SET google_user_id = NULL, calendar_id = NULL, calendar_name = '',
                calendar_time_zone = '', calendar_color = '', compare_due_at = NULL, disconnected_at = NULL, updated_at = ")
        .bind(now)
        .sql(" WHERE organisation_id = ")
        .bind(organisation)
        .sql(" AND ")
        .with(is_forgotten(disconnected_before));
        if named("forgetting.forget_account", forget).execute(conn).await? == 0 {
            return Ok(());
        }
        let links = sql(format!(
            "UPDATE appointment_external_links SET {}, sync_status = {NONE}, updated_at = ",
            reset_placement()
        ))
        .bind(now)
        .sql(" WHERE external_event_id IS NOT NULL AND ")
        .with(of_organisation(organisation));
        named("forgetting.forget_events", links).execute(conn).await?;
        erasures::end_searches(conn, organisation, "TRUE").await?;
        for table in ["owed_deletions", "sealed_calendars"] {
            let delete = sql(format!("DELETE FROM {table} WHERE ")).with(of_organisation(organisation));
            named("forgetting.forget", delete).execute(conn).await?;
        }
        Ok(())
    })
}

/// What the first connection will not send any more, or was accepted too long ago.
fn is_needless(accepted_before: Timestamp, now: Timestamp) -> Fragment {
    sql(format!(
        "provider = {GOOGLE} AND sync_status = {NONE} AND wants_event AND snapshot IS NOT NULL AND (ends_at <= "
    ))
    .bind(now)
    .sql(" OR COALESCE(accepted_at, created_at) < ")
    .bind(accepted_before)
    .sql(
        ") AND NOT EXISTS (SELECT 1 FROM calendar_integrations AS i
            WHERE i.organisation_id = appointment_external_links.organisation_id
                AND i.provider = appointment_external_links.provider AND i.google_user_id IS NOT NULL)",
    )
}

pub(in crate::store) async fn unconnected(
    conn: &mut Conn,
    accepted_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql("SELECT DISTINCT organisation_id FROM appointment_external_links WHERE ")
        .with(is_needless(accepted_before, now))
        .limit(FOUND_TOGETHER);
    Ok(whose(named("forgetting.unconnected", select).load(conn).await?))
}

pub(in crate::store) async fn erase_unconnected(
    conn: &mut Conn,
    organisation: &OrganisationId,
    accepted_before: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let erase = sql("UPDATE appointment_external_links SET snapshot = NULL, updated_at = ")
        .bind(now)
        .sql(" WHERE organisation_id = ")
        .bind(organisation)
        .sql(" AND ")
        .with(is_needless(accepted_before, now));
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        named("forgetting.erase_unconnected", erase).execute(conn).await?;
        Ok(())
    })
}

/// Deletes the links of a first connection whose appointment is not kept any more: Cassius finds that they are missing.
pub(super) async fn drop_unkept(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    let delete = sql(format!(
        "DELETE FROM appointment_external_links
         WHERE snapshot IS NULL AND wants_event AND sync_status = {NONE} AND external_event_id IS NULL AND ends_at > "
    ))
    .bind(now)
    .sql(" AND ")
    .with(of_organisation(organisation));
    named("forgetting.drop_unkept", delete).execute(conn).await?;
    Ok(())
}
