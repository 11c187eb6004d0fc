//! A PgBouncer between the service and PostgreSQL.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cassius_calendar::app;
use cassius_calendar::clock::Entropy;
use cassius_calendar::config::{Config, Mode};
use cassius_calendar::grpc::pb::{SyncAppointmentRequest, WatchStatusRequest};
use jiff::SignedDuration;

use super::Replica;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::database::{Database, server};
use crate::harness::samples::appointment;

/// How many sessions it has in transaction mode: fewer than the service has connections.
const FEW: usize = 3;
const APPOINTMENTS: i32 = 40;

pub(super) struct PgBouncer {
    process: Child,
    folder: tempfile::TempDir,
}

impl PgBouncer {
    /// Starts it before the tests' server, at a socket of its own; `pool` is how many sessions it has for each database.
    pub(super) fn start(mode: &str, pool: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It gives the rights of root up.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let server = url::Url::parse(&server()).unwrap();
        let settings = format!(
            "[databases]\n* = host={} port={} user={}\n[pgbouncer]\nunix_socket_dir = {}\nauth_type = any\n\
             pool_mode = {mode}\ndefault_pool_size = {pool}\n",
            server.host_str().unwrap(),
            server.port().unwrap(),
            server.username(),
            folder.path().display()
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("pgbouncer");
        if std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0) {
            command.args(["-u", "postgres"]);
        }
        let mut process = command.arg(&file).stderr(Stdio::piped()).spawn().expect("tests/with-postgres installs it");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<_> = lines.by_ref().take_while(|line| !line.contains("process up")).collect();
        // It goes on talking, and ends where nobody listens.
        std::thread::spawn(move || lines.for_each(drop));
        assert!(process.try_wait().unwrap().is_none(), "{said:?}");
        Self { process, folder }
    }

    /// Where a database is reached through it.
    pub(super) fn url(&self, database: &Database, options: &str) -> String {
        let host = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{host}:6432/{}{options}", database.name())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_that_keeps_sessions_replicas_are_as_without_it() {
    let pooler = PgBouncer::start("session", 40);
    let database = Database::empty_on_postgres().await;
    let url = pooler.url(&database, "");
    let mut app = TestApp::start_with(database, &settings(&url)).await;
    work(&mut app, SignedDuration::ZERO).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_that_keeps_no_sessions_replicas_leave_nothing_in_them() {
    let pooler = PgBouncer::start("transaction", FEW);
    let database = Database::empty_on_postgres().await;
    let (said, unsaid) = (pooler.url(&database, "?pooler=transaction"), pooler.url(&database, ""));
    let mut app = TestApp::start_with(database, &settings(&said)).await;
    work(&mut app, SignedDuration::from_millis(250)).await;

    let mut clients = Vec::new();
    for _ in 0..FEW {
        let (client, connection) = tokio_postgres::connect(&unsaid, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // Each holds a session of its own.
        let left = "BEGIN; SELECT COUNT(*) || ' prepared, jit ' || current_setting('jit') FROM pg_prepared_statements";
        let said = client.simple_query(left).await.unwrap();
        let texts: Vec<_> = said
            .iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        assert_eq!(texts, ["0 prepared, jit on"]);
        clients.push(client);
    }
    drop(clients);

    app.stop().await;
    app.settings.insert("DATABASE_URL".into(), unsaid);
    let settings = |name: &str| app.settings.get(name).map(OsString::from);
    let config = Config::load(&settings, Mode::Serve, &[]).unwrap();
    let refused = app::start(config, app.clock.clone(), Entropy::system()).await.unwrap_err().to_string();
    assert!(refused.contains("pooler in transaction mode"), "{refused}");
    app.end().await;
}

fn settings(url: &str) -> [(&str, &str); 3] {
    [("DATABASE_URL", url), ("QUOTA_USER_PER_MINUTE", "100000"), ("QUOTA_PROJECT_PER_MINUTE", "100000")]
}

/// Accepts at two replicas at once, delivers, and tells one of what the other did; `step` is how fast time passes.
async fn work(app: &mut TestApp, step: SignedDuration) {
    let mut other = Replica::start(app, &app.clock).await;
    app.connect("cabinet").await;
    let request = WatchStatusRequest { organisation_id: "cabinet".into() };
    let mut statuses = other.integrations.watch_status(request).await.unwrap().into_inner();
    let mut accepts = tokio::task::JoinSet::new();
    for number in 0..APPOINTMENTS {
        let mut appointments = if number % 2 == 0 { app.appointments.clone() } else { other.appointments.clone() };
        let appointment = Some(appointment(&format!("rdv-{number}"), 1));
        let request = SyncAppointmentRequest { organisation_id: "cabinet".into(), appointment, wait: None };
        accepts.spawn(async move { appointments.sync_appointment(request).await });
    }
    let told = async {
        for accepted in accepts.join_all().await {
            accepted.expect("it is accepted");
        }
        while statuses.message().await.unwrap().unwrap().status.unwrap().counts.unwrap().synced < APPOINTMENTS {}
    };
    let time = async {
        loop {
            // The service goes on meanwhile: this decides nothing but how fast simulated time passes. A call that is under way
            // on a slow machine is not jumped over.
            let _ = tokio::time::timeout(Duration::from_millis(8), std::future::pending::<()>()).await;
            app.google.until_idle().await;
            app.clock.advance(step);
        }
    };
    tokio::select! {
        told = tokio::time::timeout(BOUND, told) => told.expect("the other replica tells of it"),
        () = time => {}
    }
    assert_eq!(app.google.event_calls().await.len(), APPOINTMENTS as usize, "each was written once");
    other.app.stop().await;
}
