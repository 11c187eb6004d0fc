//! The user deleted the event at Google, and the appointment goes on.

use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState, SyncStatus};
use serde_json::json;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

/// How Google may speak of an event that its user deleted.
const ANSWERS: [&str; 3] = ["cancelled", "not_found", "gone"];

#[apply(both_backends)]
async fn an_event_that_vanished_is_made_anew_by_the_next_edit(app: &mut TestApp) {
    app.connect("cabinet").await;
    for answer in ANSWERS {
        let before = app.sync("cabinet", appointment(answer, 1)).await.external_event_id;
        app.google.delete_event(ACCOUNT, &before, answer).await;
        let link = app.sync("cabinet", of_patient(answer, 2, "Dominique Essai")).await;
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2), "{answer}");
        let events = app.google.events_of(ACCOUNT, answer).await;
        assert_eq!(events.len(), 1, "{answer}");
        assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai");
        assert_eq!(events[0]["id"], link.external_event_id, "{answer}: the link names the new event");
        assert_ne!(link.external_event_id, before, "{answer}: an id is never free again");
        // And the new one is as good as the first.
        app.sync("cabinet", of_patient(answer, 3, "Alix Essai")).await;
        assert_eq!(app.google.events_of(ACCOUNT, answer).await[0]["summary"], "[Cassius] Implant — Alix Essai");
    }
    let status = app.status("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
}

#[apply(both_backends)]
async fn cancelling_an_appointment_whose_event_vanished_is_no_error(app: &mut TestApp) {
    app.connect("cabinet").await;
    for answer in ANSWERS {
        let before = app.sync("cabinet", appointment(answer, 1)).await.external_event_id;
        app.google.delete_event(ACCOUNT, &before, answer).await;
        let link = app.sync("cabinet", cancelled(answer, 2)).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{answer}");
        assert!(link.last_error.is_none() && link.external_event_id.is_empty(), "{answer}");
    }
    assert!(app.google.events(ACCOUNT).await.is_empty());
}

#[apply(both_backends)]
async fn an_event_that_its_user_altered_keeps_what_is_not_ours(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    app.google.alter_event(ACCOUNT, &event, json!({"summary": "Perdu", "colorId": "5"})).await;
    app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], event);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai");
    assert_eq!(events[0]["colorId"], "5");
}

#[apply(both_backends)]
async fn one_404_or_410_that_is_not_so_makes_no_second_event_and_leaves_none_behind(app: &mut TestApp) {
    app.connect("cabinet").await;
    for (code, word) in [(404, "notFound"), (410, "deleted")] {
        let untrue = json!({"kind": "error", "code": code, "reason": word});
        let event = app.sync("cabinet", appointment(word, 1)).await.external_event_id;
        app.google.fault("events.patch", 1, untrue.clone()).await;
        app.accept("cabinet", of_patient(word, 2, "Dominique Essai")).await;
        app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
        app.advance(60);
        app.at_rest("cabinet").await;
        let events = app.google.events_of(ACCOUNT, word).await;
        assert_eq!((events.len(), &events[0]["id"]), (1, &json!(event)), "{word}");
        assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai", "{word}");
        app.google.fault("events.delete", 1, untrue).await;
        app.accept("cabinet", cancelled(word, 3)).await;
        app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleUnavailable)).await;
        app.advance(60);
        app.at_rest("cabinet").await;
        assert!(app.google.events_of(ACCOUNT, word).await.is_empty(), "{word}");
    }
}

#[apply(both_backends)]
async fn an_event_that_its_user_made_one_of_the_whole_day_is_set_right_by_the_next_edit(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("rdv", 1)).await.external_event_id;
    let before = app.google.events(ACCOUNT).await[0]["start"].clone();
    let day = |date| json!({"date": date, "dateTime": null, "timeZone": null});
    app.google.alter_event(ACCOUNT, &event, json!({"start": day("2026-03-04"), "end": day("2026-03-05")})).await;
    assert!(app.google.events(ACCOUNT).await[0]["start"]["date"].is_string());
    let link = app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    let events = app.google.events(ACCOUNT).await;
    assert_eq!((events.len(), &events[0]["id"], &events[0]["start"]), (1, &json!(event), &before));
}
