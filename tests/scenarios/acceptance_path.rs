//! The way of a practice, from the first click to the last.

use cassius_calendar::grpc::pb::{DisconnectRequest, IntegrationState, ListCalendarsRequest, RemoteEvents, SyncStatus};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

#[apply(both_backends)]
async fn an_appointment_is_created_edited_and_cancelled_at_google(app: &mut TestApp) {
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
    app.connect("cabinet").await;
    let status = app.status("cabinet").await;
    assert_eq!(status.state(), IntegrationState::Connected);
    assert_eq!(status.google_email, ACCOUNT);
    assert_eq!(status.calendar.unwrap().id, ACCOUNT);

    let request = ListCalendarsRequest { organisation_id: "cabinet".into() };
    let calendars = app.integrations.list_calendars(request).await.unwrap().into_inner().calendars;
    assert!(calendars[0].is_primary && calendars.len() > 1);

    let link = app.sync("cabinet", appointment("rdv", 1)).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 1));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Camille Exemple");

    let link = app.sync("cabinet", of_patient("rdv", 2, "Dominique Essai")).await;
    assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, 2));
    let events = app.google.events(ACCOUNT).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai");

    app.sync("cabinet", cancelled("rdv", 3)).await;
    assert!(app.google.events(ACCOUNT).await.is_empty());
    assert_eq!(app.google.event_calls().await, ["events.insert", "events.patch", "events.delete"]);

    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::Keep.into() };
    app.integrations.disconnect(request).await.unwrap();
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
}
