//! Consent, exchange, refresh, revocation.

use cassius_calendar::google::{ExchangeError, IdTokenFault, RefreshError, may_list_calendars};
use cassius_calendar::sync::{Answer, Call};
use jiff::SignedDuration;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::json;

use super::stage::{ACCOUNT, Consent, EVENTS, LIST, NONCE, Stage, place};

async fn exchange(stage: &Stage, consent: &Consent) -> Result<cassius_calendar::google::Granted, ExchangeError> {
    stage.google.exchange(&consent.code, consent.verifier.expose_secret(), NONCE).await
}

#[tokio::test]
async fn the_consent_asks_for_what_is_needed_and_for_nothing_more() {
    let stage = Stage::new().await;
    let url = stage.google.authorize_url("state-1", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "nonce-1", None);
    assert!(url.as_str().starts_with(&format!("{}/o/oauth2/v2/auth?", stage.base)));
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    query.sort();
    let scopes = format!("openid email {EVENTS} {LIST}");
    let expected = [
        ("access_type", "offline"),
        ("client_id", "emulated-client.apps.googleusercontent.com"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("nonce", "nonce-1"),
        ("prompt", "consent"),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("response_type", "code"),
        ("scope", scopes.as_str()),
        ("state", "state-1"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_code_becomes_a_grant_that_names_the_account() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    let granted = exchange(&stage, &consent).await.expect("a grant");
    assert_eq!(granted.google_email, ACCOUNT);
    assert_eq!(granted.google_user_id.as_str(), "104201733015822900001");
    assert_eq!(granted.expires_at, stage.clock.now() + SignedDuration::from_secs(3599));
    assert!(may_list_calendars(&granted.scopes));
    let probe = Call::Probe { calendar: place(ACCOUNT, "-").calendar };
    assert_eq!(stage.google.call(&granted.access_token, &probe).await, Answer::CalendarOpen);
    stage.google.refresh(&granted.refresh_token).await.expect("the refresh token works");
}

#[tokio::test]
async fn the_longest_codes_and_tokens_of_google_fit() {
    let stage = Stage::new().await;
    stage.control(Method::POST, "settings", json!({"longest_tokens": true})).await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    assert_eq!(consent.code.len(), 256);
    let granted = exchange(&stage, &consent).await.expect("a grant");
    assert_eq!(granted.access_token.expose_secret().len(), 2048);
    assert_eq!(granted.refresh_token.expose_secret().len(), 512);
    let probe = Call::Probe { calendar: place(ACCOUNT, "-").calendar };
    assert_eq!(stage.google.call(&granted.access_token, &probe).await, Answer::CalendarOpen);
}

#[tokio::test]
async fn a_code_that_no_google_gives_is_not_even_sent() {
    let stage = Stage::new().await;
    for code in [String::new(), "c".repeat(257)] {
        let refused = stage.google.exchange(&code, "v", NONCE).await;
        assert!(matches!(refused, Err(ExchangeError::Rejected(word)) if word == "invalid_grant"));
    }
    assert!(stage.journal("token.code").await.is_empty());
}

#[tokio::test]
async fn a_code_works_once() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    exchange(&stage, &consent).await.expect("a grant");
    let again = exchange(&stage, &consent).await;
    assert!(matches!(again, Err(ExchangeError::Rejected(word)) if word == "invalid_grant"));
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier() {
    let stage = Stage::new().await;
    let Consent { code, .. } = stage.consent(&[EVENTS, LIST]).await;
    let Consent { verifier, .. } = stage.consent(&[EVENTS, LIST]).await;
    let refused = exchange(&stage, &Consent { code, verifier }).await;
    assert!(matches!(refused, Err(ExchangeError::Rejected(word)) if word == "invalid_grant"));
}

#[tokio::test]
async fn an_id_token_of_another_consent_is_refused_and_the_token_left_over_is_handed_out() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    let refused = stage.google.exchange(&consent.code, consent.verifier.expose_secret(), "another nonce").await;
    let Err(ExchangeError::IdToken { fault: IdTokenFault::Nonce, orphan }) = refused else {
        panic!("the nonce is held against the id token");
    };
    assert_eq!(orphan.google_user_id.expect("it is named all the same").as_str(), "104201733015822900001");
    stage.google.revoke(&orphan.token).await.expect("it can be revoked");
}

#[tokio::test]
async fn an_unticked_write_scope_is_named() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[LIST]).await;
    let Err(ExchangeError::MissingScope { missing, orphan }) = exchange(&stage, &consent).await else {
        panic!("writing was not allowed");
    };
    assert_eq!(missing, [EVENTS]);
    assert_eq!(orphan.google_user_id.expect("the id token was good").as_str(), "104201733015822900001");
    stage.google.refresh(&orphan.token).await.expect("the orphan is the refresh token");
}

#[tokio::test]
async fn an_unticked_list_scope_is_no_obstacle() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[EVENTS]).await;
    let granted = exchange(&stage, &consent).await.expect("a grant");
    assert!(!may_list_calendars(&granted.scopes));
}

