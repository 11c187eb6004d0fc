//! `UpdateSettings`: what a practice may change, and what follows from it.

use cassius_calendar::grpc::pb::{
    Appointment, ErrorReason, IntegrationSettings, IntegrationState, IntegrationStatus, SyncStatus, TitlePrivacy,
    UpdateSettingsRequest,
};
use prost_types::FieldMask;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, instant, of_patient};
use crate::wire::refused::refused;

const HOLIDAYS: &str = "fr.french#holiday@group.v.calendar.google.com";

async fn update(app: &mut TestApp, settings: IntegrationSettings, paths: &[&str]) -> Result<IntegrationStatus, Status> {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(settings),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
    };
    app.integrations.update_settings(request).await.map(|answer| answer.into_inner().status.unwrap())
}

pub(super) async fn choose(app: &mut TestApp, calendar: &str) -> Result<IntegrationStatus, Status> {
    let settings = IntegrationSettings { calendar_id: calendar.into(), ..Default::default() };
    update(app, settings, &["calendar_id"]).await
}

pub(super) async fn enable(app: &mut TestApp, is_enabled: bool) -> IntegrationStatus {
    update(app, IntegrationSettings { is_enabled, ..Default::default() }, &["is_enabled"]).await.unwrap()
}

async fn show(app: &mut TestApp, privacy: TitlePrivacy) -> IntegrationStatus {
    let settings = IntegrationSettings { title_privacy: privacy.into(), ..Default::default() };
    update(app, settings, &["title_privacy"]).await.unwrap()
}

/// An appointment that is over when every test begins.
fn past(id: &str) -> Appointment {
    Appointment {
        start_time: Some(instant("2026-02-02T08:00:00Z")),
        end_time: Some(instant("2026-02-02T08:30:00Z")),
        ..appointment(id, 1)
    }
}

/// Each event's appointment with one of its fields, in order.
fn shown(events: &[Value], field: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair =
        |event: &Value| (text(&event["extendedProperties"]["private"]["cassiusAppointmentId"]), text(&event[field]));
    let mut shown: Vec<_> = events.iter().map(pair).collect();
    shown.sort();
    shown
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(one, two)| ((*one).to_owned(), (*two).to_owned())).collect()
}

#[apply(both_backends)]
async fn a_mask_names_what_is_looked_at_and_all_faults_are_told(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.status("cabinet").await;
    let nonsense = || IntegrationSettings { is_enabled: false, calendar_id: " \0".into(), title_privacy: 99 };
    for (paths, fields) in [
        (&[][..], &["update_mask"][..]),
        (&["enabled"], &["update_mask.paths[0]"]),
        (
            &["is_enabled", "", "Is_enabled", "settings.is_enabled"],
            &["update_mask.paths[1]", "update_mask.paths[2]", "update_mask.paths[3]"],
        ),
        (&["calendar_id"], &["settings.calendar_id"]),
        (&["title_privacy"], &["settings.title_privacy"]),
        (&["calendar_id", "title_privacy"], &["settings.calendar_id", "settings.title_privacy"]),
        (&["*"], &["settings.calendar_id", "settings.title_privacy"]),
    ] {
        let answer = update(app, nonsense(), paths).await;
        assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, fields, "{paths:?}");
    }
    let unset = update(app, IntegrationSettings::default(), &["title_privacy", "calendar_id"]).await;
    let fields = refused(unset, Code::InvalidArgument, "INVALID_REQUEST").fields;
    assert_eq!(fields, ["settings.calendar_id", "settings.title_privacy"]);
    let nothing = UpdateSettingsRequest { organisation_id: "cabinet".into(), settings: None, update_mask: None };
    let answer = app.integrations.update_settings(nothing).await;
    assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, ["update_mask", "settings"]);
    assert_eq!(app.status("cabinet").await, before);

    // What the mask does not name may hold anything.
    let status = update(app, nonsense(), &["is_enabled", "is_enabled"]).await.unwrap();
    assert_eq!(status, IntegrationStatus { is_enabled: false, ..before });
}

