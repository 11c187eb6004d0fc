//! The user deleted the event at Google, and the appointment goes on.

use cassius_calendar::grpc::pb::{IntegrationState, SyncStatus};

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
    app.google.alter_event(ACCOUNT, &event, serde_json::json!({"summary": "Perdu", "colorId": "5"})).await;
    app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], event);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai");
    assert_eq!(events[0]["colorId"], "5");
}
