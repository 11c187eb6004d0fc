//! The journal: every call, in order, with what came of it.

use reqwest::Method;
use serde_json::json;

use super::super::subject::ACCOUNT;
use super::stage::{EVENTS, Stage, event};

#[tokio::test]
async fn every_call_stands_in_the_journal_with_what_came_of_it() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let path = "calendars/primary/events";
    stage.call(&token, Method::POST, &format!("{path}?sendUpdates=none"), Some(&event("journal"))).await;
    stage.call(&token, Method::POST, path, Some(&event("journal"))).await;
    let attendees = json!({"attendees": [{"email": "someone@example.org"}]});
    stage.call(&token, Method::PATCH, &format!("{path}/journal"), Some(&attendees)).await;
    stage.call(&token, Method::DELETE, &format!("{path}/journal"), None).await;

    let calls = stage.calls().await;
    let told: Vec<_> = calls
        .iter()
        .map(|call| {
            let text = |name: &str| call[name].as_str().unwrap_or("-").to_owned();
            (text("operation"), call["status"].as_u64(), text("reason"), call["carried_out"].as_bool())
        })
        .collect();
    let row = |operation: &str, status, reason: &str, carried_out| {
        (operation.to_owned(), Some(status), reason.to_owned(), Some(carried_out))
    };
    let expected = [
        row("events.insert", 200, "-", true),
        row("events.insert", 409, "duplicate", false),
        row("events.patch", 200, "-", true),
        row("events.delete", 204, "-", true),
    ];
    assert_eq!(told, expected);
    for (place, call) in calls.iter().enumerate() {
        assert_eq!(call["sequence"], place);
        assert_eq!(call["account"], ACCOUNT);
        assert_eq!(call["calendar_id"], ACCOUNT, "primary is resolved");
        assert_eq!(call["event_id"], "journal");
        assert_eq!(call["max_in_flight"], 1);
        assert_eq!(call["send_updates_none"], place == 0);
        assert_eq!(call["has_attendees"], place == 2);
        assert!(call["started_at"].is_string() && call["ended_at"].is_string());
    }
    assert_eq!(calls[0]["body"]["summary"], event("journal")["summary"]);
}

#[tokio::test]
async fn the_journal_is_read_in_parts_and_emptied() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    for id in ["first", "second"] {
        stage.call(&token, Method::POST, "calendars/primary/events", Some(&event(id))).await;
        stage.call(&token, Method::GET, &format!("calendars/primary/events/{id}"), None).await;
    }
    let read = async |query: &str| {
        let journal = stage.read(&format!("journal?{query}")).await;
        let calls = journal["calls"].as_array().cloned().expect("a list");
        (calls.iter().filter_map(|call| call["sequence"].as_u64()).collect::<Vec<_>>(), journal["last"].as_u64())
    };
    assert_eq!(read("operation=events.get").await, (vec![1, 3], Some(3)));
    assert_eq!(read("since=1").await, (vec![2, 3], Some(3)));
    assert_eq!(read("since=1&operation=events.get").await, (vec![3], Some(3)));
    stage.control(Method::DELETE, "journal", json!({})).await;
    assert_eq!(read("").await, (vec![], Some(3)), "sequences go on");
    stage.call(&token, Method::GET, "calendars/primary/events/first", None).await;
    assert_eq!(read("since=3").await, (vec![4], Some(4)));
    stage.control(Method::POST, "settings", json!({"journal_capacity": 1})).await;
    stage.call(&token, Method::GET, "calendars/primary/events/first", None).await;
    assert_eq!(read("").await, (vec![5], Some(5)), "the oldest go first");
}

#[tokio::test]
async fn two_calls_for_one_event_at_a_time_are_seen() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.call(&token, Method::POST, "calendars/primary/events", Some(&event("pair0"))).await;
    let hanging = json!({"operation": "events.get", "fault": {"kind": "hang"}});
    let fault = stage.fault(hanging).await;
    let get = || stage.call(&token, Method::GET, "calendars/primary/events/pair0", None);
    let release = async {
        // Both are open before either may go on.
        while stage.calls().await.len() < 3 {}
        stage.control(Method::DELETE, &format!("faults/{fault}"), json!({})).await;
    };
    let (one, other, ()) = tokio::join!(get(), get(), release);
    assert_eq!((one.status, other.status), (200, 200));
    let seen: Vec<_> = stage.calls().await.iter().map(|call| call["max_in_flight"].as_u64()).collect();
    assert_eq!(seen, [Some(1), Some(2), Some(2)]);
}
