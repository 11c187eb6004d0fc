//! `/token`: codes become tokens, refresh tokens become access tokens.
//!
//! Owns the client's authentication and both grants. It never shows a page. Invariant: a code is taken at the first
//! try, whether that succeeds or not, and a refresh brings no refresh token.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::call::{Call, perform};
use super::super::refusal::Refusal;
use super::super::response::Answer;
use super::super::world::Challenge;
use super::super::{Google, Shared};
use super::identity::id_token;
use super::{grant, issue_access_token};

/// The form that was sent.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(raw: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(raw).into_owned().collect())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.value(name).filter(|value| !value.is_empty()).ok_or(Refusal::oauth(400, "invalid_request", missing))
    }
}

/// `POST /token`.
pub(crate) async fn issue(State(shared): State<Arc<Shared>>, headers: HeaderMap, raw: Bytes) -> Response {
    let form = Form::read(&raw);
    let operation = match form.value("grant_type") {
        Some("authorization_code") => "token.code",
        Some("refresh_token") => "token.refresh",
        _ => "token.unknown",
    };
    let account = {
        let (google, now) = (shared.lock(), shared.now());
        let grants = &google.world.grants;
        let of_code = form.value("code").and_then(|code| grants.account_of_code(code));
        let of_token = || {
            let token = form.value("refresh_token")?;
            grants.by_refresh_token(token, now, false).map(|(_, grant)| grant.account.as_str())
        };
        of_code.or_else(of_token).map(ToOwned::to_owned)
    };
    let call = Call { operation, account, ..Call::default() };
    perform(&shared, call, |google, now| {
        client(&shared, &headers, &form)?;
        match operation {
            "token.code" => exchange(&shared, google, &form, now),
            "token.refresh" => refresh(&shared, google, &form, now),
            _ => Err(Refusal::oauth(400, "unsupported_grant_type", "Invalid grant_type.")),
        }
    })
    .await
}

/// Checks the client: by `Authorization: Basic`, or in the body.
fn client(shared: &Shared, headers: &HeaderMap, form: &Form) -> Result<(), Refusal> {
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let encoded = value.strip_prefix("Basic ")?;
        let pair = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        Some((plain(id), plain(secret)))
    });
    let (id, secret) = match basic {
        Some(pair) => pair,
        None => (
            form.required("client_id", "Could not determine client ID from request.")?.to_owned(),
            form.required("client_secret", "client_secret is missing.")?.to_owned(),
        ),
    };
    if id != shared.client_id {
        return Err(Refusal::oauth(401, "invalid_client", "The OAuth client was not found."));
    }
    if secret != shared.client_secret {
        return Err(Refusal::oauth(401, "invalid_client", "The provided client secret is invalid."));
    }
    Ok(())
}

fn exchange(shared: &Shared, google: &mut Google, form: &Form, now: Timestamp) -> Result<Answer, Refusal> {
    let code = form.required("code", "Missing required parameter: code")?;
    let redirect_uri = form.required("redirect_uri", "Missing parameter: redirect_uri")?;
    let code =
        google.world.grants.take_code(code, now).ok_or(Refusal::oauth(400, "invalid_grant", "Malformed auth code."))?;
    if code.redirect_uri != redirect_uri {
        return Err(Refusal::oauth(400, "redirect_uri_mismatch", "Bad Request"));
    }
    if let Some(challenge) = &code.challenge {
        let verifier = form.value("code_verifier").filter(|verifier| !verifier.is_empty()).ok_or(Refusal::oauth(
            400,
            "invalid_grant",
            "Missing code verifier.",
        ))?;
        if !answers(challenge, verifier) {
            return Err(Refusal::oauth(400, "invalid_grant", "Invalid code verifier."));
        }
    }
    let offline = code.brings_refresh_token && !google.settings.omit_refresh_token;
    let (access_token, refresh_token) = grant(shared, google, (&code.account, code.scopes.clone()), offline, now);
    let mut answer = tokens(shared, google, &code.account, &code.scopes, code.nonce.as_deref(), access_token, now);
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = json!(refresh_token);
    }
    Ok(Answer::written(answer))
}

fn refresh(shared: &Shared, google: &mut Google, form: &Form, now: Timestamp) -> Result<Answer, Refusal> {
    let token = form.required("refresh_token", "Missing required parameter: refresh_token")?;
    let testing = google.settings.consent_screen_testing;
    let (id, account, scopes) = google
        .world
        .grants
        .by_refresh_token(token, now, testing)
        .map(|(id, grant)| (id, grant.account.clone(), grant.scopes.clone()))
        .ok_or(Refusal::oauth(400, "invalid_grant", "Token has been expired or revoked."))?;
    google.world.grants.used(id, now);
    let access_token = issue_access_token(shared, google, id, (&account, &scopes), now);
    Ok(Answer::written(tokens(shared, google, &account, &scopes, None, access_token, now)))
}

fn tokens(
    shared: &Shared,
    google: &Google,
    account: &str,
    scopes: &[String],
    nonce: Option<&str>,
    access_token: String,
    now: Timestamp,
) -> Value {
    let mut answer = json!({
        "access_token": access_token,
        "expires_in": google.settings.token_lifetime_seconds,
        "scope": scopes.join(" "),
        "token_type": "Bearer",
    });
    let account = google.world.accounts.get(account);
    if let Some(id_token) = account.and_then(|account| id_token(shared, account, scopes, nonce, now)) {
        answer["id_token"] = json!(id_token);
    }
    answer
}

fn answers(challenge: &Challenge, verifier: &str) -> bool {
    match challenge {
        Challenge::Plain(challenge) => challenge == verifier,
        Challenge::S256(challenge) => *challenge == BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())),
    }
}