#[apply(both_backends)]
async fn a_star_changes_all_at_once_and_the_answer_is_the_new_status(app: &mut TestApp) {
    app.connect("cabinet").await;
    let all = IntegrationSettings {
        is_enabled: true,
        calendar_id: SECOND_CALENDAR.into(),
        title_privacy: TitlePrivacy::Initials.into(),
    };
    let status = update(app, all, &["*"]).await.unwrap();
    assert_eq!(status, app.status("cabinet").await);
    assert_eq!(status.title_privacy(), TitlePrivacy::Initials);
    let calendar = status.calendar.unwrap();
    assert_eq!((&*calendar.id, &*calendar.name, calendar.is_primary), (SECOND_CALENDAR, "Fauteuils et salles", false));
}

#[apply(both_backends)]
async fn nothing_can_be_set_where_nothing_is_connected(app: &mut TestApp) {
    let settings = IntegrationSettings { is_enabled: true, ..Default::default() };
    refused(update(app, settings, &["is_enabled"]).await, Code::FailedPrecondition, "NOT_CONNECTED");
    refused(choose(app, SECOND_CALENDAR).await, Code::FailedPrecondition, "NOT_CONNECTED");
    assert!(app.google.journal().await.is_empty());
}

#[apply(both_backends)]
async fn a_calendar_that_cannot_be_written_to_is_refused_and_nothing_changes(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.status("cabinet").await;
    for calendar in [HOLIDAYS, "nowhere@group.calendar.google.com", OTHER_ACCOUNT, "../../primary", "a/b?c#d"] {
        let settings = IntegrationSettings {
            calendar_id: calendar.into(),
            title_privacy: TitlePrivacy::Masked.into(),
            is_enabled: false,
        };
        refused(update(app, settings, &["*"]).await, Code::FailedPrecondition, "CALENDAR_UNAVAILABLE");
    }
    app.google.fault("calendarList.get", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    refused(choose(app, SECOND_CALENDAR).await, Code::Unavailable, "GOOGLE_UNAVAILABLE");
    assert_eq!(app.status("cabinet").await, before);
}

#[apply(both_backends)]
async fn the_alias_primary_is_kept_as_the_calendar_it_stands_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    choose(app, SECOND_CALENDAR).await.unwrap();
    let calendar = choose(app, "primary").await.unwrap().calendar.unwrap();
    assert_eq!((&*calendar.id, calendar.is_primary), (ACCOUNT, true));
}

#[apply(both_backends)]
async fn a_new_calendar_draws_the_upcoming_events_after_it_and_shows_the_progress(app: &mut TestApp) {
    app.connect("cabinet").await;
    for id in ["a", "b", "c"] {
        app.sync("cabinet", appointment(id, 1)).await;
    }
    app.sync("cabinet", past("past")).await;
    assert_eq!(app.status("cabinet").await.counts.unwrap().upcoming_events, 3);
    app.google.forget_journal().await;

    app.google.fault("events.move", 1, json!({"kind": "hang"})).await;
    let status = choose(app, SECOND_CALENDAR).await.unwrap();
    assert_eq!(status.calendar.unwrap().id, SECOND_CALENDAR);
    let status = app.until("cabinet", |status| status.catch_up.is_some_and(|it| it.done == 2)).await;
    let catch_up = status.catch_up.unwrap();
    assert_eq!((catch_up.total, catch_up.failed), (3, 0));
    assert!(catch_up.start_time.is_some());
    app.google.no_more_faults().await;
    let status = app.at_rest("cabinet").await;
    assert_eq!(status.catch_up, None);

    let events = app.google.events(ACCOUNT).await;
    let there = [("a", SECOND_CALENDAR), ("b", SECOND_CALENDAR), ("c", SECOND_CALENDAR), ("past", ACCOUNT)];
    assert_eq!(shown(&events, "calendar_id"), pairs(&there));
    for id in ["a", "b", "c"] {
        let link = app.link("cabinet", id).await;
        assert_eq!((link.sync_status(), &*link.external_calendar_id), (SyncStatus::Synced, SECOND_CALENDAR));
    }

    // The same again changes nothing and calls for no write.
    app.google.forget_journal().await;
    let again = choose(app, SECOND_CALENDAR).await.unwrap();
    assert_eq!((again.catch_up, again.counts.unwrap().pending), (None, 0));
    assert!(app.google.event_calls().await.is_empty());

    // An edit goes where the event now stands.
    app.sync("cabinet", of_patient("a", 2, "Dominique Essai")).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(shown(&events, "calendar_id"), pairs(&there));
}

