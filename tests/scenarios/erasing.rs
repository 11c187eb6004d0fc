//! What is erased is gone: here, at Google, and from the bytes of the database.

use cassius_calendar::grpc::pb::{
    Appointment, DisconnectRequest, EraseAppointmentsRequest, EraseAppointmentsResponse, EraseOrganisationRequest,
    EraseOrganisationResponse, IntegrationState, ReconcileAppointmentsRequest, RemoteEvents, SyncStatus,
};
use memchr::memmem;
use serde_json::json;
use tokio::task::JoinHandle;

use super::{choose_calendar, until_number};
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled, instant, of_patient};

/// Every table that names an organisation, but for the audit: who did what outlives it for a time of its own.
async fn tables_of_organisations(app: &TestApp) -> Vec<String> {
    let select = if app.database.is_postgres() {
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'organisation_id'"
    } else {
        "SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND c.name = 'organisation_id'"
    };
    let mut tables = app.database.texts(select).await;
    tables.retain(|table| table != "audit_events");
    assert!(tables.len() >= 9, "{tables:?}");
    tables
}

/// Begins to erase; the answer may wait for a clock that stands still.
fn begin(app: &TestApp, ids: &[&str]) -> JoinHandle<EraseAppointmentsResponse> {
    let mut appointments = app.appointments.clone();
    let request = EraseAppointmentsRequest {
        organisation_id: "cabinet".into(),
        appointment_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    tokio::spawn(async move { appointments.erase_appointments(request).await.unwrap().into_inner() })
}

async fn erase(app: &TestApp, ids: &[&str]) -> EraseAppointmentsResponse {
    tokio::time::timeout(BOUND, begin(app, ids)).await.expect("the erasure ends").unwrap()
}

async fn erase_organisation(app: &TestApp, organisation: &str, leave_events: bool) -> EraseOrganisationResponse {
    let mut integrations = app.integrations.clone();
    let request = EraseOrganisationRequest { organisation_id: organisation.into(), leave_events };
    let erase = integrations.erase_organisation(request);
    tokio::time::timeout(BOUND, erase).await.expect("the erasure ends").unwrap().into_inner()
}

async fn disconnect(app: &mut TestApp, remote_events: RemoteEvents) {
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    let status = app.integrations.disconnect(request).await.unwrap().into_inner().status.unwrap();
    assert_eq!(status.state(), IntegrationState::NotConnected);
}

/// Those of these appointments that the service lacks.
async fn missing(app: &mut TestApp, ids: &[&str]) -> Vec<String> {
    let requests = ids.iter().map(|id| ReconcileAppointmentsRequest {
        organisation_id: "cabinet".into(),
        appointment_id: (*id).into(),
        revision: 1,
    });
    let requests = tokio_stream::iter(requests.collect::<Vec<_>>());
    let mut answers = app.appointments.reconcile_appointments(requests).await.unwrap().into_inner();
    let mut missing = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.held_revision, 0);
        missing.push(answer.appointment_id);
    }
    missing
}

async fn stores(app: &TestApp, text: &str) -> bool {
    memmem::find(&app.database.bytes().await, text.as_bytes()).is_some()
}

async fn count(app: &TestApp, what: &str) -> i64 {
    app.database.number(&format!("SELECT COUNT(*) FROM {what}")).await
}

#[apply(both_backends)]
async fn an_appointment_is_erased_here_and_at_google_and_may_come_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["zyx-canary-1", "kept"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    app.sync("cabinet", cancelled("zyx-canary-2", 1)).await;
    let erased = erase(app, &["zyx-canary-1", "zyx-canary-2", "never seen"]).await;
    assert_eq!((erased.is_done, erased.known_count, erased.remaining_event_count), (true, 2, 0));
    let left = app.google.events(ACCOUNT).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["extendedProperties"]["private"]["cassiusAppointmentId"], "kept");
    assert!(!stores(app, "zyx-canary").await, "nothing names it");
    assert_eq!(missing(app, &["zyx-canary-1", "kept"]).await, ["zyx-canary-1"]);
    assert_eq!(app.status("cabinet").await.counts.unwrap().synced, 1);

    // Erased again it is erased already; sent again it is an appointment like any other.
    let again = erase(app, &["zyx-canary-1"]).await;
    assert_eq!((again.is_done, again.known_count), (true, 0));
    assert_eq!(app.sync("cabinet", appointment("zyx-canary-1", 1)).await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events_of(ACCOUNT, "zyx-canary-1").await.len(), 1);
}

