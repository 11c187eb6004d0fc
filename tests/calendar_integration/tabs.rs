//! Several tabs of one browser, each on its way for a practice of its own.

use std::collections::HashMap;

use cassius_calendar::connection::COOKIE_NAME;
use cassius_calendar::grpc::pb::{BeginConnectRequest, BeginConnectResponse, IntegrationState};
use reqwest::header::SET_COOKIE;

use super::rows::rows;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{Browser, EVENTS, LIST, outcome};
use crate::harness::google::ACCOUNT;
use crate::wire::sidecar::is_guarded;

const RETURN_URL: &str = "http://127.0.0.1:3000/settings/integrations/google-calendar";

async fn begin(app: &mut TestApp, organisation: &str) -> BeginConnectResponse {
    let request = BeginConnectRequest {
        organisation_id: organisation.into(),
        return_url: RETURN_URL.into(),
        ..Default::default()
    };
    app.integrations.begin_connect(request).await.unwrap().into_inner()
}

/// Begins a consent as a host of an earlier version does: every consent's ticket lies in the same cookie.
async fn begin_in_the_one_cookie(app: &mut TestApp, browser: &mut Browser, organisation: &str) -> String {
    let begun = begin(app, organisation).await;
    let cookie = begun.connect_cookie.unwrap();
    browser.cookies.insert(cookie.name, cookie.value);
    browser.sidecar(&begun.connect_url)
}

/// Goes to Google and back: the outcome's word.
async fn go_through(browser: &mut Browser, connect: &str) -> String {
    let consent = browser.get(connect).await.location.unwrap();
    let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    outcome(&browser.get(&callback).await)
}

#[apply(both_backends)]
async fn a_tab_whose_ticket_another_tab_has_overwritten_connects_nothing_and_says_so(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let first = begin_in_the_one_cookie(app, &mut browser, "cabinet").await;
    let second = begin_in_the_one_cookie(app, &mut browser, "voisin").await;
    let page = browser.get(&first).await;
    assert_eq!((page.status, page.location.as_deref()), (409, None), "{}", page.body);
    is_guarded(&page.headers);
    assert!(page.headers.get(SET_COOKIE).is_none(), "the other tab goes on");
    assert!(page.body.contains("Une autre connexion a été commencée depuis"), "{}", page.body);
    assert!(page.body.contains("<a href=\"http://127.0.0.1:3000/\">Revenir à Cassius</a>"), "{}", page.body);
    assert_eq!(rows(&app.database, "oauth_consents", "state_hash IS NOT NULL").await, 0);

    assert_eq!(go_through(&mut browser, &second).await, "connected");
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::NotConnected);
    assert_eq!(app.status("voisin").await.google_email, ACCOUNT);
    assert!(!browser.cookies.contains_key(COOKIE_NAME), "its ticket has served");
}

#[apply(both_backends)]
async fn each_tab_with_a_cookie_of_its_own_connects_its_own_practice_in_any_order(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let mut addresses = Vec::new();
    for organisation in ["cabinet", "voisin", "annexe"] {
        let begun = begin(app, organisation).await;
        browser.set(&begun.connect_cookie.unwrap());
        addresses.push(browser.sidecar(&begun.connect_url));
    }
    for (address, organisation) in addresses.iter().zip(["cabinet", "voisin"]) {
        assert_eq!(app.status(organisation).await.state(), IntegrationState::NotConnected);
        assert_eq!(go_through(&mut browser, address).await, "connected");
        assert_eq!(app.status(organisation).await.google_email, ACCOUNT);
    }
    assert_eq!(app.status("annexe").await.state(), IntegrationState::NotConnected);
    assert!(addresses[2].ends_with(browser.ticket().0.rsplit_once('_').unwrap().1), "its ticket alone is left");
    assert_eq!(browser.get(&addresses[0]).await.status, 400, "a ticket that has served is gone");
}

