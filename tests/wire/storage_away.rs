//! PostgreSQL away: cut off, or silent. Callers are told within seconds, nothing that was accepted is lost, and the
//! service goes on by itself when the database is back.

#![expect(clippy::needless_update, reason = "one macro fills messages of many fields and of one")]

use std::time::Duration;

use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::sync_appointments_response::Result as Outcome;
use cassius_calendar::grpc::pb::{
    BatchGetAppointmentLinksRequest, BeginConnectRequest, ConfirmAccountRequest, DisconnectRequest,
    EraseAppointmentsRequest, EraseOrganisationRequest, GetAppointmentHistoryRequest, GetAppointmentLinkRequest,
    GetStatusRequest, ListAppointmentLinksRequest, ListAuditEventsRequest, ListCalendarsRequest,
    ListIntegrationsRequest, PreviewEventRequest, ReconcileAppointmentsRequest, ReplaceAppointmentsRequest,
    RetryAppointmentsRequest, SyncAppointmentRequest, SyncAppointmentsRequest, SyncNowRequest, SyncStatus,
    UpdateSettingsRequest, WatchProblemsRequest, WatchStatusRequest,
};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::callers::{as_guest, bare, invite_guest};
use super::methods;
use super::proxy::Proxy;
use super::refused::{read, refused};
use super::sidecar::is_guarded;
use crate::harness::app::TestApp;
use crate::harness::database::{Database, run_on_postgres};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

/// The service on a PostgreSQL that can be taken away.
async fn stage() -> (TestApp, Proxy) {
    let database = Database::on_postgres().await;
    let proxy = Proxy::to(&database.url).await;
    let url = proxy.url();
    // No quota holds anything up here, where the clock stands still.
    let settings =
        [("DATABASE_URL", &*url), ("QUOTA_USER_PER_MINUTE", "100000"), ("QUOTA_PROJECT_PER_MINUTE", "100000")];
    (TestApp::start_with(database, &settings).await, proxy)
}

/// An answer that has to come within seconds: the bound is far above the service's own deadlines.
async fn soon<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), answer).await.expect("the answer comes within seconds")
}

#[track_caller]
fn is_away<T>(answer: Result<T, Status>) {
    let refusal = refused(answer, Code::Unavailable, "STORAGE_UNAVAILABLE");
    assert!(refusal.retry_delay.unwrap() <= Duration::from_secs(60));
}

/// Calls every RPC, all at once; each has to say that the database is away.
async fn every_call_says_so(app: &TestApp) {
    let organisation_id = "cabinet".to_owned();
    macro_rules! call {
        ($($client:ident.$rpc:ident($message:ident { $($field:ident: $value:expr),* }))+) => {
            are_all(&[$(stringify!($message)),+]);
            tokio::join!($({
                let mut client = app.$client.clone();
                let request = $message { organisation_id: organisation_id.clone(), $($field: $value,)* ..Default::default() };
                async move { is_away(soon(client.$rpc(request)).await) }
            }),+)
        };
    }
    call! {
        integrations.get_status(GetStatusRequest {})
        integrations.begin_connect(BeginConnectRequest {})
        integrations.confirm_account(ConfirmAccountRequest {})
        integrations.list_calendars(ListCalendarsRequest {})
        integrations.update_settings(UpdateSettingsRequest {
            settings: Some(Default::default()),
            update_mask: Some(prost_types::FieldMask { paths: vec!["is_enabled".into()] })
        })
        integrations.preview_event(PreviewEventRequest {})
        integrations.sync_now(SyncNowRequest {})
        integrations.list_audit_events(ListAuditEventsRequest {})
        integrations.disconnect(DisconnectRequest {})
        appointments.sync_appointment(SyncAppointmentRequest { appointment: Some(appointment("absent", 1)) })
        appointments.get_appointment_link(GetAppointmentLinkRequest { appointment_id: "rdv".into() })
        appointments.batch_get_appointment_links(BatchGetAppointmentLinksRequest { appointment_ids: vec!["rdv".into()] })
        appointments.list_appointment_links(ListAppointmentLinksRequest {})
        appointments.retry_appointments(RetryAppointmentsRequest {})
        appointments.get_appointment_history(GetAppointmentHistoryRequest { appointment_id: "rdv".into() })
        appointments.erase_appointments(EraseAppointmentsRequest { appointment_ids: vec!["rdv".to_owned()] })
        integrations.erase_organisation(EraseOrganisationRequest {})
    };

    let mut watching = app.integrations.clone();
    let request = WatchStatusRequest { organisation_id: organisation_id.clone() };
    let mut statuses = watching.watch_status(request).await.unwrap().into_inner();
    is_away(soon(statuses.message()).await);
    is_away(soon(watching.list_integrations(ListIntegrationsRequest::default())).await);
    let mut notices = watching.watch_problems(WatchProblemsRequest {}).await.unwrap().into_inner();
    is_away(soon(notices.message()).await);
    let mut streaming = app.appointments.clone();
    let request = SyncAppointmentsRequest {
        organisation_id: organisation_id.clone(),
        appointment: Some(appointment("absent", 1)),
    };
    let mut answers = streaming.sync_appointments(tokio_stream::iter([request])).await.unwrap().into_inner();
    is_away(soon(answers.message()).await);
    let request = ReplaceAppointmentsRequest {
        organisation_id: organisation_id.clone(),
        part: Some(Part::Appointment(appointment("absent", 1))),
    };
    is_away(soon(streaming.replace_appointments(tokio_stream::iter([request]))).await);
    let request = ReconcileAppointmentsRequest { organisation_id, appointment_id: "rdv".into(), revision: 1 };
    let mut answers = streaming.reconcile_appointments(tokio_stream::iter([request])).await.unwrap().into_inner();
    is_away(soon(answers.message()).await);
}

