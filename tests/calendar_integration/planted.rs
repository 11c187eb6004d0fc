//! A ticket that somebody else put into a browser, and an answer that is not Google's: seen before a grant is kept.

use cassius_calendar::connection::cookie_name;
use cassius_calendar::grpc::pb::{BeginConnectRequest, IntegrationState};
use reqwest::header::{CONTENT_SECURITY_POLICY, SET_COOKIE};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::rows::rows;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{Browser, EVENTS, LIST, Page, outcome};
use crate::harness::google::ACCOUNT;
use crate::wire::sidecar::is_guarded;

const RETURN_URL: &str = "http://127.0.0.1:3000/settings/integrations/google-calendar";

/// A browser that Google sends back, and where to; the practice is named or not.
async fn back_from_google(app: &mut TestApp, practice: &str) -> (Browser, String) {
    back_with_return_url(app, practice, RETURN_URL).await
}

/// The same, of a consent that leads back to an address, or nowhere.
async fn back_with_return_url(app: &mut TestApp, practice: &str, return_url: &str) -> (Browser, String) {
    let request = BeginConnectRequest {
        organisation_id: "cabinet".into(),
        return_url: return_url.into(),
        organisation_name: practice.into(),
    };
    let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
    let mut browser = app.browser.another();
    browser.set(&begun.connect_cookie.unwrap());
    let connect = browser.sidecar(&begun.connect_url);
    let consent = browser.get(&connect).await.location.unwrap();
    let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    (browser, callback)
}

/// Where the form of a page leads with one of its buttons.
fn submitted(callback: &str, page: &Page, answer: &str) -> String {
    let state = page.body.split("name=\"state\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(page.body.contains("<form action=\"/api/integrations/google/callback\">"), "{}", page.body);
    let mut url = Url::parse(callback).unwrap();
    url.query_pairs_mut().clear().append_pair("state", state).append_pair("answer", answer);
    url.into()
}

async fn revocations(app: &TestApp) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == "revoke").count()
}

#[apply(both_backends)]
async fn an_answer_of_another_issuer_or_with_a_doubled_parameter_is_refused_and_ends_no_consent(app: &mut TestApp) {
    let (mut browser, callback) = back_from_google(app, "").await;
    let issuer = app.settings["GOOGLE_ISSUER"].clone();
    let encoded: String = form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
    let by = |other: &str| callback.replace(&format!("iss={encoded}"), &format!("iss={other}"));
    assert_ne!(by("other"), callback, "as Google says who it is");
    for forged in [
        by("https%3A%2F%2Faccounts.evil.example"),
        by(&encoded.replace("http%3A%2F%2F", "")),
        format!("{callback}&iss={issuer}"),
        format!("{callback}&code=planted"),
        format!("{callback}&error=a&error=b"),
        format!("{callback}&error={}", "e".repeat(200)),
    ] {
        let page = browser.get(&forged).await;
        assert_eq!((page.status, page.location.as_deref()), (400, None), "{forged}");
        assert!(page.headers.get(SET_COOKIE).is_none());
    }
    assert_eq!(app.google.journal().await.iter().filter(|call| call["operation"] == "token.code").count(), 0);
    assert_eq!(outcome(&browser.get(&callback).await), "connected");
}

#[apply(both_backends)]
async fn on_https_the_ticket_is_taken_from_a_cookie_alone_that_no_other_site_can_set(app: &mut TestApp) {
    app.settings.insert("PUBLIC_URL".into(), "https://cassius.example".into());
    app.restart().await;
    let request = BeginConnectRequest { organisation_id: "cabinet".into(), ..Default::default() };
    let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
    let cookie = begun.connect_cookie.unwrap();
    assert_eq!(cookie.name, "__Host-cassius_calendar_connect");
    assert_eq!((cookie_name(true), cookie_name(false)), (&*cookie.name, "cassius_calendar_connect"));
    let own = cookie.own_name.strip_prefix("__Host-").unwrap();
    let connect =
        begun.connect_url.replace("https://cassius.example", &format!("http://{}", app.running().http_address));
    let mut planted = app.browser.another();
    for name in [cookie_name(false), own] {
        planted.cookies.insert(name.into(), cookie.value.clone());
        assert_eq!(planted.get(&connect).await.status, 400);
    }
    let mut browser = app.browser.another();
    browser.set(&cookie);
    assert_eq!(browser.get(&connect).await.status, 303);
}

