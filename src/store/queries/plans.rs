//! How a statement would be carried out, for tests.
//!
//! Owns the migrated tables of SQLite with nothing in them: its planner needs no rows. Never executes the statement,
//! and knows nothing of PostgreSQL's plans: those are seen with a server. Invariant: what is planned for has had every
//! migration of SQLite.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::super::Db;
use super::statement::Fragment;

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The steps by which SQLite would carry it out; `None` in the mount of PostgreSQL.
pub(super) fn plan(query: &Fragment) -> Option<Vec<String>> {
    let text = diesel::debug_query::<Db, _>(query).to_string();
    if text.contains("$1") {
        return None;
    }
    let text = format!("EXPLAIN QUERY PLAN {}", text.split(" -- binds").next().unwrap());
    let plan: Vec<PlanRow> = diesel::RunQueryDsl::load(diesel::sql_query(text), &mut migrated()).unwrap();
    Some(plan.into_iter().map(|row| row.detail).collect())
}

fn migrated() -> diesel::SqliteConnection {
    let mut conn = diesel::SqliteConnection::establish(":memory:").unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let mut migrations: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    migrations.sort();
    for migration in migrations {
        conn.batch_execute(&std::fs::read_to_string(migration.join("up.sql")).unwrap()).unwrap();
    }
    conn
}