#[tokio::test]
async fn a_grant_without_a_refresh_token_is_none() {
    let stage = Stage::new().await;
    stage.control(Method::POST, "settings", json!({"omit_refresh_token": true})).await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    let Err(ExchangeError::NoRefreshToken(orphan)) = exchange(&stage, &consent).await else {
        panic!("there is no refresh token");
    };
    let probe = Call::Probe { calendar: place(ACCOUNT, "-").calendar };
    assert_eq!(stage.google.call(&orphan.token, &probe).await, Answer::CalendarOpen);
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_operators_to_mend() {
    let stage = Stage::new().await;
    let (_, refresh_token) = stage.grant(&["openid", EVENTS]).await;
    let google = stage.misconfigured();
    assert_eq!(google.refresh(&refresh_token).await.err(), Some(RefreshError::Misconfigured));
    let consent = stage.consent(&[EVENTS, LIST]).await;
    let refused = google.exchange(&consent.code, consent.verifier.expose_secret(), NONCE).await;
    assert!(matches!(refused, Err(ExchangeError::Misconfigured(word)) if word == "invalid_client"));
}

#[tokio::test]
async fn a_refresh_gives_a_token_that_works_and_keeps_the_old_refresh_token() {
    let stage = Stage::new().await;
    let (access_token, refresh_token) = stage.grant(&["openid", EVENTS]).await;
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}/expire"), json!({})).await;
    let probe = Call::Probe { calendar: place(ACCOUNT, "-").calendar };
    assert_eq!(stage.google.call(&access_token, &probe).await, Answer::Unauthorized);
    let refreshed = stage.google.refresh(&refresh_token).await.expect("a token");
    assert!(refreshed.refresh_token.is_none());
    assert_eq!(refreshed.expires_at, stage.clock.now() + SignedDuration::from_secs(3599));
    assert_eq!(stage.google.call(&refreshed.access_token, &probe).await, Answer::CalendarOpen);
}

#[tokio::test]
async fn only_the_token_endpoints_own_word_calls_a_grant_dead() {
    let stage = Stage::new().await;
    let (_, refresh_token) = stage.grant(&["openid", EVENTS]).await;
    let away = RefreshError::Unavailable { retry_after: None };
    let cases = [
        (500, "internal_failure", away.clone()),
        (503, "invalid_grant", away.clone()),
        (429, "rate_limit_exceeded", away.clone()),
        (401, "invalid_client", RefreshError::Misconfigured),
        (400, "unauthorized_client", RefreshError::Misconfigured),
        (403, "access_denied", RefreshError::GrantDead),
        (400, "admin_policy_enforced", RefreshError::GrantDead),
        (400, "account_deleted", RefreshError::GrantDead),
        (400, "invalid_scope", RefreshError::GrantDead),
        (400, "something_new", RefreshError::GrantDead),
        (403, "something_new", RefreshError::GrantDead),
        (404, "something_new", RefreshError::GrantDead),
        (410, "something_new", RefreshError::GrantDead),
        // JSON of something between.
        (403, "Forbidden", away.clone()),
        (404, "Not Found", away.clone()),
        (407, "Proxy Authentication Required", away.clone()),
        (403, "forbidden", away.clone()),
        (407, "invalid_grant", away.clone()),
        (408, "invalid_grant", away.clone()),
        (407, "proxy_authentication_required", away.clone()),
        (400, "", away.clone()),
    ];
    for (code, word, error) in cases {
        stage.refuse("token.refresh", code, word).await;
        assert_eq!(stage.google.refresh(&refresh_token).await.err(), Some(error), "{code} {word}");
    }
    let faults = [json!({"kind": "reset"}), json!({"kind": "lose_answer"}), json!({"kind": "page", "code": 400})];
    for fault in faults {
        stage.fault("token.refresh", fault.clone()).await;
        assert_eq!(stage.google.refresh(&refresh_token).await.err(), Some(away.clone()), "{fault}");
    }
    stage.google.refresh(&refresh_token).await.expect("all of it left the grant alive");
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}/revoke"), json!({})).await;
    assert_eq!(stage.google.refresh(&refresh_token).await.err(), Some(RefreshError::GrantDead));
}

#[tokio::test]
async fn a_busy_token_endpoint_says_how_long_to_wait() {
    let stage = Stage::new().await;
    let (_, refresh_token) = stage.grant(&["openid", EVENTS]).await;
    let fault = json!({"kind": "error", "code": 503, "reason": "internal_failure", "retry_after_seconds": 42});
    stage.fault("token.refresh", fault).await;
    let retry_after = Some(SignedDuration::from_secs(42));
    assert_eq!(stage.google.refresh(&refresh_token).await.err(), Some(RefreshError::Unavailable { retry_after }));
}

#[tokio::test]
async fn revoking_ends_the_grant_and_revoking_again_is_no_fault() {
    let stage = Stage::new().await;
    let (access_token, refresh_token) = stage.grant(&["openid", EVENTS]).await;
    stage.google.revoke(&refresh_token).await.expect("it is revoked");
    let probe = Call::Probe { calendar: place(ACCOUNT, "-").calendar };
    assert_eq!(stage.google.call(&access_token, &probe).await, Answer::Unauthorized);
    assert_eq!(stage.google.refresh(&refresh_token).await.err(), Some(RefreshError::GrantDead));
    stage.google.revoke(&refresh_token).await.expect("it is gone already");
    stage.refuse("revoke", 503, "internal_failure").await;
    stage.google.revoke(&refresh_token).await.expect_err("Google is away");
}

#[tokio::test]
async fn what_a_consent_brought_is_not_shown_by_debug() {
    let stage = Stage::new().await;
    let consent = stage.consent(&[EVENTS, LIST]).await;
    let granted = exchange(&stage, &consent).await.expect("a grant");
    let refused = exchange(&stage, &consent).await;
    let refreshed = stage.google.refresh(&granted.refresh_token).await.expect("a token");
    let shown = format!("{granted:?} {refused:?} {refreshed:?} {:?}", stage.google);
    for secret in [&granted.access_token, &granted.refresh_token, &refreshed.access_token, &consent.verifier] {
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
    }
    assert!(
        !shown.contains(ACCOUNT) && !shown.contains("emulated-secret") && !shown.contains(&consent.code),
        "{shown}"
    );
}
