//! The consent over HTTP: from the cookie to the grant, and everything that must not become one.

use cassius_calendar::connection::COOKIE_NAME;
use cassius_calendar::grpc::pb::{BeginConnectRequest, IntegrationState};
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::json;
use url::Url;

use super::rows::rows;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::browser::{Browser, EVENTS, LIST, Page, outcome};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::wire::sidecar::is_guarded;

const RETURN_URL: &str = "http://127.0.0.1:3000/settings/integrations/google-calendar";

/// Begins a consent, puts the cookie into the browser, and answers the connect URL.
async fn begin(app: &mut TestApp, browser: &mut Browser, organisation: &str, return_url: &str) -> String {
    let request = BeginConnectRequest {
        organisation_id: organisation.into(),
        return_url: return_url.into(),
        ..Default::default()
    };
    let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
    browser.set(&begun.connect_cookie.unwrap());
    browser.sidecar(&begun.connect_url)
}

/// Another person's browser on its way: the address that Google sends it back to.
async fn back_from_google(app: &mut TestApp, browser: &mut Browser, organisation: &str, account: &str) -> String {
    let connect = begin(app, browser, organisation, RETURN_URL).await;
    let consent = browser.get(&connect).await.location.unwrap();
    browser.decide(&consent, account, &[EVENTS, LIST], "allow").await
}

/// The same address with one parameter put in, replaced or taken out.
fn altered(url: &str, name: &str, value: Option<&str>) -> String {
    let mut url = Url::parse(url).unwrap();
    let kept: Vec<_> =
        url.query_pairs().filter(|(key, _)| key != name).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    url.query_pairs_mut().clear().extend_pairs(kept);
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.into()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn exchanges(app: &TestApp) -> usize {
    app.google.journal().await.iter().filter(|call| call["operation"] == "token.code").count()
}

/// A callback that belongs to no consent: a page, no redirect, and nothing said of what came.
#[track_caller]
fn is_refused(page: &Page) {
    assert_eq!((page.status, page.location.as_deref()), (400, None), "{}", page.body);
    assert!(page.body.contains("Cette demande n’est plus valable"), "{}", page.body);
    assert!(page.headers.get(SET_COOKIE).is_none(), "it must not end a consent that is under way");
    is_guarded(&page.headers);
}

async fn nothing_is_connected(app: &mut TestApp, organisation: &str) {
    assert_eq!(app.status(organisation).await.state(), IntegrationState::NotConnected);
    let held = "refresh_token IS NOT NULL OR access_token IS NOT NULL OR google_user_id IS NOT NULL";
    assert_eq!(rows(&app.database, "calendar_integrations", held).await, 0);
}

#[apply(both_backends)]
async fn google_is_asked_as_the_contract_says_and_the_browser_comes_back_connected(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", &format!("{RETURN_URL}?tab=google&google=denied")).await;
    let (name, ticket) = browser.ticket();
    let page = browser.get(&connect).await;
    assert_eq!(page.status, 303);
    is_guarded(&page.headers);
    let consent = page.location.unwrap();
    assert!(consent.starts_with(&app.google.url("/o/oauth2/v2/auth?")), "{consent}");
    let asked = |name: &str| parameter(&consent, name).unwrap_or_default();
    assert_eq!(asked("client_id"), app.settings["GOOGLE_CLIENT_ID"]);
    assert_eq!(asked("redirect_uri"), "http://127.0.0.1:8080/api/integrations/google/callback");
    assert_eq!(asked("response_type"), "code");
    assert_eq!((&*asked("access_type"), &*asked("prompt")), ("offline", "consent"));
    assert_eq!((&*asked("code_challenge_method"), asked("code_challenge").len()), ("S256", 43));
    assert_eq!(asked("scope"), format!("openid email {EVENTS} {LIST}"));
    assert!(asked("state").len() >= 43 && asked("nonce").len() >= 43);
    assert_eq!(asked("include_granted_scopes"), "");
    assert!(!consent.contains(&ticket) && !consent.contains("cabinet"), "{consent}");

    let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
    let page = browser.get(&callback).await;
    assert_eq!(page.status, 303);
    is_guarded(&page.headers);
    assert_eq!(page.location.unwrap(), format!("{RETURN_URL}?tab=google&google=connected"));
    let cleared = page.headers[SET_COOKIE].to_str().unwrap();
    assert!(cleared.starts_with(&format!("{name}=;")) && cleared.contains("Max-Age=0"), "{cleared}");
    assert_eq!(exchanges(app).await, 1);
    assert_eq!(app.status("cabinet").await.google_email, ACCOUNT);
}

#[apply(both_backends)]
async fn a_forged_state_is_refused_before_any_exchange_and_the_true_one_still_works(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    let state = parameter(&callback, "state").unwrap();
    let long = "x".repeat(10_000);
    for forged in [
        None,
        Some(""),
        Some("forged"),
        Some(&state[1..]),
        Some(&*state.to_lowercase()),
        Some(&*format!("{state}\0")),
        Some(&*long),
    ] {
        is_refused(&browser.get(&altered(&callback, "state", forged)).await);
    }
    is_refused(&browser.get(&format!("{callback}&state={state}")).await);
    is_refused(&browser.get(&format!("{callback}&state=other")).await);
    nothing_is_connected(app, "cabinet").await;
    assert_eq!(exchanges(app).await, 0);
    assert_eq!(outcome(&browser.get(&callback).await), "connected");
}

#[apply(both_backends)]
async fn a_callback_works_once(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    let cookie = browser.cookies.clone();
    assert_eq!(outcome(&browser.get(&callback).await), "connected");
    let before = app.status("cabinet").await;
    is_refused(&browser.get(&callback).await);
    // Nor does it with the cookie put back, as a thief of both would.
    browser.cookies = cookie;
    is_refused(&browser.get(&callback).await);
    assert_eq!((app.status("cabinet").await, exchanges(app).await), (before, 1));
}

#[apply(both_backends)]
async fn two_at_once_with_one_state_make_one_exchange(app: &mut TestApp) {
    let mut one = app.browser.another();
    let callback = back_from_google(app, &mut one, "cabinet", ACCOUNT).await;
    let mut two = one.another();
    two.cookies = one.cookies.clone();
    let (one, two) = tokio::join!(one.get(&callback), two.get(&callback));
    let mut codes = [one.status, two.status];
    codes.sort_unstable();
    assert_eq!(codes, [303, 400]);
    assert_eq!(exchanges(app).await, 1);
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Connected);
}

