//! Migrations, and what the migrated database promises.

use std::collections::BTreeSet;
use std::path::Path;

use cassius_calendar::model::{Problem, Reason};
use cassius_calendar::store::{Options, Store};
use strum::VariantArray as _;

use super::harness::{Database, apply, at, both_backends, organisation};

const MOUNTED: &str = include_str!("../../src/store/queries/schema.rs");

/// The tables of the catalogue of PostgreSQL that are the service's own.
const OF_POSTGRES: &str = "pg_class AS t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
    AND t.relname <> '__diesel_schema_migrations'";

/// The tables of the catalogue of SQLite that are the service's own.
const OF_SQLITE: &str = "t.type = 'table' AND t.name <> '__diesel_schema_migrations'";

/// Every column of the migrated database, as `table.column`.
async fn columns(database: &Database) -> BTreeSet<String> {
    let select = if database.is_postgres() {
        format!(
            "SELECT t.relname || '.' || c.attname FROM pg_attribute AS c, {OF_POSTGRES}
             AND c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped"
        )
    } else {
        format!(
            "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c WHERE {OF_SQLITE}"
        )
    };
    database.texts(&select).await.into_iter().collect()
}

/// The tables and columns of the migrated database that no comment explains.
async fn uncommented(database: &Database) -> BTreeSet<String> {
    if database.is_postgres() {
        let tables =
            format!("SELECT t.relname::text FROM {OF_POSTGRES} AND obj_description(t.oid, 'pg_class') IS NULL");
        let columns = format!(
            "SELECT t.relname || '.' || c.attname FROM pg_attribute AS c, {OF_POSTGRES}
             AND c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
             AND col_description(t.oid, c.attnum) IS NULL"
        );
        return database.texts(&tables).await.into_iter().chain(database.texts(&columns).await).collect();
    }
    // SQLite keeps a table as it was written, with the comments inside; those above it are in the migrations alone.
    let migrations = sqlite_migrations();
    let mut bare = BTreeSet::new();
    for table in database.texts(&format!("SELECT t.name FROM sqlite_schema AS t WHERE {OF_SQLITE}")).await {
        let select = format!("SELECT t.sql FROM sqlite_schema AS t WHERE t.name = '{table}'");
        let sql = database.texts(&select).await.concat();
        if !is_commented(&migrations, &format!("CREATE TABLE {table} ")) {
            bare.insert(table.clone());
        }
        let select = format!("SELECT c.name FROM pragma_table_xinfo('{table}') AS c");
        for column in database.texts(&select).await {
            if !is_commented(&sql, &format!("{column} ")) && !sql.contains(&format!("{column} /* ")) {
                bare.insert(format!("{table}.{column}"));
            }
        }
    }
    bare
}

/// Whether a line that begins like this stands under a comment.
fn is_commented(sql: &str, beginning: &str) -> bool {
    let mut lines = sql.lines().map(str::trim_start);
    let mut above = lines.next().unwrap_or_default();
    lines.any(|line| std::mem::replace(&mut above, line).starts_with("--") && line.starts_with(beginning))
}

fn sqlite_migrations() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let migrations = std::fs::read_dir(folder).unwrap().map(|migration| migration.unwrap().path().join("up.sql"));
    migrations.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Every column that the queries know.
fn mounted() -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    for table in MOUNTED.split("diesel::table! {").skip(1) {
        let (head, body) = table.split_once(") {").unwrap();
        let name = head.lines().last().unwrap().split_whitespace().next().unwrap();
        for line in body.lines().filter(|line| line.contains(" -> ")) {
            columns.insert(format!("{name}.{}", line.split_whitespace().next().unwrap()));
        }
    }
    columns
}

#[apply(both_backends)]
async fn every_table_and_column_is_commented(database: &Database) {
    assert_eq!(uncommented(database).await, BTreeSet::new());
}

#[apply(both_backends)]
async fn a_table_or_column_without_a_comment_is_found(database: &Database) {
    database.run("CREATE TABLE bare (a TEXT); ALTER TABLE oauth_consents ADD COLUMN b TEXT").await;
    let bare = BTreeSet::from(["bare", "bare.a", "oauth_consents.b"].map(str::to_owned));
    assert_eq!(uncommented(database).await, bare);
    let comment = if database.is_postgres() {
        "ALTER TABLE bare ADD COLUMN c TEXT; COMMENT ON COLUMN bare.c IS 'What it is.'"
    } else {
        "ALTER TABLE bare ADD COLUMN c /* What it is. */ TEXT"
    };
    database.run(comment).await;
    assert_eq!(uncommented(database).await, bare);
}

#[apply(both_backends)]
async fn the_queries_know_the_columns_of_the_migrated_database(database: &Database) {
    assert_eq!(columns(database).await, mounted());
    assert!(mounted().len() > 100, "the test reads every column");
}

// Whether an integration is served is said in the schema, which takes a reason that it does not know for none: one that is
// added needs a migration.
#[apply(both_backends)]
async fn the_schema_knows_every_reason(database: &Database) {
    let north = organisation("north");
    let held = async |column: &str| {
        database.number(&format!("SELECT count(*) FROM calendar_integrations WHERE {column} IS NULL")).await == 1
    };
    for reason in Reason::VARIANTS {
        let integration = database.is_connected("north").await;
        assert!(!held("served_from").await && !held("owed_served_from").await);
        let problem = Problem { reason: *reason, since_at: at(1), retry_at: None };
        assert!(database.store.note_problem(&north, integration.epoch, &problem, at(1)).await.unwrap().is_done());
        let says_nothing_of_others = matches!(reason, Reason::CalendarUnavailable | Reason::Internal);
        assert!(held("served_from").await, "{reason:?}");
        assert_eq!(held("owed_served_from").await, !says_nothing_of_others, "{reason:?}");
    }
}

#[apply(both_backends)]
async fn a_migrated_database_has_nothing_pending(database: &Database) {
    assert_eq!(database.store.pending_migrations().await.unwrap(), Vec::<String>::new());
    assert_eq!(database.store.migrate().await.unwrap(), Vec::<String>::new());
    database.store.ping().await.unwrap();
}

/// The names of the migrations of this back end, in the order in which they are applied.
fn in_the_folder(database: &Database) -> Vec<String> {
    let folder = if database.is_postgres() { "migrations/postgres" } else { "migrations/sqlite" };
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() > 8, "{names:?}");
    names
}

async fn two_migrate_at_once(database: &Database) {
    let pending = database.store.pending_migrations().await.unwrap();
    assert_eq!(pending, in_the_folder(database));
    let other = Store::open(&database.url, &Options::default()).await.unwrap();
    let store = database.store.clone();
    let (one, two) = tokio::join!(
        tokio::spawn(async move { store.migrate().await.unwrap() }),
        tokio::spawn(async move { other.migrate().await.unwrap() }),
    );
    let mut counts = [one.unwrap().len(), two.unwrap().len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, pending.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_migrate_at_once_do_it_once_on_sqlite() {
    two_migrate_at_once(&Database::empty_on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_migrate_at_once_do_it_once_on_postgres() {
    let database = Database::empty_on_postgres().await;
    two_migrate_at_once(&database).await;
    database.drop().await;
}

#[test]
fn no_two_migrations_of_a_back_end_have_one_version() {
    for back_end in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(back_end);
        let names = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        let names: Vec<_> = names.collect();
        let versions: BTreeSet<_> = names.iter().map(|name| name.split('_').next().unwrap()).collect();
        assert_eq!(versions.len(), names.len(), "diesel applies one of each version");
    }
}
