//! The sidecar: the two addresses that a browser comes to on its way to Google's consent and back.
//!
//! Owns the browser's side of a consent: the cookie with the one-time ticket, the redirects, and a few plain pages. Never
//! decides what a consent is worth (that is `connection`), and never shows anything that came with a request. Where
//! a consent has to be confirmed, the page that asks is the callback's answer, and its form leads to the callback again.
//! It takes `Secret` from `crypto`, since tickets and codes are secrets from the first moment.
//!
//! Invariant: whatever is asked, the answer is not stored, not framed, runs no script, and tells no other site where it
//! came from.

mod cookies;
mod listen;
mod metrics;
mod pages;
mod question;

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use url::{Url, form_urlencoded};

use crate::config::{CALLBACK_PATH, CONNECT_PATH};
use crate::connection::{
    CONSENT_LIFETIME, Callback, Completed, ConsentOutcome, Consents, Error, HANDLE, Returned, StoreError,
    browser_cookie_name, cookie_name, handle_in, handle_of, own_cookie_name,
};
use crate::crypto::{ExposeSecret as _, Secret};
use crate::error_chain::error_chain;
use crate::language::Language;
use crate::model::{GrantEnd, Provider};
use cookies::{MAX_COOKIE_VALUE_BYTES, cookie, set_cookie};
use pages::Page;

pub use axum::Router;
pub use listen::{Limits, serve};
pub use metrics::metrics_router;

/// The parameter of the return URL that tells how the consent ended.
const OUTCOME: &str = Provider::Google.as_str();
/// The parameter beside it that tells of an access that nobody keeps and that may still stand at Google.
const GRANT: &str = "google-grant";
const MAX_TICKET_BYTES: usize = MAX_COOKIE_VALUE_BYTES;
const MAX_HANDLE_BYTES: usize = 64;
const MAX_STATE_BYTES: usize = 512;
/// Google's codes have at most 256 bytes today.
const MAX_CODE_BYTES: usize = 2_048;
const MAX_ERROR_BYTES: usize = 128;
const MAX_ISSUER_BYTES: usize = 256;
/// The parameter by which the page that asks comes back, and the word that keeps the grant.
const ANSWER: &str = "answer";
const CONFIRM: &str = "connect";
/// More than what servers and proxies take of cookies by default: a browser that sends so many is told to clear them.
const MAX_COOKIE_BYTES: usize = 16 * 1024;

/// What the sidecar works with.
#[derive(Debug, Clone)]
pub struct Sidecar {
    /// Behind both addresses.
    pub consents: Consents,
    /// Whether a ticket in the connect URL is taken, and put into the cookie here: for development and grpcurl.
    pub ticket_in_url: bool,
    /// Whether browsers reach the sidecar by https, so that the cookies are kept from plain connections.
    pub is_https: bool,
    /// Where Cassius is: pages lead back there. `None`: they lead nowhere.
    pub app_url: Option<Url>,
}

impl Sidecar {
    /// A page that leads back to Cassius.
    fn page(&self, page: Page, language: Language) -> Response {
        page.answer(language, self.app_url.as_ref())
    }

    fn failed(&self, error: &Error, language: Language) -> Response {
        match error {
            Error::Store(StoreError::Unavailable(_)) => {
                tracing::warn!(error = %error_chain(error), "a consent was put off: the database is unavailable");
            }
            error => tracing::error!(error = %error_chain(error), "a consent could not be served"),
        }
        self.page(Page::Unavailable, language)
    }

    /// The ticket of the consent that is meant: from the cookie of its own, or from the one that a host of an earlier
    /// version keeps the ticket of every consent in.
    fn ticket(&self, headers: &HeaderMap, handle: Option<&str>) -> Option<String> {
        let own = handle.and_then(|handle| cookie(headers, &own_cookie_name(handle, self.is_https)));
        own.or_else(|| cookie(headers, cookie_name(self.is_https)))
    }

    /// What the browser is recognised by that comes back with this state.
    fn browser(&self, headers: &HeaderMap, state: Option<&str>) -> Option<Secret> {
        let name = browser_cookie_name(state.and_then(handle_in), self.is_https);
        cookie(headers, &name).map(Secret::from)
    }
}

