//! What people do to the events at Google is found, and mended.

use cassius_calendar::grpc::pb::{
    ErrorReason, IntegrationState, IntegrationStatus, SyncAppointmentsRequest, SyncNowRequest, SyncNowResponse,
    SyncStatus,
};
use cassius_calendar::store::Lease;
use serde_json::{Value, json};
use tonic::Code;

use super::{choose_calendar, reason, until_number, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};
use crate::harness::samples::{appointment, cancelled};

/// Asks to compare; what was written before has come to rest by then.
async fn sync_now(app: &mut TestApp, dry_run: bool) -> SyncNowResponse {
    app.advance(1);
    let request = SyncNowRequest { organisation_id: "cabinet".into(), dry_run };
    app.integrations.sync_now(request).await.unwrap().into_inner()
}

/// An event of an appointment that the service knows nothing of.
pub(crate) fn stray(id: &str, organisation: &str, appointment: &str) -> Value {
    json!({
        "id": id,
        "summary": "En trop",
        "start": {"dateTime": "2026-04-02T08:00:00Z"},
        "end": {"dateTime": "2026-04-02T08:30:00Z"},
        "extendedProperties": {"private": {
            "cassiusOrganisationId": organisation, "cassiusAppointmentId": appointment, "cassiusRevision": "1",
        }},
    })
}