#[apply(both_backends)]
async fn a_consent_that_comes_late_is_over(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    app.advance(15 * 60);
    is_refused(&browser.get(&callback).await);
    nothing_is_connected(app, "cabinet").await;
    assert_eq!(exchanges(app).await, 0);

    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    app.advance(15 * 60);
    let page = browser.get(&connect).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("Commencez dans Cassius"), "{}", page.body);
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    app.advance(9 * 60);
    assert_eq!(outcome(&browser.get(&callback).await), "connected", "in time it is not");
}

#[apply(both_backends)]
async fn the_link_is_worthless_in_another_browser(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let mut other = browser.another();
    let page = other.get(&connect).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("Commencez dans Cassius"), "{}", page.body);

    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    is_refused(&other.get(&callback).await);
    // Nor with a ticket of its own, of this organisation or of another.
    for organisation in ["cabinet", "voisin"] {
        begin(app, &mut other, organisation, RETURN_URL).await;
        is_refused(&other.get(&callback).await);
    }
    other.cookies.insert(COOKIE_NAME.into(), "guessed".into());
    is_refused(&other.get(&callback).await);
    nothing_is_connected(app, "cabinet").await;
    assert_eq!(exchanges(app).await, 0);
    assert_eq!(outcome(&browser.get(&callback).await), "connected");
}

