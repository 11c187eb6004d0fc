//! The body of an event as it comes in: merged, checked, cut to Google's limits.
//!
//! Owns what Google takes, refuses and silently drops. It never looks at another event. Invariant: what leaves here
//! could be stored by Google.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::world::{Moment, Object, zone};
use super::properties;

/// The fields of an event that a caller may write; others are ignored.
const WRITABLE: [&str; 27] = [
    "anyoneCanAddSelf",
    "attachments",
    "attendees",
    "attendeesOmitted",
    "colorId",
    "conferenceData",
    "description",
    "end",
    "eventType",
    "extendedProperties",
    "focusTimeProperties",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "iCalUID",
    "location",
    "originalStartTime",
    "outOfOfficeProperties",
    "recurrence",
    "reminders",
    "sequence",
    "source",
    "start",
    "status",
    "summary",
    "transparency",
    "visibility",
];

/// An event that may be stored.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) body: Object,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    /// `status: cancelled` was sent, which means delete.
    pub(crate) cancelled: bool,
}

/// Merges a patch: objects key by key, `null` deletes, arrays are replaced.
pub(crate) fn merge(base: &Object, patch: &Object) -> Object {
    let mut merged = base.clone();
    for (key, value) in patch {
        match (merged.get_mut(key), value) {
            (_, Value::Null) => {
                merged.remove(key);
            }
            (Some(Value::Object(old)), Value::Object(new)) => *old = merge(old, new),
            (_, Value::Object(new)) => {
                merged.insert(key.clone(), Value::Object(merge(&Object::new(), new)));
            }
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    merged
}

/// Checks a whole event, and brings it into the form in which it is kept.
pub(crate) fn check(sent: &Object, calendar_zone: &str, unknown_zones: &[String]) -> Result<Checked, Refusal> {
    let mut body: Object = sent
        .iter()
        .filter(|(key, value)| WRITABLE.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if body.contains_key("recurrence") {
        return Err(Refusal::not_emulated("recurring events"));
    }
    let (start, end) = times(&mut body, calendar_zone, unknown_zones)?;
    for name in ["summary", "description", "location", "iCalUID"] {
        if body.get(name).is_some_and(|value| !value.is_string()) {
            return Err(Refusal::invalid(format!("Invalid value for: {name}")));
        }
    }
    one_of(&body, "status", &["confirmed", "tentative", "cancelled"])?;
    one_of(&body, "visibility", &["default", "public", "private", "confidential"])?;
    one_of(&body, "transparency", &["opaque", "transparent"])?;
    one_of(&body, "eventType", &["default"])?;
    one_of(&body, "colorId", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"])?;
    source(&body)?;
    reminders(&body)?;
    properties::limit(&mut body)?;
    for (name, default) in [("visibility", "default"), ("transparency", "opaque")] {
        if body.get(name).and_then(Value::as_str) == Some(default) {
            body.remove(name);
        }
    }
    body.remove("sequence");
    let cancelled = body.get("status").and_then(Value::as_str) == Some("cancelled");
    if cancelled {
        body.remove("status");
    }
    Ok(Checked { body, start, end, cancelled })
}

fn times(body: &mut Object, calendar_zone: &str, unknown_zones: &[String]) -> Result<(Moment, Moment), Refusal> {
    for name in ["start", "end"] {
        let named = body.get(name).and_then(|part| part.get("timeZone")).and_then(Value::as_str);
        if named.is_some_and(|named| unknown_zones.iter().any(|unknown| unknown == named)) {
            return Err(unknown_zone(name));
        }
    }
    let start = moment(body, "start", calendar_zone)?;
    let end = moment(body, "end", calendar_zone)?;
    if start.whole_day != end.whole_day {
        return Err(Refusal::invalid("Start and end times must either both be date or both be dateTime."));
    }
    if end.at <= start.at {
        return Err(Refusal::bad("timeRangeEmpty", "The specified time range is empty."));
    }
    Ok((start, end))
}

fn moment(body: &mut Object, name: &'static str, calendar_zone: &str) -> Result<Moment, Refusal> {
    let missing = || Refusal::required(format!("Missing {name} time."));
    let unfit = || Refusal::invalid(format!("Invalid value for: {name}"));
    let part = body.get(name).ok_or_else(missing)?.as_object().ok_or_else(unfit)?;
    let text = |key: &str| match part.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(unfit()),
    };
    let (date, date_time, time_zone) = (text("date")?, text("dateTime")?, text("timeZone")?);
    let own_zone = match time_zone {
        Some(name_of_zone) => Some(zone(name_of_zone).ok_or_else(|| unknown_zone(name))?),
        None => None,
    };
    match (date, date_time) {
        (Some(date), None) => {
            let date: Date = date.parse().map_err(|_| unfit())?;
            let at = date.to_zoned(TimeZone::UTC).map_err(|_| unfit())?.timestamp();
            let kept = json!({"date": date.to_string()});
            body.insert(name.to_owned(), kept);
            Ok(Moment { at, whole_day: true })
        }
        (None, Some(date_time)) => {
            let at = instant(date_time, own_zone.as_ref(), name)?;
            // Google keeps whole seconds.
            let at = at.round((Unit::Second, 1)).map_err(|_| unfit())?;
            let kept = json!({"dateTime": at.to_string(), "timeZone": time_zone.unwrap_or(calendar_zone)});
            body.insert(name.to_owned(), kept);
            Ok(Moment { at, whole_day: false })
        }
        (None, None) => Err(missing()),
        (Some(_), Some(_)) => Err(unfit()),
    }
}

fn unknown_zone(name: &str) -> Refusal {
    Refusal::invalid(format!("Invalid time zone definition for {name} time."))
}

fn instant(date_time: &str, zone: Option<&TimeZone>, name: &'static str) -> Result<Timestamp, Refusal> {
    let unfit = || Refusal::invalid(format!("Invalid value for: {name}"));
    if date_time.contains('[') || !date_time.contains(['T', 't']) {
        return Err(unfit());
    }
    if let Ok(at) = date_time.parse::<Timestamp>() {
        return Ok(at);
    }
    let local: DateTime = date_time.parse().map_err(|_| unfit())?;
    let zone = zone.ok_or_else(|| Refusal::required(format!("Missing time zone definition for {name} time.")))?;
    Ok(local.to_zoned(zone.clone()).map_err(|_| unfit())?.timestamp())
}

fn one_of(body: &Object, name: &str, words: &[&str]) -> Result<(), Refusal> {
    match body.get(name) {
        None => Ok(()),
        Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
        Some(_) => Err(Refusal::invalid(format!("Invalid value for: {name}"))),
    }
}

fn source(body: &Object) -> Result<(), Refusal> {
    let Some(source) = body.get("source") else { return Ok(()) };
    let address = source.get("url").and_then(Value::as_str).and_then(|address| url::Url::parse(address).ok());
    match address {
        Some(address) if matches!(address.scheme(), "http" | "https") => Ok(()),
        _ => Err(Refusal::invalid("Invalid value for: source.url")),
    }
}

fn reminders(body: &Object) -> Result<(), Refusal> {
    let Some(reminders) = body.get("reminders") else { return Ok(()) };
    let overrides = reminders.get("overrides").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if reminders.get("useDefault") == Some(&json!(true)) && !overrides.is_empty() {
        return Err(Refusal::bad(
            "cannotUseDefaultRemindersAndSpecifyOverride",
            "Cannot specify both default reminders and overrides at the same time.",
        ));
    }
    if overrides.len() > 5 {
        return Err(Refusal::invalid("Invalid value for: reminders.overrides"));
    }
    for one in overrides {
        let method = one.get("method").and_then(Value::as_str);
        let minutes = one.get("minutes").and_then(Value::as_i64);
        if !matches!(method, Some("email" | "popup")) || !minutes.is_some_and(|minutes| (0..=40_320).contains(&minutes))
        {
            return Err(Refusal::invalid("Invalid value for: reminders.overrides"));
        }
    }
    Ok(())
}
