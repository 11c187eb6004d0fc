//! What Google's errors mean.
//!
//! Owns the one table from reason to meaning. Never looks at messages: they are for people and change.
//!
//! A reason counts before the code, and the front end's detailed reason before Calendar's own, since it is the more
//! precise one. Only an unknown reason falls back on the code. What is not Google's envelope comes from something between
//! Google and us (a proxy, a portal), whatever its code is: it says nothing about a token, an event or a calendar, and is
//! waited out.
//!
//! Invariant: whatever the bytes are, there is an answer, and it holds nothing of them but one plain word.

use http::StatusCode;
use jiff::SignedDuration;

use super::wire::{ErrorAnswer, ErrorBody, plain_word};
use crate::sync::{Answer, ThrottleScope};

/// Reads an answer that is no success.
pub(super) fn classify(status: StatusCode, retry_after: Option<SignedDuration>, body: &[u8]) -> Answer {
    let error = serde_json::from_slice(body).ok().map(|ErrorAnswer { error }| error);
    let Some(error) = error.filter(ErrorBody::is_of_google) else { return Answer::Unavailable { retry_after } };
    let reasons: Vec<&str> = reasons(&error).collect();
    let known = reasons.iter().find_map(|reason| by_reason(reason, &error, retry_after));
    match known {
        // A 5xx may carry any reason; only one that asks for patience changes what is done next.
        Some(Answer::Throttled { scope, .. }) => Answer::Throttled { scope, retry_after },
        Some(answer) if status.is_client_error() => answer,
        _ => by_code(status, retry_after, reasons.first().copied()),
    }
}

/// The reasons of an error, the most precise first.
fn reasons(error: &ErrorBody) -> impl Iterator<Item = &str> {
    let details = error.details.iter().filter_map(|detail| detail.reason.as_deref());
    let entries = error.errors.iter().filter_map(|entry| entry.reason.as_deref());
    details.chain(entries).chain(error.status.as_deref())
}

fn by_reason(reason: &str, error: &ErrorBody, retry_after: Option<SignedDuration>) -> Option<Answer> {
    let throttled = |scope| Answer::Throttled { scope, retry_after };
    Some(match reason {
        "authError" | "ACCESS_TOKEN_EXPIRED" | "UNAUTHENTICATED" => Answer::Unauthorized,
        "userRateLimitExceeded" => throttled(ThrottleScope::Account),
        // Google: "per calendar or per authenticated user". It is the project's only if the front end says so.
        "rateLimitExceeded" | "RATE_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED" => throttled(rate_scope(error)),
        "quotaExceeded" | "dailyLimitExceeded" => throttled(ThrottleScope::ReadOnly),
        reason if reason.starts_with("calendarUsageLimits") => throttled(ThrottleScope::ReadOnly),
        "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => Answer::ScopeMissing,
        "forbidden" | "requiredAccessLevel" | "forbiddenForNonOrganizer" => {
            Answer::NotPermitted { reason: plain_word(reason) }
        }
        "notACalendarUser" | "domainPolicy" | "accountDisabled" | "ACCOUNT_STATE_INVALID" => {
            Answer::AccountRefused { reason: plain_word(reason) }
        }
        "accessNotConfigured"
        | "SERVICE_DISABLED"
        | "CONSUMER_INVALID"
        | "CONSUMER_SUSPENDED"
        | "dailyLimitExceededUnreg" => Answer::Misconfigured,
        "notFound" => Answer::NotFound,
        "duplicate" => Answer::AlreadyExists,
        "deleted" => Answer::Gone,
        "conditionNotMet" => Answer::Changed,
        "backendError" | "internalError" => Answer::Unavailable { retry_after },
        _ => return None,
    })
}

fn by_code(status: StatusCode, retry_after: Option<SignedDuration>, reason: Option<&str>) -> Answer {
    let reason = || reason.map_or_else(|| format!("http{}", status.as_u16()), plain_word);
    match status {
        StatusCode::UNAUTHORIZED => Answer::Unauthorized,
        StatusCode::FORBIDDEN => Answer::Forbidden { reason: reason() },
        StatusCode::NOT_FOUND => Answer::NotFound,
        StatusCode::CONFLICT => Answer::AlreadyExists,
        StatusCode::GONE => Answer::Gone,
        StatusCode::PRECONDITION_FAILED => Answer::Changed,
        StatusCode::TOO_MANY_REQUESTS => Answer::Throttled { scope: ThrottleScope::Account, retry_after },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::MISDIRECTED_REQUEST => {
            Answer::Unavailable { retry_after }
        }
        status if status.is_client_error() => Answer::Refused { reason: reason() },
        _ => Answer::Unavailable { retry_after },
    }
}

/// Whose limit the front end names in `quota_limit`, such as `defaultPerMinutePerProject`.
fn rate_scope(error: &ErrorBody) -> ThrottleScope {
    let mut limits = error.details.iter().filter_map(|detail| detail.metadata.get("quota_limit")?.as_str());
    match limits.any(|limit| limit.contains("PerProject") && !limit.contains("PerUser")) {
        true => ThrottleScope::Project,
        false => ThrottleScope::Account,
    }
}

#[cfg(test)]
mod tests;