#[apply(both_backends)]
async fn the_state_of_another_organisation_connects_neither(app: &mut TestApp) {
    let (mut one, mut two) = (app.browser.another(), app.browser.another());
    let first = back_from_google(app, &mut one, "cabinet", ACCOUNT).await;
    let second = back_from_google(app, &mut two, "voisin", OTHER_ACCOUNT).await;
    is_refused(&one.get(&second).await);
    is_refused(&two.get(&first).await);
    nothing_is_connected(app, "cabinet").await;
    nothing_is_connected(app, "voisin").await;
    assert_eq!(exchanges(app).await, 0);
    assert_eq!(outcome(&one.get(&first).await), "connected");
    assert_eq!(outcome(&two.get(&second).await), "connected");
    assert_eq!(app.status("cabinet").await.google_email, ACCOUNT);
    assert_eq!(app.status("voisin").await.google_email, OTHER_ACCOUNT);
}

#[apply(both_backends)]
async fn a_code_of_somebody_else_does_not_fit_the_verifier(app: &mut TestApp) {
    // Whoever plants his own code under the true state would have the practice write into his calendar.
    let (mut victim, mut attacker) = (app.browser.another(), app.browser.another());
    let callback = back_from_google(app, &mut victim, "cabinet", ACCOUNT).await;
    let foreign = back_from_google(app, &mut attacker, "attaquant", OTHER_ACCOUNT).await;
    let planted = altered(&callback, "code", parameter(&foreign, "code").as_deref());
    assert_eq!(outcome(&victim.get(&planted).await), "failed");
    nothing_is_connected(app, "cabinet").await;
    is_refused(&victim.get(&callback).await);
}

#[apply(both_backends)]
async fn an_answer_to_another_consent_is_refused_by_its_nonce_or_its_challenge(app: &mut TestApp) {
    for name in ["nonce", "code_challenge"] {
        let mut browser = app.browser.another();
        let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
        let consent = browser.get(&connect).await.location.unwrap();
        let consent = altered(&consent, name, Some(&"x".repeat(43)));
        let callback = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
        assert_eq!(outcome(&browser.get(&callback).await), "failed", "{name}");
        nothing_is_connected(app, "cabinet").await;
    }
}

#[apply(both_backends)]
async fn a_refusal_a_missing_scope_and_a_missing_refresh_token_are_told_and_connect_nothing(app: &mut TestApp) {
    let mut browser = app.browser.another();
    for (scopes, decision, word) in
        [(&[EVENTS, LIST][..], "deny", "denied"), (&[LIST], "allow", "missing_scope"), (&[], "allow", "missing_scope")]
    {
        let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
        let consent = browser.get(&connect).await.location.unwrap();
        let callback = browser.decide(&consent, ACCOUNT, scopes, decision).await;
        let page = browser.get(&callback).await;
        assert_eq!(outcome(&page), word);
        assert!(page.headers.contains_key(SET_COOKIE), "the ticket is used up");
        nothing_is_connected(app, "cabinet").await;
    }
    app.google.settings(json!({"omit_refresh_token": true})).await;
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    assert_eq!(outcome(&browser.get(&callback).await), "failed");
    nothing_is_connected(app, "cabinet").await;
    assert_eq!(rows(&app.database, "oauth_consents", "TRUE").await, 0, "each was taken");
}

#[apply(both_backends)]
async fn google_being_away_or_answering_nonsense_connects_nothing(app: &mut TestApp) {
    let mut browser = app.browser.another();
    for fault in [
        json!({"kind": "error", "code": 503, "reason": "backendError"}),
        json!({"kind": "error", "code": 401, "reason": "invalid_client"}),
        json!({"kind": "reset"}),
        json!({"kind": "lose_answer"}),
    ] {
        let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
        app.google.fault("token.code", 1, fault).await;
        assert_eq!(outcome(&browser.get(&callback).await), "failed");
        nothing_is_connected(app, "cabinet").await;
    }
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    let state = parameter(&callback, "state").unwrap();
    let wrong = altered(&altered(&callback, "code", None), "error", Some("server_error"));
    assert_eq!(outcome(&browser.get(&wrong).await), "failed");
    assert_eq!(parameter(&wrong, "state"), Some(state));
    nothing_is_connected(app, "cabinet").await;
}

