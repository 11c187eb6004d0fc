//! Quotas, in units over a sliding minute.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use super::stage::{EVENTS, Stage, event};

const PATH: &str = "calendars/primary/events";

#[tokio::test]
async fn a_patch_costs_three_and_any_other_call_one() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"user_units_per_minute": 5})).await;
    assert_eq!(stage.call(&token, Method::POST, PATH, Some(&event("quota"))).await.status, 200);
    let patch = || stage.call(&token, Method::PATCH, "calendars/primary/events/quota", None);
    assert_eq!(patch().await.status, 200);
    assert_eq!(patch().await.outcome(), (403, "userRateLimitExceeded"), "4 of 5 are spent");
    assert_eq!(stage.call(&token, Method::GET, PATH, None).await.status, 200);
    let refused = stage.call(&token, Method::GET, PATH, None).await;
    assert_eq!(refused.outcome(), (403, "userRateLimitExceeded"), "5 of 5 are spent");
    assert_eq!(refused.body["error"]["errors"][0]["domain"], "usageLimits");
    let units: Vec<u64> = stage.calls().await.iter().filter_map(|call| call["units"].as_u64()).collect();
    assert_eq!(units, [1, 3, 3, 1, 1]);
}

#[tokio::test]
async fn the_window_slides() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"user_units_per_minute": 2})).await;
    let list = async || stage.call(&token, Method::GET, PATH, None).await.status;
    assert_eq!(list().await, 200);
    stage.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(list().await, 200);
    stage.clock.advance(SignedDuration::from_secs(29));
    assert_eq!(list().await, 403);
    stage.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(list().await, 200, "the first call is a minute old");
    assert_eq!(list().await, 403, "the second is not");
}

#[tokio::test]
async fn the_project_is_limited_across_accounts_and_a_user_alone() {
    let stage = Stage::new().await;
    let (one, other) = (stage.token(&[EVENTS]).await, stage.token_of("dr.monnier@gmail.com", &[EVENTS]).await);
    stage.control(Method::POST, "settings", json!({"user_units_per_minute": 1, "rate_limit_status": 429})).await;
    assert_eq!(stage.call(&one, Method::GET, PATH, None).await.status, 200);
    assert_eq!(stage.call(&one, Method::GET, PATH, None).await.outcome(), (429, "userRateLimitExceeded"));
    assert_eq!(stage.call(&other, Method::GET, PATH, None).await.status, 200, "a user's limit is his own");
    let limits = json!({"user_units_per_minute": 100, "project_units_per_minute": 2, "rate_limit_status": 403});
    stage.control(Method::POST, "settings", limits).await;
    assert_eq!(stage.call(&one, Method::GET, PATH, None).await.outcome(), (403, "rateLimitExceeded"));
}
