//! The event in Google's JSON.
//!
//! Owns how an event is written for an insert and for a patch, and how it is read back. It never writes attendees,
//! reminders, a colour or an `iCalUID`: those stay as the user left them.
//!
//! Invariant: after either write our fields show the same, whatever a person did to them; a patch says `null` where an
//! insert says nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::wire::{ExtendedProperties, ListedEvent, ListedMoment};
use crate::model::{AppointmentId, EventId, OrganisationId, Revision, zone};
use crate::sync::{Event, Owner, Shown};

const APPOINTMENT: &str = "cassiusAppointmentId";
pub(super) const ORGANISATION: &str = "cassiusOrganisationId";
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
    /// Always null, which a patch sends: it clears the `date` of a whole day that a person made of it, beside which Google
    /// refuses `dateTime`.
    date: Option<String>,
    date_time: String,
    /// The IANA name; `None`: the calendar's own zone.
    time_zone: Option<String>,
}

#[derive(Serialize)]
struct Source<'a> {
    title: &'static str,
    url: &'a str,
}

/// The body of an insert under a chosen id. `names_zone`: the event names its zone; else Google shows it in the calendar's
/// own.
pub(super) fn insert_body(event: &Event, names_zone: bool, id: &EventId) -> Vec<u8> {
    let mut body = Value::Object(body(event, names_zone, Some(id)));
    drop_nulls(&mut body);
    body.to_string().into_bytes()
}

/// The body of a patch: what the event no longer has is cleared. `names_zone` as for an insert.
pub(super) fn patch_body(event: &Event, names_zone: bool) -> Vec<u8> {
    Value::Object(body(event, names_zone, None)).to_string().into_bytes()
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(object) = value {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(drop_nulls);
    }
}

/// The appointment that an event's private properties name; none if they name none that could be one of Cassius.
pub(super) fn owner(properties: Option<&ExtendedProperties>) -> Option<Owner> {
    let private = &properties?.private;
    let organisation = OrganisationId::parse(private.get(ORGANISATION)?).ok()?;
    let appointment = AppointmentId::parse(private.get(APPOINTMENT)?).ok()?;
    Some(Owner { organisation, appointment })
}

/// What an event shows in our fields, to somebody who may not be told its source.
pub(super) fn shown(listed: ListedEvent) -> Shown {
    let instant = |moment: Option<ListedMoment>| moment?.date_time?.parse().ok();
    Shown {
        summary: listed.summary.unwrap_or_default(),
        description: listed.description.unwrap_or_default(),
        location: listed.location.unwrap_or_default(),
        start_at: instant(listed.start),
        end_at: instant(listed.end),
        source_url: listed.source.and_then(|source| source.url),
        is_source_told: false,
        is_private: listed.visibility.as_deref() == Some("private"),
    }
}

/// The revision that an event's private properties name, if they do.
pub(super) fn revision(properties: Option<&ExtendedProperties>) -> Option<Revision> {
    Revision::new(properties?.private.get(REVISION)?.parse().ok()?)
}

/// Every field of the event goes into the body: the compiler asks for a decision about a new one.
fn body(event: &Event, names_zone: bool, id: Option<&EventId>) -> Map<String, Value> {
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
        start: moment(*start_at, time_zone, names_zone),
        end: moment(*end_at, time_zone, names_zone),
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

/// An instant with the offset of its zone, and the zone. Where no zone is named, or none is known under the name, Google
/// shows it in the calendar's own. An offset with seconds, which RFC 3339 cannot write, is written as UTC's. The instant
/// is right in any case.
fn moment(instant: Timestamp, zone_name: &str, names_zone: bool) -> Moment {
    let known = zone(zone_name);
    let time_zone = known.is_some().then(|| zone_name.to_owned()).filter(|_| names_zone);
    let zoned = instant.to_zoned(known.unwrap_or(TimeZone::UTC));
    let date_time = match zoned.offset().seconds() % 60 {
        0 => zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
        _ => instant.to_string(),
    };
    Moment { date: None, date_time, time_zone }
}

#[cfg(test)]
mod tests;