fn of(calls: &[Value], operation: &str, status: u64) -> Vec<String> {
    let its = calls.iter().filter(|call| call["operation"] == operation && call["status"] == status);
    its.map(|call| call["event_id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[apply(both_backends)]
async fn thirteen_of_a_thousand_are_mended_and_nothing_else_is_written(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    let ids: Vec<_> = (0..1_000).map(|number| format!("rdv-{number:04}")).collect();
    let mut appointments: Vec<_> = ids.iter().map(|id| appointment(id, 1)).collect();
    appointments.push(cancelled("called-off", 1));
    let requests: Vec<_> = appointments
        .into_iter()
        .map(|it| SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: Some(it) })
        .collect();
    let mut answers =
        app.appointments.sync_appointments(futures_util::stream::iter(requests)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    app.connect("cabinet").await;
    assert_eq!(
        sync_now(app, false).await.queued_count,
        1_000,
        "what was called off before it was sent is no part of it"
    );
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().upcoming_events, 1_000);

    let mut touched = Vec::new();
    for (n, id) in ids.iter().take(11).enumerate() {
        let event = app.link("cabinet", id).await.external_event_id;
        let alter = |change| app.google.alter_event(ACCOUNT, &event, change);
        match n {
            0..5 => app.google.delete_event(ACCOUNT, &event, ["cancelled", "not_found", "gone"][n % 3]).await,
            5 => alter(json!({"summary": "Perdu"})).await,
            6 => alter(json!({"location": "Ailleurs"})).await,
            7 => alter(json!({"description": "Rien"})).await,
            8 => alter(json!({"visibility": "public"})).await,
            9 => {
                let moment = |time: &str| json!({"dateTime": format!("2026-04-03T{time}Z")});
                alter(json!({"start": moment("08:00:00"), "end": moment("08:30:00")})).await;
            }
            _ => alter(json!({"colorId": "5"})).await,
        }
        touched.push(event);
    }
    let colored = touched.pop().unwrap();
    for (event, appointment) in [("stray0", "unknown"), ("stray1", "rdv-0500"), ("stray2", "called-off")] {
        app.google.add_event(ACCOUNT, stray(event, "cabinet", appointment)).await;
        touched.push(event.to_owned());
    }
    app.google.add_event(ACCOUNT, stray("foreign", "another practice", "rdv-0000")).await;
    app.google.forget_journal().await;

    let counted = sync_now(app, true).await;
    assert_eq!((counted.queued_count, counted.due_count, counted.remote_count), (0, 1_000, 998));
    assert_eq!((counted.missing_count, counted.altered_count, counted.surplus_count), (5, 5, 3));
    assert!(app.google.event_calls().await.is_empty(), "it lists, and does nothing else");
    assert_eq!(app.status("cabinet").await.counts.unwrap().synced, 1_001);
    assert_eq!(app.database.number("SELECT COUNT(*) FROM owed_deletions").await, 0);
    // Nor is a comparison asked for that would change something afterwards.
    let listed = app.google.journal().await;
    let lists =
        listed.iter().filter(|call| call["operation"] == "events.list" && call["calendar_id"] == SECOND_CALENDAR);
    let lease = Lease { token: uuid::Uuid::from_u128(1), until: app.clock.now() };
    assert_eq!(app.database.store.claim_comparison(lease, app.clock.now()).await.unwrap(), None);
    let leased = "SELECT COUNT(*) FROM calendar_integrations WHERE compare_lease_token IS NOT NULL";
    // What is missing is looked for on all days.
    assert_eq!((app.database.number(leased).await, lists.count()), (0, 2));

    app.google.forget_journal().await;
    assert_eq!(sync_now(app, false).await.queued_count, 0);
    let is_mended = |calls: &[Value]| {
        (
            of(calls, "events.delete", 204).len(),
            of(calls, "events.insert", 200).len(),
            of(calls, "events.patch", 200).len(),
        ) == (3, 5, 5)
    };
    app.google.until(is_mended).await;
    app.at_rest("cabinet").await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    let calls = app.google.journal().await;
    assert!(is_mended(&calls));
    assert!(calls.iter().filter(|call| call["operation"] == "events.list").count() <= 12);
    for call in calls.iter().filter(|call| call["operation"] == "events.patch" || call["operation"] == "events.delete")
    {
        assert!(touched.iter().any(|event| call["event_id"] == **event), "{call}");
    }
    let events = app.google.events(ACCOUNT).await;
    let own: Vec<_> = events.iter().filter(|event| event["summary"] == "[Cassius] Implant — Camille Exemple").collect();
    assert_eq!(own.len(), 1_000);
    assert!(own.iter().all(|event| event["location"] == "Cabinet, salle 2" && event["visibility"] == "private"));
    assert!(own.iter().any(|event| event["id"] == *colored && event["colorId"] == "5"));
    assert!(events.iter().any(|event| event["id"] == "foreign"));

    let counted = sync_now(app, true).await;
    assert_eq!((counted.due_count, counted.remote_count), (1_000, 1_000));
    assert_eq!((counted.missing_count, counted.altered_count, counted.surplus_count), (0, 0, 0));
}

#[apply(both_backends)]
async fn an_event_that_is_taken_out_of_the_bin_again_is_not_left_beside_the_new_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.delete_event(ACCOUNT, &before, "cancelled").await;
    sync_now(app, false).await;
    let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
        link.sync_status() == SyncStatus::Synced && link.external_event_id != before
    };
    let after = app.until_link("cabinet", "rdv", is_new).await.external_event_id;
    app.google.alter_event(ACCOUNT, &before, json!({"status": "confirmed"})).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 2);
    app.google.forget_journal().await;
    sync_now(app, false).await;
    app.google.until(|calls| of(calls, "events.delete", 204) == [before.as_str()]).await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["id"]), (1, &json!(after)));
}

#[apply(both_backends)]
async fn an_event_that_a_person_moved_to_another_calendar_is_not_left_beside_the_new_one(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.move_event(ACCOUNT, &before, SECOND_CALENDAR).await;
    sync_now(app, false).await;
    app.google.until(|calls| of(calls, "events.delete", 204) == [before.as_str()]).await;
    let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
        link.sync_status() == SyncStatus::Synced && link.external_event_id != before
    };
    app.until_link("cabinet", "rdv", is_new).await;
    until_number(app, "SELECT COUNT(*) FROM owed_deletions", 0).await;
    let events = app.google.events_of(ACCOUNT, "rdv").await;
    assert_eq!((events.len(), &events[0]["calendar_id"]), (1, &json!(ACCOUNT)));
}

