//! Google's JSON.
//!
//! Owns the shapes of Calendar's answers and errors, and the addresses that calls go to. Never interprets them.
//!
//! Invariant: every field that Google may leave out is optional, so that reading fails only on what is no JSON of
//! Google's at all.

use std::collections::HashMap;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use url::Url;

/// Everything but RFC 3986's unreserved characters: calendar ids hold `@` and `#`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An event, as far as it was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventAnswer {
    pub(super) etag: Option<String>,
    pub(super) status: Option<String>,
    pub(super) html_link: Option<String>,
    pub(super) extended_properties: Option<ExtendedProperties>,
}

/// The properties of an event that only this client sees.
#[derive(Deserialize, Default)]
pub(super) struct ExtendedProperties {
    #[serde(default)]
    pub(super) private: HashMap<String, String>,
}

/// What a list of events says about its calendar.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsAnswer {
    pub(super) access_role: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) time_zone: Option<String>,
}

/// A page of a calendar's events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsPage {
    #[serde(default)]
    pub(super) items: Vec<ListedEvent>,
    pub(super) access_role: Option<String>,
    pub(super) next_page_token: Option<String>,
}

/// One event of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedEvent {
    pub(super) id: String,
    pub(super) etag: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) start: Option<ListedMoment>,
    pub(super) end: Option<ListedMoment>,
    pub(super) source: Option<ListedSource>,
    pub(super) creator: Option<ListedCreator>,
    pub(super) visibility: Option<String>,
    /// Of one instance of an event that repeats: the event.
    pub(super) recurring_event_id: Option<String>,
    pub(super) extended_properties: Option<ExtendedProperties>,
}

/// A start or an end; without an instant, of a whole day.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedMoment {
    pub(super) date_time: Option<String>,
}

/// The page that an event links to.
#[derive(Deserialize)]
pub(super) struct ListedSource {
    pub(super) url: Option<String>,
}

/// Who created an event.
#[derive(Deserialize)]
pub(super) struct ListedCreator {
    pub(super) email: Option<String>,
}

/// A page of the account's calendars.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarPage {
    #[serde(default)]
    pub(super) items: Vec<CalendarEntry>,
    pub(super) next_page_token: Option<String>,
}

/// One of the account's calendars.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarEntry {
    pub(super) id: String,
    pub(super) summary: Option<String>,
    pub(super) summary_override: Option<String>,
    pub(super) primary: Option<bool>,
    pub(super) access_role: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) background_color: Option<String>,
    pub(super) deleted: Option<bool>,
}

/// The body of an error.
#[derive(Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

/// What Calendar and its front end say in an error.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) errors: Vec<ErrorEntry>,
    pub(super) code: Option<u16>,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) details: Vec<ErrorDetail>,
}

impl ErrorBody {
    /// Whether Google wrote it: Calendar gives reasons and the code, its front end the code and a status.
    pub(super) fn is_of_google(&self) -> bool {
        let has_reason = self.errors.iter().any(|error| error.reason.is_some());
        self.code.is_some() && (has_reason || self.status.is_some())
    }
}

/// One of Calendar's reasons.
#[derive(Deserialize)]
pub(super) struct ErrorEntry {
    pub(super) reason: Option<String>,
}

/// One detail of the front end; of the kinds there are, `ErrorInfo` has a reason and metadata.
#[derive(Deserialize)]
pub(super) struct ErrorDetail {
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: serde_json::Value,
}

/// The address of `segments` (each one encoded here) below `base`, with a query.
///
/// It is put together as text: a [`Url`] would resolve the segment `..`, and with it leave the calendar it names.
pub(super) fn address(base: &Url, segments: &[&str], query: &[(&str, &str)]) -> Uri {
    let mut address = base.as_str().trim_end_matches('/').to_owned();
    for segment in segments {
        address.push('/');
        match segment.bytes().all(|b| b == b'.') {
            true => address.push_str(&"%2E".repeat(segment.len())),
            false => address.extend(utf8_percent_encode(segment, SEGMENT)),
        }
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{address}?{query}").parse().expect("what is percent-encoded below a valid address is a valid address")
}

/// The same address in the type that the transport takes.
pub(super) fn uri(url: &Url) -> Uri {
    url.as_str().parse().expect("an endpoint was checked to be an address when the settings were read")
}

/// A word of Google as it may be stored, logged and shown: letters, digits and a few signs, not long.
pub(super) fn plain_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match (1..=64).contains(&word.len()) && word.chars().all(plain) {
        true => word.to_owned(),
        false => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment_whatever_it_holds() {
        let base: Url = "https://www.googleapis.com/calendar/v3/".parse().expect("an address");
        for (id, encoded) in [
            ("cabinet@example.fr", "cabinet%40example.fr"),
            ("fr.french#holiday@group.v.calendar.google.com", "fr.french%23holiday%40group.v.calendar.google.com"),
            ("../../a?b=c", "..%2F..%2Fa%3Fb%3Dc"),
            ("..", "%2E%2E"),
            ("é %", "%C3%A9%20%25"),
        ] {
            let address = address(&base, &["calendars", id, "events"], &[("destination", "a@b&c")]);
            let expected =
                format!("https://www.googleapis.com/calendar/v3/calendars/{encoded}/events?destination=a%40b%26c");
            assert_eq!(address.to_string(), expected);
        }
    }

    #[test]
    fn a_word_of_google_is_a_word() {
        let long = "a".repeat(65);
        for (word, plain) in
            [("timeRangeEmpty", "timeRangeEmpty"), ("", "unknown"), ("Bonjour Mme X", "unknown"), (&long, "unknown")]
        {
            assert_eq!(plain_word(word), plain);
        }
    }
}
