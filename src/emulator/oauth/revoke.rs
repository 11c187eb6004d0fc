//! `/revoke`: by access or refresh token, for the whole project.
//!
//! Owns that endpoint. It never asks for a client. Invariant: it ends every grant of the account, not the named one
//! alone.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

use super::super::Shared;
use super::super::call::{Call, perform};
use super::super::refusal::Refusal;
use super::super::response::Answer;

/// `POST /revoke` with `token` in the body or the query.
pub(crate) async fn revoke(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, raw: Bytes) -> Response {
    let query = query.unwrap_or_default();
    let token = url::form_urlencoded::parse(&raw)
        .chain(url::form_urlencoded::parse(query.as_bytes()))
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned());
    let account = token.as_deref().and_then(|token| {
        let (google, now) = (shared.lock(), shared.now());
        let grants = &google.world.grants;
        let of_access = grants.access(token, now).map(|token| token.account.clone());
        of_access.or_else(|| {
            let testing = google.settings.consent_screen_testing;
            grants.by_refresh_token(token, now, testing).map(|(_, grant)| grant.account.clone())
        })
    });
    let call = Call { operation: "revoke", account: account.clone(), ..Call::default() };
    perform(&shared, call, |google, _| {
        if token.is_none() {
            return Err(Refusal::oauth(400, "invalid_request", "Missing required parameter: token"));
        }
        match account {
            Some(account) if google.world.grants.revoke(&account) => Ok(Answer::written(json!({}))),
            _ => Err(Refusal::oauth(400, "invalid_token", "Token expired or revoked")),
        }
    })
    .await
}