#[apply(both_backends)]
async fn an_event_that_is_there_no_more_is_made_again_within_a_day_though_nobody_asks(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.delete_event(ACCOUNT, &before, "not_found").await;
    app.advance(24 * 3_600 + 60);
    let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
        link.sync_status() == SyncStatus::Synced && link.external_event_id != before
    };
    app.until_link("cabinet", "rdv", is_new).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await.len(), 1);
}

#[apply(both_backends)]
async fn a_comparison_that_google_does_not_answer_is_made_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.delete_event(ACCOUNT, &before, "gone").await;
    app.google.fault("events.list", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    sync_now(app, false).await;
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE compare_attempts = 1", 1).await;
    app.advance(60);
    let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
        link.sync_status() == SyncStatus::Synced && link.external_event_id != before
    };
    app.until_link("cabinet", "rdv", is_new).await;
}

#[apply(both_backends)]
async fn a_target_out_of_reach_and_a_refused_account_are_told_though_nothing_is_due(app: &mut TestApp) {
    app.connect("cabinet").await;
    // One answer is not believed.
    app.google.fault("events.list", 1, json!({"kind": "error", "code": 404, "reason": "notFound"})).await;
    sync_now(app, false).await;
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE compare_attempts = 1", 1).await;
    assert_eq!(reason(&app.status("cabinet").await), None);
    app.advance(60);
    until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE compare_attempts = 0", 1).await;

    for role in ["reader", "freeBusyReader"] {
        choose_calendar(app, SECOND_CALENDAR).await.unwrap();
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, role).await;
        sync_now(app, false).await;
        let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::CalendarUnavailable)).await;
        assert_eq!(status.state(), IntegrationState::Error, "{role}");
        app.google.change_role(ACCOUNT, SECOND_CALENDAR, "owner").await;
    }
    choose_calendar(app, SECOND_CALENDAR).await.unwrap();
    app.google.delete_calendar(SECOND_CALENDAR).await;
    let dry_run = SyncNowRequest { organisation_id: "cabinet".into(), dry_run: true };
    assert_eq!(app.integrations.sync_now(dry_run).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(reason(&app.status("cabinet").await), Some(ErrorReason::CalendarUnavailable));
    choose_calendar(app, ACCOUNT).await.unwrap();

    let refused = json!({"kind": "error", "code": 403, "reason": "accountDisabled"});
    app.google.control("faults", json!({"operation": "events.*", "account": ACCOUNT, "fault": refused})).await;
    sync_now(app, false).await;
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::AccountUnavailable)).await;
    assert_eq!(status.state(), IntegrationState::Error);
    app.google.no_more_faults().await;
    app.advance(3_700);
    let status = app.until("cabinet", |status| reason(status).is_none()).await;
    assert_eq!(status.state(), IntegrationState::Connected, "it is back by itself, though nothing was to be sent");
}

