//! What a person moved into another calendar is found before it is said that nothing stands any more.

use cassius_calendar::grpc::pb::{
    AccountSearch, Appointment, AppointmentLink, DisconnectRequest, DisconnectResponse, EraseAppointmentsRequest,
    EraseAppointmentsResponse, EraseOrganisationRequest, IntegrationState, RemoteEvents, SyncNowRequest,
    SyncNowResponse, SyncStatus,
};
use serde_json::{Value, json};

use super::disconnecting::begin;
use super::{until_number, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{EVENTS, outcome};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled, instant, of_patient};

/// Two appointments in step; a person moves the event of the first into the second calendar.
async fn with_one_moved(app: &mut TestApp) {
    app.sync("cabinet", appointment("stays", 1)).await;
    let event = app.sync("cabinet", appointment("moved", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
}

/// Connects without the permission to list calendars.
async fn connect_without_list(app: &mut TestApp) {
    let consent = app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    let callback = app.browser.decide(&consent, ACCOUNT, &[EVENTS], "allow").await;
    assert_eq!(outcome(&app.browser.get(&callback).await), "connected");
}

pub(super) async fn disconnect(app: &mut TestApp, remote_events: RemoteEvents) -> DisconnectResponse {
    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: remote_events.into() };
    let response = app.integrations.disconnect(request).await.unwrap().into_inner();
    assert_eq!(response.status.as_ref().unwrap().state(), IntegrationState::NotConnected);
    response
}

pub(super) async fn erase(app: &mut TestApp, id: &str) -> EraseAppointmentsResponse {
    let request = EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: vec![id.to_owned()] };
    let mut appointments = app.appointments.clone();
    // What is put off is looked at again in a moment, and time stands.
    let erased = app.while_time_goes_on(appointments.erase_appointments(request)).await;
    erased.expect("the erasure ends").unwrap().into_inner()
}

pub(super) async fn sync_now(app: &mut TestApp, dry_run: bool) -> SyncNowResponse {
    app.advance(1);
    let request = SyncNowRequest { organisation_id: "cabinet".into(), dry_run };
    app.integrations.sync_now(request).await.unwrap().into_inner()
}

/// Makes the lists of the second calendar fail from now on.
pub(super) async fn refuse_second_list(app: &TestApp, fault: Value) {
    let fault = json!({"operation": "events.list", "calendar_id": SECOND_CALENDAR, "fault": fault});
    app.google.control("faults", fault).await;
}

pub(super) fn away() -> Value {
    json!({"kind": "error", "code": 503, "reason": "backendError"})
}

/// Disconnects where a person has moved an event to come, and one that is over; answers what that told, and what stands.
async fn disconnect_after_moves(app: &mut TestApp, remote_events: RemoteEvents) -> (DisconnectResponse, Vec<Value>) {
    app.connect("cabinet").await;
    let past = Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment("past", 1)
    };
    let over = app.sync("cabinet", past).await.external_event_id;
    app.google.move_event(ACCOUNT, &over, SECOND_CALENDAR).await;
    with_one_moved(app).await;
    let response = disconnect(app, remote_events).await;
    assert_eq!((response.remaining_event_count, response.search()), (0, AccountSearch::Whole));
    assert_eq!(disconnect(app, remote_events).await.search(), AccountSearch::Whole, "it is told again");
    (response, app.google.events(ACCOUNT).await)
}

#[apply(both_backends)]
async fn a_disconnect_that_deletes_what_is_upcoming_finds_what_a_person_moved(app: &mut TestApp) {
    let (response, left) = disconnect_after_moves(app, RemoteEvents::DeleteUpcoming).await;
    assert_eq!(response.deleted_event_count, 2, "one that was moved is one event");
    assert_eq!(left.len(), 1, "{left:#?}");
    assert_eq!(left[0]["extendedProperties"]["private"]["cassiusAppointmentId"], "past");
}

#[apply(both_backends)]
async fn a_disconnect_that_deletes_all_finds_what_a_person_moved(app: &mut TestApp) {
    let (response, left) = disconnect_after_moves(app, RemoteEvents::DeleteAll).await;
    assert_eq!((response.deleted_event_count, left), (3, Vec::new()));
}

#[apply(both_backends)]
async fn keeping_searches_for_nothing(app: &mut TestApp) {
    app.connect("cabinet").await;
    with_one_moved(app).await;
    app.google.forget_journal().await;
    let response = disconnect(app, RemoteEvents::Keep).await;
    assert_eq!((response.remaining_event_count, response.search()), (0, AccountSearch::Unspecified));
    assert!(app.google.journal().await.iter().all(|call| call["operation"] == "revoke"));
}

