//! Who may call, and for whom.

use bytes::Bytes;
use cassius_calendar::grpc::pb::replace_appointments_request::Part;
use cassius_calendar::grpc::pb::sync_appointments_response::Result as Outcome;
use cassius_calendar::grpc::pb::{
    ErrorReason, GetAppointmentLinkRequest, GetStatusRequest, ReconcileAppointmentsRequest, ReplaceAppointmentsRequest,
    SyncAppointmentsRequest,
};
use tonic::Code;
use tonic::transport::Channel;

use super::callers::{Bare, GUEST_KEY, INVITED, as_guest, bare, invite_guest, with};
use super::methods::{self, Method};
use super::raw;
use super::refused::{Refused, read, refused};
use crate::harness::app::{API_KEY, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;

/// Calls each RPC that takes one request; all have to be refused alike.
async fn refuse_each(
    channel: &Channel,
    organisation: &str,
    key: Option<&str>,
    (code, reason): (Code, &str),
) -> Vec<Refused> {
    let mut refusals = Vec::new();
    // What is about all organisations of a key shows it its own, and is refused to nobody who has one.
    let is_refused = |method: &&Method| reason == "INVALID_API_KEY" || !method.is_about_all();
    for method in methods::all().iter().filter(|method| !method.takes_a_stream).filter(is_refused) {
        let answer = raw::unary(channel, &method.path, key, method.nonsense_for(organisation)).await;
        refusals.push(refused(answer, code, reason));
    }
    refusals
}

#[test]
fn each_rpc_that_takes_a_stream_has_its_own_test_below() {
    let streams = methods::all().into_iter().filter(|method| method.takes_a_stream).map(|method| method.path);
    let tested = ["SyncAppointments", "ReconcileAppointments", "ReplaceAppointments"];
    let tested = tested.map(|method| format!("AppointmentSync/{method}"));
    assert_eq!(streams.collect::<Vec<_>>(), tested);
}

#[test]
fn each_rpc_about_all_organisations_has_a_test_of_its_own_that_a_key_sees_its_own_alone() {
    let about_all = methods::all().into_iter().filter(Method::is_about_all).map(|method| method.path);
    let tested = ["CalendarIntegration/ListIntegrations", "CalendarIntegration/WatchProblems"];
    assert_eq!(about_all.collect::<Vec<_>>(), tested);
}

#[apply(both_backends)]
async fn nobody_is_served_without_a_known_key(app: &mut TestApp) {
    let bare = bare(app).await;
    let expected = (Code::Unauthenticated, "INVALID_API_KEY");
    for key in [None, Some("wrong")] {
        refuse_each(&bare.channel, "cabinet", key, expected).await;
    }
    for header in [
        "",
        "Bearer",
        "Basic canary-api-key-Zx81",
        "canary-api-key-Zx81",
        "Bearer canary-api-key-Zx8",
        "Bearer canary-api-key-Zx811",
    ] {
        let request = with(GetStatusRequest { organisation_id: "cabinet".into() }, "authorization", header);
        refused(bare.integrations.clone().get_status(request).await, expected.0, expected.1);
    }
    let mut two = with(GetStatusRequest { organisation_id: "cabinet".into() }, "authorization", "Bearer wrong");
    two.metadata_mut().append("authorization", format!("Bearer {API_KEY}").parse().unwrap());
    refused(bare.integrations.clone().get_status(two).await, Code::Unauthenticated, "INVALID_API_KEY");

    let mut streams = bare.appointments.clone();
    let nothing = tokio_stream::empty::<SyncAppointmentsRequest>;
    refused(streams.sync_appointments(nothing()).await, Code::Unauthenticated, "INVALID_API_KEY");
    let nothing = tokio_stream::empty::<ReconcileAppointmentsRequest>;
    refused(streams.reconcile_appointments(nothing()).await, Code::Unauthenticated, "INVALID_API_KEY");
    let nothing = tokio_stream::empty::<ReplaceAppointmentsRequest>;
    refused(streams.replace_appointments(nothing()).await, Code::Unauthenticated, "INVALID_API_KEY");
}

#[apply(both_backends)]
async fn the_key_is_checked_before_a_byte_of_the_request_is_decoded(app: &mut TestApp) {
    let channel = bare(app).await.channel;
    let nonsense = Bytes::from_static(&[0xff; 64]);
    for (key, code, reason) in [
        (None, Code::Unauthenticated, "INVALID_API_KEY"),
        (Some("wrong"), Code::Unauthenticated, "INVALID_API_KEY"),
        (Some(API_KEY), Code::InvalidArgument, "INVALID_REQUEST"),
    ] {
        refused(raw::unary(&channel, "AppointmentSync/SyncAppointment", key, nonsense.clone()).await, code, reason);
    }
}

#[apply(both_backends)]
async fn a_key_stands_for_its_own_organisations_before_anything_is_looked_up_or_checked(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    invite_guest(app).await;
    app.google.forget_journal().await;
    let bare = bare(app).await;
    // An organisation that exists and one that does not cannot be told apart.
    let expected = (Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED");
    let present = refuse_each(&bare.channel, "cabinet", Some(GUEST_KEY), expected).await;
    let absent = refuse_each(&bare.channel, "personne", Some(GUEST_KEY), expected).await;
    for (present, absent) in present.iter().zip(&absent) {
        assert_eq!(present.whole, absent.whole);
    }
    assert!(app.google.journal().await.is_empty());

    let own = GetStatusRequest { organisation_id: INVITED.into() };
    bare.integrations.clone().get_status(as_guest(own)).await.unwrap();
    let own = GetAppointmentLinkRequest { organisation_id: INVITED.into(), appointment_id: "rdv".into() };
    refused(
        bare.appointments.clone().get_appointment_link(as_guest(own)).await,
        Code::NotFound,
        "APPOINTMENT_NOT_FOUND",
    );
    assert_eq!(app.link("cabinet", "rdv").await.revision, 1);
}

#[apply(both_backends)]
async fn each_message_of_a_stream_is_held_against_the_key(app: &mut TestApp) {
    invite_guest(app).await;
    let Bare { mut appointments, .. } = bare(app).await;
    let request = |organisation: &str, id: &str| SyncAppointmentsRequest {
        organisation_id: organisation.into(),
        appointment: Some(appointment(id, 1)),
    };
    let requests = vec![request(INVITED, "a"), request("cabinet", "b"), request(INVITED, "c")];
    let request = as_guest(tokio_stream::iter(requests));
    let mut answers = appointments.sync_appointments(request).await.unwrap().into_inner();
    let mut outcomes = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        outcomes.push(match answer.result.unwrap() {
            Outcome::Link(link) => link.appointment_id,
            Outcome::Rejection(rejection) => {
                assert!(!rejection.message.is_empty() && rejection.violations.is_empty());
                rejection.reason().as_str_name().to_owned()
            }
        });
    }
    assert_eq!(outcomes, ["a", ErrorReason::OrganisationNotAllowed.as_str_name(), "c"]);
    let foreign = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: "b".into() };
    refused(app.appointments.get_appointment_link(foreign).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");

    let named = |organisation: &str, id: &str| ReconcileAppointmentsRequest {
        organisation_id: organisation.into(),
        appointment_id: id.into(),
        revision: 1,
    };
    let requests = vec![named(INVITED, "x"), named("cabinet", "b"), named(INVITED, "y")];
    let request = as_guest(tokio_stream::iter(requests));
    let mut answers = appointments.reconcile_appointments(request).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().appointment_id, "x");
    let status = answers.message().await.unwrap_err();
    read(&status, Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED");
    assert!(answers.message().await.unwrap().is_none(), "the stream has ended");

    let row = |organisation: &str| ReplaceAppointmentsRequest {
        organisation_id: organisation.into(),
        part: Some(Part::Appointment(appointment("b", 1))),
    };
    let request = as_guest(tokio_stream::iter([row("cabinet")]));
    refused(appointments.replace_appointments(request).await, Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED");
}