/// The RPCs of these requests are all that take one and answer one; the streams are tried apart.
fn are_all(requests: &[&str]) {
    let method = |request: &str| request.strip_suffix("Request").unwrap().to_owned();
    let mut tried: Vec<_> = requests.iter().map(|request| method(request)).collect();
    tried.extend(["WatchStatus", "WatchProblems", "ListIntegrations"].map(str::to_owned));
    tried.sort();
    let all = methods::all().into_iter().filter(|method| !method.takes_a_stream);
    let mut all: Vec<_> = all.map(|method| method.path.rsplit('/').next().unwrap().to_owned()).collect();
    all.sort();
    assert_eq!(tried, all);
}

async fn goes_on(app: &mut TestApp) {
    // The first call finds the database again: nobody has to come twice.
    assert_eq!(app.accept("cabinet", appointment("rdv", 2)).await.revision, 2);
    let request = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: "absent".into() };
    refused(app.appointments.get_appointment_link(request).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_says_that_the_database_was_cut_off_and_the_first_one_after_is_served() {
    let (mut app, proxy) = stage().await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    proxy.cut();
    every_call_says_so(&app).await;
    proxy.mend();
    goes_on(&mut app).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_says_that_the_database_is_silent_and_the_first_one_after_is_served() {
    let (mut app, proxy) = stage().await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    proxy.silence();
    every_call_says_so(&app).await;
    proxy.mend();
    goes_on(&mut app).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_organisation_is_refused_without_asking_the_database() {
    let (mut app, proxy) = stage().await;
    invite_guest(&mut app).await;
    proxy.cut();
    let mut bare = bare(&app).await;
    let request = as_guest(GetStatusRequest { organisation_id: "cabinet".into() });
    refused(bare.integrations.get_status(request).await, Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED");
    proxy.mend();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_while_the_line_broke_stands_at_google_exactly_once() {
    let (mut app, proxy) = stage().await;
    app.connect("cabinet").await;
    let (sender, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (mut appointments, accepted) = (app.appointments.clone(), sender.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let id = format!("rdv-{caller}-{number}");
                    let request = SyncAppointmentRequest {
                        organisation_id: "cabinet".into(),
                        appointment: Some(appointment(&id, 1)),
                        wait: None,
                    };
                    match appointments.sync_appointment(request).await {
                        Ok(_) => accepted.send(id).unwrap(),
                        Err(status) => {
                            read(&status, Code::Unavailable, "STORAGE_UNAVAILABLE");
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let mut ids = Vec::new();
    while ids.len() < 60 {
        ids.push(accepted.recv().await.unwrap());
    }
    proxy.cut();
    for caller in callers {
        soon(caller).await.unwrap();
    }
    while let Some(id) = accepted.recv().await {
        ids.push(id);
    }
    proxy.mend();
    app.accept("cabinet", appointment("afterwards", 1)).await;
    // What was leased when the line broke is taken again once its lease has lapsed.
    app.at_rest("cabinet").await;
    for id in &ids {
        assert_eq!(app.link("cabinet", id).await.sync_status(), SyncStatus::Synced, "{id}");
    }
    let events = app.google.events(ACCOUNT).await;
    for id in &ids {
        let count =
            events.iter().filter(|event| event["extendedProperties"]["private"]["cassiusAppointmentId"] == **id);
        assert_eq!(count.count(), 1, "{id}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_status_and_what_it_answered_before_stays_true() {
    let (mut app, proxy) = stage().await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let request =
        |id: &str| SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: Some(appointment(id, 1)) };
    sender.send(request("rdv")).await.unwrap();
    let mut answers = app.appointments.sync_appointments(requests).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert!(matches!(answer.result, Some(Outcome::Link(link)) if link.appointment_id == "rdv"));
    proxy.cut();
    sender.send(request("absent")).await.unwrap();
    is_away(soon(answers.message()).await);
    proxy.mend();
    goes_on(&mut app).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_are_told_when_the_database_goes_and_when_it_is_back() {
    let (app, proxy) = stage().await;
    let mut health = HealthClient::new(bare(&app).await.channel);
    let request = HealthCheckRequest { service: "cassius.calendar.v1.AppointmentSync".into() };
    let mut standing = health.watch(request).await.unwrap().into_inner();
    let mut until = async |wanted| while soon(standing.message()).await.unwrap().unwrap().status() != wanted {};
    until(ServingStatus::Serving).await;
    proxy.cut();
    app.advance(6);
    until(ServingStatus::NotServing).await;
    proxy.mend();
    app.advance(6);
    until(ServingStatus::Serving).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_shown_that_nothing_is_lost_and_can_go_on_later() {
    let (mut app, proxy) = stage().await;
    let request =
        BeginConnectRequest { organisation_id: "cabinet".into(), return_url: String::new(), ..Default::default() };
    let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
    app.browser.set(&begun.connect_cookie.unwrap());
    let connect = app.browser.sidecar(&begun.connect_url);
    proxy.cut();
    let page = soon(app.browser.get(&connect)).await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("Rien n’est perdu"), "{}", page.body);
    is_guarded(&page.headers);
    proxy.mend();
    assert_eq!(app.browser.get(&connect).await.status, 303);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_are_told_when_the_database_takes_no_writes_and_when_it_does_again() {
    let app = TestApp::start(Database::on_postgres().await).await;
    let mut health = HealthClient::new(bare(&app).await.channel);
    let request = HealthCheckRequest { service: "cassius.calendar.v1.AppointmentSync".into() };
    let mut standing = health.watch(request).await.unwrap().into_inner();
    let mut until = async |wanted| loop {
        match tokio::time::timeout(Duration::from_millis(500), standing.message()).await {
            Ok(told) if told.as_ref().unwrap().as_ref().unwrap().status() == wanted => return,
            Ok(_) => {}
            Err(_) => app.advance(6),
        }
    };
    let read_only = async |is_on: &str| {
        let name = app.database.name();
        let leave = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = {is_on}");
        let server = std::env::var("TEST_POSTGRES_URL").unwrap();
        run_on_postgres(&server, &sql).await;
        // The connections that are open have the setting of before.
        run_on_postgres(&server, &leave).await;
    };
    soon(until(ServingStatus::Serving)).await;
    read_only("on").await;
    soon(until(ServingStatus::NotServing)).await;
    // What only reads is served, what has to be written is put off.
    let request = GetStatusRequest { organisation_id: "cabinet".into() };
    app.integrations.clone().get_status(request).await.unwrap();
    let request = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment("rdv", 1)),
        wait: None,
    };
    is_away(app.appointments.clone().sync_appointment(request).await);
    read_only("off").await;
    soon(until(ServingStatus::Serving)).await;
    app.end().await;
}
