//! `ListAppointmentLinks`: by appointment id, a page at a time.

use cassius_calendar::grpc::pb::{ListAppointmentLinksRequest, ListAppointmentLinksResponse, SyncStatus};
use serde_json::json;
use tonic::{Code, Status};

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;
use crate::wire::callers::{GUEST_KEY, INVITED, bare, invite_guest};
use crate::wire::refused::refused;

fn request(sync_status: SyncStatus, page_size: i32, page_token: &str) -> ListAppointmentLinksRequest {
    ListAppointmentLinksRequest {
        organisation_id: "cabinet".into(),
        sync_status: sync_status.into(),
        page_size,
        page_token: page_token.into(),
    }
}

async fn page(app: &mut TestApp, request: ListAppointmentLinksRequest) -> Result<ListAppointmentLinksResponse, Status> {
    app.appointments.list_appointment_links(request).await.map(tonic::Response::into_inner)
}

fn ids(page: &ListAppointmentLinksResponse) -> Vec<&str> {
    page.links.iter().map(|link| &*link.appointment_id).collect()
}

async fn accept_all(app: &mut TestApp, ids: impl Iterator<Item = String>) {
    let requests: Vec<_> = ids
        .map(|id| cassius_calendar::grpc::pb::SyncAppointmentsRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(appointment(&id, 1)),
        })
        .collect();
    let mut answers = app.appointments.sync_appointments(tokio_stream::iter(requests)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
}

#[apply(both_backends)]
async fn pages_follow_each_other_by_id_without_gap_or_double(app: &mut TestApp) {
    // Both back ends order by bytes, whatever the language of the server.
    let mut all: Vec<String> = ["é", "a", "B", "b", "a1", "a10", "a2", "Z", "👩", "~", "a b"].map(String::from).into();
    accept_all(app, all.iter().cloned()).await;
    all.sort();
    for size in [1, 2, 3, 10, 11, 12] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = page(app, request(SyncStatus::Unspecified, size, &token)).await.unwrap();
            assert!(page.links.len() <= usize::try_from(size).unwrap() && !page.links.is_empty());
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all, "{size} a page");
    }
    let other = ListAppointmentLinksRequest { organisation_id: "voisin".into(), ..Default::default() };
    let empty = page(app, other).await.unwrap();
    assert!(empty.links.is_empty() && empty.next_page_token.is_empty());
}

#[apply(both_backends)]
async fn a_page_holds_100_unless_asked_otherwise_and_1000_at_most(app: &mut TestApp) {
    accept_all(app, (0..1_001).map(|number| format!("rdv-{number:04}"))).await;
    for (asked, given) in [(0, 100), (1, 1), (999, 999), (1_000, 1_000), (1_001, 1_000), (i32::MAX, 1_000)] {
        let page = page(app, request(SyncStatus::Unspecified, asked, "")).await.unwrap();
        assert_eq!(page.links.len(), given);
        assert!(!page.next_page_token.is_empty());
    }
    for negative in [-1, i32::MIN] {
        let answer = page(app, request(SyncStatus::Unspecified, negative, "")).await;
        assert_eq!(refused(answer, Code::InvalidArgument, "INVALID_REQUEST").fields, ["page_size"]);
    }
}

#[apply(both_backends)]
async fn a_filter_shows_one_status_alone(app: &mut TestApp) {
    app.accept("cabinet", appointment("none", 1)).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("synced", 1)).await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    app.sync("cabinet", appointment("error", 1)).await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError", "retry_after_seconds": 3600});
    app.google.fault("events.insert", 1, away).await;
    app.accept("cabinet", appointment("pending", 1)).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    for (status, id) in [
        (SyncStatus::None, "none"),
        (SyncStatus::Pending, "pending"),
        (SyncStatus::Synced, "synced"),
        (SyncStatus::Error, "error"),
    ] {
        let page = page(app, request(status, 0, "")).await.unwrap();
        assert_eq!((ids(&page), &*page.next_page_token), (vec![id], ""));
        assert_eq!(page.links[0], app.link("cabinet", id).await);
    }
    let all = page(app, request(SyncStatus::Unspecified, 0, "")).await.unwrap();
    assert_eq!(ids(&all), ["error", "none", "pending", "synced"]);
}

#[apply(both_backends)]
async fn a_token_leads_on_in_its_own_list_and_nowhere_else(app: &mut TestApp) {
    accept_all(app, ["a", "b", "c"].map(String::from).into_iter()).await;
    let token = page(app, request(SyncStatus::Unspecified, 1, "")).await.unwrap().next_page_token;
    // The size may change from page to page; the list may not.
    assert_eq!(ids(&page(app, request(SyncStatus::Unspecified, 7, &token)).await.unwrap()), ["b", "c"]);
    let altered = |position: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let foreign =
        ListAppointmentLinksRequest { organisation_id: "voisin".into(), ..request(SyncStatus::Unspecified, 1, &token) };
    for wrong in [
        foreign,
        request(SyncStatus::None, 1, &token),
        request(SyncStatus::Unspecified, 1, &altered(0)),
        request(SyncStatus::Unspecified, 1, &altered(token.len() - 2)),
        request(SyncStatus::Unspecified, 1, &token[1..]),
        request(SyncStatus::Unspecified, 1, &format!("{token}A")),
        request(SyncStatus::Unspecified, 1, "c"),
        request(SyncStatus::Unspecified, 1, "' OR 1=1 --"),
        request(SyncStatus::Unspecified, 1, "\0"),
        request(SyncStatus::Unspecified, 1, &"A".repeat(1_000_000)),
    ] {
        let refusal = refused(page(app, wrong).await, Code::InvalidArgument, "INVALID_REQUEST");
        assert_eq!(refusal.fields, ["page_token"]);
    }
}

#[apply(both_backends)]
async fn a_token_of_another_organisation_opens_nothing_to_a_guest(app: &mut TestApp) {
    accept_all(app, ["a", "b"].map(String::from).into_iter()).await;
    let token = page(app, request(SyncStatus::Unspecified, 1, "")).await.unwrap().next_page_token;
    invite_guest(app).await;
    let mut guest = bare(app).await.appointments;
    for (organisation, code, reason) in [
        ("cabinet", Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED"),
        (INVITED, Code::InvalidArgument, "INVALID_REQUEST"),
    ] {
        let message = ListAppointmentLinksRequest {
            organisation_id: organisation.into(),
            ..request(SyncStatus::Unspecified, 1, &token)
        };
        let request = crate::wire::callers::with(message, "authorization", &format!("Bearer {GUEST_KEY}"));
        refused(guest.list_appointment_links(request).await, code, reason);
    }
}
