//! The audit: added to, read by pages, swept.
//!
//! Owns every statement about its table. Never changes a row. Invariant: one statement erases a bounded number of rows.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::audit_events::{self, dsl};
use super::statement::{Fragment, list_of, named, padded, sql};
use super::{Conn, Fault};
use crate::model::OrganisationId;
use crate::store::instant::Instant;
use crate::store::{AuditEvent, AuditPlace};

/// How many rows one statement erases.
const SWEPT_AT_ONCE: u64 = 5_000;

#[derive(QueryableByName)]
#[diesel(table_name = audit_events)]
struct Row {
    at: Instant,
    id: String,
    caller: String,
    actor: Option<String>,
    organisation_id: Option<String>,
    action: String,
    outcome: String,
    incident: Option<String>,
}

impl From<Row> for AuditEvent {
    fn from(row: Row) -> Self {
        let Row { at, id, caller, actor, organisation_id, action, outcome, incident } = row;
        let organisation = organisation_id.map(OrganisationId::as_stored);
        Self { at: at.0, id, caller, actor, organisation, action, outcome, incident }
    }
}

pub(in crate::store) async fn add(conn: &mut Conn, event: &AuditEvent) -> Result<(), Fault> {
    let AuditEvent { at, id, caller, actor, organisation, action, outcome, incident } = event;
    let insert = diesel::insert_into(dsl::audit_events).values((
        dsl::at.eq(Instant(*at)),
        dsl::id.eq(id),
        dsl::caller.eq(caller),
        dsl::actor.eq(actor),
        dsl::organisation_id.eq(organisation.as_ref().map(OrganisationId::as_str)),
        dsl::action.eq(action),
        dsl::outcome.eq(outcome),
        dsl::incident.eq(incident),
    ));
    named("audit_events.add", insert).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn page(
    conn: &mut Conn,
    only: Option<&[OrganisationId]>,
    after: Option<&AuditPlace>,
    limit: i64,
) -> Result<Vec<AuditEvent>, Fault> {
    let mut conditions: Vec<Fragment> = Vec::new();
    if let Some(only) = only {
        let only = padded(only.iter().map(|it| it.as_str().to_owned()).collect(), String::new);
        conditions.push(sql("organisation_id IN ").with(list_of(only)));
    }
    if let Some(AuditPlace { at, id }) = after {
        conditions.push(sql("(at, id) < (").bind(*at).sql(", ").bind(id.clone()).sql(")"));
    }
    let mut select = sql("SELECT * FROM audit_events");
    for (n, condition) in conditions.into_iter().enumerate() {
        select = select.sql(if n == 0 { " WHERE " } else { " AND " }).with(condition);
    }
    let select = select.sql(" ORDER BY at DESC, id DESC").limit(limit);
    let rows: Vec<Row> = named("audit_events.page", select).load(conn).await?;
    Ok(rows.into_iter().map(AuditEvent::from).collect())
}

pub(in crate::store) async fn sweep(conn: &mut Conn, before: Timestamp) -> Result<u64, Fault> {
    let mut swept = 0;
    loop {
        let delete = sql("DELETE FROM audit_events WHERE (at, id) IN (SELECT at, id FROM audit_events WHERE at < ")
            .bind(before)
            .sql(format!(" ORDER BY at, id LIMIT {SWEPT_AT_ONCE})"));
        let rows = named("audit_events.sweep", delete).execute(conn).await? as u64;
        swept += rows;
        if rows < SWEPT_AT_ONCE {
            return Ok(swept);
        }
    }
}
