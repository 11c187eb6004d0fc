//! The sidecar: the two addresses that a browser comes to on its way to Google's consent and back.
//!
//! Owns the browser's side of a consent: the cookie with the one-time ticket, the redirects, and a few plain pages. Never
//! decides what a consent is worth (that is `connection`), and never shows anything that came with a request. It takes
//! `Secret` from `crypto`, since tickets and codes are secrets from the first moment.
//!
//! Invariant: whatever is asked, the answer is not stored, not framed, runs no script, and tells no other site where it
//! came from.

mod listen;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use url::{Url, form_urlencoded};

use crate::config::{CALLBACK_PATH, CONNECT_PATH};
use crate::connection::{
    CONSENT_LIFETIME, COOKIE_NAME, Callback, Completed, ConsentOutcome, Consents, Error, StoreError,
};
use crate::crypto::Secret;
use crate::error_chain::error_chain;
use crate::language::Language;
use pages::Page;

pub use listen::{Limits, serve};

/// The parameter of the return URL that tells how the consent ended.
const OUTCOME: &str = "google";
const MAX_TICKET_BYTES: usize = 256;
const MAX_STATE_BYTES: usize = 512;
/// Google's codes have at most 256 bytes today.
const MAX_CODE_BYTES: usize = 2_048;
const MAX_ERROR_BYTES: usize = 128;

/// What the sidecar works with.
#[derive(Debug, Clone)]
pub struct Sidecar {
    /// Behind both addresses.
    pub consents: Consents,
    /// Whether a ticket in the connect URL is taken, and put into the cookie here: for development and grpcurl.
    pub ticket_in_url: bool,
    /// Whether browsers reach the sidecar by https, so that the cookie is kept from plain connections.
    pub is_https: bool,
}

/// Both addresses and nothing else.
pub fn router(sidecar: Sidecar) -> Router {
    // HEAD would be answered as GET is, and a consent is taken but once: nobody but a browser that goes there may take it.
    let method_not_allowed = async || StatusCode::METHOD_NOT_ALLOWED;
    Router::new()
        .route(CONNECT_PATH, get(connect).head(method_not_allowed))
        .route(CALLBACK_PATH, get(callback).head(method_not_allowed))
        .with_state(Arc::new(sidecar))
        .layer(middleware::map_response(async |mut response: Response| {
            response.headers_mut().extend(pages::headers());
            response
        }))
}

/// Takes a browser with a ticket to Google's consent page.
async fn connect(State(sidecar): State<Arc<Sidecar>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = language(&headers);
    let in_url =
        query.filter(|_| sidecar.ticket_in_url).and_then(|query| parameter(&query, "ticket", MAX_TICKET_BYTES));
    // A ticket in the URL is newer than whatever an earlier one left in the cookie.
    let Some(ticket) = in_url.clone().or_else(|| ticket(&headers)) else { return Page::Start.answer(language) };
    let consent_page = match sidecar.consents.start(&Secret::from(ticket)).await {
        Ok(Some(url)) => url,
        Ok(None) => return Page::Start.answer(language),
        Err(error) => return failed(&error, language),
    };
    let mut response = see_other(&consent_page);
    if let Some(ticket) = in_url {
        set_cookie(&mut response, &ticket, CONSENT_LIFETIME.as_secs(), sidecar.is_https);
    }
    response
}

/// Takes a browser back from Google to where it came from.
async fn callback(State(sidecar): State<Arc<Sidecar>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = language(&headers);
    let query = query.unwrap_or_default();
    let ticket = ticket(&headers).map(Secret::from);
    let callback = Callback {
        state: parameter(&query, "state", MAX_STATE_BYTES),
        code: parameter(&query, "code", MAX_CODE_BYTES).map(Secret::from),
        error: parameter(&query, "error", MAX_ERROR_BYTES),
    };
    let Completed { outcome, return_url } = match sidecar.consents.complete(ticket.as_ref(), callback).await {
        Ok(completed) => completed,
        Err(error) => return failed(&error, language),
    };
    let return_url = return_url.and_then(|url| Url::parse(&url).ok());
    let mut response = match return_url {
        Some(url) => see_other(&with_outcome(url, outcome)),
        None => Page::Ended(outcome).answer(language),
    };
    // A callback that belongs to no consent may be somebody's forgery: it must not end the one that is under way.
    if outcome != ConsentOutcome::Expired {
        set_cookie(&mut response, "", 0, sidecar.is_https);
    }
    response
}

fn failed(error: &Error, language: Language) -> Response {
    match error {
        Error::Store(StoreError::Unavailable(_)) => {
            tracing::warn!(
                error = %error_chain(error),
                "a consent was put off: the database is unavailable"
            );
        }
        error => {
            tracing::error!(error = %error_chain(error), "a consent could not be served");
        }
    }
    Page::Unavailable.answer(language)
}

fn see_other(url: &Url) -> Response {
    let location = HeaderValue::from_str(url.as_str()).expect("a parsed URL is ASCII without control characters");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// The return URL with the outcome's word in its query, in place of one that an earlier consent left there.
fn with_outcome(mut url: Url, outcome: ConsentOutcome) -> Url {
    let kept: Vec<_> = url.query_pairs().filter(|(name, _)| name != OUTCOME).map(|pair| pair_of(&pair)).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(OUTCOME, outcome.as_str());
    url
}

fn pair_of((name, value): &(impl AsRef<str>, impl AsRef<str>)) -> (String, String) {
    (name.as_ref().to_owned(), value.as_ref().to_owned())
}

/// A parameter that stands in the query once, is not empty, and is no longer than it can be.
fn parameter(query: &str, name: &str, max_bytes: usize) -> Option<String> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
    let (value, None) = (values.next()?, values.next()) else { return None };
    (1..=max_bytes).contains(&value.len()).then(|| value.into_owned())
}

/// The ticket in the cookie. Two that differ are none: one of them was planted.
fn ticket(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = values.flat_map(cookie::Cookie::split_parse).filter_map(Result::ok);
    let mut tickets = cookies.filter(|cookie| cookie.name() == COOKIE_NAME).map(|cookie| cookie.value().to_owned());
    let ticket = tickets.next()?;
    (tickets.all(|other| other == ticket) && (1..=MAX_TICKET_BYTES).contains(&ticket.len())).then_some(ticket)
}

/// Sets the cookie, or clears it with an age of 0.
fn set_cookie(response: &mut Response, value: &str, max_age_seconds: i64, is_https: bool) {
    let cookie = cookie::Cookie::build((COOKIE_NAME, value))
        .path("/")
        .http_only(true)
        .same_site(cookie::SameSite::Lax)
        .secure(is_https)
        .max_age(cookie::time::Duration::seconds(max_age_seconds));
    // A ticket that no header could hold would not have been found either.
    if let Ok(value) = HeaderValue::from_str(&cookie.build().to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn language(headers: &HeaderMap) -> Language {
    Language::preferred(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

#[cfg(test)]
mod tests;