#[apply(both_backends)]
async fn an_erased_organisation_leaves_nothing_that_a_person_moved(app: &mut TestApp) {
    app.connect("cabinet").await;
    with_one_moved(app).await;
    let request = EraseOrganisationRequest { organisation_id: "cabinet".into(), leave_events: false };
    let erased = app.integrations.erase_organisation(request).await.unwrap().into_inner();
    assert_eq!((erased.is_done, erased.remaining_event_count), (true, 0));
    assert_eq!(app.google.events(ACCOUNT).await, Vec::<Value>::new());
}

#[apply(both_backends)]
async fn an_erased_appointment_leaves_nothing_that_a_person_moved(app: &mut TestApp) {
    app.connect("cabinet").await;
    with_one_moved(app).await;
    let erased = erase(app, "moved").await;
    assert_eq!((erased.is_done, erased.remaining_event_count, erased.search()), (true, 0, AccountSearch::Whole));
    assert_eq!(app.google.events_of(ACCOUNT, "moved").await, Vec::<Value>::new());
    assert_eq!(app.google.events_of(ACCOUNT, "stays").await.len(), 1);

    // Called off, and gone where it stood, before it is erased.
    let event = app.sync("cabinet", appointment("called off", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
    app.sync("cabinet", cancelled("called off", 2)).await;
    assert_eq!(app.google.events_of(ACCOUNT, "called off").await.len(), 1);
    assert!(erase(app, "called off").await.is_done);
    assert_eq!(app.google.events_of(ACCOUNT, "called off").await, Vec::<Value>::new());

    // What was never sent is looked for nowhere.
    app.sync("cabinet", cancelled("never sent", 1)).await;
    app.google.forget_journal().await;
    assert!(erase(app, "never sent").await.is_done);
    assert_eq!(app.google.journal().await, Vec::<Value>::new());
}

#[apply(both_backends)]
async fn what_could_not_be_searched_is_told(app: &mut TestApp) {
    connect_without_list(app).await;
    with_one_moved(app).await;
    let response = disconnect(app, RemoteEvents::DeleteAll).await;
    assert_eq!((response.remaining_event_count, response.search()), (0, AccountSearch::Partial));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1, "it stands where nobody may look");

    connect_without_list(app).await;
    let event = app.sync("cabinet", appointment("again", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
    let erased = erase(app, "again").await;
    assert_eq!((erased.is_done, erased.search()), (true, AccountSearch::Partial));
    let request = EraseOrganisationRequest { organisation_id: "cabinet".into(), leave_events: false };
    let erased = app.integrations.erase_organisation(request.clone()).await.unwrap().into_inner();
    assert_eq!((erased.is_done, erased.search()), (true, AccountSearch::Partial));
    assert_eq!(app.database.number("SELECT COUNT(*) FROM calendar_integrations").await, 0);
    let erased = app.integrations.erase_organisation(request).await.unwrap().into_inner();
    assert_eq!((erased.is_done, erased.search()), (true, AccountSearch::Unspecified), "nothing is known of it");
}

#[apply(both_backends)]
async fn a_search_that_google_holds_up_goes_on_after_a_restart(app: &mut TestApp) {
    app.connect("cabinet").await;
    with_one_moved(app).await;
    refuse_second_list(app, away()).await;
    let disconnecting = begin(app, RemoteEvents::DeleteUpcoming).await;
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE search_attempts > 0", 1).await;
    app.advance(11);
    let response = disconnecting.await.unwrap();
    assert_eq!(response.status.as_ref().unwrap().state(), IntegrationState::Disconnecting);
    assert_eq!((response.remaining_event_count, response.search()), (0, AccountSearch::Unspecified));
    app.google.no_more_faults().await;
    app.restart_after(900).await;
    app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
    assert_eq!(app.google.events(ACCOUNT).await, Vec::<Value>::new());
    assert_eq!(disconnect(app, RemoteEvents::DeleteUpcoming).await.search(), AccountSearch::Whole);
}

#[apply(both_backends)]
async fn a_calendar_that_never_answers_holds_up_the_end_for_a_day_and_one_that_refuses_for_a_moment(app: &mut TestApp) {
    for (fault, seconds) in [(away(), 86_400), (json!({"kind": "error", "code": 403, "reason": "forbidden"}), 60)] {
        app.connect("cabinet").await;
        with_one_moved(app).await;
        refuse_second_list(app, fault).await;
        let disconnecting = begin(app, RemoteEvents::DeleteUpcoming).await;
        until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE search_attempts > 0", 1).await;
        app.advance(seconds);
        disconnecting.await.unwrap();
        app.until("cabinet", |status| status.state() == IntegrationState::NotConnected).await;
        let response = disconnect(app, RemoteEvents::DeleteUpcoming).await;
        assert_eq!((response.remaining_event_count, response.search()), (0, AccountSearch::Partial));
        assert_eq!(app.google.events(ACCOUNT).await.len(), 1, "it was not seen");
        app.google.no_more_faults().await;
        // The same account finds it; twice, since nothing is found of what is settled at this very moment.
        app.connect("cabinet").await;
        for _ in 0..2 {
            sync_now(app, false).await;
            app.at_rest("cabinet").await;
        }
        app.google
            .until(|calls| {
                calls.iter().any(|call| {
                    call["operation"] == "events.delete"
                        && call["status"] == 204
                        && call["calendar_id"] == SECOND_CALENDAR
                })
            })
            .await;
        until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
        disconnect(app, RemoteEvents::DeleteAll).await;
        app.google.forget_journal().await;
    }
}

#[apply(both_backends)]
async fn what_was_moved_and_then_changed_or_cancelled_is_put_right_by_itself(app: &mut TestApp) {
    app.connect("cabinet").await;
    let mut before = Vec::new();
    for id in ["edited", "cancelled"] {
        let event = app.sync("cabinet", appointment(id, 1)).await.external_event_id;
        app.google.move_event(ACCOUNT, &event, SECOND_CALENDAR).await;
        before.push(event);
    }
    let edited = app.sync("cabinet", of_patient("edited", 2, "Dominique Essai")).await;
    assert_ne!(edited.external_event_id, before[0], "it is gone where it was written");
    app.sync("cabinet", cancelled("cancelled", 2)).await;
    app.google.forget_journal().await;
    app.advance(5 * 60 + 15);
    app.google.until_deleted(&before).await;
    let events = app.google.events_of(ACCOUNT, "edited").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));
    assert_eq!(app.google.events_of(ACCOUNT, "cancelled").await.len(), 0);
}

/// Calendars of the first account beside its two; the id of the last.
pub(super) async fn with_many_calendars(app: &TestApp, count: usize) -> String {
    let mut last = String::new();
    for number in 0..count {
        let path = format!("accounts/{ACCOUNT}/calendars");
        let made = app.google.control(&path, json!({"summary": format!("Salle {number:02}")})).await;
        last = made["id"].as_str().unwrap().to_owned();
    }
    last
}

#[apply(both_backends)]
async fn an_event_that_was_moved_into_the_last_of_many_calendars_does_not_stand_twice(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    let last = with_many_calendars(app, 12).await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &before, &last).await;
    assert!(!sync_now(app, true).await.is_partial, "what is missing is looked for everywhere");
    sync_now(app, false).await;
    let is_new = |link: &AppointmentLink| link.sync_status() == SyncStatus::Synced && link.external_event_id != before;
    app.until_link("cabinet", "rdv", is_new).await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));

    // What was not where it was written is looked for everywhere once more.
    app.advance(5 * 60 + 15);
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE vanished_count > 0", 0).await;
    // Where nothing is missing, each comparison lists the next ones.
    assert!(sync_now(app, true).await.is_partial);
    app.google.add_event(&last, super::comparison::stray("stray", "cabinet", "rdv")).await;
    for _ in 0..2 {
        app.google.forget_journal().await;
        sync_now(app, false).await;
        let is_compared = |calls: &[Value]| calls.iter().filter(|call| call["operation"] == "events.list").count() >= 9;
        app.google.until(is_compared).await;
        until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE compare_lease_until IS NULL", 1).await;
    }
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn an_organisation_whose_lists_hang_holds_up_no_other(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect_as("annexe", OTHER_ACCOUNT).await;
    app.sync("annexe", appointment("hers", 1)).await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.delete_event(ACCOUNT, &before, "not_found").await;
    let hanging = json!({"operation": "events.list", "account": OTHER_ACCOUNT, "fault": {"kind": "hang"}});
    app.google.control("faults", hanging).await;
    app.advance(1);
    let request = SyncNowRequest { organisation_id: "annexe".into(), dry_run: false };
    app.integrations.sync_now(request).await.unwrap();
    app.google
        .until(|calls| calls.iter().any(|call| call["operation"] == "events.list" && call["account"] == OTHER_ACCOUNT))
        .await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), dry_run: false };
    app.integrations.sync_now(request).await.unwrap();
    app.google
        .until(|calls| {
            calls.iter().filter(|call| call["operation"] == "events.insert" && call["status"] == 200).count() == 3
        })
        .await;
    app.google.no_more_faults().await;
}

#[apply(both_backends)]
async fn a_source_that_a_person_took_away_is_set_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    let source = app.google.events_of(ACCOUNT, "rdv").await[0]["source"].clone();
    assert!(source["url"].is_string());
    app.google.alter_event(ACCOUNT, &event, json!({"source": null})).await;
    assert_eq!(sync_now(app, true).await.altered_count, 1);
    sync_now(app, false).await;
    app.google
        .until(|calls| calls.iter().any(|call| call["operation"] == "events.patch" && call["status"] == 200))
        .await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await[0]["source"], source);
}
