//! Migrations, and what the schema promises.

use std::collections::BTreeMap;

use cassius_calendar::store::{Options, Store};

use super::harness::{Database, apply, both_backends};

const SQLITE: &str = include_str!("../../migrations/sqlite/2026-11-01-000000_tables/up.sql");
const POSTGRES: &str = include_str!("../../migrations/postgres/2026-11-01-000000_tables/up.sql");
const MOUNTED: &str = include_str!("../../src/store/queries/schema.rs");

type Columns = BTreeMap<String, Vec<String>>;

/// The columns of each table, and those of them that no comment stands above.
fn of_sqlite() -> (Columns, Vec<String>) {
    let (mut columns, mut bare) = (Columns::new(), Vec::new());
    let (mut table, mut is_commented) = (None, false);
    for line in SQLITE.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            let name = name.trim_end_matches(" (").to_owned();
            if !is_commented {
                bare.push(name.clone());
            }
            table = Some(name);
        } else if line.starts_with(");") || line.starts_with("    PRIMARY KEY") {
            table = None;
        } else if let (Some(table), false) = (&table, line.starts_with("        ") || line.starts_with("    --")) {
            let column = line.split_whitespace().next().unwrap().to_owned();
            if !is_commented {
                bare.push(format!("{table}.{column}"));
            }
            columns.entry(table.clone()).or_default().push(column);
        }
        is_commented = line.trim_start().starts_with("--");
    }
    (columns, bare)
}

fn of_postgres() -> (Columns, Vec<String>) {
    let (mut columns, mut bare) = (Columns::new(), Vec::new());
    for statement in POSTGRES.split("CREATE TABLE ").skip(1) {
        let table = statement.split_whitespace().next().unwrap().to_owned();
        let body = statement.split("\n);").next().unwrap();
        if !POSTGRES.contains(&format!("COMMENT ON TABLE {table} IS")) {
            bare.push(table.clone());
        }
        for line in body.lines().skip(1).filter(|line| !line.starts_with("    PRIMARY KEY")) {
            let column = line.split_whitespace().next().unwrap().to_owned();
            if !POSTGRES.contains(&format!("COMMENT ON COLUMN {table}.{column} IS\n    '")) {
                bare.push(format!("{table}.{column}"));
            }
            columns.entry(table.clone()).or_default().push(column);
        }
    }
    (columns, bare)
}

fn mounted() -> Columns {
    let mut columns = Columns::new();
    for table in MOUNTED.split("diesel::table! {").skip(1) {
        let (head, body) = table.split_once(") {").unwrap();
        let name = head.lines().last().unwrap().split_whitespace().next().unwrap();
        for line in body.lines().filter(|line| line.contains(" -> ")) {
            columns.entry(name.to_owned()).or_default().push(line.split_whitespace().next().unwrap().to_owned());
        }
    }
    columns
}

#[test]
fn every_column_is_commented_on_both_back_ends() {
    let (sqlite, bare) = of_sqlite();
    assert_eq!(bare, Vec::<String>::new());
    let (_, bare) = of_postgres();
    assert_eq!(bare, Vec::<String>::new());
    assert_eq!(sqlite.values().map(Vec::len).sum::<usize>(), 62, "the test reads every column");
}

#[test]
fn both_back_ends_and_the_queries_have_the_same_columns() {
    assert_eq!(of_sqlite().0, of_postgres().0);
    assert_eq!(of_sqlite().0, mounted());
}

#[apply(both_backends)]
async fn a_migrated_database_has_nothing_pending(database: &Database) {
    assert_eq!(database.store.pending_migrations().await.unwrap(), Vec::<String>::new());
    assert_eq!(database.store.migrate().await.unwrap(), Vec::<String>::new());
    database.store.ping().await.unwrap();
}

async fn two_migrate_at_once(database: &Database) {
    assert_eq!(
        database.store.pending_migrations().await.unwrap(),
        ["2026-11-01-000000_tables", "2026-11-27-000000_priority_and_request_seq"]
    );
    let other = Store::open(&database.url, &Options::default()).await.unwrap();
    let store = database.store.clone();
    let (one, two) = tokio::join!(
        tokio::spawn(async move { store.migrate().await.unwrap() }),
        tokio::spawn(async move { other.migrate().await.unwrap() }),
    );
    let mut counts = [one.unwrap().len(), two.unwrap().len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 2]);
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
