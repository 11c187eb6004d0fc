//! `/o/oauth2/v2/auth`: the consent, asked and answered.
//!
//! Owns the checks of the request and what a decision leads to. It never writes HTML (`page` does). Invariant: nobody
//! is redirected to an address that is not registered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use url::Url;

use super::super::Shared;
use super::super::call::{Answer, Call, Content, perform};
use super::super::scope::{full_name, is_known, is_optional};
use super::super::world::{Challenge, Code};
use super::draw;
use super::page::{self, Language};

/// A request that may be put to a person.
#[derive(Debug)]
pub(crate) struct Consent {
    pub(crate) redirect_uri: Url,
    pub(crate) scopes: Vec<String>,
    pub(crate) login_hint: Option<String>,
    redirect_uri_as_sent: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<Challenge>,
    offline: bool,
    forced: bool,
    incremental: bool,
}

/// Why a request is not put to anybody: Google's word, and what it means.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) meaning: &'static str,
}

fn unfit(status: u16, error: &'static str, meaning: &'static str) -> Unfit {
    Unfit { status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), error, meaning }
}

impl Consent {
    fn read(shared: &Shared, query: Option<&str>) -> Result<Self, Unfit> {
        let sent: Vec<(String, String)> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let value = |name: &str| {
            sent.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let owned = |name: &str| value(name).map(ToOwned::to_owned);
        let client_id =
            value("client_id").ok_or_else(|| unfit(400, "invalid_request", "Missing required parameter: client_id"))?;
        if client_id != shared.client_id {
            return Err(unfit(401, "invalid_client", "The OAuth client was not found."));
        }
        let redirect_uri_as_sent = owned("redirect_uri")
            .ok_or_else(|| unfit(400, "invalid_request", "Missing required parameter: redirect_uri"))?;
        let redirect_uri = registered(shared, &redirect_uri_as_sent).ok_or_else(|| {
            unfit(400, "redirect_uri_mismatch", "The redirect URI is not registered for this client.")
        })?;
        match value("response_type") {
            Some("code") => {}
            Some(_) => return Err(unfit(400, "unsupported_response_type", "Invalid response_type.")),
            None => return Err(unfit(400, "invalid_request", "Required parameter is missing: response_type")),
        }
        let scopes: Vec<String> = value("scope")
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(ToOwned::to_owned)
            .collect();
        if scopes.is_empty() {
            return Err(unfit(400, "invalid_request", "Missing required parameter: scope"));
        }
        if !scopes.iter().all(|scope| is_known(scope)) {
            return Err(unfit(400, "invalid_scope", "Some requested scopes were invalid."));
        }
        let challenge = match (owned("code_challenge"), value("code_challenge_method")) {
            (None, None) => None,
            (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(Challenge::S256(challenge)),
            (Some(challenge), None | Some("plain")) => Some(Challenge::Plain(challenge)),
            _ => return Err(unfit(400, "invalid_request", "Invalid code challenge.")),
        };
        Ok(Self {
            redirect_uri,
            redirect_uri_as_sent,
            scopes,
            login_hint: owned("login_hint"),
            state: owned("state"),
            nonce: owned("nonce"),
            challenge,
            offline: value("access_type") == Some("offline"),
            forced: value("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent")),
            incremental: value("include_granted_scopes") == Some("true"),
        })
    }

    /// The address to go back to, with the state that was sent.
    fn back(&self, outcome: &[(&str, &str)]) -> String {
        let mut address = self.redirect_uri.clone();
        {
            let mut pairs = address.query_pairs_mut();
            if let Some(state) = &self.state {
                pairs.append_pair("state", state);
            }
            pairs.extend_pairs(outcome);
        }
        address.into()
    }
}

/// Loopback addresses, and those of the options to the letter.
fn registered(shared: &Shared, sent: &str) -> Option<Url> {
    let address = Url::parse(sent).ok().filter(|address| address.fragment().is_none())?;
    let loopback = address.scheme() == "http"
        && matches!(address.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
        && address.username().is_empty();
    (loopback || shared.redirect_uris.iter().any(|uri| uri == sent)).then_some(address)
}

fn html(status: StatusCode, page: String) -> Answer {
    Answer { status, content: Content::Html(page), changed: false }
}

/// `GET`: shows the consent page.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = Language::of(headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()));
    let consent = Consent::read(&shared, query.as_deref());
    let call = Call { operation: "authorize", ..Call::default() };
    perform(&shared, call, |google, _| {
        Ok(match &consent {
            Ok(consent) => html(StatusCode::OK, page::consent(consent, google.world.accounts.values(), language)),
            Err(unfit) => html(unfit.status, page::unfit(unfit, language)),
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
            Err(unfit) => return Ok(html(unfit.status, page::unfit(unfit, language))),
        };
        let back =
            |address, changed| Answer { status: StatusCode::SEE_OTHER, content: Content::Redirect(address), changed };
        if values("decision").next().map(String::as_str) != Some("allow") {
            return Ok(back(consent.back(&[("error", "access_denied")]), false));
        }
        let Some(account) = account.filter(|account| google.world.accounts.contains_key(account)) else {
            let unknown = unfit(400, "invalid_request", "Unknown account.");
            return Ok(html(unknown.status, page::unfit(&unknown, language)));
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
