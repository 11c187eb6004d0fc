//! The consent page, the exchange of its code, and what ends a grant.

use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{ACCOUNT, is_signed, send};
use super::stage::{EVENTS, LIST, Stage, value};

#[tokio::test]
async fn a_consent_brings_tokens_and_says_who_gave_it() {
    let stage = Stage::new().await;
    let form = [("account", ACCOUNT), ("scope", EVENTS), ("scope", LIST), ("decision", "allow")];
    let back = stage.decide(stage.consent_url(&[]), &form).await;
    assert_eq!(value(&back, "state").as_deref(), Some("st&te"));
    let code = value(&back, "code").expect("a code comes back");
    assert!(code.len() <= 256);

    let tokens = stage.exchange(&code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert!(tokens.text("refresh_token").len() <= 512 && !tokens.text("refresh_token").is_empty());
    assert_eq!(tokens.body["expires_in"], 3599);
    let mut scopes: Vec<&str> = tokens.text("scope").split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [LIST, EVENTS, "https://www.googleapis.com/auth/userinfo.email", "openid"]);

    let parts: Vec<&str> = tokens.text("id_token").split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims = BASE64URL_NOPAD.decode(parts[1].as_bytes()).expect("claims are base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("claims are JSON");
    assert_eq!(claims["iss"], stage.emulator.base_url());
    assert_eq!(claims["aud"], "emulated-client.apps.googleusercontent.com");
    assert_eq!(claims["email"], ACCOUNT);
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["hd"], "cabinet-des-lilas.example");
    assert_eq!(claims["nonce"], "once");
    assert_eq!(claims["iat"], stage.clock.now().as_second());
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));

    let token = tokens.text("access_token");
    assert_eq!(stage.call(token, Method::GET, "users/me/calendarList", None).await.status, 200);
    assert_eq!(stage.call(token, Method::GET, "calendars/primary/events", None).await.status, 200);
    // The scopes of the service do not open `calendars.get`: a calendar is looked up in the list.
    let refused = stage.call(token, Method::GET, "calendars/primary", None).await;
    assert_eq!(refused.outcome(), (403, "insufficientPermissions"));
}

#[tokio::test]
async fn a_wrong_or_missing_verifier_gets_nothing_and_spends_the_code() {
    let stage = Stage::new().await;
    for verifier in ["wrong-verifier-wrong-verifier-wrong-verifier", ""] {
        let code = stage.code(&[]).await;
        let refused = stage.exchange(&code, &[("code_verifier", verifier)]).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant"));
        assert_eq!(stage.exchange(&code, &[]).await.outcome(), (400, "invalid_grant"), "the code is spent");
    }
}

