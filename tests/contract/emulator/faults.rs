//! Faults: what is carried out, and what the caller sees.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::super::subject::{http, send};
use super::stage::{EVENTS, Stage, event};

const PATH: &str = "calendars/primary/events";

async fn stands(stage: &Stage, token: &str, id: &str) -> bool {
    stage.call(token, Method::GET, &format!("{PATH}/{id}"), None).await.status == 200
}

fn clients() -> [(&'static str, Client); 2] {
    let http2 = Client::builder().http2_prior_knowledge().build().expect("a client without TLS");
    [("http/1.1", http()), ("http/2", http2)]
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_all_the_same() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault(json!({"operation": "events.insert", "fault": {"kind": "lose_answer"}})).await;
    for (id, (version, client)) in ["lost1", "lost2"].iter().zip(clients()) {
        let lost = stage.call_by(&client, &token, Method::POST, PATH, Some(&event(id))).await;
        assert!(lost.is_err(), "{version}: no answer");
        assert!(stands(&stage, &token, id).await, "{version}: carried out");
    }
    let call = &stage.calls().await[0];
    assert_eq!(
        (&call["carried_out"], &call["status"], &call["fault"]),
        (&json!(true), &Value::Null, &json!("lose_answer"))
    );
}

#[tokio::test]
async fn a_reset_comes_before_anything_is_carried_out() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault(json!({"operation": "events.*", "times": 2, "fault": {"kind": "reset"}})).await;
    for (id, (version, client)) in ["reset1", "reset2"].iter().zip(clients()) {
        let lost = stage.call_by(&client, &token, Method::POST, PATH, Some(&event(id))).await;
        assert!(lost.is_err(), "{version}: no answer");
    }
    assert!(!stands(&stage, &token, "reset1").await && !stands(&stage, &token, "reset2").await);
    assert_eq!(stage.calls().await[0]["carried_out"], false);
}

#[tokio::test]
async fn an_error_has_googles_shape_and_hits_whom_it_names() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let fault = json!({
        "operation": "events.insert", "event_id": "named", "times": 1,
        "fault": {"kind": "error", "code": 503, "reason": "backendError", "message": "Backend Error", "retry_after_seconds": 7},
    });
    let id = stage.fault(fault).await;
    assert_eq!(stage.call(&token, Method::POST, PATH, Some(&event("other"))).await.status, 200);
    let response = stage
        .http
        .post(stage.at("/calendar/v3/calendars/primary/events"))
        .bearer_auth(&token)
        .json(&event("named"))
        .send()
        .await
        .expect("an answer comes back");
    assert_eq!(response.headers()["retry-after"], "7");
    let body: Value = response.json().await.expect("an error is JSON");
    let expected = json!({"error": {
        "errors": [{"domain": "global", "reason": "backendError", "message": "Backend Error"}],
        "code": 503, "message": "Backend Error",
    }});
    assert_eq!(body, expected);
    assert!(!stands(&stage, &token, "named").await);
    assert_eq!(stage.call(&token, Method::POST, PATH, Some(&event("named"))).await.status, 200, "once is once");
    let faults = stage.read("faults").await;
    assert_eq!((&faults["faults"][0]["id"], &faults["faults"][0]["hits"]), (&json!(id), &json!(1)));
}

#[tokio::test]
async fn an_error_of_the_token_endpoint_has_the_shape_of_oauth() {
    let stage = Stage::new().await;
    let fault =
        json!({"operation": "token.refresh", "fault": {"kind": "error", "code": 400, "reason": "invalid_grant"}});
    stage.fault(fault).await;
    let refused = stage.refresh("1//0any").await;
    assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_hanging_call_waits_for_its_release_before_or_after_it_is_carried_out() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    for (id, carry_out) in [("hang0", false), ("hang1", true)] {
        let fault =
            stage.fault(json!({"operation": "events.insert", "fault": {"kind": "hang", "carry_out": carry_out}})).await;
        let body = event(id);
        let call = stage.call(&token, Method::POST, PATH, Some(&body));
        let release = async {
            let open = async |stage: &Stage| {
                let calls = stage.calls().await;
                calls.iter().any(|call| call["event_id"] == id && (!carry_out || call["carried_out"] == true))
            };
            while !open(&stage).await {}
            assert_eq!(stands(&stage, &token, id).await, carry_out);
            stage.control(Method::DELETE, &format!("faults/{fault}"), json!({})).await;
        };
        let (got, ()) = tokio::join!(call, release);
        assert_eq!(got.status, 200, "{id}");
        assert!(stands(&stage, &token, id).await);
    }
}

