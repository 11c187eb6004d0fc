//! A database that is away, busy or asked for nonsense.

use std::time::Duration;

use cassius_calendar::model::{Reason, RemoteEvents, SyncStatus};
use cassius_calendar::store::{Connect, Error, LinkError, Options, Settlement, Store};
use memchr::memmem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::harness::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wire {
    Through,
    /// Connections are closed, and new ones too.
    Cut,
    /// Connections stay, and nothing passes.
    Mute,
}

/// Stands between the store and PostgreSQL; answers its port.
async fn wire_to_postgres(wire: watch::Receiver<Wire>) -> u16 {
    let server: tokio_postgres::Config = std::env::var("TEST_POSTGRES_URL").unwrap().parse().unwrap();
    let tokio_postgres::config::Host::Tcp(host) = server.get_hosts()[0].clone() else {
        panic!("the test's server is reached over TCP");
    };
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let (mut wire, host) = (wire.clone(), host.clone());
            tokio::spawn(async move {
                if *wire.borrow_and_update() == Wire::Cut {
                    return;
                }
                let mut far = TcpStream::connect((host, port)).await.unwrap();
                loop {
                    let state = *wire.borrow_and_update();
                    let copy = async {
                        match state {
                            Wire::Through => drop(tokio::io::copy_bidirectional(&mut near, &mut far).await),
                            Wire::Cut => {}
                            Wire::Mute => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = copy => return,
                        changed = wire.changed() => if changed.is_err() { return },
                    }
                }
            });
        }
    });
    here
}

async fn within_five_seconds<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), call).await.expect("an answer within five seconds")
}

