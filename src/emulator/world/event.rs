//! An event, and how it is shown.
//!
//! Owns its rendering for a reader. It never checks what came in (`calendar::body` does). Invariant: of a deleted
//! event only `id`, `etag` and `status` are shown, since Google guarantees no more.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::settings::DeletedAnswer;
use super::{Calendar, Object, quoted};

/// An event with everything it ever said, also after its deletion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The writable fields, checked; `start` and `end` keep their zone, their instant is in UTC.
    pub(crate) body: Object,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) etag: u64,
    pub(crate) sequence: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The account that created it.
    pub(crate) creator: String,
    pub(crate) cancelled: bool,
    /// A stub that `events.move` left behind.
    pub(crate) moved_away: bool,
    /// How it answers once deleted, where that differs from the settings.
    pub(crate) deleted_answer: Option<DeletedAnswer>,
}

/// A start or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// Of a whole day: its midnight in UTC.
    pub(crate) at: Timestamp,
    pub(crate) whole_day: bool,
}

/// Where an event is shown: its origin and its reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) reader: &'a str,
}

impl Event {
    /// As the API answers it, in the zone of the calendar or of the `timeZone` parameter.
    pub(crate) fn resource(&self, id: &str, calendar: &Calendar, zone: &TimeZone, origin: Origin<'_>) -> Value {
        if self.cancelled {
            return json!({
                "kind": "calendar#event",
                "etag": quoted(self.etag),
                "id": id,
                "status": "cancelled",
            });
        }
        self.whole(id, calendar, zone, origin)
    }

    /// With every field, also when it is deleted.
    pub(crate) fn whole(&self, id: &str, calendar: &Calendar, zone: &TimeZone, origin: Origin<'_>) -> Value {
        let Origin { base_url, reader } = origin;
        let mut event = self.body.clone();
        event.insert("kind".to_owned(), json!("calendar#event"));
        event.insert("etag".to_owned(), json!(quoted(self.etag)));
        event.insert("id".to_owned(), json!(id));
        let status = self.body.get("status").and_then(Value::as_str).unwrap_or("confirmed");
        event.insert("status".to_owned(), json!(if self.cancelled { "cancelled" } else { status }));
        event.insert("htmlLink".to_owned(), json!(format!("{base_url}/calendar/event?eid={id}")));
        event.insert("created".to_owned(), json!(self.created.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()));
        event.insert("updated".to_owned(), json!(self.updated.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()));
        let mut creator = json!({"email": self.creator});
        if self.creator == reader {
            creator["self"] = json!(true);
        } else {
            // Google shows a source to the creator alone.
            event.remove("source");
        }
        event.insert("creator".to_owned(), creator);
        let mut organizer = json!({"email": calendar.id, "self": true});
        if calendar.id != calendar.summary {
            organizer["displayName"] = json!(calendar.summary);
        }
        event.insert("organizer".to_owned(), organizer);
        for (name, moment) in [("start", self.start), ("end", self.end)] {
            let own = self.body.get(name).and_then(|part| part.get("timeZone")).and_then(Value::as_str);
            event.insert(name.to_owned(), moment.resource(zone, own.unwrap_or(&calendar.time_zone)));
        }
        event.entry("iCalUID").or_insert_with(|| json!(format!("{id}@google.com")));
        event.insert("sequence".to_owned(), json!(self.sequence));
        event.entry("reminders").or_insert_with(|| json!({"useDefault": true}));
        event.entry("eventType").or_insert_with(|| json!("default"));
        Value::Object(event)
    }

    /// The value of a private extended property.
    pub(crate) fn private_property(&self, key: &str) -> Option<&str> {
        self.body.get("extendedProperties")?.get("private")?.get(key)?.as_str()
    }
}

impl Moment {
    fn resource(self, zone: &TimeZone, own_zone: &str) -> Value {
        if self.whole_day {
            return json!({"date": self.at.strftime("%Y-%m-%d").to_string()});
        }
        let local = self.at.to_zoned(zone.clone());
        let written = if zone.iana_name() == Some("UTC") {
            local.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        } else {
            local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        json!({"dateTime": written, "timeZone": own_zone})
    }
}
