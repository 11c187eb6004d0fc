//! Which migrations the database has: read as any role may that reads the tables.

use diesel_async::RunQueryDsl;

use super::statement::{named, sql};
use super::{Conn, Fault};

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

pub(in crate::store) async fn applied(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let applied = sql("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    let applied: Vec<Applied> = named("migrations.applied", applied).load(conn).await?;
    Ok(applied.into_iter().map(|row| row.version).collect())
}