#[tokio::test]
async fn a_caller_that_leaves_a_hanging_call_ends_it() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault(json!({"operation": "events.insert", "fault": {"kind": "hang"}})).await;
    let body = event("left0");
    tokio::select! {
        _ = stage.call(&token, Method::POST, PATH, Some(&body)) => panic!("a hanging call is not answered"),
        () = async { while stage.calls().await.is_empty() {} } => {}
    }
    while stage.calls().await[0]["ended_at"].is_null() {}
    assert_eq!(stage.calls().await[0]["carried_out"], false);
}

#[tokio::test]
async fn latency_is_real_time_even_while_the_clock_stands_still() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"latency_ms": 30})).await;
    stage.fault(json!({"operation": "events.insert", "fault": {"kind": "latency", "ms": 20}})).await;
    let system = cassius_calendar::clock::Clock::system();
    let start = system.now();
    assert_eq!(stage.call(&token, Method::POST, PATH, Some(&event("late0"))).await.status, 200);
    assert!(system.now().duration_since(start).as_millis() >= 50);
    assert_eq!(stage.calls().await[0]["fault"], "latency");
}

#[tokio::test]
async fn chance_is_repeatable_and_skipped_calls_pass() {
    let hits = async |seed: u64| {
        let stage = Stage::new().await;
        let token = stage.token(&[EVENTS]).await;
        let fault = json!({
            "operation": "*", "skip": 5, "probability": 0.5, "seed": seed,
            "fault": {"kind": "error", "code": 500, "reason": "backendError"},
        });
        stage.fault(fault).await;
        let mut hits = Vec::new();
        for _ in 0..30 {
            hits.push(stage.call(&token, Method::GET, PATH, None).await.status == 500);
        }
        hits
    };
    let first = hits(3).await;
    assert_eq!(first, hits(3).await);
    assert!(!first[..5].contains(&true), "the first five pass");
    let count = first.iter().filter(|hit| **hit).count();
    assert!((5..=20).contains(&count), "{count} of 25");
}

#[tokio::test]
async fn a_misspelt_fault_or_setting_is_refused() {
    let stage = Stage::new().await;
    let post = async |path: &str, body: Value| send(stage.http.post(stage.at(path)).json(&body)).await.status;
    assert_eq!(post("/emulator/faults", json!({"operation": "*", "fault": {"kind": "explode"}})).await, 400);
    assert_eq!(post("/emulator/faults", json!({"operation": "*", "time": 1, "fault": {"kind": "reset"}})).await, 400);
    assert_eq!(post("/emulator/settings", json!({"latency": 5})).await, 400);
    assert_eq!(post("/emulator/settings", json!({"rate_limit_status": 418})).await, 400);
}

#[tokio::test]
async fn a_page_is_html_and_nothing_is_carried_out() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault(json!({"operation": "events.insert", "times": 1, "fault": {"kind": "page", "code": 413}})).await;
    let request = stage.http.post(stage.at("/calendar/v3/calendars/primary/events")).bearer_auth(&token);
    let response = request.json(&event("paged")).send().await.expect("an answer comes back");
    assert_eq!(response.status(), 413);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.text().await.expect("a body").starts_with("<!DOCTYPE html>"));
    assert!(!stands(&stage, &token, "paged").await);
}
