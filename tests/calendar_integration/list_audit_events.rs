//! `ListAuditEvents`: who did what for an organisation, and what came of it.

use cassius_calendar::grpc::pb::{
    AuditEvent, DisconnectRequest, GetStatusRequest, IntegrationSettings, ListAuditEventsRequest,
    RetryAppointmentsRequest, UpdateSettingsRequest,
};
use jiff::Timestamp;
use prost_types::FieldMask;
use tonic::Code;

use crate::harness::app::{START, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::wire::callers::{GUEST_KEY, INVITED, as_guest, bare, invite_guest, with};
use crate::wire::refused::refused;

/// What an event says: caller, actor, organisation, action, outcome.
fn said(events: &[AuditEvent]) -> Vec<[&str; 5]> {
    let of = |event: &AuditEvent| {
        let AuditEvent { caller, actor, organisation_id, action, outcome, .. } = event;
        [caller.clone(), actor.clone(), organisation_id.clone(), action.clone(), outcome.clone()]
    };
    events.iter().map(of).map(|it| it.map(|it| &*it.leak())).collect()
}

fn of(organisation: &str) -> ListAuditEventsRequest {
    ListAuditEventsRequest { organisation_id: organisation.into(), ..Default::default() }
}

async fn audit(app: &TestApp, request: ListAuditEventsRequest) -> Vec<AuditEvent> {
    app.integrations.clone().list_audit_events(request).await.unwrap().into_inner().events
}

fn pause(organisation: &str) -> UpdateSettingsRequest {
    UpdateSettingsRequest {
        organisation_id: organisation.into(),
        settings: Some(IntegrationSettings::default()),
        update_mask: Some(FieldMask { paths: vec!["is_enabled".into()] }),
    }
}

#[apply(both_backends)]
async fn what_is_done_is_noted_with_who_did_it_and_what_came_of_it(app: &mut TestApp) {
    let on_behalf = |mut request: tonic::Request<UpdateSettingsRequest>, actor: &str| {
        request.metadata_mut().insert("cassius-actor", actor.parse().unwrap());
        request
    };
    let too_early = on_behalf(tonic::Request::new(pause("cabinet")), "user-42");
    refused(app.integrations.update_settings(too_early).await, Code::FailedPrecondition, "NOT_CONNECTED");
    app.advance(1);
    app.connect("cabinet").await;
    app.advance(1);
    let request = GetStatusRequest { organisation_id: "cabinet".into() };
    app.integrations.get_status(request).await.unwrap();
    app.integrations.update_settings(on_behalf(tonic::Request::new(pause("cabinet")), &"x".repeat(129))).await.unwrap();
    app.advance(1);
    let request = DisconnectRequest { organisation_id: "cabinet".into(), ..Default::default() };
    app.integrations.disconnect(request).await.unwrap();
    let events = audit(app, of("cabinet")).await;
    let mut newest_first = said(&events);
    // The beginning of a consent and its end have one instant here.
    newest_first[2..4].sort_unstable();
    assert_eq!(
        newest_first,
        [
            ["tests", "", "cabinet", "Disconnect", "OK"],
            ["tests", "", "cabinet", "UpdateSettings", "OK"],
            ["browser", "", "cabinet", "CompleteConsent", "connected"],
            ["tests", "", "cabinet", "BeginConnect", "OK"],
            ["tests", "user-42", "cabinet", "UpdateSettings", "NOT_CONNECTED"],
        ]
    );
    // Page by page it is the same.
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListAuditEventsRequest { organisation_id: "cabinet".into(), page_size: 2, page_token };
        let page = app.integrations.list_audit_events(request).await.unwrap().into_inner();
        paged.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, events);
}

#[apply(both_backends)]
async fn a_key_sees_what_was_done_for_its_own_organisations_and_what_others_tried_there(app: &mut TestApp) {
    invite_guest(app).await;
    let mut guest = bare(app).await;
    let request = RetryAppointmentsRequest { organisation_id: INVITED.into(), ..Default::default() };
    guest.appointments.retry_appointments(as_guest(request)).await.unwrap();
    let foreign = guest.integrations.update_settings(as_guest(pause("cabinet"))).await;
    refused(foreign, Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED");
    let nothing = RetryAppointmentsRequest::default();
    guest.appointments.retry_appointments(as_guest(nothing)).await.unwrap_err();

    let tried = [["guest", "", "cabinet", "UpdateSettings", "ORGANISATION_NOT_ALLOWED"]];
    assert_eq!(said(&audit(app, of("cabinet")).await), tried);
    let own = guest.integrations.list_audit_events(as_guest(of(""))).await.unwrap().into_inner().events;
    assert_eq!(said(&own), [["guest", "", INVITED, "RetryAppointments", "OK"]]);
    assert_eq!(audit(app, of("")).await.len(), 3, "a key for all sees those too that named none");
    refused(
        guest.integrations.list_audit_events(as_guest(of("cabinet"))).await,
        Code::PermissionDenied,
        "ORGANISATION_NOT_ALLOWED",
    );
    let garbled = ListAuditEventsRequest { page_token: "garbled".into(), ..Default::default() };
    let garbled = with(garbled, "authorization", &format!("Bearer {GUEST_KEY}"));
    let fields = refused(guest.integrations.list_audit_events(garbled).await, Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(fields.fields, ["page_token"]);
}

#[apply(both_backends)]
async fn an_event_stays_as_it_was_written_until_it_is_old(app: &mut TestApp) {
    let request = RetryAppointmentsRequest { organisation_id: "cabinet".into(), ..Default::default() };
    app.appointments.retry_appointments(request).await.unwrap();
    assert!(app.database.fails("UPDATE audit_events SET caller = 'nobody'").await);
    let start: Timestamp = START.parse().unwrap();
    assert_eq!(app.database.store.sweep_audit_events(start).await.unwrap(), 0);
    assert_eq!(audit(app, of("cabinet")).await.len(), 1);
    app.advance(366 * 86_400);
    let swept = async { while app.database.number("SELECT COUNT(*) FROM audit_events").await > 0 {} };
    tokio::time::timeout(crate::harness::app::BOUND, swept).await.expect("it is swept after a year");
}