#[apply(both_backends)]
async fn a_failed_consent_leaves_a_connected_account_as_it_was(app: &mut TestApp) {
    app.connect("cabinet").await;
    let before = app.status("cabinet").await;
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let consent = browser.get(&connect).await.location.unwrap();
    let callback = browser.decide(&consent, OTHER_ACCOUNT, &[], "deny").await;
    assert_eq!(outcome(&browser.get(&callback).await), "denied");
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let consent = browser.get(&connect).await.location.unwrap();
    let callback = browser.decide(&consent, OTHER_ACCOUNT, &[LIST], "allow").await;
    assert_eq!(outcome(&browser.get(&callback).await), "missing_scope");
    assert_eq!(app.status("cabinet").await, before);
    let link = app.sync("cabinet", crate::harness::samples::appointment("rdv", 1)).await;
    assert_eq!(link.synced_revision, 1);
}

#[apply(both_backends)]
async fn a_ticket_in_the_url_counts_for_nothing(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let (name, ticket) = browser.ticket();
    browser.cookies.remove(&name);
    let page = browser.get(&format!("{connect}&ticket={ticket}")).await;
    assert_eq!((page.status, page.location.as_deref()), (400, None));
    assert!(page.headers.get(SET_COOKIE).is_none());
    assert_eq!(rows(&app.database, "oauth_consents", "state_hash IS NOT NULL").await, 0);
    // Where a stranger's ticket stands in the URL, the browser's own is the one that counts.
    browser.cookies.insert(name, ticket);
    begin(app, &mut app.browser.another(), "voisin", RETURN_URL).await;
    assert_eq!(browser.get(&format!("{connect}&ticket=stranger")).await.status, 303);
}

#[apply(both_backends)]
async fn where_the_setting_says_so_a_ticket_in_the_url_is_taken_and_becomes_a_guarded_cookie(app: &mut TestApp) {
    for (public_url, is_secure) in [("http://127.0.0.1:8080", false), ("https://cassius.example", true)] {
        app.settings.insert("TICKET_IN_URL".into(), "true".into());
        app.settings.insert("PUBLIC_URL".into(), public_url.into());
        app.restart().await;
        let request =
            BeginConnectRequest { organisation_id: "cabinet".into(), return_url: String::new(), ..Default::default() };
        let begun = app.integrations.begin_connect(request).await.unwrap().into_inner();
        let mut browser = app.browser.another();
        let connect = begun.connect_url.replace(public_url, &format!("http://{}", app.running().http_address));
        let page = browser.get(&connect).await;
        assert_eq!(page.status, 303, "{}", page.body);
        is_guarded(&page.headers);
        let cookie = page.headers[SET_COOKIE].to_str().unwrap();
        let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        attributes.sort_unstable();
        let mut expected = vec!["HttpOnly", "Max-Age=900", "Path=/", "SameSite=Lax"];
        if is_secure {
            expected.push("Secure");
        }
        assert_eq!(attributes, expected);
        let ticket = begun.connect_cookie.unwrap();
        assert_eq!(browser.ticket(), (ticket.own_name, ticket.value));
        assert!(!page.location.unwrap().contains("ticket"));
    }
}

#[apply(both_backends)]
async fn of_two_cookies_that_differ_one_was_planted(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let (name, ticket) = browser.ticket();
    let http = crate::harness::http::client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (cookies, code) in [
        (format!("{name}=planted; {name}={ticket}"), 400),
        (format!("{name}={ticket}; {name}=planted"), 400),
        (format!("{name}={}", "x".repeat(4_000)), 400),
        (format!("{name}="), 400),
        (format!("other=1; {name}={ticket}; {name}={ticket}"), 303),
    ] {
        let page = http.get(&connect).header(COOKIE, cookies).send().await.unwrap();
        assert_eq!(page.status(), code);
    }
}

