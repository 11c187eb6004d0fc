//! Refusals, in the exact bodies of Google.
//!
//! Owns the shape of an error of the Calendar API and of the OAuth endpoints, and the refusals both are made of. It
//! never decides when to refuse. Invariant: the reason in the body is the reason in the journal.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::quota::Exhausted;

type Text = Cow<'static, str>;

/// Why a call was not carried out.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) code: u16,
    /// What callers must tell apart.
    pub(crate) reason: Text,
    /// Sent as `Retry-After`.
    pub(crate) retry_after_seconds: Option<u64>,
    message: Text,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// `{"error":{"errors":[…],"code","message"}}`.
    Calendar(Box<Place>),
    /// `{"error","error_description"}`.
    OAuth,
    /// A page of HTML, as a proxy or a portal between answers.
    Page,
}

/// Where in Google, and in the request, a refusal of the Calendar API comes from.
#[derive(Debug, Clone)]
struct Place {
    domain: &'static str,
    location: Option<(&'static str, &'static str)>,
    front: Option<Front>,
}

/// What Google's front end adds to the errors that it answers itself.
#[derive(Debug, Clone)]
struct Front {
    message: &'static str,
    status: &'static str,
    details: Value,
}

impl Refusal {
    fn calendar(code: u16, domain: &'static str, reason: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self {
            code,
            reason: reason.into(),
            retry_after_seconds: None,
            message: message.into(),
            shape: Shape::Calendar(Box::new(Place { domain, location: None, front: None })),
        }
    }

    fn at(mut self, location_type: &'static str, location: &'static str) -> Self {
        if let Shape::Calendar(place) = &mut self.shape {
            place.location = Some((location_type, location));
        }
        self
    }

    fn by_front_end(mut self, message: &'static str, status: &'static str, details: Value) -> Self {
        if let Shape::Calendar(place) = &mut self.shape {
            place.front = Some(Front { message, status, details });
        }
        self
    }

    /// 400: a value that Google does not take.
    pub(crate) fn invalid(message: impl Into<Text>) -> Self {
        Self::calendar(400, "global", "invalid", message)
    }

    /// 400: something is missing.
    pub(crate) fn required(message: impl Into<Text>) -> Self {
        Self::calendar(400, "global", "required", message)
    }

    /// 400 with a reason of Calendar's own.
    pub(crate) fn bad(reason: &'static str, message: &'static str) -> Self {
        Self::calendar(400, "calendar", reason, message)
    }

    /// 400: the body is no JSON object.
    pub(crate) fn unreadable() -> Self {
        Self::calendar(400, "global", "parseError", "Parse Error")
    }

    /// 400: a query parameter that Google does not take.
    pub(crate) fn parameter(name: &'static str) -> Self {
        Self::calendar(400, "global", "invalidParameter", format!("Invalid value for: {name}")).at("parameter", name)
    }

    /// 400: a list whose `timeMax` is not after its `timeMin`.
    pub(crate) fn empty_time_range() -> Self {
        Self::bad("timeRangeEmpty", "The specified time range is empty.").at("parameter", "timeMax")
    }

    /// 401: no token.
    pub(crate) fn login_required() -> Self {
        Self::calendar(401, "global", "required", "Login Required.").at("header", "Authorization").by_front_end(
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
            "UNAUTHENTICATED",
            json!([]),
        )
    }

    /// 401: a token that is unknown, expired or revoked.
    pub(crate) fn unauthenticated() -> Self {
        Self::calendar(401, "global", "authError", "Invalid Credentials").at("header", "Authorization").by_front_end(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
            "UNAUTHENTICATED",
            json!([]),
        )
    }

    /// 403: the token lacks the scope of this method.
    pub(crate) fn scope_insufficient(operation: &str) -> Self {
        Self::calendar(403, "global", "insufficientPermissions", "Insufficient Permission").by_front_end(
            "Request had insufficient authentication scopes.",
            "PERMISSION_DENIED",
            json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {
                    "service": "calendar-json.googleapis.com",
                    "method": format!("calendar.v3.{operation}"),
                },
            }]),
        )
    }

    /// 403: the account may read that calendar but not do this.
    pub(crate) fn access_level(needed: &str) -> Self {
        Self::calendar(
            403,
            "calendar",
            "requiredAccessLevel",
            format!("You need to have {needed} access to this calendar."),
        )
    }

    /// 403 without more.
    pub(crate) fn forbidden() -> Self {
        Self::calendar(403, "global", "forbidden", "Forbidden")
    }

    /// 403: the account is read-only for hours.
    pub(crate) fn usage_limits() -> Self {
        Self::calendar(403, "usageLimits", "quotaExceeded", "Calendar usage limits exceeded.")
    }

    /// 403 or 429: too many units in the last minute. The front end names the limit that was reached.
    pub(crate) fn rate(code: u16, exhausted: Exhausted) -> Self {
        let (reason, message, limit) = match exhausted {
            Exhausted::Project => ("rateLimitExceeded", "Rate Limit Exceeded", "defaultPerMinutePerProject"),
            Exhausted::User => {
                ("userRateLimitExceeded", "User Rate Limit Exceeded", "defaultPerMinutePerProjectPerUser")
            }
        };
        let status = if code == 429 { "RESOURCE_EXHAUSTED" } else { "PERMISSION_DENIED" };
        Self::calendar(code, "usageLimits", reason, message).by_front_end(
            "Quota exceeded for quota metric 'Queries' of service 'calendar-json.googleapis.com'.",
            status,
            json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {"service": "calendar-json.googleapis.com", "quota_limit": limit},
            }]),
        )
    }

    /// 404: the event or the calendar.
    pub(crate) fn not_found() -> Self {
        Self::calendar(404, "global", "notFound", "Not Found")
    }

    /// 409: the id is taken, perhaps by a deleted event.
    pub(crate) fn duplicate() -> Self {
        Self::calendar(409, "global", "duplicate", "The requested identifier already exists.")
    }

    /// 410: deleted before.
    pub(crate) fn deleted() -> Self {
        Self::calendar(410, "global", "deleted", "Resource has been deleted")
    }

    /// 410: a sync token that Google has forgotten.
    pub(crate) fn full_sync_required() -> Self {
        Self::calendar(410, "calendar", "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
            .at("parameter", "syncToken")
    }

    /// 412: `If-Match` names another etag.
    pub(crate) fn condition_not_met() -> Self {
        Self::calendar(412, "global", "conditionNotMet", "Precondition Failed").at("header", "If-Match")
    }

    /// 501: Google can, this emulator cannot; better loud than wrong.
    pub(crate) fn not_emulated(what: &'static str) -> Self {
        Self::calendar(501, "global", "notImplemented", format!("The emulator does not know {what}."))
    }

    /// A refusal of an OAuth endpoint.
    pub(crate) fn oauth(code: u16, error: &'static str, description: &'static str) -> Self {
        Self {
            code,
            reason: Text::Borrowed(error),
            retry_after_seconds: None,
            message: Text::Borrowed(description),
            shape: Shape::OAuth,
        }
    }

    /// A refusal that a fault asks for, in the shape of the endpoint it hits.
    pub(crate) fn asked(operation: &str, code: u16, reason: String, message: Option<String>) -> Self {
        let message = message.unwrap_or_else(|| format!("Emulated fault: {reason}"));
        if operation.contains("token.") || operation.starts_with("revoke") || operation.starts_with("authorize") {
            let reason = reason.into();
            return Self { code, reason, retry_after_seconds: None, message: message.into(), shape: Shape::OAuth };
        }
        let domain =
            if reason.contains("imitExceeded") || reason == "quotaExceeded" { "usageLimits" } else { "global" };
        Self::calendar(code, domain, reason, message)
    }

    /// The page of something between.
    pub(crate) fn page(code: u16) -> Self {
        Self {
            code,
            reason: Text::Borrowed("page"),
            retry_after_seconds: None,
            message: Text::Borrowed("<!DOCTYPE html><title>Proxy</title><p>This request was not let through.</p>"),
            shape: Shape::Page,
        }
    }

    /// The page, where it is no answer of Google.
    pub(crate) fn html(&self) -> Option<&str> {
        matches!(self.shape, Shape::Page).then_some(&*self.message)
    }

    /// The body as Google writes it.
    pub(crate) fn body(&self) -> Value {
        match &self.shape {
            Shape::Page => json!(self.message),
            Shape::OAuth => json!({"error": self.reason, "error_description": self.message}),
            Shape::Calendar(place) => {
                let Place { domain, location, front } = place.as_ref();
                let mut inner = json!({"domain": domain, "reason": self.reason, "message": self.message});
                if let Some((location_type, location)) = location {
                    inner["locationType"] = json!(location_type);
                    inner["location"] = json!(location);
                }
                let mut error = json!({"errors": [inner], "code": self.code, "message": self.message});
                if let Some(front) = front {
                    error["message"] = json!(front.message);
                    error["status"] = json!(front.status);
                    if front.details.as_array().is_some_and(|details| !details.is_empty()) {
                        error["details"] = front.details.clone();
                    }
                }
                json!({ "error": error })
            }
        }
    }
}
