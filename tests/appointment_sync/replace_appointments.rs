//! `ReplaceAppointments`, and how the service tells that Cassius, or it itself, was restored from a backup.

use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::{
    Appointment, GetAppointmentLinkRequest, ReplaceAppointmentsRequest, ReplaceAppointmentsResponse, ReplacementEnd,
    SyncNowRequest, SyncStatus,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};
use crate::scenarios::until_number;
use crate::wire::refused::refused;

fn of(organisation: &str, part: Part) -> ReplaceAppointmentsRequest {
    ReplaceAppointmentsRequest { organisation_id: organisation.into(), part: Some(part) }
}

fn row(appointment: Appointment) -> ReplaceAppointmentsRequest {
    of("cabinet", Part::Appointment(appointment))
}

fn end(appointment_count: i32) -> ReplaceAppointmentsRequest {
    of("cabinet", Part::End(ReplacementEnd { appointment_count }))
}

async fn replace(
    app: &mut TestApp,
    requests: Vec<ReplaceAppointmentsRequest>,
) -> Result<ReplaceAppointmentsResponse, Status> {
    // What was accepted before lies before.
    app.advance(1);
    Ok(app.appointments.replace_appointments(tokio_stream::iter(requests)).await?.into_inner())
}

/// The title of the appointment's one event, and the revision that it names.
async fn shown(app: &TestApp, id: &str) -> (String, String) {
    let events = app.google.events_of(ACCOUNT, id).await;
    assert_eq!(events.len(), 1, "{id}");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&events[0]["summary"]), text(&events[0]["extendedProperties"]["private"]["cassiusRevision"]))
}

fn title(patient: &str, revision: &str) -> (String, String) {
    (format!("[Cassius] Implant — {patient}"), revision.to_owned())
}

#[apply(both_backends)]
async fn an_older_revision_is_told_that_a_higher_one_is_held(app: &mut TestApp) {
    assert!(!app.accept("cabinet", appointment("a", 5)).await.is_held_higher);
    assert!(!app.accept("cabinet", appointment("a", 5)).await.is_held_higher);
    let older = app.accept("cabinet", appointment("a", 4)).await;
    assert_eq!((older.is_held_higher, older.revision), (true, 5));
    assert!(!app.link("cabinet", "a").await.is_held_higher);
}

#[apply(both_backends)]
async fn what_is_sent_twice_counts_once_so_that_what_was_left_out_is_not_erased(app: &mut TestApp) {
    for id in ["a", "b"] {
        app.accept("cabinet", appointment(id, 5)).await;
    }
    let refused_with = replace(app, vec![row(appointment("a", 5)), row(appointment("a", 5)), end(2)]).await;
    refused(refused_with, Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(app.link("cabinet", "b").await.revision, 5);
    let replaced = replace(app, vec![row(appointment("a", 5)), row(appointment("a", 6)), end(1)]).await.unwrap();
    assert_eq!((replaced.appointment_count, replaced.erased_count), (1, 1));
    assert_eq!(app.link("cabinet", "a").await.revision, 6);
}

#[apply(both_backends)]
async fn what_is_sent_is_the_truth_whatever_is_held_and_what_is_not_is_erased(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["back", "same", "gone"] {
        app.sync("cabinet", of_patient(id, 5, "Camille Exemple")).await;
    }
    app.accept("voisin", appointment("gone", 5)).await;
    let rows = vec![
        row(of_patient("back", 3, "Dominique Essai")),
        // The same number for another content: a counter that was restored too.
        row(of_patient("same", 5, "Alix Modèle")),
        row(appointment("new", 1)),
        end(3),
    ];
    let replaced = replace(app, rows).await.unwrap();
    assert_eq!((replaced.appointment_count, replaced.erased_count), (3, 1));
    app.at_rest("cabinet").await;
    assert_eq!(shown(app, "back").await, title("Dominique Essai", "3"));
    assert_eq!(shown(app, "same").await, title("Alix Modèle", "5"));
    assert_eq!(shown(app, "new").await, title("Camille Exemple", "1"));
    let link = app.link("cabinet", "back").await;
    assert_eq!((link.sync_status(), link.revision, link.synced_revision), (SyncStatus::Synced, 3, 3));
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    assert!(app.google.events_of(ACCOUNT, "gone").await.is_empty());
    let gone = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: "gone".into() };
    refused(app.appointments.get_appointment_link(gone).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");
    assert_eq!(app.link("voisin", "gone").await.revision, 5, "nobody else notices");
    // It goes on from there.
    assert_eq!(app.sync("cabinet", of_patient("back", 4, "Camille Exemple")).await.synced_revision, 4);
}

#[apply(both_backends)]
async fn what_came_before_a_request_at_fault_is_taken_over_and_nothing_is_erased(app: &mut TestApp) {
    for id in ["before", "after", "unsent"] {
        app.accept("cabinet", appointment(id, 5)).await;
    }
    let rows = vec![row(appointment("before", 3)), row(appointment("", 1)), row(appointment("after", 3)), end(3)];
    refused(replace(app, rows).await, Code::InvalidArgument, "INVALID_REQUEST");
    for (id, revision) in [("before", 3), ("after", 5), ("unsent", 5)] {
        assert_eq!(app.link("cabinet", id).await.revision, revision, "{id}");
    }
}

#[apply(both_backends)]
async fn unchanged_content_at_a_lower_revision_is_written_so_that_google_names_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 5)).await;
    replace(app, vec![row(appointment("a", 3)), end(1)]).await.unwrap();
    app.at_rest("cabinet").await;
    assert_eq!(shown(app, "a").await, title("Camille Exemple", "3"));
}

