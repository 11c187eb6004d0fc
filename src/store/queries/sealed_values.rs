//! Sealed values: counted, read by rows, exchanged, tried again.
//!
//! Owns the list of the columns that hold sealed values. Never opens one: the id of its key stands in it as plain text.
//! Invariant: a value is exchanged by a statement that names the one that was read.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::statement::{Fragment, joined, named, sql};
use super::{Conn, Fault, MAY_WALK, key_id_of, link_queues};
use crate::crypto::Sealed;
use crate::model::OrganisationId;
use crate::store::words::{GOOGLE, KEYRING_INCOMPLETE, PENDING};
use crate::store::{SealedColumn, SealedRow, SealedValue};

/// Every column that holds sealed values, those that last for a day at most among them.
const EVERY: [(&str, &str); 10] = [
    ("appointment_external_links", "snapshot"),
    ("calendar_integrations", "access_token"),
    ("calendar_integrations", "refresh_token"),
    ("sealed_calendars", "calendar"),
    ("pending_grants", "access_token"),
    ("pending_grants", "refresh_token"),
    ("unkept_grants", "token"),
    ("oauth_consents", "pkce_verifier"),
    ("oauth_consents", "refresh_token"),
    ("oauth_consents", "granted"),
];

/// The table, the column, and what tells a row from the others of its organisation.
fn place_of(column: SealedColumn) -> (&'static str, &'static str, &'static str) {
    match column {
        SealedColumn::Snapshot => ("appointment_external_links", "snapshot", "appointment_id"),
        SealedColumn::AccessToken => ("calendar_integrations", "access_token", "provider"),
        SealedColumn::RefreshToken => ("calendar_integrations", "refresh_token", "provider"),
        SealedColumn::Calendar => ("sealed_calendars", "calendar", "alias"),
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    key_id: String,
    #[diesel(sql_type = BigInt)]
    found: i64,
}

pub(in crate::store) async fn key_counts(conn: &mut Conn) -> Result<BTreeMap<String, i64>, Fault> {
    let keys = EVERY.map(|(table, column)| {
        let key_id = key_id_of(column);
        sql(format!("SELECT {key_id} AS key_id FROM {table} WHERE {column} IS NOT NULL"))
    });
    let select = joined(keys, " UNION ALL ", sql("SELECT key_id, COUNT(*) AS found FROM ("))
        .sql(") AS sealed WHERE key_id IS NOT NULL GROUP BY key_id");
    let rows: Vec<CountRow> = transaction!(conn, async |conn| {
        named("sealed_values.count_by_walking", sql(MAY_WALK)).execute(conn).await?;
        Ok::<_, Fault>(named("sealed_values.key_counts", select).load(conn).await?)
    })?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.found)).collect())
}

#[derive(QueryableByName)]
struct ValueRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
}

/// The values of a column whose keys stand so to one key, which is yet to be bound.
fn values(column: SealedColumn, to_key: &str) -> Fragment {
    let (table, column, name) = place_of(column);
    let key_id = key_id_of(column);
    sql(format!(
        "SELECT organisation_id, {name} AS name, {column} AS sealed FROM {table}
         WHERE provider = {GOOGLE} AND {column} IS NOT NULL AND {key_id} {to_key} "
    ))
}

fn value(row: ValueRow) -> SealedValue {
    let row_key = (OrganisationId::as_stored(row.organisation_id), row.name);
    SealedValue { row: row_key, sealed: Sealed::from_bytes(row.sealed) }
}

pub(in crate::store) async fn sealed_by(
    conn: &mut Conn,
    column: SealedColumn,
    key: String,
    limit: i64,
) -> Result<Vec<SealedValue>, Fault> {
    let select = values(column, "=").bind(key).limit(limit);
    let rows: Vec<ValueRow> = transaction!(conn, async |conn| {
        named("sealed_values.find_by_walking", sql(MAY_WALK)).execute(conn).await?;
        Ok::<_, Fault>(named("sealed_values.sealed_by", select).load(conn).await?)
    })?;
    Ok(rows.into_iter().map(value).collect())
}

pub(in crate::store) async fn sealed_by_others(
    conn: &mut Conn,
    column: SealedColumn,
    key: String,
    after: Option<SealedRow>,
    limit: i64,
) -> Result<Vec<SealedValue>, Fault> {
    let (_, _, name) = place_of(column);
    let (organisation, last) = after.map_or((String::new(), String::new()), |(of, name)| (of.to_string(), name));
    let select = values(column, "<>")
        .bind(key)
        .sql(format!(" AND (organisation_id, {name}) > ("))
        .bind(organisation)
        .sql(", ")
        .bind(last)
        .sql(format!(") ORDER BY organisation_id, {name}"))
        .limit(limit);
    let rows: Vec<ValueRow> = named("sealed_values.sealed_by_others", select).load(conn).await?;
    Ok(rows.into_iter().map(value).collect())
}

pub(in crate::store) async fn exchange(
    conn: &mut Conn,
    column: SealedColumn,
    exchanges: &[(SealedValue, Sealed)],
) -> Result<u64, Fault> {
    let (table, column, name) = place_of(column);
    transaction!(conn, async |conn| {
        link_queues::lock(conn, exchanges.iter().map(|(value, _)| &value.row.0)).await?;
        let mut exchanged = 0;
        for (SealedValue { row: (organisation, of), sealed }, new) in exchanges {
            let update = sql(format!("UPDATE {table} SET {column} = "))
                .bind(new)
                .sql(" WHERE ")
                .with(of_organisation(organisation))
                .sql(format!(" AND {name} = "))
                .bind(of.clone())
                .sql(format!(" AND {column} = "))
                .bind(sealed);
            exchanged += named("sealed_values.exchange", update).execute(conn).await? as u64;
        }
        Ok(exchanged)
    })
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn with_unopened(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql(format!(
        "SELECT organisation_id FROM appointment_external_links
         WHERE last_error = {KEYRING_INCOMPLETE} AND sync_status = {PENDING} AND provider = {GOOGLE}
         UNION SELECT organisation_id FROM calendar_integrations
         WHERE problem_reason = {KEYRING_INCOMPLETE} AND provider = {GOOGLE}"
    ));
    let rows: Vec<WhoseRow> = named("sealed_values.with_unopened", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect())
}

pub(in crate::store) async fn try_again(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<(), Fault> {
    let earlier = |column: &str| {
        sql(format!("{column} = CASE WHEN {column} < "))
            .bind(now)
            .sql(format!(" THEN {column} ELSE "))
            .bind(now)
            .sql(" END, updated_at = ")
            .bind(now)
            .sql(" WHERE ")
            .with(of_organisation(organisation))
    };
    transaction!(conn, async |conn| {
        link_queues::lock(conn, [organisation]).await?;
        let integration = sql("UPDATE calendar_integrations SET ")
            .with(earlier("problem_retry_at"))
            .sql(format!(" AND problem_reason = {KEYRING_INCOMPLETE}"));
        named("sealed_values.try_integration_again", integration).execute(conn).await?;
        let links = sql("UPDATE appointment_external_links SET attempts = 0, ")
            .with(earlier("next_attempt_at"))
            .sql(format!(" AND last_error = {KEYRING_INCOMPLETE} AND sync_status = {PENDING}"));
        named("sealed_values.try_links_again", links).execute(conn).await?;
        Ok(())
    })
}
