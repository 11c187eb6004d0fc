//! The cookies of a browser, as its headers carry them.
//!
//! Owns how one is read, set and cleared. Never knows what one is for. Invariant: what may have been planted, since it
//! stands there twice with two values, is none.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

/// More than any cookie of ours has.
pub(super) const MAX_COOKIE_VALUE_BYTES: usize = 256;

/// The value of a cookie. Two that differ are none: one of them was planted.
///
/// The pairs are read as bytes: what other cookies of the site hold, such as names of people, need be no ASCII.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=')?;
        (pair[..end].trim_ascii() == name.as_bytes()).then(|| pair[end + 1..].trim_ascii())
    });
    let value = values.next()?;
    let is_one = values.all(|other| other == value) && (1..=MAX_COOKIE_VALUE_BYTES).contains(&value.len());
    str::from_utf8(value).ok().filter(|_| is_one).map(str::to_owned)
}

/// Sets a cookie, or clears it with an age of 0.
pub(super) fn set_cookie(response: &mut Response, name: &str, value: &str, max_age_seconds: i64, is_https: bool) {
    let cookie = cookie::Cookie::build((name, value))
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