#[apply(both_backends)]
async fn an_erasure_that_google_holds_up_goes_on_after_a_restart(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 1)).await;
    app.google.fault("events.delete", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    let erasing = begin(app, &["a"]);
    until_number(app, "SELECT COUNT(*) FROM owed_deletions WHERE attempts = 1", 1).await;
    assert_eq!(count(app, "appointment_external_links WHERE snapshot IS NOT NULL").await, 0, "here it is gone at once");
    assert_eq!(missing(app, &["a"]).await, ["a"], "nobody is told of it");
    app.advance(11);
    let stands = erasing.await.unwrap();
    assert_eq!((stands.is_done, stands.known_count, stands.remaining_event_count), (false, 1, 1));
    app.restart_after(120).await;
    until_number(app, "SELECT COUNT(*) FROM appointment_external_links", 0).await;
    assert!(erase(app, &["a"]).await.is_done);
    assert!(app.google.events(ACCOUNT).await.is_empty());
}

#[apply(both_backends)]
async fn what_a_call_is_under_way_for_is_erased_once_it_has_ended(app: &mut TestApp) {
    app.connect("cabinet").await;
    let fault = app.google.hang("events.insert", true).await;
    app.accept("cabinet", appointment("a", 1)).await;
    app.google.until_called("events.insert", 1).await;
    let erasing = begin(app, &["a"]);
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 1).await;
    app.google.let_go(fault).await;
    // Nobody waits for a lease whose call has ended: time stands.
    tokio::time::timeout(BOUND, erasing).await.expect("it ends with the call").unwrap();
    until_number(app, "SELECT COUNT(*) FROM appointment_external_links", 0).await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
}

#[apply(both_backends)]
async fn what_is_called_off_is_kept_without_its_patient(app: &mut TestApp) {
    let long = "Zyx".repeat(60);
    app.accept("cabinet", of_patient("a", 1, &long)).await;
    let length = "SELECT CAST(length(snapshot) AS BIGINT) FROM appointment_external_links";
    assert!(app.database.number(length).await > 400);
    let called_off = Appointment { patient_name: long, ..cancelled("a", 2) };
    app.accept("cabinet", called_off).await;
    let short = app.database.number(length).await;
    assert!(short < 350, "{short} bytes hold a name");
    let link = app.link("cabinet", "a").await;
    assert_eq!((link.revision, link.start_time), (2, appointment("a", 1).start_time), "what it keeps");
}

#[apply(both_backends)]
async fn a_disconnect_leaves_no_address_that_can_be_read_and_another_connection_finds_all(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("in the primary one", 1)).await;
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.at_rest("cabinet").await;
    app.sync("cabinet", appointment("new", 1)).await;
    assert!(stores(app, ACCOUNT).await, "the looking works");
    disconnect(app, RemoteEvents::Keep).await;
    for address in [ACCOUNT, SECOND_CALENDAR, "Fauteuils et salles"] {
        assert!(!stores(app, address).await, "{address} can be read");
    }
    let link = app.link("cabinet", "new").await;
    assert_eq!((&*link.external_calendar_id, &*link.external_event_id), ("", ""));
    app.accept("cabinet", of_patient("new", 2, "Dominique Essai")).await;

    app.connect("cabinet").await;
    let calendar = app.at_rest("cabinet").await.calendar.unwrap();
    assert_eq!((&*calendar.id, &*calendar.name), (SECOND_CALENDAR, "Fauteuils et salles"));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
    assert_eq!(app.google.events_of(ACCOUNT, "new").await[0]["summary"], "[Cassius] Implant — Dominique Essai");
    assert_eq!(app.link("cabinet", "new").await.external_calendar_id, SECOND_CALENDAR);
    assert_eq!(count(app, "sealed_calendars").await, 0);
}

#[apply(both_backends)]
async fn another_account_finds_what_was_kept_in_the_one_before(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 1)).await;
    disconnect(app, RemoteEvents::Keep).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(OTHER_ACCOUNT).await.len(), 1);
    disconnect(app, RemoteEvents::Keep).await;
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1, "none is doubled");
    assert_eq!(app.link("cabinet", "a").await.external_calendar_id, ACCOUNT);
}

