//! What happens at Google behind the service's back.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{ACCOUNT, CALENDAR};
use super::stage::{EVENTS, Stage, event};

const OWNED: &str = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";

async fn insert(stage: &Stage, token: &str, id: &str) -> String {
    let inserted = stage.call(token, Method::POST, "calendars/primary/events", Some(&event(id))).await;
    assert_eq!(inserted.status, 200, "{}", inserted.text);
    inserted.text("etag").to_owned()
}

#[tokio::test]
async fn a_vanished_event_answers_as_it_is_told_and_keeps_its_id() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    for (id, answer, get, delete) in [
        ("vanish0", "cancelled", (200, "-"), (410, "deleted")),
        ("vanish1", "not_found", (404, "notFound"), (404, "notFound")),
        ("vanish2", "gone", (410, "deleted"), (410, "deleted")),
    ] {
        insert(&stage, &token, id).await;
        let path = format!("calendars/{ACCOUNT}/events/{id}?answer={answer}");
        stage.control(Method::DELETE, &path, json!({})).await;
        let own = format!("calendars/primary/events/{id}");
        assert_eq!(stage.call(&token, Method::GET, &own, None).await.outcome(), get, "{answer}");
        let again = stage.call(&token, Method::POST, "calendars/primary/events", Some(&event(id))).await;
        assert_eq!(again.outcome(), (409, "duplicate"), "{answer}");
        assert_eq!(stage.call(&token, Method::DELETE, &own, None).await.outcome(), delete, "{answer}");
    }
}

#[tokio::test]
async fn a_deleted_event_answers_as_the_settings_say() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    insert(&stage, &token, "deleted").await;
    let path = "calendars/primary/events/deleted";
    stage.call(&token, Method::DELETE, path, None).await;
    for (answer, status) in [("cancelled", 200), ("not_found", 404), ("gone", 410)] {
        stage.control(Method::POST, "settings", json!({"deleted_answer": answer})).await;
        assert_eq!(stage.call(&token, Method::GET, path, None).await.status, status);
        assert_eq!(stage.call(&token, Method::PATCH, path, Some(&json!({"summary": "x"}))).await.status, status);
    }
    stage.control(Method::POST, "settings", json!({"deleted_answer": "cancelled", "allow_revive": false})).await;
    let revive = json!({"status": "confirmed"});
    assert_eq!(stage.call(&token, Method::PATCH, path, Some(&revive)).await.outcome(), (403, "forbidden"));
    let shown = stage.call(&token, Method::GET, path, None).await;
    let names: Vec<&str> = shown.body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["etag", "id", "kind", "status"], "no more than Google guarantees");
}

#[tokio::test]
async fn an_event_that_its_user_altered_has_another_etag() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let etag = insert(&stage, &token, "altered").await;
    let path = format!("calendars/{ACCOUNT}/events/altered");
    stage.control(Method::PATCH, &path, json!({"colorId": "11", "summary": "À moi"})).await;
    let got = stage.call(&token, Method::GET, "calendars/primary/events/altered", None).await;
    assert_eq!((got.text("summary"), got.text("colorId")), ("À moi", "11"));
    assert_ne!(got.text("etag"), etag);
    let events = stage.read(&format!("accounts/{ACCOUNT}/events")).await;
    assert_eq!(events["events"][0]["calendar_id"], ACCOUNT);
    assert_eq!(events["events"][0]["visibility"], "private");
}

#[tokio::test]
async fn every_event_is_told_the_deleted_ones_with_their_bodies() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    insert(&stage, &token, "moved0").await;
    let moved = format!("calendars/primary/events/moved0/move?destination={OWNED}");
    assert_eq!(stage.call(&token, Method::POST, &moved, None).await.status, 200);
    let events = stage.read(&format!("accounts/{ACCOUNT}/events")).await["events"].clone();
    let told: Vec<_> = events
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| (event["calendar_id"].clone(), event["status"].clone(), event["moved_away"].clone()))
        .collect();
    assert_eq!(
        told,
        [(json!(ACCOUNT), json!("cancelled"), json!(true)), (json!(OWNED), json!("confirmed"), json!(false)),]
    );
    assert_eq!(events[0]["summary"], event("moved0")["summary"]);
}

#[tokio::test]
async fn a_calendar_loses_rights_vanishes_or_appears() {
    let stage = Stage::new().await;
    let token = stage.token(&[CALENDAR]).await;
    let path = format!("calendars/{OWNED}/events");
    let insert = async |id: &str| {
        let got = stage.call(&token, Method::POST, &path, Some(&event(id))).await;
        (got.status, got.outcome().1.to_owned())
    };
    let role = format!("accounts/{ACCOUNT}/calendars/{OWNED}");
    stage.control(Method::POST, &role, json!({"access_role": "reader"})).await;
    assert_eq!(insert("role0").await, (403, "requiredAccessLevel".to_owned()));
    stage.control(Method::POST, &role, json!({"access_role": "writer"})).await;
    assert_eq!(insert("role0").await.0, 200);
    stage.control(Method::DELETE, &format!("calendars/{OWNED}"), json!({})).await;
    assert_eq!(insert("role1").await, (404, "notFound".to_owned()));
    let entry = format!("users/me/calendarList/{OWNED}");
    assert_eq!(stage.call(&token, Method::GET, &entry, None).await.outcome(), (404, "notFound"));
    let added = stage.control(Method::POST, &format!("accounts/{ACCOUNT}/calendars"), json!({"summary": "Neuf"})).await;
    let path = format!("calendars/{}/events", added["id"].as_str().expect("an id"));
    assert_eq!(stage.call(&token, Method::POST, &path, Some(&event("role2"))).await.status, 200);
}

