//! The table of Google's errors, and what is left when they are mangled.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const WAIT: Option<SignedDuration> = Some(SignedDuration::from_secs(17));

fn classify_code(code: u16, body: &[u8]) -> Answer {
    classify(StatusCode::from_u16(code).expect("a status"), WAIT, body)
}

fn calendar_error(code: u16, reason: &str) -> Value {
    json!({"error": {"errors": [{"domain": "global", "reason": reason, "message": "m"}], "code": code, "message": "m"}})
}

fn throttled(scope: ThrottleScope) -> Answer {
    Answer::Throttled { scope, retry_after: WAIT }
}

fn not_permitted(reason: &str) -> Answer {
    Answer::NotPermitted { reason: reason.to_owned() }
}

fn account_refused(reason: &str) -> Answer {
    Answer::AccountRefused { reason: reason.to_owned() }
}

fn forbidden(reason: &str) -> Answer {
    Answer::Forbidden { reason: reason.to_owned() }
}

fn refused(reason: &str) -> Answer {
    Answer::Refused { reason: reason.to_owned() }
}

#[test]
fn each_reason_has_its_meaning() {
    let cases = [
        (400, "timeRangeEmpty", refused("timeRangeEmpty")),
        (400, "invalid", refused("invalid")),
        (400, "required", refused("required")),
        (400, "somethingNew", refused("somethingNew")),
        (401, "authError", Answer::Unauthorized),
        (401, "required", Answer::Unauthorized),
        (403, "userRateLimitExceeded", throttled(ThrottleScope::Account)),
        (403, "rateLimitExceeded", throttled(ThrottleScope::Account)),
        (429, "rateLimitExceeded", throttled(ThrottleScope::Account)),
        (429, "somethingNew", throttled(ThrottleScope::Account)),
        (503, "rateLimitExceeded", throttled(ThrottleScope::Account)),
        (403, "quotaExceeded", throttled(ThrottleScope::ReadOnly)),
        (429, "quotaExceeded", throttled(ThrottleScope::ReadOnly)),
        (403, "calendarUsageLimitsExceeded", throttled(ThrottleScope::ReadOnly)),
        (403, "dailyLimitExceeded", throttled(ThrottleScope::ReadOnly)),
        (403, "insufficientPermissions", Answer::ScopeMissing),
        (403, "forbidden", not_permitted("forbidden")),
        (403, "requiredAccessLevel", not_permitted("requiredAccessLevel")),
        (403, "forbiddenForNonOrganizer", not_permitted("forbiddenForNonOrganizer")),
        (403, "notACalendarUser", account_refused("notACalendarUser")),
        (403, "domainPolicy", account_refused("domainPolicy")),
        (403, "accountDisabled", account_refused("accountDisabled")),
        (403, "accessNotConfigured", Answer::Misconfigured),
        (403, "somethingNew", forbidden("somethingNew")),
        (404, "notFound", Answer::NotFound),
        (404, "somethingNew", Answer::NotFound),
        (409, "duplicate", Answer::AlreadyExists),
        (410, "deleted", Answer::Gone),
        (412, "conditionNotMet", Answer::Changed),
        (418, "somethingNew", refused("somethingNew")),
        (500, "backendError", Answer::Unavailable { retry_after: WAIT }),
        // A server's fault is no word about the event, whatever it says.
        (500, "notFound", Answer::Unavailable { retry_after: WAIT }),
        (503, "deleted", Answer::Unavailable { retry_after: WAIT }),
    ];
    for (code, reason, answer) in cases {
        assert_eq!(classify_code(code, calendar_error(code, reason).to_string().as_bytes()), answer, "{code} {reason}");
    }
}

fn front_end_error(code: u16, reason: &str, status: &str, detail: &str, metadata: Value) -> Value {
    let mut error = calendar_error(code, reason);
    error["error"]["status"] = json!(status);
    error["error"]["details"] = json!([
        {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": detail, "metadata": metadata}
    ]);
    error
}

#[test]
fn the_front_ends_detail_counts_before_calendars_reason() {
    let project = json!({"quota_limit": "defaultPerMinutePerProject"});
    let user = json!({"quota_limit": "defaultPerMinutePerProjectPerUser"});
    let cases = [
        (
            front_end_error(403, "forbidden", "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", json!({})),
            403,
            Answer::ScopeMissing,
        ),
        (
            front_end_error(403, "forbidden", "PERMISSION_DENIED", "SERVICE_DISABLED", json!({})),
            403,
            Answer::Misconfigured,
        ),
        (
            front_end_error(403, "forbidden", "PERMISSION_DENIED", "ACCOUNT_STATE_INVALID", json!({})),
            403,
            account_refused("ACCOUNT_STATE_INVALID"),
        ),
        (
            front_end_error(403, "rateLimitExceeded", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", project),
            403,
            throttled(ThrottleScope::Project),
        ),
        (
            front_end_error(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", user),
            429,
            throttled(ThrottleScope::Account),
        ),
        (
            front_end_error(403, "forbidden", "PERMISSION_DENIED", "NEW_WORD", json!(null)),
            403,
            not_permitted("forbidden"),
        ),
        (json!({"error": {"code": 401, "status": "UNAUTHENTICATED"}}), 401, Answer::Unauthorized),
        (json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}), 429, throttled(ThrottleScope::Account)),
        (json!({"error": {"code": 403, "status": "PERMISSION_DENIED"}}), 403, forbidden("PERMISSION_DENIED")),
        (json!({"error": {"code": 404, "status": "NOT_FOUND"}}), 404, Answer::NotFound),
    ];
    for (body, code, answer) in cases {
        assert_eq!(classify_code(code, body.to_string().as_bytes()), answer, "{body}");
    }
}

#[test]
fn what_is_not_googles_envelope_says_nothing_whatever_its_code() {
    let bodies: [&[u8]; 9] = [
        b"",
        b"<!DOCTYPE html><title>Error (Forbidden)!!1</title>",
        b"{\"error\":{\"errors\":[{\"reason\":\"notFo",
        b"{\"error\":\"invalid_grant\"}",
        b"{\"error\":{}}",
        b"{\"error\":{\"code\":410,\"message\":\"gone, says the gateway\"}}",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
    ];
    for code in [302, 400, 401, 403, 404, 405, 407, 408, 409, 410, 412, 413, 418, 429, 451, 500, 599] {
        for body in bodies {
            let answer = classify_code(code, body);
            assert_eq!(answer, Answer::Unavailable { retry_after: WAIT }, "{code} {}", String::from_utf8_lossy(body));
        }
    }
}

#[test]
fn what_google_says_to_people_is_not_kept() {
    let body = calendar_error(400, "Mme Durand <durand@example.fr>").to_string();
    assert_eq!(classify_code(400, body.as_bytes()), refused("unknown"));
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(code in 100_u16..1000, body: Vec<u8>) {
        classify_code(code, &body);
    }

    #[test]
    fn a_cut_error_has_an_answer(code in 300_u16..600, cut in 0_usize..400) {
        let body = front_end_error(403, "forbidden", "PERMISSION_DENIED", "NEW", json!({"a": [1, {"b": null}]})).to_string();
        classify_code(code, &body.as_bytes()[..cut.min(body.len())]);
    }
}
