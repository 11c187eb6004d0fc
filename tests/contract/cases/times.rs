//! Start, end and zone.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::subject::{Subject, event, event_with};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        start_and_end_are_required: "discovery document: required on insert",
        an_end_before_the_start_is_empty: "guide, errors: 400 timeRangeEmpty",
        zones_are_names_of_iana: "discovery document, EventDateTime.timeZone: an IANA name",
        a_time_without_offset_needs_a_zone: "discovery document, EventDateTime.dateTime: offset required unless timeZone is given",
        instants_survive_whatever_zone_they_come_in: "discovery document, EventDateTime",
        whole_days_stay_days: "discovery document, EventDateTime.date",
        a_whole_day_becomes_hours_when_its_date_is_cleared: "reports: 400 “Invalid start time.” with both",
        a_patch_clears_the_zone: "guide, performance: null deletes a key of a patch",
    ]
}

fn at(value: &Value) -> Option<Timestamp> {
    value["dateTime"].as_str()?.parse().ok()
}

async fn start_and_end_are_required(subject: &Subject, found: &mut Findings) {
    for name in ["start", "end"] {
        let mut incomplete = event(&subject.new_id());
        incomplete.as_object_mut().expect("an event is an object").remove(name);
        let refused = subject.insert(&incomplete).await;
        found.equal(name, refused.status, 400);
    }
    let mut endless = event(&subject.new_id());
    endless.as_object_mut().expect("an event is an object").remove("end");
    found.equal("reason", subject.insert(&endless).await.outcome(), (400, "required"));
}

async fn an_end_before_the_start_is_empty(subject: &Subject, found: &mut Findings) {
    let end = json!({"end": {"dateTime": "2031-03-12T09:00:00+01:00", "timeZone": "Europe/Paris"}});
    let refused = subject.insert(&event_with(&subject.new_id(), &end)).await;
    found.equal("insert", refused.outcome(), (400, "timeRangeEmpty"));
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    found.equal("patch", subject.event(Method::PATCH, &id, Some(&end)).await.outcome(), (400, "timeRangeEmpty"));
}

async fn zones_are_names_of_iana(subject: &Subject, found: &mut Findings) {
    for zone in ["Paris", "Europe/Lutetia"] {
        let start = json!({"start": {"dateTime": "2031-03-12T10:00:00+01:00", "timeZone": zone}});
        let refused = subject.insert(&event_with(&subject.new_id(), &start)).await;
        found.equal(zone, refused.outcome(), (400, "invalid"));
    }
}

async fn a_time_without_offset_needs_a_zone(subject: &Subject, found: &mut Findings) {
    let bare = json!({"start": {"dateTime": "2031-03-12T10:00:00"}, "end": {"dateTime": "2031-03-12T10:30:00"}});
    found.equal("without", subject.insert(&event_with(&subject.new_id(), &bare)).await.status, 400);
    let zoned = json!({
        "start": {"dateTime": "2031-07-12T10:00:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2031-07-12T10:30:00", "timeZone": "Europe/Paris"},
    });
    let taken = subject.insert(&event_with(&subject.new_id(), &zoned)).await;
    found.equal("with", at(&taken.body["start"]), "2031-07-12T08:00:00Z".parse().ok());
}

async fn instants_survive_whatever_zone_they_come_in(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let times = json!({
        "start": {"dateTime": "2031-10-26T01:30:00Z", "timeZone": "America/Toronto"},
        "end": {"dateTime": "2031-10-26T04:00:00+02:00", "timeZone": "Europe/Paris"},
    });
    subject.insert(&event_with(&id, &times)).await;
    let got = subject.event(Method::GET, &id, None).await;
    found.equal("start", at(&got.body["start"]), "2031-10-26T01:30:00Z".parse().ok());
    found.equal("end", at(&got.body["end"]), "2031-10-26T02:00:00Z".parse().ok());
    found.equal("zone", &got.body["start"]["timeZone"], &json!("America/Toronto"));
}

async fn whole_days_stay_days(subject: &Subject, found: &mut Findings) {
    let days = json!({"start": {"date": "2031-05-08"}, "end": {"date": "2031-05-09"}});
    let taken = subject.insert(&event_with(&subject.new_id(), &days)).await;
    found.equal("start", &taken.body["start"]["date"], &json!("2031-05-08"));
    let mixed = json!({"start": {"date": "2031-05-08"}});
    found.equal("mixed", subject.insert(&event_with(&subject.new_id(), &mixed)).await.outcome(), (400, "invalid"));
}

async fn a_whole_day_becomes_hours_when_its_date_is_cleared(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    let days = json!({"start": {"date": "2031-05-08"}, "end": {"date": "2031-05-09"}});
    subject.insert(&event_with(&id, &days)).await;
    let hour = |at: &str, date: &Value| {
        let mut moment = json!({"dateTime": format!("2031-05-08T{at}:00+02:00"), "timeZone": "Europe/Paris"});
        if date.is_null() {
            moment["date"] = Value::Null;
        }
        moment
    };
    let both = json!({"start": hour("10:00", &json!("kept")), "end": hour("10:30", &json!("kept"))});
    found.equal("both", subject.event(Method::PATCH, &id, Some(&both)).await.outcome(), (400, "invalid"));
    let cleared = json!({"start": hour("10:00", &Value::Null), "end": hour("10:30", &Value::Null)});
    let patched = subject.event(Method::PATCH, &id, Some(&cleared)).await;
    found.equal("cleared", at(&patched.body["start"]), "2031-05-08T08:00:00Z".parse().ok());
}

async fn a_patch_clears_the_zone(subject: &Subject, found: &mut Findings) {
    let id = subject.new_id();
    subject.insert(&event(&id)).await;
    let moment = |at: &str| json!({"dateTime": format!("2031-03-12T{at}:00Z"), "timeZone": null});
    let unzoned = json!({"start": moment("09:00"), "end": moment("09:30")});
    let patched = subject.event(Method::PATCH, &id, Some(&unzoned)).await;
    found.equal("status", patched.status, 200);
    found.equal("start", at(&patched.body["start"]), "2031-03-12T09:00:00Z".parse().ok());
}