#[tokio::test]
async fn a_code_works_once_and_not_for_ever() {
    let stage = Stage::new().await;
    let code = stage.code(&[]).await;
    assert_eq!(stage.exchange(&code, &[]).await.status, 200);
    assert_eq!(stage.exchange(&code, &[]).await.outcome(), (400, "invalid_grant"));
    let late = stage.code(&[]).await;
    stage.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(stage.exchange(&late, &[]).await.outcome(), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_uri_and_client() {
    let stage = Stage::new().await;
    let code = stage.code(&[]).await;
    let refused = stage.exchange(&code, &[("redirect_uri", "http://127.0.0.1:9/other")]).await;
    assert_eq!(refused.outcome(), (400, "redirect_uri_mismatch"));
    let code = stage.code(&[]).await;
    assert_eq!(stage.exchange(&code, &[("client_secret", "guessed")]).await.outcome(), (401, "invalid_client"));
    assert_eq!(stage.exchange(&code, &[]).await.status, 200, "an unknown client does not spend a code");
}

#[tokio::test]
async fn a_request_that_is_unfit_is_shown_and_never_redirected() {
    let stage = Stage::new().await;
    for (name, sent, word) in [
        ("client_id", Some("nobody"), "invalid_client"),
        ("client_id", None, "invalid_request"),
        ("redirect_uri", Some("https://evil.example/callback"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://127.0.0.1:9@evil.example/"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://127.0.0.1:9/callback/"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://127.0.0.1:9/Callback"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://localhost:9/callback"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://127.0.0.1:10/callback"), "redirect_uri_mismatch"),
        ("redirect_uri", Some("http://127.0.0.1:9/callback?from=here"), "redirect_uri_mismatch"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", None, "invalid_request"),
        ("scope", None, "invalid_request"),
        ("scope", Some("openid https://www.googleapis.com/auth/mail"), "invalid_scope"),
        ("code_challenge_method", Some("S512"), "invalid_request"),
        ("prompt", Some("none consent"), "invalid_request"),
    ] {
        let address = stage.consent_url(&[(name, sent)]);
        let shown = send(stage.http.get(address.clone())).await;
        assert!(matches!(shown.status, 400 | 401), "{name}={sent:?}: {}", shown.status);
        assert!(shown.text.contains(word), "{name}={sent:?}");
        let decided = send(stage.http.post(address).form(&[("account", ACCOUNT), ("decision", "allow")])).await;
        assert!(matches!(decided.status, 400 | 401), "{name}={sent:?}: {}", decided.status);
    }
}

#[tokio::test]
async fn without_a_page_nobody_consents() {
    let stage = Stage::new().await;
    let silent = stage.http.get(stage.consent_url(&[("prompt", Some("none"))])).send().await.expect("an answer");
    let address = silent.headers()["location"].to_str().expect("an address is text").to_owned();
    let back: Vec<_> = url::Url::parse(&address).expect("an address").query_pairs().into_owned().collect();
    assert_eq!(value(&back, "error").as_deref(), Some("interaction_required"));
    assert_eq!(value(&back, "state").as_deref(), Some("st&te"));
}

#[tokio::test]
async fn the_id_token_of_a_consent_and_that_of_a_refresh_can_be_verified_and_no_altered_one() {
    let stage = Stage::new().await;
    let code = stage.code(&[]).await;
    let tokens = stage.exchange(&code, &[]).await;
    let refreshed = stage.refresh(tokens.text("refresh_token")).await;
    let keys = send(stage.http.get(stage.at("/oauth2/v3/certs"))).await;
    assert_eq!(keys.status, 200, "{}", keys.text);
    let token = tokens.text("id_token");
    assert!(is_signed(token, &keys.body), "{token} by {}", keys.text);
    assert!(is_signed(refreshed.text("id_token"), &keys.body), "{}", refreshed.text);

    let parts: Vec<&str> = token.split('.').collect();
    let other: Vec<&str> = refreshed.text("id_token").split('.').collect();
    let altered = BASE64URL_NOPAD.encode(br#"{"sub": "another"}"#);
    for (header, claims, signature) in [
        (parts[0], altered.as_str(), parts[2]),
        (parts[0], parts[1], other[2]),
        (parts[0], parts[1], ""),
        (BASE64URL_NOPAD.encode(br#"{"alg": "RS256", "kid": "unknown"}"#).as_str(), parts[1], parts[2]),
    ] {
        assert!(!is_signed(&format!("{header}.{claims}.{signature}"), &keys.body), "{header}.{claims}.{signature}");
    }

    // Who kept the keys reads tokens of a later start.
    let later = Stage::new().await;
    let code = later.code(&[]).await;
    assert!(is_signed(later.exchange(&code, &[]).await.text("id_token"), &keys.body));
}

#[tokio::test]
async fn what_google_has_and_the_emulator_does_not_is_said_aloud() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let event = json!({
        "start": {"dateTime": "2026-12-01T10:00:00Z", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2026-12-01T11:00:00Z", "timeZone": "Europe/Paris"},
        "recurrence": ["RRULE:FREQ=DAILY"],
    });
    let refused = stage.call(&token, Method::POST, "calendars/primary/events", Some(&event)).await;
    assert_eq!(refused.outcome(), (501, "notImplemented"));
}

#[tokio::test]
async fn a_refusal_leads_back_with_the_state() {
    let stage = Stage::new().await;
    let back = stage.decide(stage.consent_url(&[]), &[("account", ACCOUNT), ("decision", "deny")]).await;
    assert_eq!(value(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(value(&back, "state").as_deref(), Some("st&te"));
    assert_eq!(value(&back, "code"), None);
}

#[tokio::test]
async fn an_unticked_scope_is_neither_answered_nor_opened() {
    let stage = Stage::new().await;
    let form = [("account", ACCOUNT), ("scope", LIST), ("decision", "allow")];
    let code = value(&stage.decide(stage.consent_url(&[]), &form).await, "code").expect("a code comes back");
    let tokens = stage.exchange(&code, &[]).await;
    assert!(!tokens.text("scope").split(' ').any(|scope| scope == EVENTS));
    let refused =
        stage.call(tokens.text("access_token"), Method::POST, "calendars/primary/events", Some(&json!({}))).await;
    assert_eq!(refused.outcome(), (403, "insufficientPermissions"));
    assert_eq!(refused.body["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(refused.body["error"]["status"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_refresh_token_comes_at_the_first_consent_or_when_consent_is_forced_and_offline() {
    let stage = Stage::new().await;
    let brings = async |changes: &[(&str, Option<&str>)]| {
        let code = stage.code(changes).await;
        stage.exchange(&code, &[]).await.body.get("refresh_token").is_some()
    };
    assert!(!brings(&[("access_type", None)]).await, "online");
    let account = format!("accounts/{ACCOUNT}/revoke");
    stage.control(Method::POST, &account, json!({})).await;
    assert!(brings(&[("prompt", None)]).await, "first consent");
    assert!(!brings(&[("prompt", None)]).await, "second consent");
    assert!(brings(&[]).await, "forced consent");
    stage.control(Method::POST, "settings", json!({"omit_refresh_token": true})).await;
    assert!(!brings(&[]).await, "switched off");
}

#[tokio::test]
async fn an_access_token_expires_and_a_refresh_brings_another() {
    let stage = Stage::new().await;
    let code = stage.code(&[]).await;
    let tokens = stage.exchange(&code, &[]).await;
    let list = "users/me/calendarList";
    stage.clock.advance(SignedDuration::from_secs(3598));
    assert_eq!(stage.call(tokens.text("access_token"), Method::GET, list, None).await.status, 200);
    stage.clock.advance(SignedDuration::from_secs(1));
    let expired = stage.call(tokens.text("access_token"), Method::GET, list, None).await;
    assert_eq!(expired.outcome(), (401, "authError"));
    let refreshed = stage.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.body.get("refresh_token"), None);
    assert_eq!(stage.call(refreshed.text("access_token"), Method::GET, list, None).await.status, 200);
}

#[tokio::test]
async fn revoking_one_token_ends_every_grant_of_the_account_and_of_no_other() {
    let stage = Stage::new().await;
    let (first, second) = (stage.code(&[]).await, stage.code(&[]).await);
    let (first, second) = (stage.exchange(&first, &[]).await, stage.exchange(&second, &[]).await);
    let other = stage.token_of("dr.monnier@gmail.com", &[EVENTS]).await;
    let revoke = async |token: &str| send(stage.http.post(stage.at("/revoke")).form(&[("token", token)])).await;
    assert_eq!(revoke(first.text("access_token")).await.status, 200);
    for tokens in [&first, &second] {
        assert_eq!(stage.refresh(tokens.text("refresh_token")).await.outcome(), (400, "invalid_grant"));
        let refused = stage.call(tokens.text("access_token"), Method::GET, "users/me/calendarList", None).await;
        assert_eq!(refused.outcome(), (401, "authError"));
    }
    assert_eq!(revoke(second.text("refresh_token")).await.outcome(), (400, "invalid_token"));
    assert_eq!(stage.call(&other, Method::GET, "calendars/primary/events", None).await.status, 200);
}

#[tokio::test]
async fn refresh_tokens_die_of_disuse_of_testing_and_of_too_many() {
    let stage = Stage::new().await;
    let fresh = async || {
        let code = stage.code(&[]).await;
        stage.exchange(&code, &[]).await.text("refresh_token").to_owned()
    };
    let token = fresh().await;
    stage.clock.advance(SignedDuration::from_hours(24 * 150));
    assert_eq!(stage.refresh(&token).await.status, 200);
    stage.clock.advance(SignedDuration::from_hours(24 * 150));
    assert_eq!(stage.refresh(&token).await.status, 200, "used in between");
    stage.control(Method::POST, "settings", json!({"consent_screen_testing": true})).await;
    assert_eq!(stage.refresh(&token).await.outcome(), (400, "invalid_grant"), "older than 7 days in testing");
    stage.control(Method::POST, "settings", json!({"consent_screen_testing": false})).await;
    stage.clock.advance(SignedDuration::from_hours(24 * 200));
    assert_eq!(stage.refresh(&token).await.outcome(), (400, "invalid_grant"), "unused for 6 months");

    let oldest = fresh().await;
    for _ in 0..100 {
        fresh().await;
    }
    assert_eq!(stage.refresh(&oldest).await.outcome(), (400, "invalid_grant"), "the oldest of 101");
}

#[tokio::test]
async fn tokens_can_be_as_long_as_google_reserves() {
    let stage = Stage::new().await;
    stage.control(Method::POST, "settings", json!({"longest_tokens": true})).await;
    let code = stage.code(&[]).await;
    let tokens = stage.exchange(&code, &[]).await;
    let lengths = (code.len(), tokens.text("access_token").len(), tokens.text("refresh_token").len());
    assert_eq!(lengths, (256, 2048, 512));
    assert_eq!(stage.call(tokens.text("access_token"), Method::GET, "users/me/calendarList", None).await.status, 200);
}

#[tokio::test]
async fn the_page_speaks_the_language_of_its_reader_and_prefers_the_hinted_account() {
    let stage = Stage::new().await;
    let address = stage.consent_url(&[("login_hint", Some("dr.monnier@gmail.com"))]);
    let french = send(stage.http.get(address.clone())).await;
    assert!(french.text.contains("Choisissez un compte") && french.text.contains("lang=\"fr\""));
    assert!(french.text.contains("value=\"dr.monnier@gmail.com\" checked"));
    let english = send(stage.http.get(address).header("accept-language", "en-GB,en;q=0.9,fr;q=0.5")).await;
    assert!(english.text.contains("Choose an account") && english.text.contains("lang=\"en\""));
    assert!(!english.text.contains("<script"));
}
