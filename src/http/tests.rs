//! What needs no database: what is read from a request, and what every answer carries.

use proptest::prelude::*;

use super::*;
use crate::connection::COOKIE_NAME;
use crate::model::GrantEnd;

fn cookies(values: &[&str]) -> HeaderMap {
    values
        .iter()
        .map(|value| (header::COOKIE, HeaderValue::from_bytes(value.as_bytes()).expect("a header value")))
        .collect()
}

#[test]
fn the_ticket_is_found_among_other_cookies() {
    for values in [
        &["cassius_calendar_connect=abc"][..],
        &["theme=dark; cassius_calendar_connect=abc; session=1"],
        &["theme=dark", "cassius_calendar_connect=abc"],
        &["cassius_calendar_connect=abc; cassius_calendar_connect=abc"],
        &["=; nonsense; cassius_calendar_connect=abc"],
        &["nom=Élodie; cassius_calendar_connect=abc"],
        &["nom=Élodie", "cassius_calendar_connect=abc"],
    ] {
        assert_eq!(cookie(&cookies(values), COOKIE_NAME).as_deref(), Some("abc"), "{values:?}");
    }
}

#[test]
fn what_is_not_one_ticket_is_none() {
    let long = format!("cassius_calendar_connect={}", "a".repeat(257));
    for values in [
        &[][..],
        &["cassius_calendar_connect="],
        &["cassius_calendar_connected=abc"],
        &["cassius_calendar_connect=abc; cassius_calendar_connect=planted"],
        &["cassius_calendar_connect=abc", "cassius_calendar_connect=planted"],
        &[&long],
    ] {
        assert_eq!(cookie(&cookies(values), COOKIE_NAME), None, "{values:?}");
    }
}

#[test]
fn a_parameter_counts_if_it_stands_there_once_and_fits() {
    assert_eq!(parameter("code=4%2Fabc&state=s", "code", 10), Ok(Some("4/abc".to_owned())));
    for query in ["", "state=s", "code=", "code"] {
        assert_eq!(parameter(query, "code", 10), Ok(None), "{query:?}");
    }
    for query in ["code=a&code=b", "code=&code=", "code=12345678901"] {
        assert_eq!(parameter(query, "code", 10), Err(Misshapen), "{query:?}");
    }
}

#[test]
fn the_outcome_joins_the_query_in_place_of_an_older_one() {
    for (url, expected) in [
        ("https://app.example/settings", "https://app.example/settings?google=connected"),
        ("https://app.example/settings?tab=a%20b#top", "https://app.example/settings?tab=a+b&google=connected#top"),
        ("https://app.example/?google=denied&x=1&google=failed", "https://app.example/?x=1&google=connected"),
    ] {
        let url = Url::parse(url).expect("a URL");
        assert_eq!(with_outcome(url, ConsentOutcome::Connected, None).as_str(), expected);
    }
}

#[test]
fn an_access_that_nobody_keeps_and_that_may_still_stand_is_told_beside_the_outcome() {
    for (end, told) in [
        (None, ""),
        (Some(GrantEnd::Revoked), ""),
        (Some(GrantEnd::Shared), ""),
        (Some(GrantEnd::Pending), "&google-grant=pending"),
        (Some(GrantEnd::Refused), "&google-grant=refused"),
    ] {
        let url = Url::parse("https://app.example/?google-grant=pending&google=failed&x=1").expect("a URL");
        let expected = format!("https://app.example/?x=1&google=missing_scope{told}");
        assert_eq!(with_outcome(url, ConsentOutcome::MissingScope, end).as_str(), expected, "{end:?}");
    }
}

