//! Google's OAuth 2.0 for web servers: consent, exchange, refresh, revoke.
//!
//! Owns the endpoints, and the checks of client and redirect URI. It never knows what a scope opens (`scope` does).
//! Invariant: a code or a token leaves only for a consent that a person gave on the page, or for a grant that a test asked
//! `control` for.

mod authorize;
mod consent;
mod identity;
mod page;
mod revoke;
mod signature;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use data_encoding::BASE64URL_NOPAD;

use super::world::{AccessToken, Grant};
use super::{CONSENT_PATH, REVOKE_PATH, Shared, TOKEN_PATH};

/// The consent page, the token and the revocation endpoint, and the keys at `/oauth2/v3/certs`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(CONSENT_PATH, get(authorize::show).post(authorize::decide))
        .route(TOKEN_PATH, post(token::issue))
        .route(REVOKE_PATH, post(revoke::revoke))
        .route("/oauth2/v3/certs", get(signature::keys))
}

/// A random code or token: as long as Google's usually are, or `longest` bytes.
fn draw(shared: &Shared, prefix: &str, usual: usize, longest: Option<usize>) -> String {
    let length = longest.unwrap_or(usual);
    let mut token = prefix.to_owned();
    while token.len() < length {
        token.push_str(&BASE64URL_NOPAD.encode(&shared.entropy.bytes::<48>()));
    }
    token.truncate(length);
    token
}

/// Issues an access token of a grant and answers it.
fn issue_access_token(
    shared: &Shared,
    google: &mut super::Google,
    grant_id: u64,
    (account, scopes): (&str, &[String]),
    now: jiff::Timestamp,
) -> String {
    let token = draw(shared, "ya29.a0", 222, google.settings.longest_tokens.then_some(2048));
    let expires_at = now + jiff::SignedDuration::from_secs(google.settings.token_lifetime_seconds);
    let meaning = AccessToken { grant: grant_id, account: account.to_owned(), scopes: scopes.to_vec(), expires_at };
    google.world.grants.add_access_token(token.clone(), meaning, now);
    token
}

/// A grant with its first tokens, as if the account had consented and the code had been exchanged.
pub(crate) fn grant(
    shared: &Shared,
    google: &mut super::Google,
    (account, scopes): (&str, Vec<String>),
    offline: bool,
    now: jiff::Timestamp,
) -> (String, Option<String>) {
    let refresh_token = offline.then(|| draw(shared, "1//0", 103, google.settings.longest_tokens.then_some(512)));
    let grant_id = google.world.grants.add(Grant {
        account: account.to_owned(),
        scopes: scopes.clone(),
        refresh_token: refresh_token.clone(),
        created_at: now,
        used_at: now,
    });
    (issue_access_token(shared, google, grant_id, (account, &scopes), now), refresh_token)
}
