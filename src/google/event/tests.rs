//! What a write of an event says, and how an instant is written.

use super::*;

fn event() -> Event {
    Event {
        summary: "[Cassius] Pose d'implant — Camille Exemple".to_owned(),
        description: "Praticien : Dr Modèle\nhttps://cassius.example/rdv/42".to_owned(),
        location: "Cabinet 2".to_owned(),
        start_at: "2026-10-25T00:30:00Z".parse().expect("an instant"),
        end_at: "2026-10-25T01:30:00Z".parse().expect("an instant"),
        time_zone: "Europe/Paris".to_owned(),
        source_url: Some("https://cassius.example/rdv/42".to_owned()),
        organisation: OrganisationId::parse("org-1").expect("an id"),
        appointment: AppointmentId::parse("rdv-42").expect("an id"),
        revision: Revision::new(7).expect("a revision"),
    }
}

fn bare() -> Event {
    Event { location: String::new(), source_url: None, ..event() }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn an_insert_carries_its_id_and_everything_the_event_has() {
    let expected = json!({
        "id": "cassius1a",
        "summary": "[Cassius] Pose d'implant — Camille Exemple",
        "description": "Praticien : Dr Modèle\nhttps://cassius.example/rdv/42",
        "location": "Cabinet 2",
        "start": {"dateTime": "2026-10-25T02:30:00+02:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2026-10-25T02:30:00+01:00", "timeZone": "Europe/Paris"},
        "source": {"title": "Cassius", "url": "https://cassius.example/rdv/42"},
        "visibility": "private",
        "extendedProperties": {"private": {
            "cassiusAppointmentId": "rdv-42", "cassiusOrganisationId": "org-1", "cassiusRevision": "7"
        }}
    });
    assert_eq!(parsed(&insert_body(&event(), true, &EventId::new("cassius1a"))), expected);
}

#[test]
fn an_insert_says_nothing_of_what_the_event_lacks() {
    let body = parsed(&insert_body(&bare(), true, &EventId::new("cassius1a")));
    assert_eq!((body.get("location"), body.get("source")), (None, None));
}

#[test]
fn a_patch_clears_what_the_event_lacks_and_has_no_id() {
    let body = parsed(&patch_body(&bare(), true));
    assert_eq!((body.get("location"), body.get("source")), (Some(&Value::Null), Some(&Value::Null)));
    assert_eq!(body.get("id"), None);
}

#[test]
fn the_owner_is_read_back_from_what_was_written() {
    let body = parsed(&insert_body(&event(), true, &EventId::new("cassius1a")));
    let properties: Option<ExtendedProperties> =
        serde_json::from_value(body["extendedProperties"].clone()).expect("properties");
    let expected = Owner { organisation: event().organisation, appointment: event().appointment };
    assert_eq!(owner(properties.as_ref()), Some(expected));
    assert_eq!(owner(Some(&ExtendedProperties::default())), None);
}

#[test]
fn an_instant_is_the_same_instant_in_every_zone() {
    let cases = [
        // The hour that comes twice: the offset tells which of the two it is.
        ("2026-10-25T00:30:00Z", "Europe/Paris", "2026-10-25T02:30:00+02:00", "Europe/Paris"),
        ("2026-10-25T01:30:00Z", "Europe/Paris", "2026-10-25T02:30:00+01:00", "Europe/Paris"),
        ("2026-03-29T01:00:00Z", "Europe/Paris", "2026-03-29T03:00:00+02:00", "Europe/Paris"),
        ("2026-06-01T18:45:00Z", "Asia/Kathmandu", "2026-06-02T00:30:00+05:45", "Asia/Kathmandu"),
        ("2026-06-01T22:00:00Z", "America/St_Johns", "2026-06-01T19:30:00-02:30", "America/St_Johns"),
        ("2026-06-01T10:00:00Z", "UTC", "2026-06-01T10:00:00+00:00", "UTC"),
        ("2026-06-01T10:00:00.250Z", "UTC", "2026-06-01T10:00:00.25+00:00", "UTC"),
        ("1900-01-01T00:00:00Z", "Europe/Paris", "1900-01-01T00:00:00Z", "Europe/Paris"),
    ];
    for (instant, zone, date_time, time_zone) in cases {
        let instant: Timestamp = instant.parse().expect("an instant");
        let moment = moment(instant, zone, true);
        assert_eq!((moment.date_time.as_str(), moment.time_zone.as_deref()), (date_time, Some(time_zone)));
        assert_eq!(moment.date_time.parse::<Timestamp>().expect("RFC 3339"), instant);
    }
}

#[test]
fn an_event_without_a_zone_of_its_own_keeps_its_instant() {
    let instant: Timestamp = "2026-06-01T10:00:00Z".parse().expect("an instant");
    for (zone, names_zone, date_time) in [
        ("Atlantis/Poseidonis", true, "2026-06-01T10:00:00+00:00"),
        ("Europe/Kyiv", false, "2026-06-01T13:00:00+03:00"),
    ] {
        let moment = moment(instant, zone, names_zone);
        assert_eq!((moment.date_time.as_str(), moment.time_zone), (date_time, None));
    }
    let insert = parsed(&insert_body(&event(), false, &EventId::new("cassius1a")));
    assert_eq!(insert["start"], json!({"dateTime": "2026-10-25T02:30:00+02:00"}));
    let patch = parsed(&patch_body(&event(), false));
    assert_eq!(patch["start"], json!({"date": null, "dateTime": "2026-10-25T02:30:00+02:00", "timeZone": null}));
}

#[test]
fn a_patch_makes_an_event_of_the_whole_day_one_of_its_hours() {
    let body = parsed(&patch_body(&event(), true));
    for moment in ["start", "end"] {
        assert_eq!(body[moment].get("date"), Some(&Value::Null), "{moment}");
        assert!(body[moment]["dateTime"].is_string() && body[moment]["timeZone"].is_string(), "{moment}");
    }
}
