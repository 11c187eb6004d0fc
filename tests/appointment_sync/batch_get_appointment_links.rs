//! `BatchGetAppointmentLinks`: how the appointments of a page stand at Google.

use cassius_calendar::grpc::pb::{AppointmentLink, BatchGetAppointmentLinksRequest, SyncStatus};
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

async fn links(app: &mut TestApp, organisation: &str, ids: &[&str]) -> Vec<AppointmentLink> {
    let appointment_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = BatchGetAppointmentLinksRequest { organisation_id: organisation.into(), appointment_ids };
    app.appointments.batch_get_appointment_links(request).await.unwrap().into_inner().links
}

#[apply(both_backends)]
async fn those_that_are_known_are_answered_as_each_alone_would_be(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    app.sync("cabinet", appointment("refused", 1)).await;
    app.sync("cabinet", appointment("synced", 1)).await;
    app.accept("voisin", appointment("autre", 1)).await;

    let answered = links(app, "cabinet", &["synced", "inconnu", "refused", "synced", "autre"]).await;
    let told: Vec<_> = answered.iter().map(|link| (link.appointment_id.as_str(), link.sync_status())).collect();
    assert_eq!(told, [("refused", SyncStatus::Error), ("synced", SyncStatus::Synced)]);
    assert_eq!(answered[0], app.link("cabinet", "refused").await);
    assert_eq!(answered[1], app.link("cabinet", "synced").await);
    assert!(links(app, "cabinet", &[]).await.is_empty());

    // What waits for its integration says why, as everywhere else.
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("waiting", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    let [waiting] = links(app, "cabinet", &["waiting"]).await.try_into().unwrap();
    assert!(waiting.last_error.is_some());
    assert_eq!(waiting, app.link("cabinet", "waiting").await);
}
