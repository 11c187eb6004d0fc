//! What Google granted and nobody keeps is revoked in time, unless somebody else uses the account.

use cassius_calendar::grpc::pb::{BeginConnectRequest, DisconnectRequest, GrantEnd, IntegrationState, SyncStatus};
use serde_json::json;

use super::until_number;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{LIST, outcome};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::logs;
use crate::harness::samples::appointment;

const UNKEPT: &str = "SELECT COUNT(*) FROM unkept_grants";

async fn disconnect(app: &mut TestApp, organisation: &str) -> GrantEnd {
    let request = DisconnectRequest { organisation_id: organisation.into(), ..DisconnectRequest::default() };
    app.integrations.disconnect(request).await.unwrap().into_inner().grant_end()
}

async fn has_grant(app: &TestApp) -> bool {
    let accounts = app.google.read("accounts").await;
    let accounts = accounts["accounts"].as_array().unwrap();
    accounts.iter().any(|account| account["email"] == ACCOUNT && account["has_grant"] == true)
}

/// A consent without the permission to write events.
async fn consent_with_too_little(app: &mut TestApp, organisation: &str) {
    let mut browser = app.browser.another();
    let consent = browser.go_to_google(&mut app.integrations, organisation).await;
    let callback = browser.decide(&consent, ACCOUNT, &[LIST], "allow").await;
    assert_eq!(outcome(&browser.get(&callback).await), "missing_scope");
}

/// Google does not answer the next `times` revocations.
async fn revocations_fail(app: &TestApp, times: u32) {
    app.google.fault("revoke", times, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
}

#[apply(both_backends)]
async fn a_grant_without_the_permission_is_revoked(app: &mut TestApp) {
    consent_with_too_little(app, "cabinet").await;
    assert!(!has_grant(app).await);
    assert_eq!(app.database.number(UNKEPT).await, 0);
}

#[apply(both_backends)]
async fn a_grant_without_the_permission_ends_no_other_of_its_account(app: &mut TestApp) {
    app.connect("annexe").await;
    consent_with_too_little(app, "cabinet").await;
    assert!(has_grant(app).await);
    assert_eq!(app.database.number(UNKEPT).await, 0);
    assert_eq!(app.google.journal().await.iter().filter(|call| call["operation"] == "revoke").count(), 0);
}

#[apply(both_backends)]
async fn a_disconnect_tells_what_became_of_the_grant(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    assert_eq!(disconnect(app, "voisin").await, GrantEnd::Unspecified);
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Shared);
    assert_eq!(disconnect(app, "annexe").await, GrantEnd::Revoked);
    assert_eq!(disconnect(app, "annexe").await, GrantEnd::Revoked, "it is told again");
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Revoked, "nobody else uses the account any more");
    app.connect("cabinet").await;
    app.google.fault("revoke", 1, json!({"kind": "error", "code": 403, "reason": "forbidden"})).await;
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Refused);
}

#[apply(both_backends)]
async fn a_revocation_without_an_answer_is_made_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    revocations_fail(app, 2).await;
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Pending);
    assert!(has_grant(app).await);
    // The next one gets no answer either, and the one after it comes after a restart.
    app.advance(60);
    app.google.until_called("revoke", 2).await;
    until_number(app, "SELECT COUNT(*) FROM unkept_grants WHERE attempts = 1", 1).await;
    app.restart_after(60).await;
    until_number(app, UNKEPT, 0).await;
    assert!(!has_grant(app).await);
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Revoked);
}

#[apply(both_backends)]
async fn whoever_has_left_a_shared_account_is_told_how_it_stands_by_then(app: &mut TestApp) {
    for organisation in ["cabinet", "annexe", "voisin"] {
        app.connect(organisation).await;
    }
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Shared);
    assert_eq!(disconnect(app, "voisin").await, GrantEnd::Shared);
    revocations_fail(app, 1).await;
    assert_eq!(disconnect(app, "annexe").await, GrantEnd::Pending);
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Pending, "it goes on, and nobody uses it");
    // Of its own it has one again, and is connected.
    app.connect_as("voisin", OTHER_ACCOUNT).await;
    app.advance(60);
    until_number(app, UNKEPT, 0).await;
    assert_eq!(disconnect(app, "annexe").await, GrantEnd::Revoked);
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Revoked);
    assert_eq!(app.status("voisin").await.state(), IntegrationState::Connected);
}

#[apply(both_backends)]
async fn a_page_of_the_sidecar_tells_of_a_grant_that_nobody_keeps_and_that_may_stand(app: &mut TestApp) {
    const PAGE: &str = "<a href=\"https://myaccount.google.com/connections\"";
    let mut browser = app.browser.another();
    for (is_revoked, links) in [(true, 0), (false, 1)] {
        // Nowhere to go back to: it ends on a page.
        let request = BeginConnectRequest { organisation_id: "cabinet".into(), ..Default::default() };
        let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
        browser.set(&begun.connect_cookie.unwrap());
        let connect = browser.sidecar(&begun.connect_url);
        let consent = browser.get(&connect).await.location.unwrap();
        let callback = browser.decide(&consent, ACCOUNT, &[LIST], "allow").await;
        revocations_fail(app, u32::from(!is_revoked)).await;
        let page = browser.get(&callback).await;
        assert_eq!((page.status, page.location), (200, None), "{}", page.body);
        assert_eq!(page.body.matches(PAGE).count(), links, "{}", page.body);
        assert_eq!(has_grant(app).await, !is_revoked);
    }
    assert_eq!(app.database.number(UNKEPT).await, 1, "it is being withdrawn");
    app.google.no_more_faults().await;
}

#[apply(both_backends)]
async fn a_revocation_that_gets_no_answer_for_a_day_is_given_up_and_told(app: &mut TestApp) {
    app.connect("cabinet").await;
    revocations_fail(app, 9).await;
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Pending);
    app.restart_after(86_400).await;
    until_number(app, UNKEPT, 0).await;
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Refused);
    assert!(logs::contain("it ends by itself, or at https://myaccount.google.com/connections"));
    app.google.no_more_faults().await;
}

#[apply(both_backends)]
async fn an_account_that_is_used_again_is_not_revoked_any_more(app: &mut TestApp) {
    app.connect("cabinet").await;
    revocations_fail(app, 1).await;
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Pending);
    app.connect("annexe").await;
    app.advance(60);
    until_number(app, UNKEPT, 0).await;
    assert!(has_grant(app).await);
    assert_eq!(app.sync("annexe", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
    assert_eq!(disconnect(app, "cabinet").await, GrantEnd::Shared);
}
