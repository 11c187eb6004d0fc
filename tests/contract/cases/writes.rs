//! Patch, update, preconditions, move, and the limits of a body.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{Subject, event, event_with, send};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        a_patch_keeps_what_it_does_not_name: "guide, performance: patch semantics",
        a_patch_deletes_by_null_and_replaces_arrays: "guide, performance: patch semantics",
        an_update_erases_what_it_does_not_name: "discovery document, events.update",
        every_write_gives_a_new_etag: "guide, version resources",
        a_wrong_etag_is_a_failed_precondition: "guide, errors: 412 conditionNotMet",
        a_move_keeps_the_id_and_leaves_a_stub: "discovery document, events.move",
        long_keys_are_dropped_and_long_values_cut: "guide, extended properties: 44 and 1024 characters",
        a_source_is_http: "discovery document, Event.source.url",
        five_reminders_are_the_most: "discovery document, Event.reminders.overrides",
        a_body_that_is_no_json_is_a_parse_error: "guide, errors: parseError",
        fields_trim_an_answer: "guide, performance: partial responses",
    ]
}

async fn a_patch_keeps_what_it_does_not_name(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let kept = json!({
        "colorId": "5",
        "location": "Cabinet 2",
        "extendedProperties": {"private": {"cassiusAppointmentId": "a", "cassiusRevision": "1"}},
    });
    subject.insert(&event_with(&id, &kept)).await;
    let patch = json!({"summary": "Autre", "extendedProperties": {"private": {"cassiusRevision": "2"}}});
    let patched = subject.event(Method::PATCH, &id, Some(&patch)).await;
    found.equal("summary", patched.text("summary"), "Autre");
    found.equal("colour", patched.text("colorId"), "5");
    found.equal("location", patched.text("location"), "Cabinet 2");
    let private = json!({"cassiusAppointmentId": "a", "cassiusRevision": "2"});
    found.equal("properties", &patched.body["extendedProperties"]["private"], &private);
}

async fn a_patch_deletes_by_null_and_replaces_arrays(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let overrides = |minutes: &[u32]| -> Vec<Value> {
        minutes.iter().map(|minutes| json!({"method": "popup", "minutes": minutes})).collect()
    };
    let with = json!({"location": "Ici", "reminders": {"useDefault": false, "overrides": overrides(&[10, 20])}});
    subject.insert(&event_with(&id, &with)).await;
    let patch = json!({"location": null, "reminders": {"overrides": overrides(&[30])}});
    let patched = subject.event(Method::PATCH, &id, Some(&patch)).await;
    found.equal("status", patched.outcome(), (200, "-"));
    found.equal("location", patched.body.get("location"), None);
    found.equal("reminders", &patched.body["reminders"]["overrides"], &json!(overrides(&[30])));
}

async fn an_update_erases_what_it_does_not_name(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event_with(&id, &json!({"location": "Ici", "colorId": "3"}))).await;
    let updated = subject.event(Method::PUT, &id, Some(&event(&id))).await;
    found.equal("status", updated.outcome(), (200, "-"));
    found.equal("location", updated.body.get("location"), None);
    found.equal("colour", updated.body.get("colorId"), None);
}

async fn every_write_gives_a_new_etag(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let first = subject.insert(&event(&id)).await;
    let second = subject.event(Method::PATCH, &id, Some(&json!({"summary": "Deux"}))).await;
    found.equal("another etag", first.text("etag") != second.text("etag"), true);
    found.equal("quoted", first.text("etag").starts_with('"') && first.text("etag").ends_with('"'), true);
}

async fn a_wrong_etag_is_a_failed_precondition(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let old = subject.insert(&event(&id)).await.text("etag").to_owned();
    let body = json!({"summary": "Deux"});
    let patched = subject.event_if(Method::PATCH, &id, &old, Some(&body)).await;
    found.equal("patch with the right one", patched.outcome(), (200, "-"));
    let missed = (412, "conditionNotMet");
    found.equal("patch", subject.event_if(Method::PATCH, &id, &old, Some(&body)).await.outcome(), missed);
    found.equal("delete", subject.event_if(Method::DELETE, &id, &old, None).await.outcome(), missed);
    let new = patched.text("etag");
    found.equal("delete with the right one", subject.event_if(Method::DELETE, &id, new, None).await.status, 204);
}

