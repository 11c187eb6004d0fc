//! Google asks for patience: a delay, not an error.

use cassius_calendar::grpc::pb::{
    EraseAppointmentsRequest, ErrorReason, IntegrationState, IntegrationStatus, ProblemAction, SyncStatus,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::reason;
use crate::harness::app::{START, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT};
use crate::harness::samples::{appointment, instant};

/// Makes an account's writes fail with a limit, for ever or so often.
async fn throttle(app: &TestApp, code: u16, reason: &str, retry_after_seconds: Option<u64>, times: Option<u32>) {
    let fault = json!({"kind": "error", "code": code, "reason": reason, "retry_after_seconds": retry_after_seconds});
    let fault = json!({"operation": "events.*", "account": ACCOUNT, "times": times, "fault": fault});
    app.google.control("faults", fault).await;
}

/// How many seconds after the start of the test the service goes on by itself.
fn retries_after(status: &IntegrationStatus) -> i64 {
    status.problem.as_ref().unwrap().retry_time.as_ref().unwrap().seconds - instant(START).seconds
}

/// When the service goes on by itself.
fn retry(status: &IntegrationStatus) -> Option<Timestamp> {
    let retry = status.problem.as_ref()?.retry_time.as_ref()?;
    Some(Timestamp::new(retry.seconds, retry.nanos).unwrap())
}

async fn throttled(app: &mut TestApp) -> IntegrationStatus {
    let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::GoogleThrottled)).await;
    assert_eq!(status.state(), IntegrationState::Connected, "a delay is no error");
    assert_eq!(status.problem.as_ref().unwrap().action(), ProblemAction::Wait);
    status
}

async fn writes(app: &TestApp) -> usize {
    app.google.calls_of(ACCOUNT).await.iter().filter(|call| call.starts_with("events.")).count()
}

#[apply(both_backends)]
async fn what_google_asks_for_is_waited_for_and_then_all_is_well(app: &mut TestApp) {
    app.connect("cabinet").await;
    throttle(app, 403, "userRateLimitExceeded", Some(40), Some(1)).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = throttled(app).await;
    let retries_after = retries_after(&status);
    assert!((40..=42).contains(&retries_after), "{retries_after}");
    let link = app.link("cabinet", "rdv").await;
    assert_eq!(link.sync_status(), SyncStatus::Pending);
    assert!(link.next_attempt_time.unwrap().seconds - instant(START).seconds >= 40);
    let error = link.last_error.unwrap();
    assert_eq!((error.reason(), error.retryable), (ErrorReason::GoogleThrottled, true));

    app.advance(39);
    // Another one of the same account waits as well.
    app.accept("cabinet", appointment("later", 1)).await;
    app.worker_looks().await;
    assert_eq!(writes(app).await, 1);
    app.advance(3);
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 2);
}

#[apply(both_backends)]
async fn every_word_for_too_many_calls_is_a_delay(app: &mut TestApp) {
    app.connect("cabinet").await;
    let words = [
        (403, "userRateLimitExceeded"),
        (403, "rateLimitExceeded"),
        (429, "rateLimitExceeded"),
        (429, "newWordForTooManyCalls"),
        (403, "quotaExceeded"),
        (403, "dailyLimitExceeded"),
        (403, "calendarUsageLimitsExceeded"),
    ];
    for (code, word) in words {
        throttle(app, code, word, None, Some(1)).await;
        app.accept("cabinet", appointment(&format!("{code} {word}"), 1)).await;
        throttled(app).await;
        // Longer than the longest first delay.
        app.advance(3_600);
        app.at_rest("cabinet").await;
    }
    assert_eq!(app.google.events(ACCOUNT).await.len(), words.len());
}

