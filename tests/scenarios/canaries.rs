//! Planted names, tokens and tickets: found where they belong, and nowhere else.

use cassius_calendar::grpc::pb::{
    Appointment, BeginConnectRequest, DisconnectRequest, GetAppointmentHistoryRequest, GetStatusRequest,
    ListAppointmentLinksRequest, ListAuditEventsRequest, ListCalendarsRequest, ListIntegrationsRequest,
    PreviewEventRequest, RemoteEvents, SyncAppointmentRequest, SyncNowRequest,
};
use memchr::memmem;
use prost::Message;
use serde_json::json;
use url::Url;

use crate::harness::app::{API_KEY, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{EVENTS, LIST};
use crate::harness::google::ACCOUNT;
use crate::harness::logs;
use crate::harness::samples::appointment;

const PATIENT: &str = "Zyxquathe Canarini";
const PRACTITIONER: &str = "Dr Quorvaxe";
const KIND: &str = "Greffe-Wumbolt";
const PLACE: &str = "Salle Plimquist";
const PAGE: &str = "https://cassius.example/rdv?cle=Vexnor";
/// What of a patient or of an appointment may be at Google and in sealed columns alone.
const PRIVATE: [&str; 5] = [PATIENT, PRACTITIONER, KIND, PLACE, "Vexnor"];
/// How Google's tokens begin, and what else is a secret of the service.
const SECRETS: [&str; 4] = ["ya29.", "1//0", "emulated-secret", API_KEY];

fn planted(revision: i64) -> Appointment {
    Appointment {
        patient_name: PATIENT.into(),
        practitioner_name: PRACTITIONER.into(),
        r#type: KIND.into(),
        location: PLACE.into(),
        url: PAGE.into(),
        ..appointment("rdv", revision)
    }
}

/// Everything that the service has told: answers and errors, as a program and as a log would see them.
#[derive(Default)]
struct Outputs(Vec<u8>);

impl Outputs {
    fn note<T: Message + std::fmt::Debug>(&mut self, answer: Result<tonic::Response<T>, tonic::Status>) {
        match answer {
            Ok(answer) => {
                self.0.extend(format!("{answer:?}").into_bytes());
                self.0.extend(answer.into_inner().encode_to_vec());
            }
            Err(error) => {
                self.0.extend(format!("{error:?} {error}").into_bytes());
                self.0.extend_from_slice(error.details());
            }
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memmem::find(bytes, text.as_bytes()).is_some()
}

/// Whatever the service does with an appointment and an account, well and badly; answers the secrets of the consent.
async fn live(app: &mut TestApp, outputs: &mut Outputs) -> Vec<String> {
    let organisation_id = || "cabinet".to_owned();
    let consent = app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    let mut secrets: Vec<String> = app.browser.cookies.values().cloned().collect();
    let callback = app.browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    for (url, name) in [(&consent, "state"), (&consent, "nonce"), (&callback, "code")] {
        let url = Url::parse(url).unwrap();
        let secret = url.query_pairs().find(|(named, _)| named == name).unwrap().1.into_owned();
        // The nonce is kept, until the consent is complete, and worth nothing by itself.
        if name != "nonce" {
            secrets.push(secret);
        }
    }
    let page = app.browser.get(&callback).await;
    outputs.0.extend(format!("{page:?}").into_bytes());

    let sync = |revision| {
        let request = SyncAppointmentRequest {
            organisation_id: organisation_id(),
            appointment: Some(planted(revision)),
            wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        };
        assert!(PRIVATE.iter().all(|canary| !format!("{request:?}").contains(canary)), "Debug withholds the patient");
        request
    };
    outputs.note(app.appointments.sync_appointment(sync(1)).await);
    // Google quotes what it refuses; that goes nowhere.
    let message = format!("Invalid value: {PATIENT}");
    app.google
        .fault("events.patch", 1, json!({"kind": "error", "code": 400, "reason": "invalid", "message": message}))
        .await;
    let mut refused = sync(2);
    refused.appointment.as_mut().unwrap().r#type = format!("{KIND} 2");
    outputs.note(app.appointments.sync_appointment(refused).await);
    // And so does the service.
    let mut nonsense = sync(3);
    nonsense.appointment.as_mut().unwrap().time_zone = PATIENT.into();
    nonsense.appointment.as_mut().unwrap().end_time = None;
    outputs.note(app.appointments.sync_appointment(nonsense).await);
    let list = ListAppointmentLinksRequest { organisation_id: organisation_id(), ..Default::default() };
    outputs.note(app.appointments.list_appointment_links(list).await);
    outputs.note(app.integrations.get_status(GetStatusRequest { organisation_id: organisation_id() }).await);
    outputs.note(app.integrations.list_calendars(ListCalendarsRequest { organisation_id: organisation_id() }).await);
    outputs.note(
        app.integrations
            .sync_now(SyncNowRequest { organisation_id: organisation_id(), ..SyncNowRequest::default() })
            .await,
    );
    app.at_rest("cabinet").await;
    // A refresh, one that fails, and a grant that dies.
    app.google.expire_tokens(ACCOUNT).await;
    outputs.note(app.appointments.sync_appointment(sync(4)).await);
    app.google.revoke(ACCOUNT).await;
    let mut dead = sync(5);
    dead.wait = None;
    dead.appointment.as_mut().unwrap().r#type = format!("{KIND} 5");
    outputs.note(app.appointments.sync_appointment(dead).await);
    app.until("cabinet", |status| status.problem.is_some()).await;
    outputs.note(app.integrations.get_status(GetStatusRequest { organisation_id: organisation_id() }).await);
    // Whoever looks after all of it is told no more.
    let history = GetAppointmentHistoryRequest { organisation_id: organisation_id(), appointment_id: "rdv".into() };
    outputs.note(app.appointments.get_appointment_history(history).await);
    outputs.note(app.integrations.list_integrations(ListIntegrationsRequest::default()).await);
    outputs.note(app.integrations.list_audit_events(ListAuditEventsRequest::default()).await);
    let metrics = format!("http://{}/metrics", app.running().metrics_address.unwrap());
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("cassius_calendar_google_calls_total") && !metrics.contains("cabinet"), "{metrics}");
    outputs.0.extend(metrics.into_bytes());
    secrets
}

async fn holds_no_secret(app: &TestApp, secrets: &[String], when: &str) {
    let stored = app.database.bytes().await;
    for canary in PRIVATE.into_iter().chain(SECRETS).chain(secrets.iter().map(String::as_str)) {
        assert!(!contains(&stored, canary), "{canary} is in the database {when}");
        assert!(!logs::contain(canary), "{canary} is in the log {when}");
    }
    // The looking itself works.
    assert!(contains(&stored, "cabinet"));
}

#[apply(both_backends)]
async fn names_and_tokens_stay_out_of_logs_answers_errors_and_columns(app: &mut TestApp) {
    app.settings.insert("METRICS_ADDR".to_owned(), "127.0.0.1:0".to_owned());
    app.restart().await;
    let mut outputs = Outputs::default();
    let secrets = live(app, &mut outputs).await;
    for canary in PRIVATE.into_iter().chain(SECRETS).chain(secrets.iter().map(String::as_str)) {
        assert!(!contains(&outputs.0, canary), "{canary} was told");
    }
    holds_no_secret(app, &secrets, "while it works").await;
    let at_google = app.google.events(ACCOUNT).await;
    assert_eq!(at_google[0]["summary"], format!("[Cassius] {KIND} — {PATIENT}"), "it is where it belongs");

    let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::Keep.into() };
    app.integrations.disconnect(request).await.unwrap();
    holds_no_secret(app, &secrets, "after the disconnect").await;
    app.restart().await;
    holds_no_secret(app, &secrets, "after a restart").await;
}

#[apply(both_backends)]
async fn what_is_shown_to_a_browser_or_a_caller_is_withheld_from_debug(app: &mut TestApp) {
    let request =
        BeginConnectRequest { organisation_id: "cabinet".into(), return_url: String::new(), ..Default::default() };
    let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
    let ticket = begun.connect_cookie.as_ref().unwrap().value.clone();
    assert!(!begun.connect_url.contains(&ticket), "the link alone is worth nothing");
    assert!(!format!("{begun:?}").contains(&ticket));
    let request = PreviewEventRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(planted(1)),
        ..PreviewEventRequest::default()
    };
    let preview = app.integrations.preview_event(request).await.unwrap().into_inner();
    assert!(preview.event.as_ref().unwrap().title.contains(PATIENT));
    let debug = format!("{preview:?}");
    assert!(PRIVATE.iter().all(|canary| !debug.contains(canary)), "{debug}");
    assert!(!logs::contain(&ticket) && !contains(&app.database.bytes().await, &ticket));
}
