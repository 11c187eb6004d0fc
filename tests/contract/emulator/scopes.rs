//! Scopes: what each of them opens.

use reqwest::Method;
use serde_json::json;

use super::stage::{EVENTS, LIST, Stage, event};

const SHARED: &str = "c_81d0c7a2f0ce4b5b9d1f6a3e2b4c5d22@group.calendar.google.com";
const OWNED: &str = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";
const REFUSED: (u16, &str) = (403, "insufficientPermissions");

fn scope(name: &str) -> String {
    format!("https://www.googleapis.com/auth/calendar{name}")
}

#[tokio::test]
async fn the_list_scope_opens_the_list_alone_and_the_event_scope_the_events() {
    let stage = Stage::new().await;
    let (list, events) = (stage.token(&[LIST]).await, stage.token(&[EVENTS]).await);
    assert_eq!(stage.call(&list, Method::GET, "users/me/calendarList", None).await.status, 200);
    assert_eq!(stage.call(&list, Method::GET, "calendars/primary/events", None).await.outcome(), REFUSED);
    assert_eq!(stage.call(&events, Method::GET, "users/me/calendarList", None).await.outcome(), REFUSED);
    assert_eq!(stage.call(&events, Method::GET, "users/me/calendarList/primary", None).await.outcome(), REFUSED);
    assert_eq!(stage.call(&events, Method::GET, "calendars/primary/events", None).await.status, 200);
}

#[tokio::test]
async fn reading_scopes_write_nothing() {
    let stage = Stage::new().await;
    for name in [".readonly", ".events.readonly"] {
        let token = stage.token(&[&scope(name)]).await;
        assert_eq!(stage.call(&token, Method::GET, "calendars/primary/events", None).await.status, 200, "{name}");
        let insert = stage.call(&token, Method::POST, "calendars/primary/events", Some(&event("readonly"))).await;
        assert_eq!(insert.outcome(), REFUSED, "{name}");
    }
    assert_eq!(stage.read("journal?operation=events.insert").await["calls"][0]["carried_out"], false);
}

#[tokio::test]
async fn the_owned_scope_stops_at_calendars_of_others() {
    let stage = Stage::new().await;
    let token = stage.token(&[&scope(".events.owned")]).await;
    let (owned, shared) = (format!("calendars/{OWNED}/events"), format!("calendars/{SHARED}/events"));
    assert_eq!(stage.call(&token, Method::POST, &owned, Some(&event("mine0"))).await.status, 200);
    assert_eq!(stage.call(&token, Method::POST, &shared, Some(&event("mine0"))).await.outcome(), REFUSED);
    let away = format!("{owned}/mine0/move?destination={SHARED}");
    assert_eq!(stage.call(&token, Method::POST, &away, None).await.outcome(), REFUSED);
}

#[tokio::test]
async fn the_app_created_scope_sees_its_own_calendars_and_moves_nothing() {
    let stage = Stage::new().await;
    let token = stage.token(&[&scope(".app.created")]).await;
    let made = stage.call(&token, Method::POST, "calendars", Some(&json!({"summary": "Cassius"}))).await;
    let path = format!("calendars/{}/events", made.text("id"));
    assert_eq!(stage.call(&token, Method::POST, &path, Some(&event("app00"))).await.status, 200);
    let foreign = stage.call(&token, Method::POST, "calendars/primary/events", Some(&event("app00"))).await;
    assert_eq!(foreign.outcome(), REFUSED);
    let away = format!("{path}/app00/move?destination=primary");
    assert_eq!(stage.call(&token, Method::POST, &away, None).await.outcome(), REFUSED);
}