#[apply(both_backends)]
async fn without_an_address_to_return_to_a_page_says_how_it_ended(app: &mut TestApp) {
    let mut browser = app.browser.another();
    for (scopes, decision, title) in [
        (&[EVENTS, LIST][..], "deny", "Rien n’a été connecté"),
        (&[LIST], "allow", "Une autorisation manque"),
        (&[EVENTS, LIST], "allow", "Google Calendar est connecté"),
    ] {
        let connect = begin(app, &mut browser, "cabinet", "").await;
        let consent = browser.get(&connect).await.location.unwrap();
        let callback = browser.decide(&consent, ACCOUNT, scopes, decision).await;
        let page = browser.get(&callback).await;
        assert_eq!((page.status, page.location.as_deref()), (200, None));
        assert!(page.body.contains(title), "{}", page.body);
        assert_eq!(page.headers["content-language"], "fr");
        is_guarded(&page.headers);
        assert!(!page.body.contains("<script") && !page.body.contains(ACCOUNT));
    }
}

#[apply(both_backends)]
async fn nothing_that_came_with_a_request_is_shown(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    let base = callback.split('?').next().unwrap();
    let markup = "%3Cscript%3Ealert(1)%3C/script%3Ecanary-Hs61";
    for query in [
        format!("?error={markup}"),
        format!("?state={markup}&code={markup}&error_description={markup}"),
        format!("?return_url=https://evil.example/{markup}&state=x"),
        format!("?{markup}"),
    ] {
        let page = browser.get(&format!("{base}{query}")).await;
        is_refused(&page);
        assert!(!page.body.contains("canary-Hs61") && !page.body.contains("evil"), "{}", page.body);
    }
    assert!(!crate::harness::logs::contain("canary-Hs61"));
}

#[apply(both_backends)]
async fn another_account_takes_the_place_of_the_first_whose_grant_is_revoked(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect("annexe").await;
    let revocations =
        async |app: &TestApp| app.google.journal().await.iter().filter(|call| call["operation"] == "revoke").count();
    app.connect_as("cabinet", OTHER_ACCOUNT).await;
    assert_eq!(app.status("cabinet").await.google_email, OTHER_ACCOUNT);
    assert_eq!(revocations(app).await, 0, "the other organisation needs it still");
    app.connect_as("annexe", OTHER_ACCOUNT).await;
    assert_eq!(revocations(app).await, 1);
    // The same account once more revokes nothing: that would end the new grant too.
    app.connect_as("annexe", OTHER_ACCOUNT).await;
    assert_eq!(revocations(app).await, 1);
}

#[apply(both_backends)]
async fn two_tabs_of_one_browser_finish_in_any_order(app: &mut TestApp) {
    // Each step is taken in the first tab or the second; they share the browser's cookies.
    for steps in [
        ["begin 0", "connect 0", "begin 1", "connect 1", "callback 0", "callback 1"],
        ["begin 0", "connect 0", "begin 1", "callback 0", "connect 1", "callback 1"],
        ["begin 0", "begin 1", "connect 0", "connect 1", "callback 1", "callback 0"],
        ["begin 0", "begin 1", "connect 0", "connect 1", "callback 0", "callback 1"],
    ] {
        let mut browser = app.browser.another();
        let mut addresses = [String::new(), String::new()];
        for step in steps {
            let (step, tab) = step.split_once(' ').unwrap();
            let address = &mut addresses[tab.parse::<usize>().unwrap()];
            match step {
                "begin" => *address = begin(app, &mut browser, "cabinet", RETURN_URL).await,
                "connect" => {
                    let page = browser.get(address).await;
                    assert_eq!(page.status, 303, "{steps:?}: {}", page.body);
                    let consent = page.location.unwrap();
                    *address = browser.decide(&consent, ACCOUNT, &[EVENTS, LIST], "allow").await;
                }
                _ => assert_eq!(outcome(&browser.get(address).await), "connected", "{steps:?}"),
            }
        }
    }
}

