//! Each call, carried out and refused.

use cassius_calendar::google::CALL_DEADLINE;
use cassius_calendar::model::{CalendarId, Etag};
use cassius_calendar::sync::{Answer, Call, Event, Owner, ThrottleScope};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::stage::{ACCOUNT, EVENTS, HOLIDAYS, ROOMS, Stage, appointment_event, body, place};

const ID: &str = "cassius0rdv42g1";

fn insert() -> Call {
    Call::Insert { place: place(ROOMS, ID), event: appointment_event(), names_zone: true }
}

fn patch(event: Event, etag: Etag) -> Call {
    Call::Patch { place: place(ROOMS, ID), event, names_zone: true, etag }
}

/// The etag that `If-Match` takes for any.
fn any() -> Etag {
    Etag::new("*")
}

fn delete() -> Call {
    Call::Delete { place: place(ROOMS, ID), etag: None }
}

fn get() -> Call {
    Call::Get { place: place(ROOMS, ID) }
}

fn move_to(calendar: &str) -> Call {
    Call::Move { place: place(calendar, ID), from: CalendarId::new(ROOMS) }
}

fn probe(calendar: &str) -> Call {
    Call::Probe { calendar: CalendarId::new(calendar) }
}

fn etag(answer: Answer) -> Etag {
    match answer {
        Answer::Stored { etag, .. } | Answer::Moved { etag, .. } | Answer::Found { etag, .. } => etag,
        other => panic!("{other:?} has no etag"),
    }
}

#[tokio::test]
async fn an_insert_stores_the_event_under_its_id_and_mails_nobody() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let Answer::Stored { html_link, .. } = stage.google.call(&token, &insert()).await else { panic!("stored") };
    assert!(html_link.is_some_and(|link| link.starts_with("http")));
    let shown = stage.event(ID).await;
    let event = body(&shown);
    let expected = json!({
        "summary": "[Cassius] Contrôle — Camille Exemple",
        "description": "Praticien : Dr Modèle",
        "location": "Cabinet 2",
        "start": {"dateTime": "2026-11-02T09:00:00+01:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2026-11-02T09:30:00+01:00", "timeZone": "Europe/Paris"},
        "source": {"title": "Cassius", "url": "https://cassius.example/rdv/42"},
        "visibility": "private",
        "extendedProperties": {"private": {
            "cassiusAppointmentId": "rdv-42", "cassiusOrganisationId": "org-1", "cassiusRevision": "7"
        }}
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&event[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_write_is_silent_and_names_no_guest() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    for call in [insert(), patch(appointment_event(), any()), move_to(ACCOUNT)] {
        let answer = stage.google.call(&token, &call).await;
        assert!(matches!(answer, Answer::Stored { .. } | Answer::Moved { .. }), "{}", call.name());
    }
    let gone = Call::Delete { place: place(ACCOUNT, ID), etag: None };
    assert_eq!(stage.google.call(&token, &gone).await, Answer::Deleted);
    for operation in ["events.insert", "events.patch", "events.move", "events.delete"] {
        let calls = stage.journal(operation).await;
        assert_eq!(calls.len(), 1, "{operation}");
        assert_eq!((&calls[0]["send_updates_none"], &calls[0]["has_attendees"]), (&json!(true), &json!(false)));
        assert!(calls[0]["body"].get("reminders").is_none() && calls[0]["body"].get("iCalUID").is_none());
    }
}

#[tokio::test]
async fn an_id_is_taken_for_ever() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::AlreadyExists);
    assert_eq!(stage.google.call(&token, &delete()).await, Answer::Deleted);
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::AlreadyExists);
}

#[tokio::test]
async fn a_patch_changes_what_it_says_clears_what_is_gone_and_leaves_the_rest() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    let users =
        json!({"colorId": "5", "reminders": {"useDefault": false, "overrides": [{"method": "popup", "minutes": 5}]}});
    let path = format!("calendars/{ROOMS}/events/{ID}");
    stage.control(Method::PATCH, &path, users.clone()).await;
    let changed = Event {
        summary: "[Cassius] Rendez-vous".to_owned(),
        location: String::new(),
        source_url: None,
        ..appointment_event()
    };
    assert!(matches!(stage.google.call(&token, &patch(changed, any())).await, Answer::Stored { .. }));
    let shown = stage.event(ID).await;
    let event = body(&shown);
    assert_eq!(event["summary"], "[Cassius] Rendez-vous");
    assert!(event.get("location").is_none_or(|location| *location == "" || location.is_null()), "{event}");
    assert!(event.get("source").is_none_or(Value::is_null), "{event}");
    assert_eq!((&event["colorId"], &event["reminders"]), (&users["colorId"], &users["reminders"]));
}

#[tokio::test]
async fn an_etag_of_the_past_changes_and_deletes_nothing() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let first = etag(stage.google.call(&token, &insert()).await);
    let second = etag(stage.google.call(&token, &patch(appointment_event(), first.clone())).await);
    assert_ne!(first, second);
    let stale = |etag| Call::Delete { place: place(ROOMS, ID), etag };
    assert_eq!(stage.google.call(&token, &patch(appointment_event(), first.clone())).await, Answer::Changed);
    assert_eq!(stage.google.call(&token, &stale(Some(first))).await, Answer::Changed);
    assert_eq!(stage.google.call(&token, &stale(Some(second))).await, Answer::Deleted);
}

