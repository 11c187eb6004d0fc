//! `ListIntegrations`: all practices at a glance, and in the terminal.

use cassius_calendar::grpc::pb::{
    ErrorReason, IntegrationSettings, IntegrationState, ListIntegrationsRequest, ListIntegrationsResponse,
    TitlePrivacy, UpdateSettingsRequest,
};
use prost_types::FieldMask;
use tonic::Code;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant};
use crate::operations::process::{run, with};
use crate::wire::callers::{INVITED, as_guest, bare, invite_guest};
use crate::wire::refused::refused;

/// `alive` works, `broken` lost its grant with three appointments waiting, `new` has begun a consent and no more, and so
/// has the guest's own; `never` has only chosen a privacy, as `new` had before.
async fn stage(app: &mut TestApp) {
    app.connect_as("alive", OTHER_ACCOUNT).await;
    app.sync("alive", appointment("rdv", 1)).await;
    app.connect("broken").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("broken", appointment("a", 1)).await;
    app.until("broken", |status| status.problem.is_some()).await;
    app.advance(3_600);
    for id in ["b", "c"] {
        app.accept("broken", appointment(id, 1)).await;
    }
    for organisation in ["never", "new"] {
        let settings = IntegrationSettings { title_privacy: TitlePrivacy::Masked.into(), ..Default::default() };
        let request = UpdateSettingsRequest {
            organisation_id: organisation.into(),
            settings: Some(settings),
            update_mask: Some(FieldMask { paths: vec!["title_privacy".to_owned()] }),
        };
        app.integrations.update_settings(request).await.unwrap();
    }
    for organisation in ["new", INVITED] {
        app.browser.go_to_google(&mut app.integrations, organisation).await;
    }
}

async fn list(app: &TestApp, request: ListIntegrationsRequest) -> ListIntegrationsResponse {
    app.integrations.clone().list_integrations(request).await.unwrap().into_inner()
}

fn names(page: &ListIntegrationsResponse) -> Vec<&str> {
    page.integrations.iter().map(|it| &*it.organisation_id).collect()
}

#[apply(both_backends)]
async fn each_is_listed_with_what_is_wrong_and_what_waits(app: &mut TestApp) {
    stage(app).await;
    let all = list(app, ListIntegrationsRequest::default()).await;
    assert_eq!(names(&all), ["alive", "broken", INVITED, "new"]);
    let [alive, broken] = [&all.integrations[0], &all.integrations[1]];
    assert_eq!((alive.state(), alive.pending_count, &alive.problem), (IntegrationState::Connected, 0, &None));
    assert!(alive.is_enabled && alive.last_sync_time.is_some() && alive.oldest_due_time.is_none());
    assert_eq!((broken.state(), broken.pending_count), (IntegrationState::Error, 3));
    let problem = broken.problem.as_ref().unwrap();
    assert_eq!(problem.reason(), ErrorReason::ReconnectRequired);
    assert_eq!(broken.oldest_due_time, Some(instant("2026-03-02T08:00:00Z")), "the first waits since an hour");

    let in_error = ListIntegrationsRequest { state: IntegrationState::Error.into(), ..Default::default() };
    assert_eq!(names(&list(app, in_error).await), ["broken"]);
    let not_connected = IntegrationState::NotConnected.into();
    let new = ListIntegrationsRequest { state: not_connected, ..Default::default() };
    assert_eq!(names(&list(app, new).await), [INVITED, "new"]);
    let by_reason = |reason: ErrorReason| ListIntegrationsRequest { reason: reason.into(), ..Default::default() };
    assert_eq!(names(&list(app, by_reason(ErrorReason::ReconnectRequired)).await), ["broken"]);
    assert_eq!(names(&list(app, by_reason(ErrorReason::CalendarUnavailable)).await), [""; 0]);
    let no_reason = app.integrations.list_integrations(by_reason(ErrorReason::InvalidApiKey)).await;
    assert_eq!(refused(no_reason, Code::InvalidArgument, "INVALID_REQUEST").fields, ["reason"]);

    // The same, in the terminal.
    let settings = app.settings.clone().into_iter().collect();
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["integrations"], &settings, folder.path());
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let row = ended.output.lines().find(|line| line.starts_with("broken")).unwrap();
    let cells: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(&cells[..3], ["broken", "error", "RECONNECT_REQUIRED"]);
    assert!(cells.contains(&"3"), "{}", ended.output);
    assert!(ended.output.ends_with("\n4 of 4 integrations.\n"), "{}", ended.output);
    let filtered = run(&["integrations", "--state", "error"], &with(&settings, &[]), folder.path());
    assert!(!filtered.output.contains("alive") && filtered.output.ends_with("\n1 of 4 integrations.\n"));
    let filtered = run(&["integrations", "--reason", "reconnect_required"], &settings, folder.path());
    assert!(filtered.output.contains("broken") && filtered.output.ends_with("\n1 of 4 integrations.\n"));
    for never in ["NOPE", "NOT_CONNECTED", "EVENT_REFUSED"] {
        let unknown = run(&["integrations", "--reason", never], &settings, folder.path());
        let offered = unknown.errors.split_once("possible values").unwrap().1;
        assert!(unknown.code == Some(2) && offered.contains("RECONNECT_REQUIRED"), "{}", unknown.errors);
        assert!(!offered.contains("NOT_CONNECTED") && !offered.contains("EVENT_REFUSED"), "{}", unknown.errors);
    }
}

#[apply(both_backends)]
async fn pages_follow_each_other_and_a_key_sees_its_own_organisations_alone(app: &mut TestApp) {
    for organisation in ["c", "a", INVITED, "b"] {
        app.browser.go_to_google(&mut app.integrations, organisation).await;
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(app, ListIntegrationsRequest { page_size: 1, page_token: token, ..Default::default() }).await;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b", "c", INVITED]);
    let first = list(app, ListIntegrationsRequest { page_size: 1, ..Default::default() }).await;
    let state = IntegrationState::Error.into();
    let other = ListIntegrationsRequest { state, page_token: first.next_page_token, ..Default::default() };
    let other = app.integrations.list_integrations(other).await;
    assert_eq!(refused(other, Code::InvalidArgument, "INVALID_REQUEST").fields, ["page_token"]);

    invite_guest(app).await;
    let own = bare(app).await.integrations.list_integrations(as_guest(ListIntegrationsRequest::default())).await;
    assert_eq!(names(own.unwrap().get_ref()), [INVITED]);
}
