//! What a look and an edit cost beside ten thousand practices, and many links.

use cassius_calendar::store::{Accepted, Options, SealedColumn, Store};
use jiff::Timestamp;

use super::harness::*;

/// Practices that are connected and have a due link each, but for one may not be served: switched off, in error, or
/// throttled for an hour.
fn made(now: &str, hour: &str) -> String {
    format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO calendar_integrations (organisation_id, provider, google_user_id, refresh_token, calendar_id,
            is_enabled, problem_reason, problem_retry_at, created_at, updated_at)
         SELECT 'practice-' || n, 'google', 'account-' || n, 'sealed', 'agenda', n % 3 > 0 OR n = 9000,
            CASE WHEN n = 9000 OR n % 3 = 0 THEN NULL WHEN n % 3 = 1 THEN 'reconnect_required' ELSE 'google_throttled' END,
            CASE WHEN n % 3 = 2 AND n <> 9000 THEN {now} + {hour} END, {now}, {now}
         FROM n;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO appointment_external_links (organisation_id, appointment_id, provider, revision, snapshot, ends_at,
            sync_status, next_attempt_at, created_at, updated_at)
         SELECT 'practice-' || n, 'rdv', 'google', 1, 'sealed', {now} + {hour}, 'pending', {now}, {now}, {now} FROM n;"
    )
}

/// What the database has read of its tables and their indexes, page by page.
const PAGES: &str = "SELECT COALESCE(SUM(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit), 0)::bigint
                     FROM pg_statio_user_tables";

/// How many rows the database has read by an index, or without one.
const ROWS: &str = "SELECT ((SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes)
                        + (SELECT SUM(seq_tup_read) FROM pg_stat_user_tables))::bigint";

/// A store whose one connection keeps its plans.
async fn on_one_connection(database: &Database) -> Store {
    let url = format!("{}?application_name=reader", database.url);
    Store::open(&url, &Options { pool_size: 1, ..Options::default() }).await.unwrap()
}

/// Waits until the connection has ended: what it has read is told then.
async fn ended(store: Store, database: &Database) {
    drop(store);
    let reading = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'reader%'";
    while database.number(reading).await > 0 {}
}

/// Nobody but the test reads these tables from now on.
const NO_VACUUM: &str = "DO $$ DECLARE named TEXT; BEGIN
    FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        LOOP EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', named); END LOOP; END $$";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_reads_few_rows_by_plans_that_were_made_when_there_were_few_on_postgres() {
    // PostgreSQL keeps a plan after five runs.
    const EDITS: i64 = 10;
    let database = Database::on_postgres().await;
    let now = at(10);
    database.run(NO_VACUUM).await;
    database.is_connected("practice-north").await;
    let store = on_one_connection(&database).await;
    let edit = async |number| {
        let edited = acceptance("practice-north", "rdv-north", number);
        assert!(matches!(store.accept_free(vec![edited.clone()], now).await.unwrap()[..], [Accepted::Stored(_)]));
        store.accept(vec![edited], now).await.unwrap();
        let wanted = [organisation("practice-north")];
        let claimed = store.claim(&wanted, token(), now + MINUTE, now, now, |_| (None, ())).await.unwrap().rows;
        let (claimed, ()) = &claimed[0];
        store.link(&claimed.organisation, &claimed.appointment).await.unwrap().unwrap();
        assert!(store.settle(claimed, &synced(claimed, &absent(1)), now).await.unwrap().is_done());
    };
    for number in 0..EDITS {
        edit(1 + number).await;
    }

    database.run(&made(&format!("TIMESTAMPTZ '{now}'"), "INTERVAL '1 hour'")).await;
    for (status, due) in [("synced", "NULL"), ("pending", "TIMESTAMPTZ '2100-01-01 00:00:00+00'")] {
        database
            .run(&format!(
                "INSERT INTO appointment_external_links (organisation_id, appointment_id, provider, revision, snapshot,
                    ends_at, sync_status, next_attempt_at, created_at, updated_at)
                 SELECT 'practice-north', '{status}-' || n, 'google', 1, 'sealed', TIMESTAMPTZ '{now}', '{status}', {due},
                    TIMESTAMPTZ '{now}', TIMESTAMPTZ '{now}' FROM generate_series(1, 5000) AS n"
            ))
            .await;
    }
    let before = database.number(ROWS).await;
    for number in 0..EDITS {
        edit(101 + number).await;
    }
    ended(store, &database).await;
    let rows = (database.number(ROWS).await - before) / EDITS;
    println!("{rows} rows for an edit");
    // Some three hundred: versions of itself, for the most part. Ten thousand practices, and ten thousand links of its
    // own, take no part in it.
    assert!((1..=1_000).contains(&rows), "{rows} rows for an edit");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_reads_a_handful_of_pages_on_postgres() {
    const LOOKS: i64 = 10;
    let database = Database::on_postgres().await;
    let now = at(10);
    database.run(NO_VACUUM).await;
    database.run(&made(&format!("TIMESTAMPTZ '{now}'"), "INTERVAL '1 hour'")).await;
    database.run("ANALYZE").await;
    let before = database.number(PAGES).await;

    let looker = on_one_connection(&database).await;
    for _ in 0..LOOKS {
        let look = looker.look(Timestamp::UNIX_EPOCH, 72, 1, now).await.unwrap();
        assert_eq!((look.due.len(), look.due[0].organisation.as_str(), look.is_whole), (1, "practice-9000", true));
        assert_eq!(looker.next_due_at(now, Timestamp::MAX).await.unwrap(), Some(at(3_610)));
    }
    ended(looker, &database).await;
    let pages = (database.number(PAGES).await - before) / LOOKS;
    assert!(pages > 0, "the test reads what is counted");
    // A look at one, and four that become ready next: some sixty pages. The rest is read for the plans, which are made anew
    // each time: the ends of indexes. Ten thousand practices take no part in it.
    assert!(pages <= 250, "{pages} pages for a look and the next due instant");
    println!("{pages} pages for a look and the next due instant");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_values_of_a_key_are_found_by_walking_the_table_and_not_in_the_order_of_an_index_on_postgres() {
    const WALKS: &str = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'appointment_external_links'";
    let database = Database::on_postgres().await;
    database.run(NO_VACUUM).await;
    database.run(&made(&format!("TIMESTAMPTZ '{}'", at(10)), "INTERVAL '1 hour'")).await;
    database.run("ANALYZE").await;
    let before = database.number(WALKS).await;
    let reader = on_one_connection(&database).await;
    assert_eq!(reader.sealed_by(SealedColumn::Snapshot, "unused", 50).await.unwrap(), []);
    ended(reader, &database).await;
    assert_eq!(database.number(WALKS).await - before, 1);

    let reader = on_one_connection(&database).await;
    reader.key_counts().await.unwrap();
    ended(reader, &database).await;
    assert_eq!(database.number(WALKS).await - before, 2);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_finds_the_one_that_may_be_served_on_sqlite() {
    let database = Database::on_sqlite().await;
    let now = at(10);
    database.run(&made(&now.as_microsecond().to_string(), "3600000000")).await;
    let look = database.store.look(Timestamp::UNIX_EPOCH, 72, 1, now).await.unwrap();
    assert_eq!((look.due.len(), look.due[0].organisation.as_str(), look.is_whole), (1, "practice-9000", true));
    assert_eq!(database.store.next_due_at(now, Timestamp::MAX).await.unwrap(), Some(at(3_610)));
}
