//! `events.list`.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{Got, Subject, event_with};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        private_properties_find_events: "discovery document, events.list: repeatable, all must match",
        pages_show_every_event_once: "discovery document, events.list: maxResults, pageToken",
        deleted_events_are_shown_on_request: "discovery document, events.list: showDeleted",
        a_window_of_time_takes_what_touches_it: "discovery document, events.list: timeMin and timeMax",
        a_window_that_ends_before_it_begins_is_refused: "guide, errors: 400 timeRangeEmpty",
        a_trimmed_list_of_upcoming_events_goes_on_page_by_page: "discovery document, events.list: fields, timeMin, pageToken",
    ]
}

async fn list(subject: &Subject, query: &[(&str, &str)]) -> Got {
    subject.call(Method::GET, &["calendars", &subject.calendar, "events"], query, None).await
}

fn ids(page: &Got) -> Vec<String> {
    let items = page.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    let mut ids: Vec<String> = items.iter().filter_map(|item| item["id"].as_str().map(ToOwned::to_owned)).collect();
    ids.sort();
    ids
}

fn properties(run: &str, appointment: &str) -> Value {
    json!({"extendedProperties": {"private": {"run": run, "cassiusAppointmentId": appointment}}})
}

async fn insert(subject: &Subject, run: &str, appointments: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for appointment in appointments {
        let id = subject.new_id();
        subject.insert(&event_with(&id, &properties(run, appointment))).await;
        ids.push(id);
    }
    ids.sort();
    ids
}

async fn private_properties_find_events(subject: &Subject, found: &mut Findings) {
    let run = subject.new_id();
    let inserted = insert(subject, &run, &["one", "two"]).await;
    let by_run = format!("run={run}");
    let one = list(subject, &[("privateExtendedProperty", &by_run)]).await;
    found.equal("by one", ids(&one), inserted);
    let both = [("privateExtendedProperty", by_run.as_str()), ("privateExtendedProperty", "cassiusAppointmentId=two")];
    found.equal("by both", ids(&list(subject, &both).await).len(), 1);
    let none = list(subject, &[("privateExtendedProperty", &format!("{by_run}x"))]).await;
    found.equal("by another value", ids(&none).len(), 0);
    found.equal("kind", one.text("kind"), "calendar#events");
    found.equal("zone", one.text("timeZone").is_empty(), false);
}

async fn pages_show_every_event_once(subject: &Subject, found: &mut Findings) {
    let run = subject.new_id();
    let inserted = insert(subject, &run, &["a", "b", "c"]).await;
    let by_run = format!("run={run}");
    let mut seen = Vec::new();
    let mut token = String::new();
    // Google may answer short or empty pages: only a missing token ends a list.
    for _ in 0..20 {
        let mut query = vec![("privateExtendedProperty", by_run.as_str()), ("maxResults", "2")];
        if !token.is_empty() {
            query.push(("pageToken", &token));
        }
        let page = list(subject, &query).await;
        found.equal("size", ids(&page).len() <= 2, true);
        seen.extend(ids(&page));
        page.text("nextPageToken").clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    seen.sort();
    found.equal("all pages", seen, inserted);
    found.equal("no such page", list(subject, &[("pageToken", "nonsense")]).await.status, 400);
}

async fn a_window_that_ends_before_it_begins_is_refused(subject: &Subject, found: &mut Findings) {
    let instant = "2031-03-12T10:00:00Z";
    for until in [instant, "2031-03-12T09:00:00Z"] {
        let refused = list(subject, &[("timeMin", instant), ("timeMax", until)]).await;
        found.equal(until, refused.outcome(), (400, "timeRangeEmpty"));
    }
}

async fn a_trimmed_list_of_upcoming_events_goes_on_page_by_page(subject: &Subject, found: &mut Findings) {
    let run = subject.new_id();
    let inserted = insert(subject, &run, &["a", "b", "c"]).await;
    let by_run = format!("run={run}");
    let fields = "nextPageToken,items(id,etag,start/dateTime,extendedProperties/private)";
    let (mut seen, mut token) = (Vec::new(), String::new());
    for _ in 0..20 {
        let mut query = vec![
            ("privateExtendedProperty", by_run.as_str()),
            ("timeMin", "2031-03-01T00:00:00Z"),
            ("showDeleted", "false"),
            ("maxResults", "1"),
            ("fields", fields),
        ];
        if !token.is_empty() {
            query.push(("pageToken", &token));
        }
        let page = list(subject, &query).await;
        for item in page.body["items"].as_array().map_or(&[][..], Vec::as_slice) {
            found.equal("etag", item["etag"].is_string(), true);
            found.equal("start", item["start"]["dateTime"].is_string(), true);
            found.equal("property", item["extendedProperties"]["private"]["run"].as_str(), Some(run.as_str()));
            found.equal("what was not asked for", item.get("summary"), None);
        }
        seen.extend(ids(&page));
        page.text("nextPageToken").clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    seen.sort();
    found.equal("all pages", seen, inserted);
}

async fn deleted_events_are_shown_on_request(subject: &Subject, found: &mut Findings) {
    let run = subject.new_id();
    let inserted = insert(subject, &run, &["gone"]).await;
    subject.event(Method::DELETE, &inserted[0], None).await;
    let by_run = format!("run={run}");
    let without = list(subject, &[("privateExtendedProperty", &by_run)]).await;
    found.equal("without", ids(&without).len(), 0);
    let with = list(subject, &[("privateExtendedProperty", &by_run), ("showDeleted", "true")]).await;
    found.equal("with", ids(&with), inserted);
    found.equal("status", with.body["items"][0]["status"].as_str(), Some("cancelled"));
}

async fn a_window_of_time_takes_what_touches_it(subject: &Subject, found: &mut Findings) {
    let run = subject.new_id();
    let inserted = insert(subject, &run, &["in"]).await;
    let by_run = format!("run={run}");
    for (from, until, expected) in [
        ("2031-03-12T09:15:00Z", "2031-03-12T09:20:00Z", 1),
        ("2031-03-12T09:30:00Z", "2031-03-12T10:00:00Z", 0),
        ("2031-03-12T08:00:00Z", "2031-03-12T09:00:00Z", 0),
    ] {
        let query = [("privateExtendedProperty", by_run.as_str()), ("timeMin", from), ("timeMax", until)];
        found.equal(from, ids(&list(subject, &query).await).len(), expected);
    }
    subject.event(Method::DELETE, &inserted[0], None).await;
}