#[tokio::test]
async fn an_etag_that_fits_into_no_header_matches_nothing() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    let broken = Etag::new("\"a\"\r\nX: y");
    assert_eq!(stage.google.call(&token, &patch(appointment_event(), broken)).await, Answer::Changed);
}

#[tokio::test]
async fn reading_tells_whose_an_event_is() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let written = etag(stage.google.call(&token, &insert()).await);
    let Answer::Found { etag, owner, html_link } = stage.google.call(&token, &get()).await else { panic!("found") };
    let event = appointment_event();
    assert_eq!((etag, html_link.is_some()), (written, true));
    assert_eq!(owner, Some(Owner { organisation: event.organisation, appointment: event.appointment }));
}

#[tokio::test]
async fn a_deleted_event_is_gone_in_each_of_googles_ways() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    let path = format!("calendars/{ROOMS}/events/{ID}");
    stage.control(Method::DELETE, &path, json!({})).await;
    for (answer, meaning) in [("cancelled", Answer::Gone), ("gone", Answer::Gone), ("not_found", Answer::NotFound)] {
        stage.control(Method::POST, "settings", json!({"deleted_answer": answer})).await;
        assert_eq!(stage.google.call(&token, &get()).await, meaning, "get, {answer}");
        let deleted = stage.google.call(&token, &delete()).await;
        assert!(matches!(deleted, Answer::Gone | Answer::NotFound), "delete, {answer}: {deleted:?}");
    }
}

#[tokio::test]
async fn an_unknown_event_is_not_found_by_any_call() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    for call in [get(), patch(appointment_event(), any()), delete(), move_to(ACCOUNT)] {
        assert_eq!(stage.google.call(&token, &call).await, Answer::NotFound, "{}", call.name());
    }
}

#[tokio::test]
async fn a_move_takes_the_event_along_and_leaves_nothing_alive_behind() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    let moved = stage.google.call(&token, &move_to(ACCOUNT)).await;
    assert!(
        matches!(moved, Answer::Moved { shown, .. } if shown.is_as(&appointment_event())),
        "it tells what it shows"
    );
    let moved = Call::Get { place: place(ACCOUNT, ID) };
    assert!(matches!(stage.google.call(&token, &moved).await, Answer::Found { .. }));
    assert!(matches!(stage.google.call(&token, &get()).await, Answer::Gone | Answer::NotFound));
}

#[tokio::test]
async fn a_probe_tells_open_read_only_and_missing_apart() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    assert_eq!(stage.google.call(&token, &probe(ROOMS)).await, Answer::CalendarOpen);
    assert_eq!(stage.google.call(&token, &probe(HOLIDAYS)).await, Answer::CalendarReadOnly);
    assert_eq!(stage.google.call(&token, &probe("nobody@example.fr")).await, Answer::CalendarMissing);
    stage.control(Method::DELETE, &format!("calendars/{ROOMS}"), json!({})).await;
    assert_eq!(stage.google.call(&token, &probe(ROOMS)).await, Answer::CalendarMissing);
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::NotFound);
}

#[tokio::test]
async fn a_calendar_that_may_only_be_read_takes_no_event() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let call = Call::Insert { place: place(HOLIDAYS, ID), event: appointment_event(), names_zone: true };
    let reason = "requiredAccessLevel".to_owned();
    assert_eq!(stage.google.call(&token, &call).await, Answer::NotPermitted { reason });
}

#[tokio::test]
async fn a_token_without_the_scope_and_a_dead_one_are_told_apart() {
    let stage = Stage::new().await;
    let token = stage.token(&["openid"]).await;
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::ScopeMissing);
    assert_eq!(stage.google.call(&"ya29.dead".into(), &insert()).await, Answer::Unauthorized);
    assert_eq!(stage.google.call(&"broken\r\ntoken".into(), &insert()).await, Answer::Unauthorized);
}

#[tokio::test]
async fn an_account_that_is_read_only_is_throttled_for_itself() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, &format!("accounts/{ACCOUNT}"), json!({"read_only": true})).await;
    let throttled = Answer::Throttled { scope: ThrottleScope::ReadOnly, retry_after: None };
    assert_eq!(stage.google.call(&token, &insert()).await, throttled);
}

#[tokio::test]
async fn a_spent_quota_throttles_and_says_how_long() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"user_units_per_minute": 0})).await;
    let throttled = |retry_after| Answer::Throttled { scope: ThrottleScope::Account, retry_after };
    assert_eq!(stage.google.call(&token, &insert()).await, throttled(None));
    let fault = json!({"kind": "error", "code": 429, "reason": "rateLimitExceeded", "retry_after_seconds": 30});
    stage.fault("events.insert", fault).await;
    assert_eq!(stage.google.call(&token, &insert()).await, throttled(Some(SignedDuration::from_secs(30))));
}

