//! The instant at Google is the instant in Cassius, whatever the clocks on the wall do.

use cassius_calendar::grpc::pb::{Appointment, SyncStatus};
use jiff::Timestamp;
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, instant};

/// When it begins, when it ends, and in which zone it is shown.
const SLOTS: [(&str, &str, &str, &str); 13] = [
    ("an ordinary day", "2026-06-15T08:00:00Z", "2026-06-15T09:00:00Z", "Europe/Paris"),
    ("up to the gap", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "Europe/Paris"),
    ("over the gap", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "Europe/Paris"),
    ("first pass of the overlap", "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z", "Europe/Paris"),
    ("second pass of the overlap", "2026-10-25T01:30:00Z", "2026-10-25T01:45:00Z", "Europe/Paris"),
    ("from the first pass into the second", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Europe/Paris"),
    ("over the overlap in New York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "America/New_York"),
    ("over midnight", "2026-06-15T21:30:00Z", "2026-06-15T22:30:00Z", "Europe/Paris"),
    ("from midnight to midnight", "2026-06-14T22:00:00Z", "2026-06-15T22:00:00Z", "Europe/Paris"),
    ("over the end of a year", "2026-12-31T22:45:00Z", "2026-12-31T23:15:00Z", "Europe/Paris"),
    ("a gap of half an hour", "2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z", "Australia/Lord_Howe"),
    ("an offset of 45 minutes", "2026-06-15T00:00:00Z", "2026-06-15T00:45:00Z", "Asia/Kathmandu"),
    ("an offset with seconds", "1905-06-15T09:00:00Z", "1905-06-15T09:30:00Z", "Europe/Paris"),
];

#[apply(both_backends)]
async fn gaps_overlaps_and_midnight_shift_nothing(app: &mut TestApp) {
    app.connect("cabinet").await;
    for (name, start, end, zone) in SLOTS {
        let appointment = Appointment {
            start_time: Some(instant(start)),
            end_time: Some(instant(end)),
            time_zone: zone.into(),
            ..appointment(name, 1)
        };
        let link = app.sync("cabinet", appointment).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{name}: {:?}", link.last_error);
        let event = app.google.events_of(ACCOUNT, name).await.remove(0);
        for (at, wanted) in [("start", start), ("end", end)] {
            // What was sent, not how the emulator shows it.
            let written = event[at]["dateTime"].as_str().unwrap();
            let written: Timestamp = written.parse().unwrap();
            assert_eq!(written, wanted.parse().unwrap(), "{name}: {at}");
            assert_eq!(event[at]["timeZone"], zone, "{name}: {at}");
        }
    }
    for call in app.google.journal().await {
        if call["operation"] == "events.insert" {
            let properties = &call["body"]["extendedProperties"]["private"];
            let name = properties["cassiusAppointmentId"].as_str().unwrap();
            let slot = SLOTS.iter().find(|slot| slot.0 == name).unwrap();
            let sent: Timestamp = call["body"]["start"]["dateTime"].as_str().unwrap().parse().unwrap();
            assert_eq!(sent, slot.1.parse().unwrap(), "{name}");
        }
    }
}

#[apply(both_backends)]
async fn a_zone_that_google_does_not_know_leaves_the_instant_right(app: &mut TestApp) {
    app.google.settings(json!({"unknown_zones": ["Europe/Kyiv"]})).await;
    app.connect("cabinet").await;
    for (revision, start, end) in
        [(1, "2026-06-15T08:00:00Z", "2026-06-15T09:00:00Z"), (2, "2026-10-25T01:30:00Z", "2026-10-25T01:45:00Z")]
    {
        let appointment = Appointment {
            start_time: Some(instant(start)),
            end_time: Some(instant(end)),
            time_zone: "Europe/Kyiv".into(),
            ..appointment("rdv", revision)
        };
        let link = app.sync("cabinet", appointment).await;
        assert_eq!(link.sync_status(), SyncStatus::Synced, "{start}: {:?}", link.last_error);
        let events = app.google.events_of(ACCOUNT, "rdv").await;
        assert_eq!(events.len(), 1, "{start}");
        for (at, wanted) in [("start", start), ("end", end)] {
            let written: Timestamp = events[0][at]["dateTime"].as_str().unwrap().parse().unwrap();
            assert_eq!(written, wanted.parse().unwrap(), "{at}");
            assert_eq!(events[0][at]["timeZone"], "Europe/Paris", "{at}: the calendar's own zone");
        }
    }
}