#[apply(both_backends)]
async fn an_organisation_is_erased_with_everything_that_names_it(app: &mut TestApp) {
    const NAME: &str = "zyx-canary-practice";
    app.connect(NAME).await;
    for id in ["a", "b"] {
        app.sync(NAME, appointment(id, 1)).await;
    }
    let (start_time, end_time) = (Some(instant("2026-02-27T08:00:00Z")), Some(instant("2026-02-27T08:30:00Z")));
    app.sync(NAME, Appointment { start_time, end_time, ..appointment("past", 1) }).await;
    app.sync(NAME, cancelled("b", 2)).await;
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    app.sync("cabinet", appointment("a", 1)).await;
    let erased = erase_organisation(app, NAME, false).await;
    assert_eq!((erased.is_done, erased.remaining_event_count), (true, 0));
    assert!(app.google.events(ACCOUNT).await.is_empty(), "past ones too");
    for table in tables_of_organisations(app).await {
        assert_eq!(count(app, &format!("{table} WHERE organisation_id = '{NAME}'")).await, 0, "{table}");
    }
    assert!(!stores(app, ACCOUNT).await, "the address is in the database");
    assert!(erase_organisation(app, NAME, false).await.is_done);
    assert_eq!(app.status(NAME).await.state(), IntegrationState::NotConnected);
    assert_eq!(app.google.events(OTHER_ACCOUNT).await.len(), 1, "nobody else notices");
    assert_eq!(app.link("cabinet", "a").await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn events_out_of_reach_hold_up_the_end_until_they_are_deleted_or_left(app: &mut TestApp) {
    for leave_events in [false, true] {
        app.connect("cabinet").await;
        app.sync("cabinet", appointment("a", 1)).await;
        app.google.revoke(ACCOUNT).await;
        app.accept("cabinet", of_patient("a", 2, "Dominique Essai")).await;
        app.until("cabinet", |status| status.state() == IntegrationState::Error).await;
        let stands = erase_organisation(app, "cabinet", false).await;
        assert_eq!((stands.is_done, stands.remaining_event_count), (false, 1));
        assert_eq!(count(app, "appointment_external_links WHERE snapshot IS NOT NULL").await, 0);
        assert!(!stores(app, ACCOUNT).await, "where it stands is sealed");
        if !leave_events {
            app.connect("cabinet").await;
            until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
            assert!(app.google.events(ACCOUNT).await.is_empty());
        }
        let erased = erase_organisation(app, "cabinet", leave_events).await;
        assert_eq!((erased.is_done, erased.remaining_event_count), (true, 0));
        assert_eq!(count(app, "calendar_integrations").await, 0);
        assert_eq!(app.google.events(ACCOUNT).await.len(), usize::from(leave_events));
    }
}

#[apply(both_backends)]
async fn of_who_was_never_connected_upcoming_appointments_are_kept_alone_and_not_for_long(app: &mut TestApp) {
    let (start_time, end_time) = (Some(instant("2026-03-02T06:00:00Z")), Some(instant("2026-03-02T06:30:00Z")));
    app.accept("cabinet", Appointment { start_time, end_time, ..appointment("past", 1) }).await;
    app.accept("cabinet", appointment("next", 1)).await;
    app.advance(3_600);
    until_number(app, "SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NOT NULL", 1).await;
    app.advance(30 * 86_400);
    until_number(app, "SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NOT NULL", 0).await;
    assert!(missing(app, &["next"]).await.is_empty(), "it need not be sent again while nothing is connected");
    app.connect("cabinet").await;
    assert_eq!(missing(app, &["past", "next"]).await, ["next"]);
    assert_eq!(app.sync("cabinet", appointment("next", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn what_was_kept_at_a_disconnect_is_forgotten_in_the_end(app: &mut TestApp) {
    app.settings.insert("KEPT_EVENTS_RETENTION".into(), "10".into());
    app.restart().await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 1)).await;
    disconnect(app, RemoteEvents::Keep).await;
    app.advance(11 * 86_400);
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE google_user_id IS NOT NULL", 0).await;
    until_number(app, "SELECT COUNT(*) FROM sealed_calendars", 0).await;
    assert_eq!(count(app, "appointment_external_links WHERE external_event_id IS NOT NULL").await, 0);
    // The next connection is a first one, and finds the event by its id.
    app.connect("cabinet").await;
    assert_eq!(app.sync("cabinet", of_patient("a", 2, "Dominique Essai")).await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}