#[tokio::test]
async fn an_event_that_google_will_not_have_is_refused_with_its_word() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let event = Event { end_at: appointment_event().start_at, ..appointment_event() };
    let event = Event { start_at: appointment_event().end_at, ..event };
    let call = Call::Insert { place: place(ROOMS, ID), event, names_zone: true };
    assert_eq!(stage.google.call(&token, &call).await, Answer::Refused { reason: "timeRangeEmpty".to_owned() });
}

#[tokio::test]
async fn a_lost_answer_is_no_answer_and_the_call_is_made_once() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault("events.insert", json!({"kind": "lose_answer"})).await;
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::Unavailable { retry_after: None });
    assert_eq!(stage.journal("events.insert").await.len(), 1);
    assert_eq!(stage.google.call(&token, &insert()).await, Answer::AlreadyExists);
}

#[tokio::test]
async fn a_call_that_hangs_ends_by_its_deadline() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.fault("events.insert", json!({"kind": "hang", "carry_out": true})).await;
    let call = insert();
    let deadline_passes = async {
        while stage.journal("events.insert").await.is_empty() {}
        stage.clock.advance(CALL_DEADLINE.try_into().expect("seconds"));
    };
    let (answer, ()) = tokio::join!(stage.google.call(&token, &call), deadline_passes);
    assert_eq!(answer, Answer::Unavailable { retry_after: None });
    assert!(matches!(stage.google.call(&token, &get()).await, Answer::Found { .. }));
}

#[tokio::test]
async fn a_patch_makes_an_event_of_the_whole_day_one_of_its_hours_again() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    let day = |date| json!({"date": date, "dateTime": null, "timeZone": null});
    let path = format!("calendars/{ROOMS}/events/{ID}");
    stage.control(Method::PATCH, &path, json!({"start": day("2026-11-02"), "end": day("2026-11-03")})).await;
    assert_eq!(body(&stage.event(ID).await)["start"], json!({"date": "2026-11-02"}));
    let patched = stage.google.call(&token, &patch(appointment_event(), any())).await;
    assert!(matches!(patched, Answer::Stored { .. }), "{patched:?}");
    let expected = json!({"dateTime": "2026-11-02T09:00:00+01:00", "timeZone": "Europe/Paris"});
    assert_eq!(body(&stage.event(ID).await)["start"], expected);
}

#[tokio::test]
async fn an_event_whose_zone_google_does_not_know_is_taken_without_it() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.control(Method::POST, "settings", json!({"unknown_zones": ["Europe/Kyiv"]})).await;
    let event = || Event { time_zone: "Europe/Kyiv".to_owned(), ..appointment_event() };
    let insert = |names_zone| Call::Insert { place: place(ROOMS, ID), event: event(), names_zone };
    let refused = Answer::Refused { reason: "invalid".to_owned() };
    assert_eq!(stage.google.call(&token, &insert(true)).await, refused);
    assert!(matches!(stage.google.call(&token, &insert(false)).await, Answer::Stored { .. }));
    let patch = |names_zone| Call::Patch { place: place(ROOMS, ID), event: event(), names_zone, etag: any() };
    assert_eq!(stage.google.call(&token, &patch(true)).await, refused);
    assert!(matches!(stage.google.call(&token, &patch(false)).await, Answer::Stored { .. }));
    let expected = json!({"dateTime": "2026-11-02T09:00:00+01:00", "timeZone": "Europe/Paris"});
    assert_eq!(body(&stage.event(ID).await)["start"], expected, "the same instant, in the calendar's own zone");
}

#[tokio::test]
async fn a_page_of_something_between_says_nothing_whatever_its_code() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    stage.google.call(&token, &insert()).await;
    for code in [400, 401, 403, 404, 405, 407, 409, 410, 412, 413, 429, 451] {
        for call in [insert(), patch(appointment_event(), any()), delete(), move_to(ACCOUNT), get(), probe(ROOMS)] {
            stage.fault(call.name(), json!({"kind": "page", "code": code})).await;
            let answer = stage.google.call(&token, &call).await;
            assert_eq!(answer, Answer::Unavailable { retry_after: None }, "{} {code}", call.name());
        }
    }
}

#[tokio::test]
async fn what_is_forbidden_says_whether_it_is_the_accounts() {
    let stage = Stage::new().await;
    let token = stage.token(&[EVENTS]).await;
    let reason = |word: &str| word.to_owned();
    for (word, answer) in [
        ("forbiddenForNonOrganizer", Answer::NotPermitted { reason: reason("forbiddenForNonOrganizer") }),
        ("domainPolicy", Answer::AccountRefused { reason: reason("domainPolicy") }),
        ("somethingNew", Answer::Forbidden { reason: reason("somethingNew") }),
    ] {
        stage.refuse("events.insert", 403, word).await;
        assert_eq!(stage.google.call(&token, &insert()).await, answer);
    }
    for (word, answer) in [
        ("forbidden", Answer::CalendarReadOnly),
        ("somethingNew", Answer::Forbidden { reason: reason("somethingNew") }),
    ] {
        stage.refuse("events.list", 403, word).await;
        assert_eq!(stage.google.call(&token, &probe(ROOMS)).await, answer);
    }
}