#[test]
fn the_cookie_is_out_of_reach_of_scripts_and_of_plain_connections() {
    let set = |value, age, is_https| {
        let mut response = Response::default();
        set_cookie(&mut response, COOKIE_NAME, value, age, is_https);
        response.headers()[header::SET_COOKIE].to_str().expect("text").to_owned()
    };
    assert_eq!(
        set("abc", 900, true),
        "cassius_calendar_connect=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900"
    );
    assert_eq!(set("", 0, false), "cassius_calendar_connect=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
}

#[tokio::test]
async fn every_page_speaks_the_readers_language_and_runs_nothing() {
    let outcomes = [
        ConsentOutcome::Connected,
        ConsentOutcome::Denied,
        ConsentOutcome::Blocked,
        ConsentOutcome::MissingScope,
        ConsentOutcome::Expired,
        ConsentOutcome::OtherAccount,
        ConsentOutcome::TryAgain,
        ConsentOutcome::Failed,
    ];
    let ended = outcomes.map(|outcome| Page::Ended(outcome, Some(GrantEnd::Shared)));
    let pages = ended.into_iter().chain([
        Page::Start,
        Page::Overtaken,
        Page::Unavailable,
        Page::TooManyCookies,
        Page::NotFound,
        Page::MethodNotAllowed,
    ]);
    for (page, language) in pages.flat_map(|page| [(page, Language::French), (page, Language::English)]) {
        let response = page.answer(language, None);
        assert_eq!(response.headers()[header::CONTENT_LANGUAGE], language.tag());
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("a body");
        let body = str::from_utf8(&body).expect("text");
        assert!(body.contains(&format!("<html lang=\"{}\">", language.tag())), "{page:?}");
        assert!(!body.contains("<script") && !body.contains("http"), "{page:?} refers to nothing");
        // The policy lets this one style through, by the digest of exactly what stands between the tags.
        let style = body.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
        let digest =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, crate::crypto::digest(style.as_bytes()));
        let mut headers = HeaderMap::new();
        pages::guard(&mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.contains(&format!("style-src 'sha256-{digest}'")), "{page:?}");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn a_page_leads_to_googles_own_where_a_grant_may_stand_that_nobody_keeps() {
    let ends = [
        (None, [""; 2]),
        (Some(GrantEnd::Revoked), [""; 2]),
        (Some(GrantEnd::Shared), [""; 2]),
        (Some(GrantEnd::Pending), ["dès que Google répond", "as soon as Google answers"]),
        (Some(GrantEnd::Refused), ["Retirez-le vous-même", "Withdraw it yourself"]),
    ];
    for (end, told) in ends {
        for (language, told) in [Language::French, Language::English].into_iter().zip(told) {
            let response = Page::Ended(ConsentOutcome::MissingScope, end).answer(language, None);
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("a body");
            let body = str::from_utf8(&body).expect("text");
            let links = body.matches("<a href=\"https://myaccount.google.com/connections\"").count();
            assert!(links == usize::from(!told.is_empty()) && body.contains(told), "{end:?}: {body}");
        }
    }
}

#[tokio::test]
async fn a_page_links_back_and_the_address_cannot_leave_its_attribute() {
    let back = Url::parse("https://app.example/settings?a=\"&b='><script>").expect("a URL");
    for (language, words) in [(Language::French, "Revenir à Cassius"), (Language::English, "Back to Cassius")] {
        let response = Page::Start.answer(language, Some(&back));
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("a body");
        let body = str::from_utf8(&body).expect("text");
        let link =
            format!("<p><a href=\"https://app.example/settings?a=%22&amp;b=%27%3E%3Cscript%3E\">{words}</a></p>");
        assert!(body.contains(&link), "{body}");
    }
}

proptest! {
    #[test]
    fn whatever_a_browser_brings_back_a_parameter_and_a_cookie_are_short_texts_or_none(
        query: String, bytes: Vec<u8>, name in "[a-z]{1,8}",
    ) {
        let of_query = format!("{name}={query}&state={query}");
        for query in [&*query, &*of_query] {
            for name in [&*name, "state", "code"] {
                let found = parameter(query, name, MAX_STATE_BYTES);
                prop_assert!(found.ok().flatten().is_none_or(|it| (1..=MAX_STATE_BYTES).contains(&it.len())));
            }
        }
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
            prop_assert!(cookie(&headers, &name).is_none_or(|it| (1..=MAX_TICKET_BYTES).contains(&it.len())));
        }
        let url = Url::parse("https://app.example/settings").expect("a URL");
        let with_query = Url::parse(&format!("{url}?{of_query}"));
        if let Ok(url) = with_query {
            let told = with_outcome(url, ConsentOutcome::Denied, None);
            prop_assert_eq!(told.query_pairs().filter(|(name, _)| name == OUTCOME).count(), 1);
        }
    }
}