#[apply(both_backends)]
async fn what_is_accepted_while_a_replacement_is_under_way_stays(app: &mut TestApp) {
    app.accept("cabinet", appointment("edited", 5)).await;
    app.advance(1);
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let mut appointments = app.appointments.clone();
    let replacing = tokio::spawn(async move {
        appointments.replace_appointments(ReceiverStream::new(receiver)).await.unwrap().into_inner()
    });
    sender.send(row(appointment("first", 1))).await.unwrap();
    let first = "SELECT COUNT(*) FROM appointment_external_links WHERE appointment_id = 'first'";
    until_number(app, first, 1).await;
    app.accept("cabinet", appointment("edited", 9)).await;
    app.accept("cabinet", appointment("new", 1)).await;
    sender.send(row(appointment("edited", 4))).await.unwrap();
    sender.send(end(2)).await.unwrap();
    assert_eq!(replacing.await.unwrap().erased_count, 0);
    assert_eq!(app.link("cabinet", "edited").await.revision, 9);
    assert_eq!(app.link("cabinet", "new").await.revision, 1);
}

#[apply(both_backends)]
async fn nothing_is_erased_before_the_end_and_all_faults_are_told(app: &mut TestApp) {
    app.accept("cabinet", appointment("kept", 5)).await;
    let other = of("voisin", Part::Appointment(appointment("b", 1)));
    let nothing = ReplaceAppointmentsRequest { organisation_id: "cabinet".into(), part: None };
    for (requests, field) in [
        (vec![row(appointment("a", 1))], "end"),
        (vec![], "end"),
        (vec![row(appointment("a", 1)), end(2)], "end.appointment_count"),
        (vec![row(appointment("a", 1)), other, end(2)], "organisation_id"),
        (vec![row(appointment("a", 1)), nothing, end(1)], "appointment"),
        (vec![row(appointment("a", 0)), end(1)], "appointment.revision"),
    ] {
        let answer = replace(app, requests).await;
        assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, [field]);
    }
    assert_eq!(app.link("cabinet", "kept").await.revision, 5);
}

#[apply(both_backends)]
async fn a_service_that_was_restored_from_an_older_backup_notices_and_writes_nothing_over(app: &mut TestApp) {
    const COLUMNS: [&str; 5] = ["revision", "synced_revision", "snapshot", "etag", "content_hash"];
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 1)).await;
    app.database.run("CREATE TABLE backup AS SELECT * FROM appointment_external_links").await;
    app.sync("cabinet", of_patient("a", 2, "Dominique Essai")).await;
    let restored = COLUMNS.map(|column| format!("{column} = (SELECT {column} FROM backup)")).join(", ");
    app.database.run(&format!("UPDATE appointment_external_links SET {restored}; DROP TABLE backup")).await;
    app.advance(1);
    let sync_now = |dry_run| SyncNowRequest { organisation_id: "cabinet".into(), dry_run };
    let counted = app.integrations.sync_now(sync_now(true)).await.unwrap().into_inner();
    assert_eq!((counted.newer_count, counted.altered_count), (1, 0));
    app.integrations.sync_now(sync_now(false)).await.unwrap();
    app.until("cabinet", |status| status.behind_count == 1).await;
    app.at_rest("cabinet").await;
    assert_eq!(shown(app, "a").await, title("Dominique Essai", "2"), "what is older is not written over it");

    app.sync("cabinet", of_patient("a", 2, "Dominique Essai")).await;
    app.advance(1);
    app.integrations.sync_now(sync_now(false)).await.unwrap();
    app.until("cabinet", |status| status.behind_count == 0).await;
    assert_eq!(shown(app, "a").await, title("Dominique Essai", "2"));
}
