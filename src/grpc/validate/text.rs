//! Texts, addresses and calendar ids.
//!
//! Owns how long they may be, and which characters have no place in them. Never neutralises a text: that is done where
//! it is rendered. Invariant: what passes holds no NUL, which PostgreSQL cannot hold.

use url::Url;

use super::Check;
use crate::model::CalendarId;

const MAX_URL_CHARS: usize = 2_048;
const MAX_CALENDAR_ID_CHARS: usize = 1_024;

/// Whether a text has at most `limit` characters. Bytes first: a megabyte is refused without being counted through.
fn fits(text: &str, limit: usize) -> bool {
    text.len() <= limit || (text.len() <= limit * 4 && text.chars().count() <= limit)
}

impl Check<'_> {
    /// A text that people wrote. Marks and control characters are let through, to be neutralised where it is rendered;
    /// a NUL is not, since PostgreSQL cannot hold it.
    pub(super) fn text(&mut self, field: &str, text: &str, limit: usize) -> Option<String> {
        if !fits(text, limit) {
            return self.fault(field, format_args!("must not be longer than {limit} characters"));
        }
        if text.contains('\0') {
            return self.fault(field, "must not hold a NUL character");
        }
        Some(text.to_owned())
    }

    /// The address of a page, as a parser normalises it: what was checked is what is kept. Empty: none.
    pub(super) fn url(&mut self, field: &str, text: &str) -> Option<Option<String>> {
        if text.is_empty() {
            return Some(None);
        }
        if !fits(text, MAX_URL_CHARS) {
            return self.fault(field, "must not be longer than 2,048 characters");
        }
        // The parser would drop these silently, and take `\` for `/`.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return self.fault(field, "must not hold blanks, control characters or backslashes");
        }
        let Ok(url) = Url::parse(text) else { return self.fault(field, "must be an absolute URL") };
        if !matches!(url.scheme(), "http" | "https") || !text[url.scheme().len()..].starts_with("://") {
            return self.fault(field, "must begin with http:// or https://");
        }
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return self.fault(field, "must not hold a user name or a password");
        }
        Some(Some(url.into()))
    }

    pub(super) fn calendar_id(&mut self, field: &str, text: &str) -> Option<CalendarId> {
        if text.trim().is_empty() {
            return self.fault(field, "is required");
        }
        if !fits(text, MAX_CALENDAR_ID_CHARS) {
            return self.fault(field, "must not be longer than 1,024 characters");
        }
        if text.chars().any(char::is_control) {
            return self.fault(field, "must not hold control characters");
        }
        Some(CalendarId::new(text))
    }
}

/// What stands between `://` and the path.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