#[apply(both_backends)]
async fn before_a_grant_is_kept_the_person_reads_for_whom_it_is_and_says_so(app: &mut TestApp) {
    let (mut browser, callback) = back_from_google(app, "Cabinet <b>Lumière</b>\u{202e}").await;
    let page = browser.get(&callback).await;
    assert_eq!((page.status, page.location.as_deref()), (200, None), "{}", page.body);
    is_guarded(&page.headers);
    let policy = page.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:3000"), "{policy}");
    assert!(page.body.contains("<strong>Cabinet &lt;b&gt;Lumière&lt;/b&gt;</strong>"), "{}", page.body);
    assert!(page.body.contains(&format!("<strong>{ACCOUNT}</strong>")), "{}", page.body);
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected, "nothing is kept yet");
    assert_eq!(browser.get(&callback).await.status, 400, "the code was spent");

    let keep = submitted(&callback, &page, "connect");
    assert_eq!(app.browser.another().get(&keep).await.status, 400, "another browser says nothing");
    assert_eq!(outcome(&browser.get(&keep).await), "connected");
    assert!(browser.cookies.keys().all(|name| !name.contains(cookie_name(false))), "its ticket has served");
    assert_eq!(app.status("cabinet").await.google_email, ACCOUNT);
    assert_eq!(browser.get(&keep).await.status, 400, "a word counts once");
    app.advance(20 * 60);
    app.running().consents.end_unkept_grants().await.unwrap();
    assert_eq!((revocations(app).await, app.status("cabinet").await.state()), (0, IntegrationState::Connected));
}

#[apply(both_backends)]
async fn what_a_person_refuses_leaves_unanswered_or_what_a_disconnect_overtakes_is_revoked(app: &mut TestApp) {
    let (mut browser, callback) = back_from_google(app, "Cabinet Lumière").await;
    let page = browser.get(&callback).await;
    assert_eq!(outcome(&browser.get(&submitted(&callback, &page, "refuse")).await), "denied");
    assert_eq!(revocations(app).await, 1);

    let (mut browser, callback) = back_from_google(app, "Cabinet Lumière").await;
    let page = browser.get(&callback).await;
    app.advance(15 * 60);
    app.running().consents.end_unkept_grants().await.unwrap();
    app.google.until_called("revoke", 2).await;
    assert_eq!(browser.get(&submitted(&callback, &page, "connect")).await.status, 400);

    let (mut browser, callback) = back_from_google(app, "Cabinet Lumière").await;
    let page = browser.get(&callback).await;
    let disconnect =
        cassius_calendar::grpc::pb::DisconnectRequest { organisation_id: "cabinet".into(), ..Default::default() };
    app.integrations.disconnect(disconnect).await.unwrap();
    assert_eq!(browser.get(&submitted(&callback, &page, "connect")).await.status, 400);
    app.running().consents.end_unkept_grants().await.unwrap();
    app.google.until_called("revoke", 3).await;
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
    assert_eq!(rows(&app.database, "oauth_consents", "TRUE").await, 0);
}

#[apply(both_backends)]
async fn whoever_refuses_is_led_to_googles_page_where_the_grant_could_not_be_revoked_at_once(app: &mut TestApp) {
    let (mut browser, callback) = back_with_return_url(app, "Cabinet Lumière", "").await;
    let question = browser.get(&callback).await;
    app.google.fault("revoke", 1, json!({"kind": "error", "code": 503, "reason": "backendError"})).await;
    let page = browser.get(&submitted(&callback, &question, "refuse")).await;
    assert_eq!((page.status, page.location.as_deref()), (200, None), "{}", page.body);
    assert!(page.body.contains("<a href=\"https://myaccount.google.com/connections\""), "{}", page.body);
    is_guarded(&page.headers);
}

#[apply(both_backends)]
async fn a_practice_whose_name_nobody_sees_is_no_name(app: &mut TestApp) {
    for name in ["\u{200b}\u{202e}".to_owned(), "x".repeat(201), "a\0b".to_owned()] {
        let request =
            BeginConnectRequest { organisation_id: "cabinet".into(), organisation_name: name, ..Default::default() };
        let status = app.integrations.begin_connect(request).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
    }
}
