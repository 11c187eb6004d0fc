//! `PreviewEvent`: what would be written, word for word.

use cassius_calendar::grpc::pb::{
    Appointment, AppointmentState, EventPreview, PreviewEventRequest, TitlePrivacy, UpdateSettingsRequest,
};
use cassius_calendar::grpc::pb::{IntegrationSettings, ListAppointmentLinksRequest};
use jiff::Timestamp;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, instant};

async fn preview(app: &mut TestApp, appointment: Option<Appointment>, privacy: TitlePrivacy) -> Option<EventPreview> {
    let request = PreviewEventRequest { organisation_id: "cabinet".into(), appointment, title_privacy: privacy.into() };
    app.integrations.preview_event(request).await.unwrap().into_inner().event
}

async fn set_privacy(app: &mut TestApp, privacy: TitlePrivacy) {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(IntegrationSettings { title_privacy: privacy.into(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title_privacy".into()] }),
    };
    app.integrations.update_settings(request).await.unwrap();
}

fn of_google(event: &serde_json::Value) -> EventPreview {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let at = |value: &serde_json::Value| {
        let at: Timestamp = value["dateTime"].as_str().unwrap().parse().unwrap();
        Some(instant(&at.to_string()))
    };
    EventPreview {
        title: text(&event["summary"]),
        description: text(&event["description"]),
        location: text(&event["location"]),
        start_time: at(&event["start"]),
        end_time: at(&event["end"]),
        time_zone: text(&event["start"]["timeZone"]),
        url: text(&event["source"]["url"]),
    }
}

#[apply(both_backends)]
async fn it_is_what_is_really_written_in_every_privacy(app: &mut TestApp) {
    app.connect("cabinet").await;
    let odd = Appointment {
        r#type: "Contrôle & <suivi>".into(),
        patient_name: "Jean-Noël  D'Exemple".into(),
        practitioner_name: "Dr \"A\" <b>".into(),
        location: String::new(),
        time_zone: "America/Martinique".into(),
        ..appointment("odd", 1)
    };
    let linked = Appointment { url: "https://cassius.example/rdv/7?a=1&b=2".into(), ..appointment("linked", 1) };
    for appointment in [appointment("plain", 1), odd, linked] {
        // The quota fills again.
        app.advance(60);
        for privacy in [TitlePrivacy::Full, TitlePrivacy::Initials, TitlePrivacy::Masked] {
            set_privacy(app, privacy).await;
            let id = appointment.appointment_id.clone();
            app.sync("cabinet", appointment.clone()).await;
            app.at_rest("cabinet").await;
            let shown = preview(app, Some(appointment.clone()), TitlePrivacy::Unspecified).await.unwrap();
            assert_eq!(preview(app, Some(appointment.clone()), privacy).await.as_ref(), Some(&shown));
            let events = app.google.events(ACCOUNT).await;
            let written = events
                .iter()
                .find(|event| event["extendedProperties"]["private"]["cassiusAppointmentId"] == *id)
                .unwrap();
            let written = of_google(written);
            // Compared field by field, since a preview's Debug shows nothing.
            assert_eq!(shown.title, written.title);
            assert_eq!(shown.description, written.description);
            assert_eq!(shown.location, written.location);
            assert_eq!((shown.start_time, shown.end_time), (written.start_time, written.end_time));
            assert_eq!((&shown.time_zone, &shown.url), (&written.time_zone, &written.url));
        }
    }
}

#[apply(both_backends)]
async fn it_stores_nothing_and_asks_nobody(app: &mut TestApp) {
    let event = preview(app, Some(appointment("rdv", 1)), TitlePrivacy::Unspecified).await.unwrap();
    assert_eq!(event.title, "[Cassius] Implant — Camille Exemple", "without a connection the full name is the default");
    assert_eq!(event.url, "http://127.0.0.1:3000/appointments/rdv");
    assert!(app.google.journal().await.is_empty());
    let request = ListAppointmentLinksRequest { organisation_id: "cabinet".into(), ..Default::default() };
    assert!(app.appointments.list_appointment_links(request).await.unwrap().into_inner().links.is_empty());
}

#[apply(both_backends)]
async fn without_an_appointment_a_sample_is_shown(app: &mut TestApp) {
    for (privacy, title) in [
        (TitlePrivacy::Full, "[Cassius] Pose d’implant — Camille Exemple"),
        (TitlePrivacy::Initials, "[Cassius] Pose d’implant — C. E."),
        (TitlePrivacy::Masked, "[Cassius] Rendez-vous"),
    ] {
        let event = preview(app, None, privacy).await.unwrap();
        assert_eq!(event.title, title);
        assert!(!event.description.is_empty());
        assert_eq!(event.location.is_empty(), privacy == TitlePrivacy::Masked);
        // Tomorrow at half past two in Paris.
        assert_eq!(event.start_time, Some(instant("2026-03-03T13:30:00Z")));
        assert_eq!(event.time_zone, "Europe/Paris");
    }
}

#[apply(both_backends)]
async fn no_event_stands_for_an_appointment_that_does_not_take_place(app: &mut TestApp) {
    assert_eq!(preview(app, Some(cancelled("rdv", 1)), TitlePrivacy::Full).await.map(|_| ()), None);
    let deleted = Appointment { state: AppointmentState::Deleted.into(), ..appointment("rdv", 1) };
    assert_eq!(preview(app, Some(deleted), TitlePrivacy::Full).await.map(|_| ()), None);
}
