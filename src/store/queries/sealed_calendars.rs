//! Sealed calendars: an alias in the place of an id, and the id in the place of its alias.
//!
//! Owns how an id and its alias take each other's place in an integration, its links and what it owes. Never seals or
//! opens a calendar. Invariant: all these columns change in one transaction, with the integration held.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::integrations::locked;
use super::statement::{named, sql};
use super::{Conn, Fault};
use crate::crypto::Sealed;
use crate::model::{CalendarId, OrganisationId};
use crate::store::words::GOOGLE;
use crate::store::{Guarded, OpenedCalendar, SealedCalendar};

/// How many organisations one look finds: the others are found by the next.
const FOUND_TOGETHER: i64 = 100;

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn organisations(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql(format!(
        "SELECT organisation_id FROM calendar_integrations WHERE provider = {GOOGLE} AND refresh_token IS NULL
            AND calendar_id IS NOT NULL AND calendar_id NOT LIKE '{}%'",
        CalendarId::SEALED
    ))
    .limit(FOUND_TOGETHER);
    let rows: Vec<WhoseRow> = named("sealed_calendars.organisations", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect())
}

#[derive(QueryableByName)]
struct ReadableRow {
    #[diesel(sql_type = Text)]
    calendar_id: String,
    #[diesel(sql_type = Text)]
    calendar_name: String,
}

pub(in crate::store) async fn readable(
    conn: &mut Conn,
    organisation: &OrganisationId,
) -> Result<Vec<(CalendarId, String)>, Fault> {
    let of = |table: &str, column: &str, name: &str| {
        sql(format!("SELECT {column} AS calendar_id, {name} AS calendar_name FROM {table} WHERE "))
            .with(of_organisation(organisation))
            .sql(format!(" AND {column} NOT LIKE '{}%'", CalendarId::SEALED))
    };
    let select = sql("SELECT calendar_id, MAX(calendar_name) AS calendar_name FROM (")
        .with(of("calendar_integrations", "calendar_id", "calendar_name"))
        .sql(" UNION ")
        .with(of("appointment_external_links", "external_calendar_id", "''"))
        .sql(" UNION ")
        .with(of("appointment_external_links", "moving_from_calendar_id", "''"))
        .sql(" UNION ")
        .with(of("owed_deletions", "calendar_id", "''"))
        .sql(") AS readable GROUP BY calendar_id ORDER BY calendar_id");
    let rows: Vec<ReadableRow> = named("sealed_calendars.readable", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| (CalendarId::new(row.calendar_id), row.calendar_name)).collect())
}

pub(in crate::store) async fn seal(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendars: &[(CalendarId, SealedCalendar)],
    now: Timestamp,
) -> Result<Guarded, Fault> {
    transaction!(conn, async |conn| {
        if locked(conn, organisation).await?.is_none_or(|it| it.refresh_token.is_some()) {
            return Ok(Guarded::Fenced);
        }
        for (id, SealedCalendar { alias, calendar }) in calendars {
            let keep = sql("INSERT INTO sealed_calendars (organisation_id, provider, alias, calendar) VALUES (")
                .bind(organisation)
                .sql(format!(", {GOOGLE}, "))
                .bind(alias)
                .sql(", ")
                .bind(calendar)
                .sql(")");
            named("sealed_calendars.keep", keep).execute(conn).await?;
            replace(conn, organisation, id, (alias, ""), now).await?;
        }
        Ok(Guarded::Done)
    })
}

#[derive(QueryableByName)]
struct SealedRow {
    #[diesel(sql_type = Text)]
    alias: String,
    #[diesel(sql_type = Binary)]
    calendar: Vec<u8>,
}

pub(in crate::store) async fn sealed(
    conn: &mut Conn,
    organisation: &OrganisationId,
) -> Result<Vec<SealedCalendar>, Fault> {
    let select = sql("SELECT alias, calendar FROM sealed_calendars WHERE ").with(of_organisation(organisation));
    let rows: Vec<SealedRow> = named("sealed_calendars.sealed", select).load(conn).await?;
    let sealed = |row: SealedRow| SealedCalendar {
        alias: CalendarId::new(row.alias),
        calendar: Sealed::from_bytes(row.calendar),
    };
    Ok(rows.into_iter().map(sealed).collect())
}

/// Whether these are all that are sealed.
pub(super) async fn is_opened(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendars: &[OpenedCalendar],
) -> Result<bool, Fault> {
    let sealed = sealed(conn, organisation).await?;
    Ok(sealed.iter().all(|it| calendars.iter().any(|opened| opened.alias == it.alias)))
}

/// Puts the ids back, within a transaction that holds the integration.
pub(super) async fn open(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendars: &[OpenedCalendar],
    now: Timestamp,
) -> Result<(), Fault> {
    for OpenedCalendar { alias, id, name } in calendars {
        replace(conn, organisation, alias, (id, name), now).await?;
    }
    let forget = sql("DELETE FROM sealed_calendars WHERE ").with(of_organisation(organisation));
    named("sealed_calendars.forget", forget).execute(conn).await?;
    Ok(())
}

/// Puts one id in the place of another. The page of an event names its calendar too: it goes, and comes with the next write.
async fn replace(
    conn: &mut Conn,
    organisation: &OrganisationId,
    one: &CalendarId,
    (other, name): (&CalendarId, &str),
    now: Timestamp,
) -> Result<(), Fault> {
    let its = |column: &str| of_organisation(organisation).sql(format!(" AND {column} = ")).bind(one);
    let integration = sql("UPDATE calendar_integrations SET calendar_id = ")
        .bind(other)
        .sql(", calendar_name = ")
        .bind(name.to_owned())
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(its("calendar_id"));
    named("sealed_calendars.replace_target", integration).execute(conn).await?;
    for column in ["external_calendar_id", "moving_from_calendar_id"] {
        let links = sql(format!("UPDATE appointment_external_links SET html_link = NULL, {column} = "))
            .bind(other)
            .sql(" WHERE ")
            .with(its(column));
        named("sealed_calendars.replace_of_links", links).execute(conn).await?;
    }
    let owed = sql("UPDATE owed_deletions SET calendar_id = ").bind(other).sql(" WHERE ").with(its("calendar_id"));
    named("sealed_calendars.replace_of_owed", owed).execute(conn).await?;
    Ok(())
}
