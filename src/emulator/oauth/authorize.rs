//! `/o/oauth2/v2/auth`: the consent, asked and answered.
//!
//! Owns what a decision leads to. It never checks the request (`consent` does) or writes HTML (`page` does). Invariant:
//! nobody is redirected to an address that is not registered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;

use super::super::Shared;
use super::super::call::{Call, perform};
use super::super::response::{Answer, Content};
use super::super::scope::{full_name, is_optional};
use super::super::world::Code;
use super::consent::{Consent, refusal};
use super::draw;
use super::page::{self, Language};

fn html(status: StatusCode, page: String) -> Answer {
    Answer { status, content: Content::Html(page), changed: false }
}

fn back(address: String, changed: bool) -> Answer {
    Answer { status: StatusCode::SEE_OTHER, content: Content::Redirect(address), changed }
}

/// `GET`: shows the consent page, unless the request forbids to.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = Language::of(headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()));
    let consent = Consent::read(&shared, query.as_deref());
    let call = Call { operation: "authorize", ..Call::default() };
    perform(&shared, call, |google, _| {
        Ok(match &consent {
            // Nobody is signed in here: without a page there is no consent.
            Ok(consent) if consent.silent => back(consent.back(&[("error", "interaction_required")]), false),
            Ok(consent) => html(StatusCode::OK, page::consent(consent, google.world.accounts.values(), language)),
            Err(refusal) => html(refusal.status, page::refused(refusal, language)),
        })
    })
    .await
}

/// `POST`: `decision` (`allow` or `deny`), `account`, and each `scope` that stayed ticked.
pub(crate) async fn decide(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let language = Language::of(headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()));
    let consent = Consent::read(&shared, query.as_deref());
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&raw).into_owned().collect();
    let values = |name: &'static str| form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
    let account = values("account").next().cloned();
    let call = Call { operation: "authorize.decide", account: account.clone(), ..Call::default() };
    perform(&shared, call, |google, now| {
        let consent = match &consent {
            Ok(consent) => consent,
            Err(refusal) => return Ok(html(refusal.status, page::refused(refusal, language))),
        };
        if values("decision").next().map(String::as_str) != Some("allow") {
            return Ok(back(consent.back(&[("error", "access_denied")]), false));
        }
        let Some(account) = account.filter(|account| google.world.accounts.contains_key(account)) else {
            let unknown = refusal(400, "invalid_request", "Unknown account.");
            return Ok(html(unknown.status, page::refused(&unknown, language)));
        };
        let mut scopes: Vec<String> = consent
            .scopes
            .iter()
            .filter(|scope| !is_optional(scope) || values("scope").any(|ticked| ticked == *scope))
            .map(|scope| full_name(scope).to_owned())
            .collect();
        if consent.incremental {
            scopes.extend(google.world.grants.scopes(&account).cloned());
        }
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() {
            return Ok(back(consent.back(&[("error", "access_denied")]), false));
        }
        let first = !google.world.grants.stands(&account);
        let code = draw(&shared, "4/0A", 73, google.settings.longest_tokens.then_some(256));
        let granted = scopes.join(" ");
        google.world.grants.add_code(
            code.clone(),
            Code {
                account,
                scopes,
                redirect_uri: consent.redirect_uri_as_sent.clone(),
                challenge: consent.challenge.clone(),
                nonce: consent.nonce.clone(),
                brings_refresh_token: consent.offline && (consent.forced || first),
                expires_at: now + SignedDuration::from_secs(google.settings.code_lifetime_seconds),
            },
        );
        let prompt = if consent.forced { "consent" } else { "none" };
        let outcome = [("code", code.as_str()), ("scope", &granted), ("authuser", "0"), ("prompt", prompt)];
        Ok(back(consent.back(&outcome), true))
    })
    .await
}
