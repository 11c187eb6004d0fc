//! The other fields at fault, of every RPC.

#![expect(clippy::needless_update, reason = "one macro fills messages of many fields and of one")]

use cassius_calendar::grpc::pb::{
    AppointmentLink, BatchGetAppointmentLinksRequest, BeginConnectRequest, ConfirmAccountRequest, DisconnectRequest,
    EraseAppointmentsRequest, EraseOrganisationRequest, GetAppointmentHistoryRequest, GetAppointmentLinkRequest,
    GetStatusRequest, ListAppointmentLinksRequest, ListCalendarsRequest, PreviewEventRequest,
    ReconcileAppointmentsRequest, RetryAppointmentsRequest, SyncAppointmentRequest, SyncNowRequest,
    UpdateSettingsRequest, WatchStatusRequest,
};
use prost_types::Duration;
use tonic::{Code, Status};

use super::refused::{read, refused};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;

fn fields<T>(answer: Result<T, Status>) -> Vec<String> {
    refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields
}

async fn wait_of(app: &mut TestApp, seconds: i64, nanos: i32) -> Result<AppointmentLink, Status> {
    let request = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment("rdv", 1)),
        wait: Some(Duration { seconds, nanos }),
    };
    app.appointments.sync_appointment(request).await.map(|answer| answer.into_inner().link.unwrap())
}

#[apply(both_backends)]
async fn every_rpc_with_one_request_about_an_organisation_refuses_one_that_is_none(app: &mut TestApp) {
    let long = "x".repeat(129);
    let huge = "x".repeat(1_000_000);
    for organisation in ["", " ", "\t", " cabinet", "cab\0inet", "cabinet\n", "cab\u{202e}inet", &long, &huge] {
        macro_rules! refuse {
            ($($client:ident.$rpc:ident($message:ident { $($field:ident: $value:expr),* }))+) => {$({
                let request = $message { organisation_id: organisation.into(), $($field: $value,)* ..Default::default() };
                assert_eq!(fields(app.$client.$rpc(request).await), ["organisation_id"], stringify!($rpc));
            })+};
        }
        refuse! {
            integrations.get_status(GetStatusRequest {})
            integrations.watch_status(WatchStatusRequest {})
            integrations.begin_connect(BeginConnectRequest {})
            integrations.confirm_account(ConfirmAccountRequest {})
            integrations.list_calendars(ListCalendarsRequest {})
            integrations.update_settings(UpdateSettingsRequest {
                settings: Some(Default::default()),
                update_mask: Some(prost_types::FieldMask { paths: vec!["is_enabled".into()] })
            })
            integrations.preview_event(PreviewEventRequest {})
            integrations.sync_now(SyncNowRequest {})
            integrations.disconnect(DisconnectRequest {})
            appointments.sync_appointment(SyncAppointmentRequest { appointment: Some(appointment("rdv", 1)) })
            appointments.get_appointment_link(GetAppointmentLinkRequest { appointment_id: "rdv".into() })
            appointments.batch_get_appointment_links(BatchGetAppointmentLinksRequest {})
            appointments.list_appointment_links(ListAppointmentLinksRequest {})
            appointments.retry_appointments(RetryAppointmentsRequest {})
            appointments.get_appointment_history(GetAppointmentHistoryRequest { appointment_id: "rdv".into() })
            appointments.erase_appointments(EraseAppointmentsRequest { appointment_ids: vec!["rdv".into()] })
            integrations.erase_organisation(EraseOrganisationRequest {})
        }
    }
    // Blanks inside are somebody's name; 128 characters are still one.
    for organisation in ["Cabinet des Lilas", &"é".repeat(128)] {
        app.status(organisation).await;
    }
}

#[apply(both_backends)]
async fn a_wait_lies_between_0_and_30_seconds(app: &mut TestApp) {
    for (seconds, nanos) in
        [(-1, 0), (30, 1), (31, 0), (i64::MAX, 0), (i64::MIN, 0), (1, -1), (0, 1_000_000_000), (-1, -5)]
    {
        assert_eq!(fields(wait_of(app, seconds, nanos).await), ["wait"], "{seconds} s {nanos} ns");
    }
    // With nothing connected there is nothing to wait for.
    for (seconds, nanos) in [(0, 0), (0, 1), (30, 0)] {
        assert_eq!(wait_of(app, seconds, nanos).await.unwrap().revision, 1);
    }
}

#[apply(both_backends)]
async fn enums_that_are_not_known_are_refused(app: &mut TestApp) {
    for number in [99, -1, i32::MAX, i32::MIN] {
        let request = ListAppointmentLinksRequest {
            organisation_id: "cabinet".into(),
            sync_status: number,
            ..Default::default()
        };
        assert_eq!(fields(app.appointments.list_appointment_links(request).await), ["sync_status"]);
        let request = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: number };
        assert_eq!(fields(app.integrations.disconnect(request).await), ["remote_events"]);
        let request =
            PreviewEventRequest { organisation_id: "cabinet".into(), title_privacy: number, ..Default::default() };
        assert_eq!(fields(app.integrations.preview_event(request).await), ["title_privacy"]);
    }
}

#[apply(both_backends)]
async fn ids_and_revisions_of_the_other_calls_are_checked_alike(app: &mut TestApp) {
    for id in ["", "r\0dv", "rdv\n", &"x".repeat(129), &"x".repeat(1_000_000)] {
        let request = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: id.into() };
        assert_eq!(fields(app.appointments.get_appointment_link(request).await), ["appointment_id"]);
        let ids = vec!["good".into(), id.into(), "good".into(), id.into()];
        let request = RetryAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: ids };
        let told = fields(app.appointments.retry_appointments(request).await);
        assert_eq!(told, ["appointment_ids[1]", "appointment_ids[3]"]);
    }
    let ids = vec!["rdv".to_owned(); 1_001];
    let request = RetryAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: ids };
    assert_eq!(fields(app.appointments.retry_appointments(request).await), ["appointment_ids"]);

    // A thousand bad ids still make an answer that a client can read.
    let ids = vec!["\0".to_owned(); 1_000];
    let request = RetryAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: ids };
    let answer = app.appointments.retry_appointments(request).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_REQUEST");
    let unnamed: usize = refusal.metadata["unnamed_violations"].parse().unwrap();
    assert_eq!(refusal.fields.len() + unnamed, 1_000);

    for (organisation, id, revision, wrong) in [
        ("cabinet", "rdv", 0, "revision"),
        ("cabinet", "rdv", -1, "revision"),
        ("cabinet", "r\0dv", 1, "appointment_id"),
        ("cabinet\n", "rdv", 1, "organisation_id"),
    ] {
        let named = |id: &str, revision| ReconcileAppointmentsRequest {
            organisation_id: "cabinet".into(),
            appointment_id: id.into(),
            revision,
        };
        let at_fault = ReconcileAppointmentsRequest { organisation_id: organisation.into(), ..named(id, revision) };
        let requests = [named("before", 1), at_fault, named("after", 1)];
        let answer = app.appointments.reconcile_appointments(tokio_stream::iter(requests)).await;
        let mut answers = answer.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().appointment_id, "before");
        let status = answers.message().await.unwrap_err();
        assert_eq!(read(&status, Code::InvalidArgument, "INVALID_REQUEST").fields, [wrong]);
    }
}