#[apply(both_backends)]
async fn one_organisation_waits_and_the_other_does_not(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect_as("monnier", OTHER_ACCOUNT).await;
    throttle(app, 429, "rateLimitExceeded", Some(600), None).await;
    for number in 0..10 {
        app.accept("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    throttled(app).await;
    for number in 0..5 {
        let link = app.sync("monnier", appointment(&format!("rdv {number}"), 1)).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced);
    }
    assert_eq!(reason(&app.status("monnier").await), None);
    assert!(writes(app).await <= 3, "only what was under way already has been called");
    assert_eq!(app.status("cabinet").await.counts.unwrap().pending, 10);
}

#[apply(both_backends)]
async fn when_the_whole_project_is_throttled_nobody_is_called_for(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.connect_as("monnier", OTHER_ACCOUNT).await;
    app.google.settings(json!({"project_units_per_minute": 0})).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let throttled = app.until_link("cabinet", "rdv", |link| link.last_error.is_some()).await;
    assert_eq!(throttled.last_error.unwrap().reason(), ErrorReason::GoogleThrottled);
    let until = throttled.next_attempt_time.unwrap();
    assert_eq!(app.status("cabinet").await.state(), IntegrationState::Connected, "a delay is no error");

    app.google.forget_journal().await;
    app.accept("monnier", appointment("rdv", 1)).await;
    // Time stands still. A worker that did not hold back would have taken the appointment up within a few of these.
    for _ in 0..100 {
        assert_eq!(app.link("monnier", "rdv").await.external_event_id, "", "taken up while everybody waits");
    }
    app.google.settings(json!({"project_units_per_minute": 10_000})).await;
    app.advance(1 + until.seconds - instant(START).seconds);
    for organisation in ["cabinet", "monnier"] {
        app.at_rest(organisation).await;
    }
    let written = app.google.events(ACCOUNT).await.len() + app.google.events(OTHER_ACCOUNT).await.len();
    assert_eq!(written, 2);
    for call in app.google.journal().await {
        let started: Timestamp = call["started_at"].as_str().unwrap().parse().unwrap();
        assert!(started >= Timestamp::new(until.seconds, until.nanos).unwrap(), "called for too early: {call}");
    }
}

#[apply(both_backends)]
async fn an_account_held_read_only_is_asked_rarely_and_recovers(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.google.read_only(ACCOUNT, true).await;
    for number in 0..6 {
        app.accept("cabinet", appointment(&format!("rdv {number}"), 1)).await;
    }
    let status = throttled(app).await;
    assert!(retries_after(&status) >= 15 * 60, "such an account stays so for hours");
    app.worker_looks().await;
    app.google.forget_journal().await;
    for _ in 0..24 {
        app.advance(15 * 60);
        app.worker_looks().await;
    }
    let calls = writes(app).await;
    assert!((1..=3 * 24).contains(&calls), "{calls} writes in six hours");
    app.google.read_only(ACCOUNT, false).await;
    app.restart_after(5 * 3_600).await;
    let status = app.at_rest("cabinet").await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 6);
}

#[apply(both_backends)]
async fn delays_grow_while_google_stays_away(app: &mut TestApp) {
    app.connect("cabinet").await;
    throttle(app, 503, "backendError", None, None).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let mut tried = START.parse::<Timestamp>().unwrap();
    let mut longest = SignedDuration::ZERO;
    for failures in 0..16_u32 {
        let is_told = |status: &IntegrationStatus| retry(status).is_some_and(|retry| retry > tried);
        let retry = retry(&app.until("cabinet", is_told).await).unwrap();
        let delay = retry.duration_since(tried);
        assert!(delay <= SignedDuration::from_secs(2_i64.pow(failures).min(900)), "{delay} after {failures} more");
        longest = longest.max(delay);
        app.clock.advance(delay);
        tried = retry;
    }
    // Six were drawn from up to a quarter of an hour.
    assert!(longest > SignedDuration::from_secs(30), "{longest}");
    assert_eq!(app.link("cabinet", "rdv").await.sync_status(), SyncStatus::Pending);
    app.google.no_more_faults().await;
    app.restart_after(3_600).await;
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);
}

#[apply(both_backends)]
async fn a_delay_ends_by_itself_though_nothing_waits_any_more(app: &mut TestApp) {
    app.connect("cabinet").await;
    throttle(app, 403, "quotaExceeded", None, Some(1)).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = throttled(app).await;
    let request =
        EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: vec!["rdv".to_owned()] };
    app.appointments.erase_appointments(request).await.unwrap();
    app.google.forget_journal().await;
    app.advance(retries_after(&status));
    app.until("cabinet", |status| status.problem.is_none()).await;
    assert!(app.google.event_calls().await.is_empty(), "a comparison has found it");
}