#[apply(both_backends)]
async fn a_new_title_privacy_rewrites_the_events(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("a", 1)).await;
    app.sync("cabinet", past("past")).await;
    for (privacy, title, past_title) in [
        (TitlePrivacy::Initials, "[Cassius] Implant — C. E.", "[Cassius] Implant — C. E."),
        (TitlePrivacy::Masked, "[Cassius] Rendez-vous", "[Cassius] Rendez-vous"),
        // What is over is not told more of.
        (TitlePrivacy::Full, "[Cassius] Implant — Camille Exemple", "[Cassius] Rendez-vous"),
    ] {
        let status = show(app, privacy).await;
        assert_eq!(status.title_privacy(), privacy);
        app.at_rest("cabinet").await;
        let events = app.google.events(ACCOUNT).await;
        assert_eq!(shown(&events, "summary"), pairs(&[("a", title), ("past", past_title)]));
    }
    app.google.forget_journal().await;
    show(app, TitlePrivacy::Full).await;
    app.at_rest("cabinet").await;
    assert!(app.google.event_calls().await.is_empty(), "the same again calls for no write");
}

#[apply(both_backends)]
async fn while_disabled_appointments_are_stored_and_not_sent(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("old", 1)).await;
    assert!(!enable(app, false).await.is_enabled);
    app.google.forget_journal().await;
    let edited = app.sync("cabinet", of_patient("old", 2, "Dominique Essai")).await;
    let new = app.sync("cabinet", appointment("new", 1)).await;
    assert_eq!((edited.sync_status(), edited.revision, edited.synced_revision), (SyncStatus::None, 2, 1));
    assert_eq!((new.sync_status(), new.revision, new.synced_revision), (SyncStatus::None, 1, 0));
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Connected);
    assert!(app.google.event_calls().await.is_empty());

    // Switched on, it catches up by itself.
    assert!(enable(app, true).await.is_enabled);
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 2);
    let events = app.google.events(ACCOUNT).await;
    let titles = [("new", "[Cassius] Implant — Camille Exemple"), ("old", "[Cassius] Implant — Dominique Essai")];
    assert_eq!(shown(&events, "summary"), pairs(&titles));
    // From now on they are sent as they come.
    assert_eq!(app.sync("cabinet", appointment("next", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn a_calendar_that_can_be_written_to_again_may_be_chosen_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    choose(app, SECOND_CALENDAR).await.unwrap();
    let role = format!("accounts/{ACCOUNT}/calendars/{}", crate::harness::google::encode(SECOND_CALENDAR));
    app.google.control(&role, json!({"access_role": "reader"})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.state() == IntegrationState::Error).await;
    assert_eq!(status.problem.unwrap().reason(), ErrorReason::CalendarUnavailable);
    refused(choose(app, SECOND_CALENDAR).await, Code::FailedPrecondition, "CALENDAR_UNAVAILABLE");
    app.google.control(&role, json!({"access_role": "writer"})).await;
    let status = choose(app, SECOND_CALENDAR).await.unwrap();
    assert_eq!((status.state(), status.problem), (IntegrationState::Connected, None));
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 1);
}