/// What a browser holds whose tabs set out before either had its answer.
fn together(one: &Browser, other: &Browser) -> HashMap<String, String> {
    one.cookies.iter().chain(&other.cookies).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[apply(both_backends)]
async fn tabs_that_set_out_in_one_instant_both_come_back(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let mut addresses = Vec::new();
    for organisation in ["cabinet", "voisin"] {
        let begun = begin(app, organisation).await;
        browser.set(&begun.connect_cookie.unwrap());
        addresses.push(browser.sidecar(&begun.connect_url));
    }
    // The third is the first once more: a page that was loaded twice.
    addresses.push(addresses[0].clone());
    let mut callbacks = Vec::new();
    let before = browser.cookies.clone();
    for address in &addresses {
        let mut tab = app.browser.another();
        tab.cookies = before.clone();
        let consent = tab.get(address).await.location.unwrap();
        callbacks.push(tab.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await);
        browser.cookies = together(&browser, &tab);
    }
    for callback in callbacks.iter().rev() {
        assert_eq!(outcome(&browser.get(callback).await), "connected");
    }
    for organisation in ["cabinet", "voisin"] {
        assert_eq!(app.status(organisation).await.google_email, ACCOUNT);
    }
}

#[apply(both_backends)]
async fn a_callback_that_is_loaded_again_says_where_to_see_how_it_ended(app: &mut TestApp) {
    let begun = begin(app, "cabinet").await;
    let mut browser = app.browser.another();
    browser.set(&begun.connect_cookie.unwrap());
    let consent = browser.get(&browser.sidecar(&begun.connect_url)).await.location.unwrap();
    let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    assert_eq!(outcome(&browser.get(&callback).await), "connected");
    let page = browser.get(&callback).await;
    assert_eq!((page.status, page.location.as_deref()), (400, None), "{}", page.body);
    assert!(page.body.contains("Les réglages de Cassius disent si un compte est connecté"), "{}", page.body);
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Connected);
}

#[apply(both_backends)]
async fn what_names_a_consent_opens_nothing_and_no_name_or_a_strange_one_begins_no_other(app: &mut TestApp) {
    let begun = begin(app, "cabinet").await;
    let (cookie, mut browser) = (begun.connect_cookie.unwrap(), app.browser.another());
    let connect = browser.sidecar(&begun.connect_url);
    let (address, consent) = connect.split_once("?consent=").unwrap();
    let named = |name: &str| format!("{address}?consent={name}");
    assert_eq!(browser.get(&connect).await.status, 400, "the name alone");
    browser.cookies.insert(cookie.own_name.clone(), consent.into());
    assert_eq!(browser.get(&connect).await.status, 409, "the name in place of the ticket");
    browser.cookies.insert(cookie.own_name, cookie.value.clone());
    assert_eq!(browser.get(address).await.status, 400, "the address of an earlier version finds the one cookie alone");
    browser.cookies = [(cookie.name, cookie.value)].into();
    for (address, code) in [
        (named("0123456789abcdef"), 409),
        (named(&consent.to_uppercase()), 409),
        (named(&"0".repeat(65)), 400),
        (format!("{connect}&consent={consent}"), 400),
        (connect.clone(), 303),
        (named(""), 303),
        // As hosts of an earlier version have it.
        (address.to_owned(), 303),
    ] {
        assert_eq!(browser.get(&address).await.status, code, "{address}");
    }
}

#[apply(both_backends)]
async fn a_ticket_in_the_url_is_the_one_that_is_meant_whatever_lies_in_the_cookies(app: &mut TestApp) {
    app.settings.insert("TICKET_IN_URL".into(), "true".into());
    app.restart().await;
    let mut browser = app.browser.another();
    let first = begin(app, "cabinet").await;
    begin_in_the_one_cookie(app, &mut browser, "voisin").await;
    let connect = browser.sidecar(&first.connect_url);
    assert_eq!(browser.get(&format!("{connect}&consent=0123456789abcdef")).await.status, 409);
    assert_eq!(go_through(&mut browser, &connect).await, "connected");
    assert_eq!(app.status("cabinet").await.google_email, ACCOUNT);
    assert_eq!(app.status("voisin").await.state(), IntegrationState::NotConnected);
}
