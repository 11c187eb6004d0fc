//! `BeginConnect`: where to send the browser, and what to put into it.

use cassius_calendar::grpc::pb::{BeginConnectRequest, BeginConnectResponse, IntegrationState};
use tonic::Code;

use super::rows::rows;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::instant;
use crate::wire::refused::refused;

fn request(return_url: &str) -> BeginConnectRequest {
    BeginConnectRequest { organisation_id: "cabinet".into(), return_url: return_url.into(), ..Default::default() }
}

async fn begin(app: &mut TestApp, return_url: &str) -> BeginConnectResponse {
    app.integrations.begin_connect(request(return_url)).await.unwrap().into_inner()
}

#[apply(both_backends)]
async fn the_ticket_travels_in_the_cookie_alone_and_lasts_a_quarter_of_an_hour(app: &mut TestApp) {
    let begun = begin(app, "http://127.0.0.1:3000/settings").await;
    assert_eq!(begun.expire_time, Some(instant("2026-03-02T08:15:00Z")));
    let cookie = begun.connect_cookie.unwrap();
    // What the link names the consent by is in the name of its own cookie too, and is no part of the ticket.
    let (_, consent) = cookie.own_name.rsplit_once('_').unwrap();
    assert_eq!(cookie.own_name, format!("{}_{consent}", cookie.name));
    assert_eq!(begun.connect_url, format!("http://127.0.0.1:8080/api/integrations/google/connect?consent={consent}"));
    assert!(!cookie.value.contains(consent));
    assert_eq!(cookie.max_age, 15 * 60);
    assert!(cookie.value.len() >= 43, "256 bits");
    assert!(cookie.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    let again = begin(app, "http://127.0.0.1:3000/settings").await.connect_cookie.unwrap();
    assert_eq!(again.name, cookie.name);
    assert_ne!(again.own_name, cookie.own_name);
    assert_ne!(again.value, cookie.value, "each consent has a ticket of its own");
    // What is stored does not open the door: neither the ticket nor its text.
    assert_eq!(rows(&app.database, "oauth_consents", "TRUE").await, 2);
    assert!(!crate::harness::logs::contain(&cookie.value));
}

#[apply(both_backends)]
async fn the_path_of_the_public_url_is_kept(app: &mut TestApp) {
    app.settings.insert("PUBLIC_URL".into(), "https://cassius.example/calendar/".into());
    app.restart().await;
    let begun = begin(app, "").await;
    let (address, _) = begun.connect_url.split_once('?').unwrap();
    assert_eq!(address, "https://cassius.example/calendar/api/integrations/google/connect");
}

#[apply(both_backends)]
async fn only_where_the_setting_says_so_the_url_carries_the_ticket(app: &mut TestApp) {
    app.settings.insert("TICKET_IN_URL".into(), "true".into());
    app.restart().await;
    let begun = begin(app, "").await;
    let ticket = begun.connect_cookie.unwrap().value;
    assert_eq!(begun.connect_url, format!("http://127.0.0.1:8080/api/integrations/google/connect?ticket={ticket}"));
}

#[apply(both_backends)]
async fn a_return_url_beyond_the_allow_list_is_refused_and_nothing_is_stored(app: &mut TestApp) {
    for return_url in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/settings",
        "settings",
        "javascript:alert(1)",
        "javascript://127.0.0.1:3000/%0aalert(1)",
        "data:text/html,x",
        "http://127.0.0.1:3000@evil.example/",
        "http://user@127.0.0.1:3000/",
        "http://user:word@127.0.0.1:3000/",
        "http://127.0.0.1:3000/\r\nSet-Cookie: a=b",
        "http://127.0.0.1:3000/%0d%0aSet-Cookie:%20a=b",
        "http://127.0.0.1:3000/ x",
        "http://127.0.0.1:3000/a\\b",
        "http://127.0.0.1:3000.evil.example/",
        "http://127.0.0.1:30000/",
        "http://127.0.0.1/",
        "https://127.0.0.1:3000/",
        "http://localhost:3000/",
        "https://evil.example/?x=http://127.0.0.1:3000/",
        "http://127.0.0.1:3000/#fragment",
        "http:/127.0.0.1:3000/",
        "http:///127.0.0.1:3000/",
        &format!("http://127.0.0.1:3000/{}", "a".repeat(2_048)),
        &"x".repeat(1_000_000),
    ] {
        let answer = app.integrations.begin_connect(request(return_url)).await;
        assert!(answer.is_err(), "{return_url}");
        let refusal = refused(answer, Code::InvalidArgument, "INVALID_REQUEST");
        assert_eq!(refusal.fields, ["return_url"], "{return_url}");
        assert!(!refusal.whole.contains("evil.example"), "{}", refusal.whole);
    }
    assert_eq!(rows(&app.database, "oauth_consents", "TRUE").await, 0);
}

#[apply(both_backends)]
async fn allowed_addresses_are_matched_by_origin_and_whole_path_segments(app: &mut TestApp) {
    let allowed = "https://cassius.example/app,https://beta.cassius.example";
    app.settings.insert("RETURN_URL_ALLOWED".into(), allowed.into());
    app.restart().await;
    for return_url in [
        "",
        "https://cassius.example/app",
        "https://cassius.example/app/settings?tab=google&x=%C3%A9",
        "https://cassius.example:443/app/",
        "https://beta.cassius.example/anything",
    ] {
        begin(app, return_url).await;
    }
    for return_url in [
        "http://127.0.0.1:3000/settings",
        "https://cassius.example/",
        "https://cassius.example/application",
        "https://cassius.example/app/../admin",
        "https://cassius.example/app/%2e%2e/admin",
        "https://beta.cassius.example:8443/",
    ] {
        refused(app.integrations.begin_connect(request(return_url)).await, Code::InvalidArgument, "INVALID_REQUEST");
    }
}

#[apply(both_backends)]
async fn a_connected_integration_stays_so_until_the_new_consent_is_complete(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.status("cabinet").await;
    app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    assert_eq!(app.status("cabinet").await, before);
    assert_eq!((before.state(), &*before.google_email), (IntegrationState::Connected, ACCOUNT));
}