#[apply(both_backends)]
async fn a_target_that_cannot_be_listed_is_told_as_long_as_that_lasts(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    let error = |code: u16, word: &str| json!({"kind": "error", "code": code, "reason": word});
    let page = |code: u16| json!({"kind": "page", "code": code});
    let faults = [
        error(503, "backendError"),
        error(429, "rateLimitExceeded"),
        error(403, "rateLimitExceeded"),
        error(401, "authError"),
        error(400, "badRequest"),
        error(412, "conditionNotMet"),
        page(200),
        page(404),
        json!({"kind": "reset"}),
    ];
    let told = |status: &IntegrationStatus| reason(status) == Some(ErrorReason::GoogleUnavailable);
    for (n, fault) in faults.into_iter().enumerate() {
        let id = format!("rdv {n}");
        let before = app.sync("cabinet", appointment(&id, 1)).await.external_event_id;
        app.google.delete_event(ACCOUNT, &before, "not_found").await;
        let set = json!({"operation": "events.list", "calendar_id": ACCOUNT, "fault": fault});
        app.google.control("faults", set).await;
        sync_now(app, false).await;
        // One answer alone is not believed.
        until_number(app, "SELECT COUNT(*) FROM calendar_integrations WHERE compare_attempts = 1", 1).await;
        assert_eq!(reason(&app.status("cabinet").await), None, "{fault}");
        app.advance(20);
        let status = app.until("cabinet", told).await;
        assert_eq!(status.state(), IntegrationState::Connected, "{fault}: it is waited for");
        let problem = status.problem.unwrap();
        assert!(problem.retry_time.unwrap().seconds <= problem.since_time.unwrap().seconds + 2, "{fault}");
        // It lasts, and began when it did.
        app.advance(20);
        let lasts = |status: &IntegrationStatus| {
            let its = status.problem.as_ref();
            its.is_some_and(|it| it.retry_time.unwrap().seconds > it.since_time.unwrap().seconds + 15)
        };
        let status = app.until("cabinet", lasts).await;
        assert_eq!(status.problem.unwrap().since_time, problem.since_time, "{fault}");

        app.google.no_more_faults().await;
        app.advance(60);
        app.until("cabinet", |status| status.problem.is_none()).await;
        let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
            link.sync_status() == SyncStatus::Synced && link.external_event_id != before
        };
        app.until_link("cabinet", &id, is_new).await;
    }
}

#[apply(both_backends)]
async fn sync_now_asks_an_account_that_was_refused_at_once(app: &mut TestApp) {
    app.connect("cabinet").await;
    let refused = json!({"kind": "error", "code": 403, "reason": "accountDisabled"});
    app.google.control("faults", json!({"operation": "events.*", "account": ACCOUNT, "fault": refused})).await;
    sync_now(app, false).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::AccountUnavailable)).await;
    // It lasts: asked again, and told again.
    sync_now(app, false).await;
    let told_again = |status: &IntegrationStatus| {
        let its = status.problem.as_ref();
        its.is_some_and(|it| it.retry_time.unwrap().seconds > it.since_time.unwrap().seconds + 3_600)
    };
    app.until("cabinet", told_again).await;
    app.google.no_more_faults().await;
    sync_now(app, false).await;
    let status = app.until("cabinet", |status| reason(status).is_none()).await;
    assert_eq!(status.state(), IntegrationState::Connected);
}

#[apply(both_backends)]
async fn the_target_is_compared_whatever_another_calendar_answers(app: &mut TestApp) {
    let waits = "SELECT COUNT(*) FROM calendar_integrations WHERE compare_attempts > 0";
    app.connect("cabinet").await;
    for (code, word) in [(403, "somethingNew"), (401, "authError"), (429, "rateLimitExceeded"), (503, "backendError")] {
        let before = app.sync("cabinet", appointment(word, 1)).await.external_event_id;
        app.google.delete_event(ACCOUNT, &before, "not_found").await;
        let fault = json!({"kind": "error", "code": code, "reason": word});
        app.google
            .control("faults", json!({"operation": "events.list", "calendar_id": SECOND_CALENDAR, "fault": fault}))
            .await;
        sync_now(app, false).await;
        let is_new = |link: &cassius_calendar::grpc::pb::AppointmentLink| {
            link.sync_status() == SyncStatus::Synced && link.external_event_id != before
        };
        app.until_link("cabinet", word, is_new).await;
        assert_eq!(reason(&app.status("cabinet").await), None, "{code} {word}");
        // What may answer later is asked again.
        until_number(app, waits, i64::from(code != 403)).await;
        assert!(sync_now(app, true).await.is_partial, "{code} {word}");
        app.google.no_more_faults().await;
    }
    app.advance(3_600);
    until_number(app, waits, 0).await;
    let counted = sync_now(app, true).await;
    assert_eq!((counted.remote_count, counted.is_partial), (4, false));
    for number in 0..9 {
        app.google.control(&format!("accounts/{ACCOUNT}/calendars"), json!({"summary": format!("{number}")})).await;
    }
    assert!(sync_now(app, true).await.is_partial, "more calendars than are listed");
}