#[apply(both_backends)]
async fn two_tabs_that_come_back_at_once_both_end_connected(app: &mut TestApp) {
    // The first connection, and connecting anew.
    for revision in 1..3 {
        let mut browser = app.browser.another();
        let first = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
        let second = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
        app.google.forget_journal().await;
        let hanging = app.google.hang("token.code", true).await;
        let mut tab = app.browser.another();
        tab.cookies = browser.cookies.clone();
        let overtaken = tokio::spawn(async move { tab.get(&first).await });
        app.google.until_called("token.code", 1).await;
        assert_eq!(outcome(&browser.get(&second).await), "connected");
        app.google.let_go(hanging).await;
        assert_eq!(outcome(&overtaken.await.unwrap()), "connected");
        // Its own grant is let go: to revoke it would end the other too.
        assert!(app.google.journal().await.iter().all(|call| call["operation"] != "revoke"));
        assert_eq!(rows(&app.database, "unkept_grants", "TRUE").await, 0);
        let link = app.sync("cabinet", crate::harness::samples::appointment("rdv", revision)).await;
        assert_eq!(link.synced_revision, revision);
    }
}

#[apply(both_backends)]
async fn every_page_links_back_to_cassius(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
    let (base, _) = callback.split_once("callback").unwrap();
    let home = "<a href=\"http://127.0.0.1:3000/\">Revenir à Cassius</a>";
    for path in ["connect", "callback", "callback?state=forged&code=x"] {
        let page = app.browser.another().get(&format!("{base}{path}")).await;
        assert!(page.status == 400 && page.body.contains(home), "{path}: {}", page.body);
    }
    // Of a consent that comes late it is known where it began.
    app.advance(15 * 60);
    let page = browser.get(&callback).await;
    is_refused(&page);
    assert!(page.body.contains(&format!("<a href=\"{RETURN_URL}\">Revenir à Cassius</a>")), "{}", page.body);
}

#[apply(both_backends)]
async fn a_block_by_the_administrator_is_told_apart_from_a_refusal(app: &mut TestApp) {
    let mut browser = app.browser.another();
    for (word, told) in [
        ("access_denied", "denied"),
        ("admin_policy_enforced", "blocked"),
        ("org_internal", "blocked"),
        ("server_error", "failed"),
    ] {
        let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
        let refused = altered(&altered(&callback, "code", None), "error", Some(word));
        assert_eq!(outcome(&browser.get(&refused).await), told, "{word}");
        nothing_is_connected(app, "cabinet").await;
    }
}

#[apply(both_backends)]
async fn a_word_of_the_token_endpoint_is_told_as_the_same_word_of_a_callback(app: &mut TestApp) {
    let mut browser = app.browser.another();
    for (code, word, told) in [
        (403, "access_denied", "denied"),
        (400, "admin_policy_enforced", "blocked"),
        (403, "org_internal", "blocked"),
        (400, "account_deleted", "failed"),
        (401, "deleted_client", "failed"),
    ] {
        let callback = back_from_google(app, &mut browser, "cabinet", ACCOUNT).await;
        app.google.fault("token.code", 1, json!({"kind": "error", "code": code, "reason": word})).await;
        assert_eq!(outcome(&browser.get(&callback).await), told, "{word}");
        nothing_is_connected(app, "cabinet").await;
    }
}

#[apply(both_backends)]
async fn cookies_that_are_no_ascii_hide_no_ticket_and_too_many_get_a_page_that_says_so(app: &mut TestApp) {
    let mut browser = app.browser.another();
    let connect = begin(app, &mut browser, "cabinet", RETURN_URL).await;
    let (name, ticket) = browser.ticket();
    let http = crate::harness::http::client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let with = |cookies: String| {
        let value = reqwest::header::HeaderValue::from_bytes(cookies.as_bytes()).unwrap();
        http.get(&connect).header(COOKIE, value).send()
    };
    assert_eq!(with(format!("nom=Élodie; {name}={ticket}")).await.unwrap().status(), 303);
    assert_eq!(with(format!("x={}; {name}={ticket}", "y".repeat(15_000))).await.unwrap().status(), 303);
    let page = with(format!("x={}; {name}={ticket}", "y".repeat(20_000))).await.unwrap();
    assert_eq!(page.status(), 431);
    is_guarded(page.headers());
    let body = page.text().await.unwrap();
    assert!(body.contains("Effacez les cookies de ce site") && body.contains("Revenir à Cassius"), "{body}");
}
