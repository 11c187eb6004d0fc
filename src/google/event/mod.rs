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

/// Every field of the event goes into the body: the compiler asks for a decision about a new one.
fn body(event: &Event, id: Option<&EventId>) -> Map<String, Value> {
    let Event {
        summary,
        description,
        location,
        start_at,
        end_at,
        time_zone,
        source_url,
        organisation,
        appointment,
        revision,
    } = event;
    let body = Body {
        id: id.map(EventId::as_str),
        summary,
        description,
        location: Some(location.as_str()).filter(|location| !location.is_empty()),
        start: moment(*start_at, time_zone),
        end: moment(*end_at, time_zone),
        source: source_url.as_deref().map(|url| Source { title: "Cassius", url }),
        visibility: "private",
        extended_properties: json!({"private": {
            APPOINTMENT: appointment.as_str(),
            ORGANISATION: organisation.as_str(),
            REVISION: revision.number().to_string(),
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
mod tests;
