//! What PostgreSQL tells whoever listens.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::statement::{named, sql};
use super::{Conn, Fault};

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

/// What the server calls this connection.
pub(in crate::store) async fn own_name(conn: &mut Conn) -> Result<String, Fault> {
    let select = sql("SELECT current_setting('application_name') AS name");
    let row: NameRow = named("changes.own_name", select).get_result(conn).await?;
    Ok(row.name)
}
