//! `SyncAppointments`: an answer a request, in order.

use cassius_calendar::grpc::pb::sync_appointments_response::Result as Outcome;
use cassius_calendar::grpc::pb::{
    Appointment, AppointmentLink, ErrorReason, SyncAppointmentsRequest, SyncAppointmentsResponse, SyncNowRequest,
    SyncStatus,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::{appointment, of_patient};
use crate::wire::callers::with;
use crate::wire::refused::read;

fn request(appointment: Appointment) -> SyncAppointmentsRequest {
    SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: Some(appointment) }
}

fn link(answer: SyncAppointmentsResponse) -> AppointmentLink {
    match answer.result.unwrap() {
        Outcome::Link(link) => link,
        Outcome::Rejection(rejection) => panic!("{rejection:?}"),
    }
}

async fn next(answers: &mut Streaming<SyncAppointmentsResponse>) -> SyncAppointmentsResponse {
    answers.message().await.unwrap().unwrap()
}

/// A stream that stays open, request by request.
async fn open(app: &mut TestApp) -> (mpsc::Sender<SyncAppointmentsRequest>, Streaming<SyncAppointmentsResponse>) {
    let (sender, receiver) = mpsc::channel(1);
    let answers = app.appointments.sync_appointments(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    (sender, answers)
}

/// An import as a shell pipes it: each request is ready by itself, so that each goes out in a frame of its own.
fn one_by_one(count: i64) -> impl tokio_stream::Stream<Item = SyncAppointmentsRequest> + Send {
    futures_util::stream::unfold(0, move |number| async move {
        tokio::task::yield_now().await;
        (number < count).then(|| (request(appointment(&format!("rdv-{number}"), 1)), number + 1))
    })
}

#[apply(both_backends)]
async fn an_import_of_many_small_messages_leaves_the_connection_open(app: &mut TestApp) {
    const COUNT: i64 = 10_000;
    let mut answers = app.appointments.sync_appointments(one_by_one(COUNT)).await.unwrap().into_inner();
    let mut answered = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(link(answer).appointment_id, format!("rdv-{answered}"));
        answered += 1;
    }
    assert_eq!(answered, COUNT);
}

#[apply(both_backends)]
async fn many_are_answered_in_the_order_of_the_requests(app: &mut TestApp) {
    const MANY: usize = 3_000;
    let requests = (0..MANY).map(|number| request(appointment(&format!("rdv-{number}"), 1)));
    let requests: Vec<_> = requests.collect();
    let mut answers = app.appointments.sync_appointments(tokio_stream::iter(requests)).await.unwrap().into_inner();
    for number in 0..MANY {
        let link = link(next(&mut answers).await);
        assert_eq!((link.appointment_id, link.revision), (format!("rdv-{number}"), 1));
    }
    assert!(answers.message().await.unwrap().is_none());
    app.connect("cabinet").await;
    let answer = app
        .integrations
        .sync_now(SyncNowRequest { organisation_id: "cabinet".into(), ..SyncNowRequest::default() })
        .await
        .unwrap();
    assert_eq!(answer.into_inner().queued_count, 3_000);
    app.integrations
        .disconnect(cassius_calendar::grpc::pb::DisconnectRequest {
            organisation_id: "cabinet".into(),
            remote_events: 0,
        })
        .await
        .unwrap();
}

#[apply(both_backends)]
async fn each_request_is_answered_while_the_stream_stays_open(app: &mut TestApp) {
    let (sender, mut answers) = open(app).await;
    for revision in 1..=5 {
        sender.send(request(appointment("rdv", revision))).await.unwrap();
        assert_eq!(link(next(&mut answers).await).revision, revision);
        // It is durable and seen by everybody as soon as it is answered.
        assert_eq!(app.link("cabinet", "rdv").await.revision, revision);
    }
    drop(sender);
    assert!(answers.message().await.unwrap().is_none());
}

#[apply(both_backends)]
async fn revisions_that_arrive_together_and_out_of_order_leave_the_highest(app: &mut TestApp) {
    let requests: Vec<_> =
        [3, 1, 9, 2, 9, 8].into_iter().map(|revision| request(appointment("rdv", revision))).collect();
    let mut answers = app.appointments.sync_appointments(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(link(answer).appointment_id, "rdv");
        count += 1;
    }
    assert_eq!((count, app.link("cabinet", "rdv").await.revision), (6, 9));
}

#[apply(both_backends)]
async fn a_request_at_fault_is_rejected_in_its_place_and_the_others_are_accepted(app: &mut TestApp) {
    let bad = Appointment { revision: 0, time_zone: "Paris".into(), ..appointment("bad", 1) };
    let requests = vec![request(appointment("a", 1)), request(bad), request(appointment("b", 1))];
    let stream = with(tokio_stream::iter(requests), "accept-language", "en");
    let mut answers = app.appointments.sync_appointments(stream).await.unwrap().into_inner();
    assert_eq!(link(next(&mut answers).await).appointment_id, "a");
    let Some(Outcome::Rejection(rejection)) = next(&mut answers).await.result else { panic!("it was accepted") };
    assert_eq!(rejection.reason(), ErrorReason::InvalidRequest);
    assert!(rejection.message.starts_with("The request holds incorrect information."), "{}", rejection.message);
    let mut fields: Vec<_> = rejection.violations.iter().map(|violation| &*violation.field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["appointment.revision", "appointment.time_zone"]);
    assert_eq!(link(next(&mut answers).await).appointment_id, "b");
    assert!(answers.message().await.unwrap().is_none());
}

#[apply(both_backends)]
async fn what_is_accepted_goes_to_google(app: &mut TestApp) {
    app.connect("cabinet").await;
    let requests: Vec<_> = (0..20)
        .flat_map(|number| {
            let id = format!("rdv-{number}");
            [request(appointment(&id, 1)), request(of_patient(&id, 2, "Dominique Essai"))]
        })
        .collect();
    let mut answers = app.appointments.sync_appointments(tokio_stream::iter(requests)).await.unwrap().into_inner();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(matches!(link(answer).sync_status(), SyncStatus::Pending | SyncStatus::Synced));
    }
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 20);
    let events = app.google.events(crate::harness::google::ACCOUNT).await;
    assert_eq!(events.len(), 20);
    assert!(events.iter().all(|event| event["summary"] == "[Cassius] Implant — Dominique Essai"));
}

#[apply(both_backends)]
async fn a_drain_ends_it_with_the_word_to_open_it_again_and_what_was_answered_stays_true(app: &mut TestApp) {
    let (sender, mut answers) = open(app).await;
    sender.send(request(appointment("rdv", 1))).await.unwrap();
    assert_eq!(link(next(&mut answers).await).revision, 1);
    app.stop().await;
    read(&answers.message().await.unwrap_err(), Code::Unavailable, "DRAINING");
    app.restart().await;
    assert_eq!(app.link("cabinet", "rdv").await.revision, 1);
}
