//! The token endpoint behind the crate `oauth2`.
//!
//! Owns the adapter that lets `oauth2` speak over our transport, and the reading of its errors. Never lets a body of the
//! token endpoint out: on a parse fault `oauth2` hands it back whole, and it may hold tokens.
//!
//! Invariant: an answer that is not the token endpoint's own word (5xx, 429, a page or an error of something between,
//! nothing) is `Unavailable`; its own word in a 4xx is about our client, about the service's state, or else about the grant.

use std::pin::Pin;

use bytes::Bytes;
use http::StatusCode;
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
                StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => true,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => false,
                status if status.is_client_error() => is_known_refusal(answer.body()),
                status => status.is_success(),
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
        RequestTokenError::ServerResponse(response) => word(response.error().as_ref()),
        RequestTokenError::Request(Away { retry_after }) => Refusal::Unavailable { retry_after },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Refusal::Unavailable { retry_after: None },
    }
}

fn word(word: &str) -> Refusal {
    match word {
        "internal_failure" | "temporarily_unavailable" | "rate_limit_exceeded" | "server_error" | "slow_down" => {
            Refusal::Unavailable { retry_after: None }
        }
        word if CLIENT_FAULTS.contains(&word) => Refusal::Client(word.to_owned()),
        word if is_oauth_word(word) => Refusal::Grant(plain_word(word)),
        _ => Refusal::Unavailable { retry_after: None },
    }
}

/// Whether a body is a refusal in a word of Google's: whatever stands between refuses with 403, 404 or 407 too, in words of
/// its own.
fn is_known_refusal(body: &[u8]) -> bool {
    let refusal: Result<BasicErrorResponse, _> = serde_json::from_slice(body);
    refusal.is_ok_and(|refusal| {
        let word: &str = refusal.error().as_ref();
        GRANT_FAULTS.contains(&word) || CLIENT_FAULTS.contains(&word)
    })
}

/// Whether a word has the shape that those of RFC 6749, its registry and Google have: small letters and digits, joined by
/// underscores. `Not Found` or `forbidden` comes from something between, and ends no grant.
fn is_oauth_word(word: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    word.contains('_') && word.split('_').all(is_part)
}