/// Both addresses and nothing else.
pub fn router(sidecar: Sidecar) -> Router {
    let sidecar = Arc::new(sidecar);
    // HEAD would be answered as GET is, and a consent is taken but once: nobody but a browser that goes there may take it.
    Router::new()
        .route(CONNECT_PATH, get(connect).head(method_not_allowed).fallback(method_not_allowed))
        .route(CALLBACK_PATH, get(callback).head(method_not_allowed).fallback(method_not_allowed))
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(sidecar.clone(), refuse_too_many_cookies))
        .with_state(sidecar)
        .layer(middleware::map_response(async |mut response: Response| {
            pages::guard(response.headers_mut());
            response
        }))
}

async fn refuse_too_many_cookies(State(sidecar): State<Arc<Sidecar>>, request: Request, next: Next) -> Response {
    let cookies = request.headers().get_all(header::COOKIE).iter().map(HeaderValue::len).sum::<usize>();
    match cookies > MAX_COOKIE_BYTES {
        true => sidecar.page(Page::TooManyCookies, language(request.headers())),
        false => next.run(request).await,
    }
}

async fn not_found(State(sidecar): State<Arc<Sidecar>>, headers: HeaderMap) -> Response {
    sidecar.page(Page::NotFound, language(&headers))
}

async fn method_not_allowed(State(sidecar): State<Arc<Sidecar>>, headers: HeaderMap) -> Response {
    let mut response = sidecar.page(Page::MethodNotAllowed, language(&headers));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

/// Takes a browser with a ticket to Google's consent page.
async fn connect(State(sidecar): State<Arc<Sidecar>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = language(&headers);
    let query = query.unwrap_or_default();
    let Ok(handle) = parameter(&query, HANDLE, MAX_HANDLE_BYTES) else {
        return sidecar.page(Page::Start, language);
    };
    let in_url = sidecar.ticket_in_url.then(|| parameter(&query, "ticket", MAX_TICKET_BYTES).ok()).flatten().flatten();
    // A ticket in the URL is newer than whatever an earlier one left in the cookie.
    let Some(ticket) = in_url.clone().or_else(|| sidecar.ticket(&headers, handle.as_deref())).map(Secret::from) else {
        return sidecar.page(Page::Start, language);
    };
    // Another tab's ticket would connect this tab's account to that one's practice. An address of an earlier version names
    // no consent, and takes the ticket that is there.
    if handle.is_some_and(|handle| handle != handle_of(&ticket)) {
        return sidecar.page(Page::Overtaken, language);
    }
    let redirect = match sidecar.consents.start(&ticket).await {
        Ok(Some(redirect)) => redirect,
        Ok(None) => return sidecar.page(Page::Start, language),
        Err(error) => return sidecar.failed(&error, language),
    };
    let mut response = see_other(&redirect.consent_page);
    let (lifetime, handle) = (CONSENT_LIFETIME.as_secs(), handle_of(&ticket));
    if in_url.is_some() {
        let name = own_cookie_name(&handle, sidecar.is_https);
        set_cookie(&mut response, &name, ticket.expose_secret(), lifetime, sidecar.is_https);
    }
    let name = browser_cookie_name(Some(&handle), sidecar.is_https);
    set_cookie(&mut response, &name, redirect.browser.expose_secret(), lifetime, sidecar.is_https);
    response
}

/// Takes a browser back from Google, or from the page that asks, to where it came from.
async fn callback(State(sidecar): State<Arc<Sidecar>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = language(&headers);
    let Ok(asked) = CallbackQuery::of(&query.unwrap_or_default()) else {
        // No answer of Google's looks like this: it ends no consent.
        return sidecar.page(Page::Ended(ConsentOutcome::Expired, None), language);
    };
    let returned = match asked {
        CallbackQuery::Complete(callback) => {
            let browser = sidecar.browser(&headers, callback.state.as_deref());
            sidecar.consents.complete(browser.as_ref(), callback).await
        }
        CallbackQuery::Answer { state, is_confirmed } => {
            let browser = sidecar.browser(&headers, state.as_deref());
            sidecar.consents.answer(browser.as_ref(), state, is_confirmed).await
        }
    };
    match returned {
        Ok(Returned::Asked(question)) => question::answer(&question, language),
        Ok(Returned::Ended(completed)) => sidecar.lead_back(&completed, &headers, language),
        Err(error) => sidecar.failed(&error, language),
    }
}

/// What the callback's address asks for.
enum CallbackQuery {
    /// Google has sent the browser back.
    Complete(Callback),
    /// The person has answered the page that asks.
    Answer { state: Option<String>, is_confirmed: bool },
}

impl CallbackQuery {
    fn of(query: &str) -> Result<Self, Misshapen> {
        let state = parameter(query, "state", MAX_STATE_BYTES)?;
        if let Some(answer) = parameter(query, ANSWER, MAX_ERROR_BYTES)? {
            return Ok(Self::Answer { state, is_confirmed: answer == CONFIRM });
        }
        Ok(Self::Complete(Callback {
            state,
            code: parameter(query, "code", MAX_CODE_BYTES)?.map(Secret::from),
            error: parameter(query, "error", MAX_ERROR_BYTES)?,
            issuer: parameter(query, "iss", MAX_ISSUER_BYTES)?,
        }))
    }
}

impl Sidecar {
    /// Leads a browser whose consent has ended back to where it came from.
    fn lead_back(&self, completed: &Completed, headers: &HeaderMap, language: Language) -> Response {
        let outcome = completed.outcome;
        let page = Page::Ended(outcome, completed.grant_end);
        let return_url = completed.return_url.as_deref().and_then(|url| Url::parse(url).ok());
        // A callback that belongs to no consent may be somebody's forgery: it ends on a page of ours, and takes no ticket
        // from a consent that is under way.
        if outcome == ConsentOutcome::Expired {
            return page.answer(language, return_url.as_ref().or(self.app_url.as_ref()));
        }
        let mut response = match return_url {
            Some(url) => see_other(&with_outcome(url, outcome, completed.grant_end)),
            None => self.page(page, language),
        };
        let own = completed.handle().map(|handle| own_cookie_name(&handle, self.is_https));
        for name in own.into_iter().chain([cookie_name(self.is_https).to_owned()]) {
            // Another tab may have put its own ticket there meanwhile.
            if cookie(headers, &name).is_some_and(|ticket| completed.began_with(&Secret::from(ticket))) {
                set_cookie(&mut response, &name, "", 0, self.is_https);
            }
        }
        response
    }
}

fn see_other(url: &Url) -> Response {
    let location = HeaderValue::from_str(url.as_str()).expect("a parsed URL is ASCII without control characters");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// The return URL with the outcome's word in its query, in place of one that an earlier consent left there; also whether the
/// access that nobody keeps may still stand at Google.
fn with_outcome(mut url: Url, outcome: ConsentOutcome, grant_end: Option<GrantEnd>) -> Url {
    let is_ours = |name: &str| [OUTCOME, GRANT].contains(&name);
    let kept: Vec<_> = url.query_pairs().filter(|(name, _)| !is_ours(name)).map(|pair| pair_of(&pair)).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(OUTCOME, outcome.as_str());
    match grant_end {
        Some(GrantEnd::Pending) => url.query_pairs_mut().append_pair(GRANT, "pending"),
        Some(GrantEnd::Refused) => url.query_pairs_mut().append_pair(GRANT, "refused"),
        Some(GrantEnd::Revoked | GrantEnd::Shared) | None => return url,
    };
    url
}

fn pair_of((name, value): &(impl AsRef<str>, impl AsRef<str>)) -> (String, String) {
    (name.as_ref().to_owned(), value.as_ref().to_owned())
}

/// A parameter that stands twice, or is longer than it can be.
#[derive(Debug, PartialEq, Eq)]
struct Misshapen;

/// A parameter of the query; `None`: it is not there, or empty.
fn parameter(query: &str, name: &str, max_bytes: usize) -> Result<Option<String>, Misshapen> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.len() > max_bytes {
        return Err(Misshapen);
    }
    Ok(Some(value.into_owned()).filter(|value| !value.is_empty()))
}

fn language(headers: &HeaderMap) -> Language {
    Language::preferred(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

#[cfg(test)]
mod tests;
