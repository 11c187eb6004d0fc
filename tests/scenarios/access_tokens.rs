//! An expired access token, and many who want one.

use cassius_calendar::grpc::pb::{IntegrationState, SyncStatus};

use super::{moved, reason, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

async fn refreshes(app: &TestApp) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == "token.refresh").count()
}

/// Many links are due while the only refresh takes its time.
async fn many_links_one_refresh(app: &mut TestApp, round: i64) {
    app.google.forget_journal().await;
    let hanging = app.google.hang("token.refresh", false).await;
    for number in 0..9 {
        app.accept("cabinet", appointment(&format!("rdv {number}"), 2 * round + 1)).await;
        app.accept("cabinet", moved(&appointment(&format!("rdv {number}"), 2 * round + 2), round)).await;
    }
    app.google.until_called("token.refresh", 1).await;
    app.google.let_go(hanging).await;
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(status.counts.unwrap().synced, 9);
    assert_eq!(refreshes(app).await, 1);
}

#[apply(both_backends)]
async fn an_expired_token_is_refreshed_once_for_all_who_wait(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    // Google gives a refresh token at the consent alone: the same one serves every time.
    for round in 0..3 {
        app.advance(3_600);
        many_links_one_refresh(app, round).await;
        let calls = app.google.journal().await;
        assert!(calls.iter().all(|call| call["status"] != 401), "nobody calls with a token known to be over");
    }
}

#[apply(both_backends)]
async fn a_token_that_google_ended_early_is_refreshed_once_for_all_who_wait(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for round in 0..3 {
        app.google.expire_tokens(ACCOUNT).await;
        many_links_one_refresh(app, round).await;
    }
}

#[apply(both_backends)]
async fn a_token_is_kept_over_a_restart(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("one", 1)).await;
    app.restart().await;
    assert_eq!(app.sync("cabinet", appointment("two", 1)).await.sync_status(), SyncStatus::Synced);
    assert_eq!(refreshes(app).await, 0);
}
