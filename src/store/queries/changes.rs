//! What PostgreSQL tells of itself: whose the connection is, what time it is, and a word to whoever listens.
//!
//! Owns these three statements. Never reads or writes a table, and is never run on SQLite, which knows none of the
//! three. Invariant: whoever listens hears the name of the connection that sent the word.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::statement::{named, sql};
use super::{Conn, Fault, InstantSql};
use crate::store::instant::Instant;

pub(in crate::store) async fn echo(conn: &mut Conn) -> Result<(), Fault> {
    let select = sql("SELECT pg_notify('cassius_calendar', current_setting('application_name') || chr(10) || 'echo')");
    named("changes.echo", select).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

pub(in crate::store) async fn own_name(conn: &mut Conn) -> Result<String, Fault> {
    let select = sql("SELECT current_setting('application_name') AS name");
    let row: NameRow = named("changes.own_name", select).get_result(conn).await?;
    Ok(row.name)
}

#[derive(QueryableByName)]
struct ClockRow {
    #[diesel(sql_type = InstantSql)]
    now: Instant,
}

pub(in crate::store) async fn clock(conn: &mut Conn) -> Result<Timestamp, Fault> {
    let row: ClockRow = named("changes.clock", sql("SELECT clock_timestamp() AS now")).get_result(conn).await?;
    Ok(row.now.0)
}
