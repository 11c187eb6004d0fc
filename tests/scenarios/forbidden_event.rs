//! Google forbids one event, and nothing else suffers.

use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState, RetryAppointmentsRequest, SyncStatus};
use serde_json::json;

use super::{reason, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

/// Everything that is done to one event is forbidden from now on.
async fn forbid(app: &mut TestApp, appointment: &str, reason: &str) {
    let event = app.link("cabinet", appointment).await.external_event_id;
    let fault = json!({"kind": "error", "code": 403, "reason": reason});
    app.google.control("faults", json!({"operation": "events.*", "event_id": event, "fault": fault})).await;
}

#[apply(both_backends)]
async fn it_alone_stands_in_error_and_the_calendar_is_not_blamed(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for word in ["forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel", "somethingNew"] {
        let other = format!("beside {word}");
        app.sync("cabinet", appointment(word, 1)).await;
        app.sync("cabinet", appointment(&other, 1)).await;
        forbid(app, word, word).await;
        let edited = app.sync("cabinet", of_patient(word, 2, "Dominique Essai")).await;
        let called_off = app.sync("cabinet", cancelled(word, 3)).await;
        for link in [edited, called_off] {
            assert_eq!(link.sync_status(), SyncStatus::Error, "{word}");
            assert_eq!(link.last_error.unwrap().reason(), ErrorReason::EventRefused, "{word}");
        }
        let link = app.sync("cabinet", of_patient(&other, 2, "Dominique Essai")).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{word}");
        let link = app.sync("cabinet", cancelled(&other, 3)).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{word}");
        let status = app.status("cabinet").await;
        assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None), "{word}");
    }
    app.google.no_more_faults().await;
    let all = RetryAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: Vec::new() };
    assert_eq!(app.appointments.retry_appointments(all).await.unwrap().into_inner().queued_count, 4);
    app.at_rest("cabinet").await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
}