async fn away_and_back(away: Wire) {
    let database = Database::on_postgres().await;
    let (switch, wire) = watch::channel(Wire::Through);
    let port = wire_to_postgres(wire).await;
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_port(Some(port)).unwrap();
    let store = Store::open(url.as_str(), &Options { pool_size: 3, ..Options::default() }).await.unwrap();
    database.is_connected("north").await;
    store.accept(vec![acceptance("north", "before", 1)], at(1)).await.unwrap();

    switch.send(away).unwrap();
    for _ in 0..2 {
        let accepted = within_five_seconds(store.accept(vec![acceptance("north", "lost", 1)], at(2))).await;
        assert!(matches!(accepted, Err(Error::Unavailable(_))), "{accepted:?}");
        let read = within_five_seconds(store.integration(&organisation("north"))).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
    }

    switch.send(Wire::Through).unwrap();
    // Whatever connections are left broken are replaced without anybody's help.
    let mut links = within_five_seconds(store.accept(vec![acceptance("north", "after", 1)], at(3))).await;
    if links.is_err() {
        links = within_five_seconds(store.accept(vec![acceptance("north", "after", 1)], at(3))).await;
    }
    assert_eq!(links.unwrap()[0].sync_status, SyncStatus::Pending);
    assert_eq!(
        store.link(&organisation("north"), &appointment("before")).await.unwrap().unwrap().revision,
        Some(revision(1))
    );
    drop((store, switch));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_refuses_is_unavailable_and_found_again() {
    away_and_back(Wire::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_hangs_is_unavailable_and_found_again() {
    away_and_back(Wire::Mute).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ended_are_replaced() {
    let database = Database::on_postgres().await;
    database.is_connected("north").await;
    let ended = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
        database.name()
    );
    for n in 0..3 {
        database.run(&ended).await;
        // The one call that meets the end of its connection may say so; none after it.
        let id = format!("rdv-{n}");
        let first = database.store.accept(vec![acceptance("north", &id, 1)], at(1)).await;
        assert!(matches!(first, Ok(_) | Err(Error::Unavailable(_))), "{first:?}");
        database.accept("north", &id, 2, at(2)).await;
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sqlite_that_another_process_writes_to_is_unavailable_until_it_is_done() {
    let database = Database::on_sqlite().await;
    database.is_connected("north").await;
    let mut other = <diesel::SqliteConnection as diesel::Connection>::establish(&database.path()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut other, "BEGIN IMMEDIATE").unwrap();
    let accepted = within_five_seconds(database.store.accept(vec![acceptance("north", "rdv", 1)], at(1))).await;
    assert!(matches!(accepted, Err(Error::Unavailable(_))), "{accepted:?}");
    let as_of = database.as_of(&organisation("north")).await;
    let consents = within_five_seconds(database.store.connect(grant("north"), as_of, at(2), at(1))).await;
    assert!(matches!(consents, Err(Error::Unavailable(_))), "{consents:?}");
    assert!(database.the_integration("north").await.is_connected(), "reading goes on");
    diesel::connection::SimpleConnection::batch_execute(&mut other, "COMMIT").unwrap();
    assert_eq!(database.accept("north", "rdv", 1, at(2)).await.sync_status, SyncStatus::Pending);
}

#[apply(both_backends)]
async fn a_caller_that_goes_away_leaves_no_transaction_open(database: &Database) {
    database.is_connected("north").await;
    for n in 0..40 {
        let (store, as_of) = (database.store.clone(), database.as_of(&organisation("south")).await);
        let call = tokio::spawn(async move { store.connect(grant("south"), as_of, at(n + 1), at(n)).await });
        for _ in 0..n % 7 {
            tokio::task::yield_now().await;
        }
        call.abort();
    }
    database.accept("north", "rdv", 1, at(1)).await;
    // A call that was given up may end meanwhile, and begin another epoch.
    let connect = async || {
        let as_of = database.as_of(&organisation("south")).await;
        database.store.connect(grant("south"), as_of, at(100), at(99)).await.unwrap()
    };
    while connect().await != Connect::Stored {}
    assert!(database.the_integration("south").await.is_connected());
}

#[apply(both_backends)]
async fn a_value_that_cannot_be_read_is_named_by_its_column(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.run("UPDATE appointment_external_links SET sync_status = 'perhaps'").await;
    let link = database.the_link("north", "rdv").await;
    assert_eq!(link.sync_status, SyncStatus::Error);
    let error = LinkError { reason: Reason::Internal, detail: Some("sync_status".into()) };
    assert_eq!(link.last_error, Some(error));
}

#[apply(both_backends)]
async fn a_table_that_is_missing_is_no_outage(database: &Database) {
    database.run("DROP TABLE oauth_consents").await;
    let begun = database.store.begin_disconnect(&organisation("north"), RemoteEvents::Keep, at(1)).await;
    assert!(matches!(begun, Err(Error::Bug(_))), "{begun:?}");
    database.store.ping().await.unwrap();
}

#[apply(both_backends)]
async fn a_nul_in_a_text_is_no_outage(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let mut settlement = synced(&claimed, &written("agenda", "event", 1));
    if let Settlement::Synced { html_link, .. } = &mut settlement {
        *html_link = Some("a\0b".into());
    }
    let settled = database.store.settle(&claimed, &settlement, at(3)).await;
    if database.is_postgres() {
        assert!(matches!(settled, Err(Error::Bug(_))), "{settled:?}");
        assert_eq!(database.the_link("north", "rdv").await.sync_status, SyncStatus::Pending);
    } else {
        // SQLite can hold it.
        assert!(settled.unwrap().is_done());
        assert_eq!(database.the_link("north", "rdv").await.html_link.as_deref(), Some("a\0b"));
    }
}

/// Nobody else would end it before the time-out of the session: of a connection that was closed, a server that works hears
/// nothing. What ended it is seen from within; a sequence keeps what a transaction that is rolled back does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_given_up_by_us_are_cancelled_at_the_server_too() {
    let database = Database::on_postgres().await;
    database
        .run(
            "CREATE SEQUENCE begun;
             CREATE SEQUENCE cancelled_by_us;
             CREATE FUNCTION work_for_long() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
                PERFORM nextval('begun');
                PERFORM pg_sleep(300);
                RETURN NEW;
             EXCEPTION WHEN query_canceled THEN
                IF SQLERRM LIKE '%user request' THEN PERFORM nextval('cancelled_by_us'); END IF;
                RAISE;
             END $$;
             CREATE TRIGGER work_for_long BEFORE INSERT ON appointment_external_links
                FOR EACH ROW EXECUTE FUNCTION work_for_long();",
        )
        .await;
    let accepts = ["north", "south", "west"].map(|organisation| {
        let store = database.store.clone();
        async move { store.accept(vec![acceptance(organisation, "rdv", 1)], at(1)).await }
    });
    for accepted in futures_util::future::join_all(accepts).await {
        assert!(matches!(accepted, Err(Error::Unavailable(_))), "{accepted:?}");
    }
    let counted = async |sequence: &str| {
        database.number(&format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")).await
    };
    assert!(counted("begun").await >= 3);
    let at_work = "SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    while database.number(at_work).await > 0 {}
    assert_eq!(counted("cancelled_by_us").await, counted("begun").await);
    assert!(database.store.link(&organisation("north"), &appointment("rdv")).await.unwrap().is_none());
    database.drop().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_a_word_of_it() {
    for url in ["", "mysql://root:geheim@host/db", "sqlite::memory:", "sqlite:", "postgres://u:geheim@host:port/db"] {
        let opened = Store::open(url, &Options::default()).await;
        let Err(Error::Bug(reason)) = opened else { panic!("{url} was opened") };
        assert!(!format!("{reason} {reason:?}").contains("geheim"), "{reason}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_the_owner_can_read_the_sqlite_files() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::on_sqlite().await;
    database.is_connected("north").await;
    let mut seen = 0;
    for file in std::fs::read_dir(database.folder()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        seen += 1;
    }
    assert_eq!(seen, 3, "the file, its log and its index");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_disconnect_erased_is_not_left_in_the_sqlite_file() {
    const CANARY: &str = "canary-8f2a@example.com";
    let database = Database::on_sqlite().await;
    let north = organisation("north");
    let grant = cassius_calendar::store::Grant {
        google_email: CANARY.into(),
        refresh_token: sealed("sealed canary"),
        ..grant("north")
    };
    database.connect(grant, at(0)).await;
    let epoch = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(1)).await.unwrap().unwrap().epoch;
    assert!(database.store.finish_disconnect(&north, epoch, at(2)).await.unwrap().is_done());
    database.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let bytes = std::fs::read(database.path()).unwrap();
    for canary in [CANARY, "sealed canary"] {
        assert!(memmem::find(&bytes, canary.as_bytes()).is_none(), "{canary}");
    }
    assert!(memmem::find(&bytes, b"account of north").is_some(), "the test reads what is there");
}

/// Faults are judged by their words: whatever the database says for itself, they are asked for in English. It is seen from
/// within, by what a trigger finds set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_language_is_asked_for_english() {
    let database = Database::on_postgres().await;
    database
        .run(
            "CREATE TABLE languages (language TEXT NOT NULL);
             CREATE FUNCTION tell_language() RETURNS TRIGGER LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO languages VALUES (current_setting('lc_messages')); RETURN NULL; END $$;
             CREATE TRIGGER tell_language AFTER INSERT ON appointment_external_links EXECUTE FUNCTION tell_language();",
        )
        .await;
    // A language that every server has, and that is not what is asked for.
    database.run(&format!("ALTER DATABASE {} SET lc_messages = 'C.UTF-8'", database.name())).await;
    let store = Store::open(&database.url, &Options::default()).await.unwrap();
    store.accept(vec![acceptance("north", "rdv", 1)], at(1)).await.unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM languages WHERE language = 'C'").await, 1);
    assert_eq!(store.foreign_language().await.unwrap(), None);
    drop(store);
    database.drop().await;
}
