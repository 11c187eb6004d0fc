//! An expired access token, and many who want one.

use std::sync::Arc;

use cassius_calendar::clock::Entropy;
use cassius_calendar::connection::{AccessError, Grants};
use cassius_calendar::crypto::{ExposeSecret, Keyring};
use cassius_calendar::google::{Endpoints, Google};
use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState, SyncStatus};
use cassius_calendar::model::OrganisationId;
use cassius_calendar::notifier::Notifier;
use cassius_calendar::quota::Quota;
use serde_json::json;

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
        // One that is refused right after its refresh is waited for.
        app.advance(60);
    }
}

/// The grants of another replica: on the same database, with a memory of its own.
fn replica(app: &TestApp) -> Grants {
    let url = |variable: &str| app.settings[variable].parse().unwrap();
    let endpoints = Endpoints {
        auth_url: url("GOOGLE_AUTH_URL"),
        token_url: url("GOOGLE_TOKEN_URL"),
        revoke_url: url("GOOGLE_REVOKE_URL"),
        calendar_url: url("GOOGLE_CALENDAR_URL"),
        issuer: app.settings["GOOGLE_ISSUER"].clone(),
    };
    let google = Google::new(
        endpoints,
        app.settings["GOOGLE_CLIENT_ID"].clone(),
        app.settings["GOOGLE_CLIENT_SECRET"].clone().into(),
        app.google.url("/callback").parse().unwrap(),
        Vec::new(),
        app.clock.clone(),
    );
    let keyring = Arc::new(Keyring::parse(&app.settings["ENCRYPTION_KEYS"]).unwrap());
    let (store, clock) = (app.database.store.clone(), app.clock.clone());
    let limit = std::num::NonZeroU32::new(10_000).unwrap();
    let quota = Arc::new(Quota::new(limit, limit, clock.clone(), None));
    Grants::new(store, google, keyring, clock, Entropy::system(), Notifier::default(), quota)
}

#[apply(both_backends)]
async fn two_replicas_refresh_a_refused_token_once(app: &mut TestApp) {
    app.connect("cabinet").await;
    let organisation = OrganisationId::parse("cabinet").unwrap();
    let epoch = app.database.store.integration(&organisation).await.unwrap().unwrap().epoch;
    let (one, other) = (replica(app), replica(app));
    let refused = one.access(&organisation, epoch, None).await.unwrap();
    other.access(&organisation, epoch, None).await.unwrap();

    app.google.forget_journal().await;
    let hanging = app.google.hang("token.refresh", false).await;
    let again = |grants: Grants| {
        let (organisation, refused) = (organisation.clone(), refused.clone());
        tokio::spawn(async move { grants.access(&organisation, epoch, Some(&refused)).await.unwrap() })
    };
    let first = again(one.clone());
    app.google.until_called("token.refresh", 1).await;
    let second = again(other.clone());
    app.google.let_go(hanging).await;
    let first = first.await.unwrap();
    // The other one looks again and again.
    while !second.is_finished() {
        app.advance(1);
        app.google.journal().await;
    }
    let second = second.await.unwrap();
    assert_eq!(first.token.expose_secret(), second.token.expose_secret());
    assert_eq!(refreshes(app).await, 1);
}

#[apply(both_backends)]
async fn a_replica_with_an_older_token_refreshes_the_one_that_is_stored_and_then_has_patience(app: &mut TestApp) {
    app.connect("cabinet").await;
    let organisation = OrganisationId::parse("cabinet").unwrap();
    let epoch = app.database.store.integration(&organisation).await.unwrap().unwrap().epoch;
    let (one, other) = (replica(app), replica(app));
    let oldest = other.access(&organisation, epoch, None).await.unwrap();
    let older = one.access(&organisation, epoch, Some(&oldest)).await.unwrap();
    app.advance(60);

    // Google stops honouring both; the other replica knows the first alone.
    app.google.forget_journal().await;
    let stored = other.access(&organisation, epoch, Some(&oldest)).await.unwrap();
    assert_eq!((stored.token.expose_secret(), refreshes(app).await), (older.token.expose_secret(), 0));
    let fresh = other.access(&organisation, epoch, Some(&stored)).await.unwrap();
    assert_eq!(refreshes(app).await, 1);
    let same = one.access(&organisation, epoch, Some(&older)).await.unwrap();
    assert_eq!((same.token.expose_secret(), refreshes(app).await), (fresh.token.expose_secret(), 1));

    // And that one too.
    for grants in [&one, &other] {
        let refused = grants.access(&organisation, epoch, Some(&fresh)).await.unwrap_err();
        assert!(matches!(refused, AccessError::Unavailable { .. }), "{refused:?}");
    }
    assert_eq!(refreshes(app).await, 1);
    app.advance(60);
    one.access(&organisation, epoch, Some(&fresh)).await.unwrap();
    assert_eq!(refreshes(app).await, 2);
}

#[apply(both_backends)]
async fn an_account_whose_tokens_are_not_honoured_is_waited_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.forget_journal().await;
    let fault = json!({"kind": "error", "code": 401, "reason": "authError"});
    app.google.control("faults", json!({"operation": "events.*", "fault": fault})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, Some(ErrorReason::GoogleUnavailable)));
    assert_eq!(refreshes(app).await, 1);
    app.google.no_more_faults().await;
    app.advance(900);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}

#[apply(both_backends)]
async fn a_token_is_kept_over_a_restart(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("one", 1)).await;
    app.restart().await;
    assert_eq!(app.sync("cabinet", appointment("two", 1)).await.sync_status(), SyncStatus::Synced);
    assert_eq!(refreshes(app).await, 0);
}
