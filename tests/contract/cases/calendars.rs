//! Calendars: the list, the alias, ids that need encoding, rights.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{Subject, event, send};
use super::super::suite::{Case, Findings, claims};

const HOLIDAYS: &str = "fr.french#holiday@group.v.calendar.google.com";

pub(crate) fn cases() -> Vec<Case> {
    claims![
        the_list_is_paged_and_filtered_by_role: "discovery document, calendarList.list",
        primary_stands_for_the_account: "discovery document: the keyword primary",
        ids_with_signs_are_found_when_encoded: "RFC 3986: # and @ in a path segment",
        unknown_calendars_are_not_found: "guide, errors: 404 notFound",
        a_calendar_to_read_is_not_written: "guide, errors: 403 requiredAccessLevel",
        without_a_live_token_nothing_is_answered: "guide, errors: 401 authError",
        what_is_no_method_is_not_found: "seen: 404 for a path or a verb that is none",
        a_calendar_that_was_deleted_is_not_found: "discovery document, calendars.delete",
    ]
}

async fn the_list_is_paged_and_filtered_by_role(subject: &Subject, found: &mut Findings) {
    let list = ["users", "me", "calendarList"];
    let (mut token, mut entries) = (String::new(), Vec::<Value>::new());
    for _ in 0..50 {
        let mut query = vec![("minAccessRole", "writer"), ("maxResults", "1")];
        if !token.is_empty() {
            query.push(("pageToken", &token));
        }
        let page = subject.call(Method::GET, &list, &query, None).await;
        found.equal("page", page.status, 200);
        entries.extend(page.body["items"].as_array().cloned().unwrap_or_default());
        page.text("nextPageToken").clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    let named = |name: &str| entries.iter().filter(|entry| entry["id"] == name).count();
    found.equal("the test calendar", named(&subject.calendar), 1);
    found.equal("one primary", entries.iter().filter(|entry| entry["primary"] == true).count(), 1);
    for entry in &entries {
        let role = entry["accessRole"].as_str().unwrap_or_default();
        found.among("role", role, &["writer", "owner", "writerWithoutPrivateAccess"]);
        for name in ["id", "summary", "timeZone", "backgroundColor"] {
            found.equal(name, entry[name].is_string(), true);
        }
    }
    let bad = subject.call(Method::GET, &list, &[("minAccessRole", "king")], None).await;
    found.equal("an unknown role", bad.status, 400);
}

async fn primary_stands_for_the_account(subject: &Subject, found: &mut Findings) {
    let entry = subject.call(Method::GET, &["users", "me", "calendarList", "primary"], &[], None).await;
    found.equal("get", entry.status, 200);
    found.equal("a real id", entry.text("id").contains('@'), true);
    found.equal("primary", &entry.body["primary"], &json!(true));
    found.equal("role", entry.text("accessRole"), "owner");
}

async fn ids_with_signs_are_found_when_encoded(subject: &Subject, found: &mut Findings) {
    if subject.may_make_calendars() {
        let got = subject.call(Method::GET, &["calendars", HOLIDAYS], &[], None).await;
        found.equal("id", got.text("id"), HOLIDAYS);
    }
    let events = subject.call(Method::GET, &["calendars", HOLIDAYS, "events"], &[("maxResults", "1")], None).await;
    found.equal("events", events.status, 200);
}

async fn unknown_calendars_are_not_found(subject: &Subject, found: &mut Findings) {
    let unknown = format!("{}@group.calendar.google.com", subject.new_id());
    let missing = (404, "notFound");
    let entry = subject.call(Method::GET, &["users", "me", "calendarList", &unknown], &[], None).await;
    found.equal("its entry", entry.outcome(), missing);
    let path = ["calendars", unknown.as_str(), "events"];
    let inserted = subject.call(Method::POST, &path, &[], Some(&event(&subject.new_id()))).await;
    found.equal("insert", inserted.outcome(), missing);
    found.equal("list", subject.call(Method::GET, &path, &[], None).await.outcome(), missing);
}

async fn a_calendar_to_read_is_not_written(subject: &Subject, found: &mut Findings) {
    let path = ["calendars", HOLIDAYS, "events"];
    let refused = subject.call(Method::POST, &path, &[], Some(&event(&subject.new_id()))).await;
    found.among("insert", refused.outcome(), &[(403, "requiredAccessLevel"), (403, "forbidden")]);
}

async fn without_a_live_token_nothing_is_answered(subject: &Subject, found: &mut Findings) {
    let address = format!("{}/users/me/calendarList", subject.calendar_url);
    let wrong = send(subject.http.get(&address).bearer_auth("ya29.nobody")).await;
    found.equal("a wrong token", wrong.outcome(), (401, "authError"));
    found.equal("status in the body", wrong.body["error"]["status"].as_str(), Some("UNAUTHENTICATED"));
    let none = send(subject.http.get(&address)).await;
    found.among("no token", none.status, &[401, 403]);
}

async fn what_is_no_method_is_not_found(subject: &Subject, found: &mut Findings) {
    let nowhere = subject.call(Method::GET, &["calendars", &subject.calendar, "nowhere"], &[], None).await;
    found.equal("a path", nowhere.status, 404);
    let verb = subject.call(Method::PUT, &["users", "me", "calendarList"], &[], Some(&json!({}))).await;
    found.equal("a verb", verb.status, 404);
}

async fn a_calendar_that_was_deleted_is_not_found(subject: &Subject, found: &mut Findings) {
    if !subject.may_make_calendars() {
        return;
    }
    let made = subject.call(Method::POST, &["calendars"], &[], Some(&json!({"summary": "Cassius, bref"}))).await;
    found.equal("insert", made.status, 200);
    let id = made.text("id");
    found.equal("delete", subject.call(Method::DELETE, &["calendars", id], &[], None).await.status, 204);
    found.equal("get", subject.call(Method::GET, &["calendars", id], &[], None).await.outcome(), (404, "notFound"));
}