#[tokio::test]
async fn an_account_can_be_read_only_and_its_grant_revoked_or_expired() {
    let stage = Stage::new().await;
    let code = stage.code(&[]).await;
    let tokens = stage.exchange(&code, &[]).await;
    let token = tokens.text("access_token");
    let write = async |id: &str| {
        let got = stage.call(token, Method::POST, "calendars/primary/events", Some(&event(id))).await;
        (got.status, got.outcome().1.to_owned())
    };
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}"), json!({"read_only": true})).await;
    assert_eq!(write("limit0").await, (403, "quotaExceeded".to_owned()));
    assert_eq!(stage.call(token, Method::GET, "calendars/primary/events", None).await.status, 200);
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}"), json!({"read_only": false})).await;
    assert_eq!(write("limit0").await.0, 200);
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}/expire"), json!({})).await;
    assert_eq!(write("limit1").await, (401, "authError".to_owned()));
    assert_eq!(stage.refresh(tokens.text("refresh_token")).await.status, 200);
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}/revoke"), json!({})).await;
    assert_eq!(stage.refresh(tokens.text("refresh_token")).await.outcome(), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_move_asks_for_both_calendars_and_can_be_switched_off() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    insert(&stage, &token, "rest0").await;
    let to = |destination: &str| format!("calendars/primary/events/rest0/move?destination={destination}");
    let to_holidays = to("fr.french%23holiday%40group.v.calendar.google.com");
    assert_eq!(stage.call(&token, Method::POST, &to_holidays, None).await.outcome(), (403, "requiredAccessLevel"));
    assert_eq!(stage.call(&token, Method::POST, &to("nowhere"), None).await.outcome(), (404, "notFound"));
    stage.control(Method::POST, "settings", json!({"move_supported": false})).await;
    assert_eq!(stage.call(&token, Method::POST, &to(OWNED), None).await.outcome(), (400, "cannotChangeOrganizer"));
    let got = stage.call(&token, Method::GET, "calendars/primary/events/rest0", None).await;
    assert_eq!(got.text("status"), "confirmed");
}

#[tokio::test]
async fn a_reset_leaves_a_fresh_emulator() {
    let stage = Stage::new().await;
    let before = stage.read("accounts").await;
    let token = stage.token(&[EVENTS]).await;
    insert(&stage, &token, "reset").await;
    stage.fault(json!({"operation": "*", "fault": {"kind": "reset"}})).await;
    stage.control(Method::POST, "accounts", json!({"email": "new@example.org"})).await;
    stage.control(Method::POST, "reset", json!({})).await;
    assert_eq!(stage.read("accounts").await, before);
    assert_eq!(stage.read("faults").await, json!({"faults": []}));
    assert_eq!(stage.calls().await, Vec::<Value>::new());
    let refused = stage.call(&token, Method::GET, "calendars/primary/events", None).await;
    assert_eq!(refused.outcome(), (401, "authError"));
}

#[tokio::test]
async fn the_pages_show_accounts_and_the_events_of_a_week() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    insert(&stage, &token, "seen0").await;
    let page =
        async |path: &str| stage.http.get(stage.at(path)).send().await.expect("a page").text().await.expect("text");
    let home = page("/").await;
    assert!(home.contains("Cabinet des Lilas") && home.contains("Dr Odile Monnier"));
    let week = page(&format!("/calendar?account={ACCOUNT}&week=2031-03-14")).await;
    assert!(week.contains("Camille Essai") && week.contains("10:00"));
    assert!(!page(&format!("/calendar?account={ACCOUNT}&week=2031-03-20")).await.contains("Camille Essai"));
    let link = stage.call(&token, Method::GET, "calendars/primary/events/seen0", None).await;
    let led = stage.http.get(link.text("htmlLink")).send().await.expect("an answer");
    assert!(led.headers()["location"].to_str().expect("text").contains("week=2031-03-12"));
}

#[tokio::test]
async fn the_buttons_of_the_page_ask_for_what_there_is() {
    let stage = Stage::new().await;
    stage.token(&[EVENTS]).await;
    let home = stage.http.get(stage.at("/")).send().await.expect("a page").text().await.expect("text");
    let said = |name: &str| -> Vec<String> {
        let attribute = format!("data-{name}=\"");
        let parts = home.split(attribute.as_str()).skip(1);
        parts.map(|part| part.split('"').next().unwrap_or_default().replace("&quot;", "\"")).collect()
    };
    let faults = said("body");
    assert_eq!(faults.len(), 3);
    for fault in faults {
        stage.control(Method::POST, "faults", serde_json::from_str(&fault).expect("JSON")).await;
    }
    let revoke = said("path").into_iter().find(|path| path.ends_with("/revoke")).expect("an account has a grant");
    assert_eq!(stage.http.post(stage.at(&revoke)).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_zone_that_google_does_not_know_is_refused_where_an_event_names_it() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"unknown_zones": ["Europe/Paris"]})).await;
    let refused = stage.call(&token, Method::POST, "calendars/primary/events", Some(&event("named"))).await;
    assert_eq!((refused.status, &refused.body["error"]["errors"][0]["reason"]), (400, &json!("invalid")));
    let mut unnamed = event("plain");
    for moment in ["start", "end"] {
        unnamed[moment].as_object_mut().expect("a moment").remove("timeZone");
    }
    assert_eq!(stage.call(&token, Method::POST, "calendars/primary/events", Some(&unnamed)).await.status, 200);
}
