//! The token endpoint behind the crate `oauth2`.
//!
//! Owns the adapter that lets `oauth2` speak over our transport, and the reading of its errors. Never lets a body of the
//! token endpoint out: on a parse fault `oauth2` hands it back whole, and it may hold tokens.
//!
//! Invariant: an answer that is not the token endpoint's own word (5xx, 407, 408, 429, a page or the JSON of something
//! between, nothing) is `Unavailable`; its own word in any other 4xx is about our client, about the service's state, or else
//! about the grant. Its own is JSON, said to be so, with one of Google's words, or with another word of their shape and a
//! description beside it, as Google writes one. Proxies and portals refuse in words alone (`not_found`, `policy_denied`), or
//! as one who is shown a bearer token (RFC 6750).

use std::pin::Pin;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use oauth2::basic::BasicErrorResponse;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};

use super::retry_after::retry_after;
use super::transport::Transport;
use super::wire::plain_word;
use crate::clock::Clock;

/// Google's words for an OAuth client that is set up wrong.
const CLIENT_FAULTS: [&str; 8] = [
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "redirect_uri_mismatch",
    "deleted_client",
    "disabled_client",
    "org_internal",
    "invalid_request",
];

/// Google's words for a grant that is not honoured.
const GRANT_FAULTS: [&str; 5] =
    ["invalid_grant", "access_denied", "admin_policy_enforced", "account_deleted", "invalid_scope"];

/// The words of RFC 6750 for a bearer token that is not honoured: none is shown to a token endpoint.
const BEARER_FAULTS: [&str; 2] = ["invalid_token", "insufficient_scope"];

/// The token endpoint could not be spoken with.
#[derive(Debug, thiserror::Error)]
#[error("the token endpoint is not available")]
pub(super) struct Away {
    retry_after: Option<SignedDuration>,
}

/// Lets `oauth2` speak over the transport.
pub(super) struct TokenEndpoint<'a> {
    transport: &'a Transport,
    clock: &'a Clock,
}

impl<'a> TokenEndpoint<'a> {
    pub(super) fn new(transport: &'a Transport, clock: &'a Clock) -> Self {
        Self { transport, clock }
    }
}

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = Away;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Away>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.transport.send(request.map(Bytes::from)).await.map_err(|_| Away { retry_after: None })?;
            let status = answer.status();
            let is_its_own = match status {
                // About the way and the pace, whoever says it.
                StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS => false,
                status if status.is_client_error() => is_json(answer.headers()) && is_refusal(answer.body()),
                status => status == StatusCode::OK,
            };
            if !is_its_own {
                return Err(Away { retry_after: retry_after(answer.headers(), self.clock.now()) });
            }
            Ok(answer.map(Vec::from))
        })
    }
}

/// What a refusal of the token endpoint means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The code or the refresh token is not honoured (any more), in Google's word: it was revoked, the account is gone, an
    /// administrator does not allow it.
    Grant(String),
    /// The OAuth client is set up wrong, in Google's word.
    Client(String),
    /// It could not be spoken with, or not be understood.
    Unavailable {
        /// How long Google asks to wait.
        retry_after: Option<SignedDuration>,
    },
}

pub(super) fn refusal(error: RequestTokenError<Away, BasicErrorResponse>) -> Refusal {
    match error {
        RequestTokenError::ServerResponse(response) => meaning_of(response.error().as_ref()),
        RequestTokenError::Request(Away { retry_after }) => Refusal::Unavailable { retry_after },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Refusal::Unavailable { retry_after: None },
    }
}

/// What the word of a refusal means.
fn meaning_of(word: &str) -> Refusal {
    match word {
        "internal_failure" | "temporarily_unavailable" | "rate_limit_exceeded" | "server_error" | "slow_down" => {
            Refusal::Unavailable { retry_after: None }
        }
        word if CLIENT_FAULTS.contains(&word) => Refusal::Client(word.to_owned()),
        // The adapter lets no other through than one that is Google's.
        word => Refusal::Grant(plain_word(word)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Whether a body of JSON is a refusal of Google's.
fn is_refusal(body: &[u8]) -> bool {
    let Ok(refusal) = serde_json::from_slice::<BasicErrorResponse>(body) else { return false };
    let word: &str = refusal.error().as_ref();
    let is_described = || refusal.error_description().is_some_and(|description| !description.trim().is_empty());
    GRANT_FAULTS.contains(&word)
        || CLIENT_FAULTS.contains(&word)
        || (is_oauth_word(word) && !BEARER_FAULTS.contains(&word) && is_described())
}

/// Whether a word has the shape that those of RFC 6749, its registry and Google have: small letters and digits, joined by
/// underscores. `Not Found` or `forbidden` comes from something between, and ends no grant.
fn is_oauth_word(word: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    word.contains('_') && word.split('_').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_googles_or_described_as_google_does() {
        let described = |word: &str| format!(r#"{{"error": "{word}", "error_description": "Bad Request"}}"#);
        let bare = |word: &str| format!(r#"{{"error": "{word}", "message": "x"}}"#);
        let cases = [
            (bare("invalid_grant"), true),
            (bare("invalid_client"), true),
            (described("something_new"), true),
            (bare("something_new"), false),
            (bare("bad_request"), false),
            (bare("policy_denied"), false),
            (bare("not_found"), false),
            (bare("invalid_token"), false),
            (described("invalid_token"), false),
            (described("forbidden"), false),
            (described("Not Found"), false),
            (r#"{"error": "something_new", "error_description": " "}"#.to_owned(), false),
            (r#"{"error": {"code": 400}, "error_description": "x"}"#.to_owned(), false),
            (r#""invalid_grant""#.to_owned(), false),
            (String::new(), false),
        ];
        for (body, is_its_own) in cases {
            assert_eq!(is_refusal(body.as_bytes()), is_its_own, "{body}");
        }
    }
}
