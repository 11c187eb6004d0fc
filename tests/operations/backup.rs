//! Backup and restore, as the README says.

use std::process::Command;

use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::{
    ReconcileAppointmentsRequest, ReplaceAppointmentsRequest, ReplacementEnd, SyncNowRequest, SyncStatus,
};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::{run_on_postgres, server};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};
use crate::house::readme::README;
use crate::scenarios::comparison::stray;

fn run(program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// Makes a backup while the service runs.
async fn back_up(app: &TestApp, copy: &str) {
    if app.database.is_postgres() {
        assert!(README.contains("`pg_dump --format=custom --file=copy.dump $DATABASE_URL`"));
        run("pg_dump", &["--format=custom", &format!("--file={copy}"), &app.database.url]);
    } else {
        assert!(README.contains("`(umask 077; sqlite3 cassius-calendar.db \"VACUUM INTO 'copy.db'\")`"));
        app.database.run(&format!("VACUUM INTO '{copy}'")).await;
    }
}

/// Puts a backup in the place of the database, while the service is stopped.
async fn restore(app: &TestApp, copy: &str) {
    if app.database.is_postgres() {
        assert!(README.contains("`pg_restore --exit-on-error --no-owner --dbname=$DATABASE_URL copy.dump`"));
        let name = app.database.name();
        run_on_postgres(&server(), &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        run_on_postgres(&server(), &format!("CREATE DATABASE {name}")).await;
        run("pg_restore", &["--exit-on-error", "--no-owner", &format!("--dbname={}", app.database.url), copy]);
    } else {
        assert!(README.contains("the `-wal` and `-shm` of the old one are removed"));
        let file = app.database.path();
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{ending}"));
        }
        // A name of its own first: whoever has the old file open keeps the old one.
        std::fs::copy(copy, format!("{file}.restored")).unwrap();
        std::fs::rename(format!("{file}.restored"), file).unwrap();
    }
}

#[apply(both_backends)]
async fn a_restored_service_goes_on_and_what_happened_since_is_sent_again_without_doubles(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["kept", "edited", "called off"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy").display().to_string();
    back_up(app, &copy).await;
    // None of this is in the backup; Google has it.
    app.sync("cabinet", of_patient("edited", 2, "Patient 2")).await;
    app.sync("cabinet", cancelled("called off", 2)).await;
    app.sync("cabinet", appointment("new", 1)).await;

    app.stop().await;
    restore(app, &copy).await;
    app.restart().await;
    assert_eq!(app.link("cabinet", "kept").await.sync_status(), SyncStatus::Synced);
    // Cassius asks what is missing, and sends it.
    let revisions = [("kept", 1), ("edited", 2), ("called off", 2), ("new", 1)];
    let requests = revisions.map(|(id, revision)| ReconcileAppointmentsRequest {
        organisation_id: "cabinet".into(),
        appointment_id: id.into(),
        revision,
    });
    let asked = app.appointments.reconcile_appointments(tokio_stream::iter(requests)).await;
    let (mut answers, mut missing) = (asked.unwrap().into_inner(), Vec::new());
    while let Some(answer) = answers.message().await.unwrap() {
        missing.push(answer.appointment_id);
    }
    assert_eq!(missing, ["edited", "called off", "new"]);
    for again in [of_patient("edited", 2, "Patient 2"), cancelled("called off", 2), appointment("new", 1)] {
        assert_eq!(app.sync("cabinet", again).await.sync_status(), SyncStatus::Synced);
    }
    assert_eq!(shown(app).await, ["edited", "kept", "new"]);
}

async fn compare(app: &mut TestApp) {
    app.advance(1);
    let request = SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() };
    app.integrations.sync_now(request).await.unwrap();
}

/// What the calendar shows: the appointments by id.
async fn shown(app: &TestApp) -> Vec<String> {
    let events = app.google.events(ACCOUNT).await;
    let id = |event: &serde_json::Value| event["extendedProperties"]["private"]["cassiusAppointmentId"].clone();
    let mut ids: Vec<_> = events.iter().map(|event| id(event).as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[apply(both_backends)]
async fn what_the_lost_state_wrote_is_told_and_left_until_everything_is_replaced(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("kept", 1)).await;
    app.google.add_event(ACCOUNT, stray("stray", "cabinet", "unknown")).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy").display().to_string();
    back_up(app, &copy).await;
    app.advance(3_600);
    let new = app.sync("cabinet", appointment("new", 1)).await.external_event_id;
    app.advance(3_600);
    app.stop().await;
    restore(app, &copy).await;
    app.restart().await;

    // Of what it does not know, it deletes what stood before it was lost sight of, and nothing else.
    compare(app).await;
    let status = app.until("cabinet", |status| status.behind_count > 0).await;
    assert_eq!(status.behind_count, 1);
    app.while_time_goes_on(app.google.until_deleted(&["stray".into()])).await.expect("it is deleted");
    app.at_rest("cabinet").await;
    assert_eq!(shown(app).await, ["kept", "new"]);

    // Cassius says that this is all there is.
    app.advance(1);
    let of = |part| ReplaceAppointmentsRequest { organisation_id: "cabinet".into(), part: Some(part) };
    let end = Part::End(ReplacementEnd { appointment_count: 1 });
    let requests = [of(Part::Appointment(appointment("kept", 1))), of(end)];
    app.appointments.replace_appointments(tokio_stream::iter(requests)).await.unwrap();
    compare(app).await;
    app.until("cabinet", |status| status.behind_count == 0).await;
    app.while_time_goes_on(app.google.until_deleted(&[new])).await.expect("it is deleted");
    app.at_rest("cabinet").await;
    assert_eq!(shown(app).await, ["kept"]);
}
