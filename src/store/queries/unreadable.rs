//! Integrations that do not read: found, and noted as such.
//!
//! Owns which integrations say too little to be served, and how one is said not to read. Never writes over another
//! problem that this version knows and whose time to be tried again has not come. Invariant: what is noted is written
//! with the queue held.

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{CONNECTED, no_problem_at};
use super::rows::IntegrationRow;
use super::statement::{named, sql};
use super::{Conn, Fault, link_queues};
use crate::model::OrganisationId;
use crate::store::words::{GOOGLE, INTERNAL};
use crate::store::{Guarded, Integration, Unreadable};

pub(in crate::store) async fn incomplete(conn: &mut Conn, now: Timestamp) -> Result<Vec<Unreadable>, Fault> {
    let select = sql(format!(
        "SELECT * FROM calendar_integrations
         WHERE provider = {GOOGLE} AND {CONNECTED}
            AND (google_user_id IS NULL OR calendar_id IS NULL) AND "
    ))
    .with(no_problem_at(now));
    let rows: Vec<IntegrationRow> = named("unreadable.incomplete", select).load(conn).await?;
    let told =
        rows.into_iter().map(Integration::from).filter_map(|Integration { organisation, unreadable, .. }| {
            unreadable.map(|column| Unreadable {
                organisation: organisation.as_str().to_owned(),
                appointment: None,
                column,
            })
        });
    Ok(told.collect())
}

pub(in crate::store) async fn note_unreadable(
    conn: &mut Conn,
    organisation: String,
    retry_at: Timestamp,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let its = OrganisationId::as_stored(organisation.clone());
    let note = sql(format!("UPDATE calendar_integrations SET problem_since = CASE WHEN problem_reason = {INTERNAL} THEN problem_since ELSE "))
        .bind(now)
        .sql(format!(" END, problem_reason = {INTERNAL}, problem_retry_at = "))
        .bind(retry_at)
        .sql(", updated_at = ")
        .bind(now)
        .sql(format!(" WHERE provider = {GOOGLE} AND organisation_id = "))
        .bind(organisation)
        .sql(" AND ")
        .with(no_problem_at(now));
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [&its]).await?;
        Ok(Guarded::by(named("unreadable.note_unreadable", note).execute(conn).await?))
    })
}