async fn a_move_keeps_the_id_and_leaves_a_stub(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let (from, to) = (subject.calendar.as_str(), subject.other.as_str());
    let moved =
        subject.call(Method::POST, &["calendars", from, "events", &id, "move"], &[("destination", to)], None).await;
    found.equal("move", moved.outcome(), (200, "-"));
    found.equal("id", moved.text("id"), &id);
    let there = subject.call(Method::GET, &["calendars", to, "events", &id], &[], None).await;
    found.equal("there", (there.status, there.text("status")), (200, "confirmed"));
    let stub = subject.event(Method::GET, &id, None).await;
    found.equal("here", stub.status != 200 || stub.text("status") == "cancelled", true);
    let back =
        subject.call(Method::POST, &["calendars", to, "events", &id, "move"], &[("destination", from)], None).await;
    found.equal("back", back.outcome(), (200, "-"));
    let here = subject.event(Method::GET, &id, None).await;
    found.equal("here again", (here.status, here.text("status")), (200, "confirmed"));
    subject.event(Method::DELETE, &id, None).await;
}

async fn long_keys_are_dropped_and_long_values_cut(subject: &Subject, found: &mut Findings) {
    let (fits, too_long) = ("k".repeat(44), "k".repeat(45));
    let private = json!({&fits: "v".repeat(1025), &too_long: "v"});
    let event = event_with(&subject.new_id(), &json!({"extendedProperties": {"private": private}}));
    let inserted = subject.insert(&event).await;
    found.equal("insert", inserted.outcome(), (200, "-"));
    let kept = &inserted.body["extendedProperties"]["private"];
    found.equal("the long key", kept.get(&too_long), None);
    found.equal("the long value", kept[&fits].as_str().map(str::len), Some(1024));
}

async fn a_source_is_http(subject: &Subject, found: &mut Findings) {
    let with = |address: &str| json!({"source": {"title": "Cassius", "url": address}});
    for address in ["javascript:alert(1)", "ftp://cassius.example/a"] {
        let refused = subject.insert(&event_with(&subject.new_id(), &with(address))).await;
        found.equal(address, refused.status, 400);
    }
    let taken = subject.insert(&event_with(&subject.new_id(), &with("https://cassius.example/rdv/1"))).await;
    found.equal("https", taken.body["source"]["url"].as_str(), Some("https://cassius.example/rdv/1"));
}

async fn five_reminders_are_the_most(subject: &Subject, found: &mut Findings) {
    let with = |count: u32| {
        let overrides: Vec<Value> = (1..=count).map(|n| json!({"method": "popup", "minutes": n * 10})).collect();
        json!({"reminders": {"useDefault": false, "overrides": overrides}})
    };
    found.equal("five", subject.insert(&event_with(&subject.new_id(), &with(5))).await.status, 200);
    found.equal("six", subject.insert(&event_with(&subject.new_id(), &with(6))).await.status, 400);
}

async fn a_body_that_is_no_json_is_a_parse_error(subject: &Subject, found: &mut Findings) {
    let path = ["calendars", subject.calendar.as_str(), "events"];
    let request = subject.request(Method::POST, &path, &[]).header("content-type", "application/json").body("{\"id\":");
    found.equal("insert", send(request).await.outcome(), (400, "parseError"));
}

async fn fields_trim_an_answer(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let query = [("fields", "id,etag,start/timeZone"), ("prettyPrint", "false")];
    let got = subject.call(Method::GET, &["calendars", &subject.calendar, "events", &id], &query, None).await;
    let mut names: Vec<&str> = got.body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    found.equal("fields", names, vec!["etag", "id", "start"]);
    found.equal("below start", &got.body["start"], &json!({"timeZone": "Europe/Paris"}));
    found.equal("one line", got.text.trim().contains('\n'), false);
}
