//! One Google account, one order: a grant that is on its way meets a disconnect.

use cassius_calendar::grpc::pb::{DisconnectRequest, ErrorReason, GrantEnd, IntegrationState, SyncStatus};
use serde_json::json;
use tokio::task::JoinHandle;

use super::reason;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{EVENTS, LIST, Page, outcome};
use crate::harness::google::ACCOUNT;
use crate::harness::logs;
use crate::harness::samples::appointment;

/// Comes back from Google's page; the exchange takes its time.
async fn come_back(app: &mut TestApp, organisation: &str) -> JoinHandle<Page> {
    let mut browser = app.browser.another();
    let consent = browser.go_to_google(&mut app.integrations, organisation).await;
    let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    tokio::spawn(async move { browser.get(&callback).await })
}

async fn disconnect(app: &mut TestApp, organisation: &str) {
    let request = DisconnectRequest { organisation_id: organisation.into(), ..DisconnectRequest::default() };
    let status = app.integrations.disconnect(request).await.unwrap().into_inner().status.unwrap();
    assert_eq!(status.state(), IntegrationState::NotConnected);
}

async fn has_grant(app: &TestApp) -> bool {
    let accounts = app.google.read("accounts").await;
    let accounts = accounts["accounts"].as_array().unwrap();
    accounts.iter().any(|account| account["email"] == ACCOUNT && account["has_grant"] == true)
}

#[apply(both_backends)]
async fn a_disconnect_during_the_exchange_is_the_last_word(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("token.code", true).await;
    let callback = come_back(app, "cabinet").await;
    app.google.until_called("token.code", 2).await;
    disconnect(app, "cabinet").await;
    app.google.let_go(hanging).await;
    assert_eq!(callback.await.unwrap().status, 400, "the consent is no longer valid");
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
    assert!(!has_grant(app).await, "nothing is left that nobody looks after");
    let kept = "SELECT COUNT(*) FROM calendar_integrations WHERE refresh_token IS NOT NULL";
    assert_eq!(app.database.number(kept).await, 0);
    app.connect("cabinet").await;
    assert_eq!(app.sync("cabinet", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn a_grant_that_another_organisations_disconnect_revoked_on_its_way_is_not_stored(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("token.code", true).await;
    let callback = come_back(app, "annexe").await;
    app.google.until_called("token.code", 2).await;
    disconnect(app, "cabinet").await;
    app.google.let_go(hanging).await;
    assert_eq!(outcome(&callback.await.unwrap()), "try_again");
    assert_eq!(app.status("annexe").await.state(), IntegrationState::NotConnected);
    app.connect("annexe").await;
    assert_eq!(app.sync("annexe", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn a_grant_that_comes_while_the_account_is_revoked_is_not_stored(app: &mut TestApp) {
    app.connect("cabinet").await;
    let hanging = app.google.hang("revoke", false).await;
    let mut integrations = app.integrations.clone();
    let request = DisconnectRequest { organisation_id: "cabinet".into(), ..DisconnectRequest::default() };
    let disconnect = tokio::spawn(async move { integrations.disconnect(request).await.unwrap() });
    app.google.until_called("revoke", 1).await;
    assert_eq!(outcome(&come_back(app, "annexe").await.await.unwrap()), "try_again");
    app.google.let_go(hanging).await;
    disconnect.await.unwrap();
    app.connect("annexe").await;
    assert_eq!(app.sync("annexe", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
    assert!(has_grant(app).await);
}

/// A person takes the grant away at Google, and the organisation learns of it.
async fn its_grant_dies(app: &mut TestApp, organisation: &str) {
    app.google.revoke(ACCOUNT).await;
    app.accept(organisation, appointment("dead", 1)).await;
    app.until(organisation, |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
}

#[apply(both_backends)]
async fn who_has_a_dead_grant_alone_shares_nothing_with_one_that_was_given_since(app: &mut TestApp) {
    app.connect("cabinet").await;
    its_grant_dies(app, "cabinet").await;
    app.connect("annexe").await;
    assert!(has_grant(app).await);
    // Whose token lives revokes: the other's could not.
    for organisation in ["annexe", "cabinet"] {
        let request = DisconnectRequest { organisation_id: organisation.into(), ..DisconnectRequest::default() };
        let response = app.integrations.disconnect(request).await.unwrap().into_inner();
        assert_eq!(response.grant_end(), GrantEnd::Revoked, "{organisation}");
        assert!(!has_grant(app).await, "{organisation}");
    }
}

#[apply(both_backends)]
async fn who_leaves_beside_a_grant_whose_death_nobody_has_noted_shares_nothing_with_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("absent").await;
    app.google.revoke(ACCOUNT).await;
    app.connect("annexe").await;
    for organisation in ["annexe", "cabinet", "absent"] {
        let request = DisconnectRequest { organisation_id: organisation.into(), ..DisconnectRequest::default() };
        let response = app.integrations.disconnect(request).await.unwrap().into_inner();
        assert_eq!(response.grant_end(), GrantEnd::Revoked, "{organisation}");
        assert!(!has_grant(app).await, "{organisation}");
    }
    let lines = logs::lines_with("an integration stands still until a person acts");
    let of_absent: Vec<_> = lines.iter().filter(|line| line.contains("absent")).collect();
    assert!(!of_absent.is_empty() && !of_absent.iter().any(|line| line.contains("annexe")), "{of_absent:?}");
}

#[apply(both_backends)]
async fn a_grant_waits_until_google_tells_whether_those_of_others_live(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.connect("annexe").await;
    let away = json!({"kind": "error", "code": 503, "reason": "backendError"});
    app.google.control("faults", json!({"operation": "token.refresh", "fault": away})).await;
    let leave = DisconnectRequest { organisation_id: "annexe".into(), ..DisconnectRequest::default() };
    let response = app.integrations.disconnect(leave.clone()).await.unwrap().into_inner();
    assert_eq!(response.grant_end(), GrantEnd::Pending);
    assert!(has_grant(app).await);
    app.google.no_more_faults().await;
    app.advance(600);
    app.google.until_called("revoke", 1).await;
    assert!(!has_grant(app).await);
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
}

#[apply(both_backends)]
async fn a_living_grant_that_others_share_is_left_to_them(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    for (organisation, end) in [("annexe", GrantEnd::Shared), ("cabinet", GrantEnd::Revoked)] {
        let request = DisconnectRequest { organisation_id: organisation.into(), ..DisconnectRequest::default() };
        let response = app.integrations.disconnect(request).await.unwrap().into_inner();
        assert_eq!(response.grant_end(), end, "{organisation}");
        assert_eq!(has_grant(app).await, end == GrantEnd::Shared, "{organisation}");
    }
}

#[apply(both_backends)]
async fn a_grant_that_is_not_kept_is_revoked_though_the_organisations_own_is_dead(app: &mut TestApp) {
    app.connect("cabinet").await;
    its_grant_dies(app, "cabinet").await;
    let mut browser = app.browser.another();
    let consent = browser.go_to_google(&mut app.integrations, "cabinet").await;
    let callback = browser.decide(&consent, ACCOUNT, &[LIST], "allow").await;
    assert_eq!(outcome(&browser.get(&callback).await), "missing_scope");
    assert!(!has_grant(app).await);
}
