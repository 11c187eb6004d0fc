//! `ReconcileAppointments`: what the service lacks.

use cassius_calendar::grpc::pb::{ReconcileAppointmentsRequest, ReconcileAppointmentsResponse, ReconcileFinding};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::{appointment, cancelled};
use crate::wire::refused::read;

fn named(organisation: &str, id: &str, revision: i64) -> ReconcileAppointmentsRequest {
    ReconcileAppointmentsRequest { organisation_id: organisation.into(), appointment_id: id.into(), revision }
}

fn held(organisation: &str, id: &str, held_revision: i64, finding: ReconcileFinding) -> ReconcileAppointmentsResponse {
    let (organisation_id, appointment_id) = (organisation.into(), id.into());
    ReconcileAppointmentsResponse { organisation_id, appointment_id, held_revision, finding: finding.into() }
}

fn missing_or_stale(organisation: &str, id: &str, held_revision: i64) -> ReconcileAppointmentsResponse {
    let finding = if held_revision == 0 { ReconcileFinding::Missing } else { ReconcileFinding::Older };
    held(organisation, id, held_revision, finding)
}

async fn reconcile(
    app: &mut TestApp,
    requests: Vec<ReconcileAppointmentsRequest>,
) -> Vec<ReconcileAppointmentsResponse> {
    let answers = app.appointments.reconcile_appointments(tokio_stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push(answer);
    }
    all
}

#[apply(both_backends)]
async fn it_names_what_is_unknown_or_held_at_another_revision_and_is_silent_about_the_rest(app: &mut TestApp) {
    app.accept("cabinet", appointment("same", 5)).await;
    app.accept("cabinet", appointment("older", 5)).await;
    app.accept("cabinet", appointment("newer", 5)).await;
    app.accept("cabinet", cancelled("off", 5)).await;
    let requests = vec![
        named("cabinet", "unknown", 1),
        named("cabinet", "same", 5),
        named("cabinet", "older", 6),
        named("cabinet", "newer", 4),
        named("cabinet", "off", 5),
        named("cabinet", "last", i64::MAX),
    ];
    let expected = [
        missing_or_stale("cabinet", "unknown", 0),
        missing_or_stale("cabinet", "older", 5),
        held("cabinet", "newer", 5, ReconcileFinding::Higher),
        missing_or_stale("cabinet", "last", 0),
    ];
    assert_eq!(reconcile(app, requests).await, expected);
    assert!(reconcile(app, Vec::new()).await.is_empty());
    assert!(app.google.journal().await.is_empty());
}

#[apply(both_backends)]
async fn organisations_are_kept_apart(app: &mut TestApp) {
    app.accept("cabinet", appointment("rdv", 1)).await;
    let requests = vec![
        named("cabinet", "rdv", 1),
        named("voisin", "rdv", 1),
        named("cabinet", "rdv", 2),
        named("voisin", "rdv", 1),
    ];
    let expected = [
        missing_or_stale("voisin", "rdv", 0),
        missing_or_stale("cabinet", "rdv", 1),
        missing_or_stale("voisin", "rdv", 0),
    ];
    assert_eq!(reconcile(app, requests).await, expected);
}

#[apply(both_backends)]
async fn a_whole_period_is_compared_and_what_is_sent_again_is_missing_no_more(app: &mut TestApp) {
    const MANY: usize = 5_000;
    for number in (0..MANY).step_by(1_000) {
        app.accept("cabinet", appointment(&format!("rdv-{number}"), 1)).await;
    }
    let requests = || (0..MANY).map(|number| named("cabinet", &format!("rdv-{number}"), 1)).collect::<Vec<_>>();
    let answers = reconcile(app, requests()).await;
    let expected = (0..MANY).filter(|number| number % 1_000 != 0).map(|number| format!("rdv-{number}"));
    assert!(answers.iter().map(|answer| answer.appointment_id.clone()).eq(expected));
    for answer in &answers[..3] {
        app.accept("cabinet", appointment(&answer.appointment_id, 1)).await;
    }
    assert_eq!(reconcile(app, requests()).await.len(), answers.len() - 3);
}

#[apply(both_backends)]
async fn it_answers_while_the_stream_stays_open_and_a_drain_ends_it(app: &mut TestApp) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let answers = app.appointments.reconcile_appointments(ReceiverStream::new(receiver)).await;
    let mut answers = answers.unwrap().into_inner();
    for id in ["a", "b"] {
        sender.send(named("cabinet", id, 1)).await.unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap(), missing_or_stale("cabinet", id, 0));
    }
    app.stop().await;
    read(&answers.message().await.unwrap_err(), Code::Unavailable, "DRAINING");
}
