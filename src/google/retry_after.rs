//! How long Google asks to wait.
//!
//! Owns the reading of `Retry-After`. Never waits. Invariant: what it answers lies between nothing and a day.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// No answer, however strange, stops a link for longer.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The wait that an answer asks for, given in seconds or as a date; `None` if it asks for none that can be read.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        true => text.parse().map_or(MAX_RETRY_AFTER, SignedDuration::from_secs),
        false => DateTimeParser::new().parse_timestamp(text).ok()?.duration_since(now),
    };
    Some(wait.clamp(SignedDuration::ZERO, MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_nonsense_is_not() {
        let now: Timestamp = "2026-10-30T10:00:00Z".parse().expect("an instant");
        let cases = [
            ("0", Some(0)),
            ("17", Some(17)),
            (" 17 ", Some(17)),
            ("99999999999999999999999999", Some(86_400)),
            ("9223372036854775807", Some(86_400)),
            ("Fri, 30 Oct 2026 10:01:30 GMT", Some(90)),
            ("Fri, 30 Oct 2026 09:00:00 GMT", Some(0)),
            ("Fri, 30 Oct 2099 09:00:00 GMT", Some(86_400)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ];
        for (text, seconds) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), seconds.map(SignedDuration::from_secs), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
