//! Another account than the connected one comes back from a consent: somebody has to say whether that is meant.

use cassius_calendar::grpc::pb::{ConfirmAccountRequest, DisconnectRequest, ErrorReason, IntegrationState, SyncStatus};
use tonic::Code;
use tonic_types::StatusExt as _;
use url::Url;

use super::reason;
use crate::harness::app::{START, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant};

async fn has_grant(app: &TestApp, email: &str) -> bool {
    let accounts = app.google.read("accounts").await;
    let accounts = accounts["accounts"].as_array().unwrap();
    accounts.iter().any(|account| account["email"] == email && account["has_grant"] == true)
}

/// Comes back with the other account, which waits then.
async fn another_comes_back(app: &mut TestApp) {
    let outcome = app.browser.consent(&mut app.integrations, "cabinet", OTHER_ACCOUNT).await;
    assert_eq!(outcome, "other_account");
}

#[apply(both_backends)]
async fn it_waits_while_the_one_before_goes_on_and_is_taken(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;
    another_comes_back(app).await;
    let status = app.status("cabinet").await;
    assert_eq!((status.state(), status.google_email.as_str()), (IntegrationState::Connected, ACCOUNT));
    let pending = status.pending_account.unwrap();
    assert_eq!((pending.google_email.as_str(), pending.upcoming_event_count), (OTHER_ACCOUNT, 1));
    assert_eq!(pending.expire_time.unwrap().seconds - instant(START).seconds, 15 * 60);
    assert_eq!(app.sync("cabinet", appointment("meanwhile", 1)).await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);

    let status = app.confirm_account("cabinet", true).await;
    assert_eq!((status.google_email.as_str(), status.pending_account), (OTHER_ACCOUNT, None));
    assert_eq!((has_grant(app, ACCOUNT).await, has_grant(app, OTHER_ACCOUNT).await), (false, true));
    app.sync("cabinet", appointment("after", 1)).await;
    assert_eq!(app.google.events_of(OTHER_ACCOUNT, "after").await.len(), 1);
    // It waits no more.
    let again = ConfirmAccountRequest { organisation_id: "cabinet".into(), accept: true };
    let refused = app.integrations.confirm_account(again).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "NO_PENDING_ACCOUNT");
}

#[apply(both_backends)]
async fn it_is_dropped_and_its_grant_is_revoked(app: &mut TestApp) {
    app.connect("cabinet").await;
    for _ in 0..2 {
        another_comes_back(app).await;
        let status = app.confirm_account("cabinet", false).await;
        assert_eq!((status.google_email.as_str(), status.pending_account), (ACCOUNT, None));
        assert_eq!((has_grant(app, ACCOUNT).await, has_grant(app, OTHER_ACCOUNT).await), (true, false));
    }
    app.confirm_account("cabinet", false).await;
    let kept = "SELECT COUNT(*) FROM pending_grants";
    assert_eq!(app.database.number(kept).await, 0);
    assert_eq!(app.sync("cabinet", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn it_lapses_unless_another_organisation_shares_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect_as("annexe", OTHER_ACCOUNT).await;
    another_comes_back(app).await;
    app.advance(16 * 60);
    app.until("cabinet", |status| status.pending_account.is_none()).await;
    app.worker_looks().await;
    let kept = "SELECT COUNT(*) FROM pending_grants";
    while app.database.number(kept).await > 0 {}
    assert!(has_grant(app, OTHER_ACCOUNT).await, "the other organisation needs it");
    assert_eq!(app.sync("annexe", appointment("rdv", 1)).await.sync_status(), SyncStatus::Synced);
}

#[apply(both_backends)]
async fn a_dead_grant_asks_and_a_finished_disconnect_does_not(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
    another_comes_back(app).await;
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Error);
    app.connect("cabinet").await;
    let status = app.at_rest("cabinet").await;
    assert_eq!(
        (status.google_email.as_str(), status.pending_account),
        (ACCOUNT, None),
        "it is not asked about any more"
    );
    assert!(!has_grant(app, OTHER_ACCOUNT).await, "its grant is revoked before the browser is sent back");

    let request = DisconnectRequest { organisation_id: "cabinet".into(), ..DisconnectRequest::default() };
    app.integrations.disconnect(request).await.unwrap();
    let outcome = app.browser.consent(&mut app.integrations, "cabinet", OTHER_ACCOUNT).await;
    assert_eq!(outcome, "connected");
    assert_eq!(app.status("cabinet").await.google_email, OTHER_ACCOUNT);
}

#[apply(both_backends)]
async fn google_is_told_which_account_is_meant(app: &mut TestApp) {
    async fn hint(app: &mut TestApp) -> Option<String> {
        let mut browser = app.browser.another();
        let consent = browser.go_to_google(&mut app.integrations, "cabinet").await;
        let consent = Url::parse(&consent).unwrap();
        consent.query_pairs().find(|(name, _)| name == "login_hint").map(|(_, value)| value.into_owned())
    }
    assert_eq!(hint(app).await, None);
    app.connect("cabinet").await;
    assert_eq!(hint(app).await.as_deref(), Some(ACCOUNT));
    let request = DisconnectRequest { organisation_id: "cabinet".into(), ..DisconnectRequest::default() };
    app.integrations.disconnect(request).await.unwrap();
    let sub = app.database.texts("SELECT google_user_id FROM calendar_integrations").await.remove(0);
    assert_eq!(hint(app).await, Some(sub), "its address is erased by then");
}

#[apply(both_backends)]
async fn a_disconnect_ends_it_too_and_leaves_nothing_of_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    another_comes_back(app).await;
    let request = DisconnectRequest { organisation_id: "cabinet".into(), ..DisconnectRequest::default() };
    app.integrations.disconnect(request).await.unwrap();
    // Its address stands nowhere any more, and its grant has ended, though no time has passed.
    assert_eq!(app.database.number("SELECT COUNT(*) FROM pending_grants").await, 0);
    assert!(!has_grant(app, OTHER_ACCOUNT).await && !has_grant(app, ACCOUNT).await);
}
