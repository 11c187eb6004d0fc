//! Which migrations the database has: read as any role may that reads the tables.
//!
//! Owns the statements about the list of migrations. Never applies one, and never makes the list where there is none.
//! Invariant: a database that was never migrated is told from the others.

use diesel_async::RunQueryDsl;

use super::statement::{named, sql};
use super::{COUNT_MIGRATION_TABLES, Conn, Fault};

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

#[derive(diesel::QueryableByName)]
struct Tables {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

pub(in crate::store) async fn has_any(conn: &mut Conn) -> Result<bool, Fault> {
    let tables: Tables = named("migrations.has_any", sql(COUNT_MIGRATION_TABLES)).get_result(conn).await?;
    Ok(tables.count > 0)
}

pub(in crate::store) async fn applied(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let applied = sql("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    let applied: Vec<Applied> = named("migrations.applied", applied).load(conn).await?;
    Ok(applied.into_iter().map(|row| row.version).collect())
}
