//! Ids, and what becomes of deleted events.

use reqwest::Method;
use serde_json::json;

use super::super::subject::{Subject, event, event_with, send};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        an_event_is_stored_under_the_id_of_its_caller: "discovery document, Event.id: clients may choose it",
        ids_of_the_longest_kind_are_taken: "discovery document, Event.id: 5 to 1024 characters",
        ids_outside_the_alphabet_are_invalid: "discovery document, Event.id: a-v and 0-9, 5 to 1024 characters",
        an_id_that_stands_is_a_duplicate: "guide, version resources: succeeds only if no entry has that id",
        an_id_of_a_deleted_event_is_a_duplicate: "seen: google-api-python-client #210 and #846, google-api-ruby-client #1811",
        a_deleted_event_answers_cancelled_or_is_gone: "seen: 200 with cancelled, 404 or 410",
        deleting_twice_is_gone: "guide, errors: 410 deleted",
        unknown_events_are_not_found: "guide, errors: 404 notFound",
        a_patch_without_status_revives_nothing: "discovery document, Event.status: cancelled means deleted",
        reviving_works_or_is_forbidden: "seen: works for some, 403 for others",
        what_the_caller_has_is_not_sent_again: "guide, performance: 304 where If-None-Match names the etag",
        an_id_cannot_be_patched: "unproven: taken to be refused as an invalid value",
    ]
}

async fn an_event_is_stored_under_the_id_of_its_caller(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let inserted = subject.insert(&event(&id)).await;
    found.equal("insert", inserted.outcome(), (200, "-"));
    let got = subject.event(Method::GET, &id, None).await;
    found.equal("id", got.text("id"), &id);
    found.equal("status", got.text("status"), "confirmed");
    found.equal("kind", got.text("kind"), "calendar#event");
    found.equal("visibility", got.text("visibility"), "private");
    found.equal("etag", got.text("etag"), inserted.text("etag"));
    found.equal("a link to it", got.text("htmlLink").starts_with("http"), true);
    found.equal("iCalUID", got.text("iCalUID"), &format!("{id}@google.com"));
    found.equal("reminders", &got.body["reminders"]["useDefault"], &json!(true));
}

async fn ids_of_the_longest_kind_are_taken(subject: &Subject, found: &mut Findings) {
    let id = format!("{}{}", subject.new_id(), "v".repeat(1024 - 32));
    found.equal("1024 characters", subject.insert(&event(&id)).await.outcome(), (200, "-"));
    found.equal("its deletion", subject.event(Method::DELETE, &id, None).await.status, 204);
}

async fn ids_outside_the_alphabet_are_invalid(subject: &Subject, found: &mut Findings) {
    let long = "a".repeat(1025);
    for id in ["abcdw", "ABCDE", "abc-de", "abcd", "abcdé", &long] {
        let outcome = subject.insert(&event(id)).await;
        found.equal(id.get(..5).unwrap_or(id), outcome.outcome(), (400, "invalid"));
    }
}

async fn an_id_that_stands_is_a_duplicate(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let again = subject.insert(&event(&id)).await;
    found.equal("insert", again.outcome(), (409, "duplicate"));
    found.equal("code in the body", &again.body["error"]["code"], &json!(409));
    found.equal("domain", &again.body["error"]["errors"][0]["domain"], &json!("global"));
    found.equal("a message", again.body["error"]["message"].is_string(), true);
}

async fn an_id_of_a_deleted_event_is_a_duplicate(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    found.equal("delete", subject.event(Method::DELETE, &id, None).await.status, 204);
    found.equal("insert", subject.insert(&event(&id)).await.outcome(), (409, "duplicate"));
}

async fn a_deleted_event_answers_cancelled_or_is_gone(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    subject.event(Method::DELETE, &id, None).await;
    let got = subject.event(Method::GET, &id, None).await;
    found.among("get", got.outcome(), &[(200, "-"), (404, "notFound"), (410, "deleted")]);
    if got.status == 200 {
        found.equal("status", got.text("status"), "cancelled");
        found.equal("id", got.text("id"), &id);
    }
}

async fn deleting_twice_is_gone(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let first = subject.event(Method::DELETE, &id, None).await;
    found.equal("first", (first.status, first.text.as_str()), (204, ""));
    found.equal("second", subject.event(Method::DELETE, &id, None).await.outcome(), (410, "deleted"));
}

async fn unknown_events_are_not_found(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let body = json!({"summary": "Personne"});
    found.equal("get", subject.event(Method::GET, &id, None).await.outcome(), (404, "notFound"));
    found.equal("patch", subject.event(Method::PATCH, &id, Some(&body)).await.outcome(), (404, "notFound"));
    found.equal("delete", subject.event(Method::DELETE, &id, None).await.outcome(), (404, "notFound"));
}

async fn a_patch_without_status_revives_nothing(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    subject.event(Method::DELETE, &id, None).await;
    let patched = subject.event(Method::PATCH, &id, Some(&json!({"summary": "Encore"}))).await;
    found.among("patch", patched.status, &[200, 403, 404, 410]);
    let got = subject.event(Method::GET, &id, None).await;
    found.equal("still deleted", got.status != 200 || got.text("status") == "cancelled", true);
}

async fn reviving_works_or_is_forbidden(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    subject.event(Method::DELETE, &id, None).await;
    let revived = subject.event(Method::PATCH, &id, Some(&event_with(&id, &json!({"status": "confirmed"})))).await;
    found.among("patch", revived.status, &[200, 403]);
    if revived.status == 200 {
        found.equal("status", revived.text("status"), "confirmed");
    }
}

async fn what_the_caller_has_is_not_sent_again(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let inserted = subject.insert(&event(&id)).await;
    let get = |etag: &str| {
        let request = subject.request(Method::GET, &["calendars", &subject.calendar, "events", &id], &[]);
        send(request.header("if-none-match", etag))
    };
    let known = get(inserted.text("etag")).await;
    found.equal("known", (known.status, known.text.as_str()), (304, ""));
    found.equal("another etag", get("\"1\"").await.status, 200);
}

async fn an_id_cannot_be_patched(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let patched = subject.event(Method::PATCH, &id, Some(&json!({"id": subject.new_id()}))).await;
    found.equal("another id", patched.outcome(), (400, "invalid"));
    let patched = subject.event(Method::PATCH, &id, Some(&json!({"id": id, "summary": "Le même"}))).await;
    found.equal("its own id", patched.outcome(), (200, "-"));
}
