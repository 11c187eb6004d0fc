//! The event in Google's JSON.
//!
//! Owns how an event is written for an insert and for a patch. It never writes attendees, reminders, a colour or an
//! `iCalUID`: those stay as the user left them.
//!
//! Invariant: after either write the event shows the same; a patch says `null` where an insert says nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::wire::ExtendedProperties;
use crate::model::{AppointmentId, EventId, OrganisationId};
use crate::sync::{Event, Owner};

const APPOINTMENT: &str = "cassiusAppointmentId";
const ORGANISATION: &str = "cassiusOrganisationId";
const REVISION: &str = "cassiusRevision";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    summary: &'a str,
    description: &'a str,
    location: Option<&'a str>,
    start: Moment,
    end: Moment,
    source: Option<Source<'a>>,
    visibility: &'static str,
    extended_properties: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    date_time: String,
    time_zone: String,
}

#[derive(Serialize)]
struct Source<'a> {
    title: &'static str,
    url: &'a str,
}

/// The body of an insert under a chosen id.
pub(super) fn insert_body(event: &Event, id: &EventId) -> Vec<u8> {
    let mut body = body(event, Some(id));
    body.retain(|_, value| !value.is_null());
    Value::Object(body).to_string().into_bytes()
}

/// The body of a patch: what the event no longer has is cleared.
pub(super) fn patch_body(event: &Event) -> Vec<u8> {
    Value::Object(body(event, None)).to_string().into_bytes()
}

/// The appointment that an event's private properties name; none if they name none that could be one of Cassius.
pub(super) fn owner(properties: Option<ExtendedProperties>) -> Option<Owner> {
    let private = properties?.private;
    let organisation = OrganisationId::parse(private.get(ORGANISATION)?).ok()?;
    let appointment = AppointmentId::parse(private.get(APPOINTMENT)?).ok()?;
    Some(Owner { organisation, appointment })
}

fn body(event: &Event, id: Option<&EventId>) -> Map<String, Value> {
    let body = Body {
        id: id.map(EventId::as_str),
        summary: &event.summary,
        description: &event.description,
        location: Some(event.location.as_str()).filter(|location| !location.is_empty()),
        start: moment(event.start_at, &event.time_zone),
        end: moment(event.end_at, &event.time_zone),
        source: event.source_url.as_deref().map(|url| Source { title: "Cassius", url }),
        visibility: "private",
        extended_properties: json!({"private": {
            APPOINTMENT: event.appointment.as_str(),
            ORGANISATION: event.organisation.as_str(),
            REVISION: event.revision.number().to_string(),
        }}),
    };
    match serde_json::to_value(body) {
        Ok(Value::Object(body)) => body,
        Ok(_) | Err(_) => unreachable!("a struct of texts is an object of JSON"),
    }
}

/// An instant with the offset of its zone, and the zone. A zone that is not known (any more), or whose offset then had
/// seconds, which RFC 3339 cannot write, is shown in UTC: the instant is right in any case.
fn moment(instant: Timestamp, zone: &str) -> Moment {
    let known = TimeZone::get(zone).ok();
    let time_zone = if known.is_some() { zone.to_owned() } else { "UTC".to_owned() };
    let zoned = instant.to_zoned(known.unwrap_or(TimeZone::UTC));
    let date_time = match zoned.offset().seconds() % 60 {
        0 => zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
        _ => instant.to_string(),
    };
    Moment { date_time, time_zone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Revision;

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
        assert_eq!(parsed(&insert_body(&event(), &EventId::new("cassius1a"))), expected);
    }

    #[test]
    fn an_insert_says_nothing_of_what_the_event_lacks() {
        let body = parsed(&insert_body(&bare(), &EventId::new("cassius1a")));
        assert_eq!((body.get("location"), body.get("source")), (None, None));
    }

    #[test]
    fn a_patch_clears_what_the_event_lacks_and_has_no_id() {
        let body = parsed(&patch_body(&bare()));
        assert_eq!((body.get("location"), body.get("source")), (Some(&Value::Null), Some(&Value::Null)));
        assert_eq!(body.get("id"), None);
    }

    #[test]
    fn the_owner_is_read_back_from_what_was_written() {
        let body = parsed(&insert_body(&event(), &EventId::new("cassius1a")));
        let properties: Option<ExtendedProperties> =
            serde_json::from_value(body["extendedProperties"].clone()).expect("properties");
        let expected = Owner { organisation: event().organisation, appointment: event().appointment };
        assert_eq!(owner(properties), Some(expected));
        assert_eq!(owner(Some(ExtendedProperties::default())), None);
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
            ("2026-06-01T10:00:00Z", "Atlantis/Poseidonis", "2026-06-01T10:00:00+00:00", "UTC"),
            ("1900-01-01T00:00:00Z", "Europe/Paris", "1900-01-01T00:00:00Z", "Europe/Paris"),
        ];
        for (instant, zone, date_time, time_zone) in cases {
            let instant: Timestamp = instant.parse().expect("an instant");
            let moment = moment(instant, zone);
            assert_eq!((moment.date_time.as_str(), moment.time_zone.as_str()), (date_time, time_zone));
            assert_eq!(moment.date_time.parse::<Timestamp>().expect("RFC 3339"), instant);
        }
    }
}
