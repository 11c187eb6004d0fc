//! `migrate`.

use super::process::{Settings, run, settings, with};
use crate::harness::database::Database;

fn migrates(settings: &Settings) {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["migrate"], settings, folder.path());
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let applied: Vec<_> = ended.output.lines().collect();
    assert_eq!(applied.first(), Some(&"Applied 2026-11-01-000000_tables."));
    assert!(applied.is_sorted() && applied.iter().all(|line| line.starts_with("Applied 2026-")), "{applied:?}");
    let ended = run(&["migrate"], settings, folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "Nothing to apply.\n"), "{}", ended.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_applied_once_on_sqlite() {
    let database = Database::empty_on_sqlite().await;
    migrates(&with(&settings(), &[("DATABASE_URL", &database.url)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_applied_once_on_postgres() {
    let database = Database::empty_on_postgres().await;
    migrates(&with(&settings(), &[("DATABASE_URL", &database.url)]));
    database.drop().await;
}

#[test]
fn whoever_migrates_holds_no_other_secret() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL".to_owned(), "sqlite:cassius-calendar.db".to_owned())].into();
    for command in ["migrate", "integrations"] {
        let ended = run(&[command], &settings, folder.path());
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.errors);
    }
}

#[test]
fn a_database_that_is_not_there_is_said_so_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["postgres://somebody:canary@127.0.0.1:9/none", "sqlite:/nowhere/canary/file.db"] {
        for command in ["migrate", "serve"] {
            let ended = run(&[command], &with(&settings(), &[("DATABASE_URL", url)]), folder.path());
            assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{command} {url}");
            assert!(ended.errors.contains("DATABASE_URL"), "{command}: {}", ended.errors);
            assert!(!ended.errors.contains("canary"), "{command}: {}", ended.errors);
        }
    }
}

/// `serve` with the tables of another version: `change` makes them so.
async fn other_versions_are_refused(database: &Database) {
    let settings = with(&settings(), &[("DATABASE_URL", &database.url)]);
    let folder = tempfile::tempdir().unwrap();
    for (arguments, setting) in [(&["serve", "--no-migrate"][..], "true"), (&["serve"], "false")] {
        let ended = run(arguments, &with(&settings, &[("MIGRATE", setting)]), folder.path());
        assert_eq!(ended.code, Some(1), "{}", ended.errors);
    }
    assert_eq!(run(&["migrate"], &settings, folder.path()).code, Some(0));
    database.run("DELETE FROM __diesel_schema_migrations WHERE version > '20261102'").await;
    let ended = run(&["serve", "--no-migrate"], &settings, folder.path());
    assert!(ended.code == Some(1) && ended.errors.contains("run `cassius-calendar migrate`"), "{}", ended.errors);
    database.run("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')").await;
    // Nobody touches what a later version made, not even what this one would add.
    for arguments in [&["serve", "--no-migrate"][..], &["serve"], &["migrate"], &["reseal"], &["integrations"]] {
        let ended = run(arguments, &settings, folder.path());
        assert!(ended.code == Some(1) && ended.errors.contains("migrated by a newer version"), "{}", ended.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_another_version_are_refused_on_sqlite() {
    other_versions_are_refused(&Database::empty_on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_another_version_are_refused_on_postgres() {
    let database = Database::empty_on_postgres().await;
    other_versions_are_refused(&database).await;
    database.drop().await;
}
