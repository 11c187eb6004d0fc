//! Every rule, broken and kept.

use pb::{AppointmentState as State, SyncStatus as Status, TitlePrivacy as Privacy};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::{Duration as PbDuration, FieldMask, Timestamp as PbTimestamp};

use super::page::{ListLinks, Page};
use super::*;
use crate::model::{AppointmentState, CalendarId, RemoteEvents, SyncStatus, TitlePrivacy};

const PRACTICE: &str = "practice-1";
const START: i64 = 1_790_000_000;

fn context() -> RequestContext {
    RequestContext::of_a_caller_for(&[PRACTICE])
}

fn at(seconds: i64, nanos: i32) -> Option<PbTimestamp> {
    Some(PbTimestamp { seconds, nanos })
}

fn scheduled() -> pb::Appointment {
    pb::Appointment {
        appointment_id: "rdv-1".to_owned(),
        revision: 1,
        state: State::Scheduled.into(),
        r#type: "Implant".to_owned(),
        patient_name: "Marie Durand".to_owned(),
        practitioner_name: "Dr Petit".to_owned(),
        location: "Salle 2".to_owned(),
        start_time: at(START, 0),
        end_time: at(START + 1_800, 0),
        time_zone: "Europe/Paris".to_owned(),
        url: "https://app.cassius.example/rdv/1".to_owned(),
    }
}

fn sync(appointment: pb::Appointment) -> Result<Appointment, Refusal> {
    let request =
        pb::SyncAppointmentRequest { organisation_id: PRACTICE.to_owned(), appointment: Some(appointment), wait: None };
    sync_appointment(&context(), &request).map(|(_, appointment, _)| appointment)
}

/// The fields at fault, in order.
fn faults<T>(result: Result<T, Refusal>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(Refusal::InvalidRequest(violations)) => {
            violations.into_fields().into_iter().map(|violation| violation.field).collect()
        }
        Err(other) => panic!("not a violation: {other}"),
    }
}

fn with(change: impl FnOnce(&mut pb::Appointment)) -> Vec<String> {
    let mut appointment = scheduled();
    change(&mut appointment);
    faults(sync(appointment))
}

#[test]
fn a_good_appointment_arrives_whole() {
    let appointment = sync(scheduled()).expect("no violation");
    assert_eq!(appointment.id.as_str(), "rdv-1");
    assert_eq!(appointment.revision.number(), 1);
    let (slot, details) = appointment.scheduled().expect("it takes place");
    assert_eq!((slot.start_at.as_second(), slot.end_at.as_second()), (START, START + 1_800));
    assert_eq!(slot.time_zone, "Europe/Paris");
    assert_eq!((details.kind.as_str(), details.patient_name.as_str()), ("Implant", "Marie Durand"));
    assert_eq!((details.practitioner_name.as_str(), details.location.as_str()), ("Dr Petit", "Salle 2"));
    assert_eq!(details.url.as_deref(), Some("https://app.cassius.example/rdv/1"));
}

#[test]
fn all_violations_are_told_at_once() {
    let request = pb::SyncAppointmentRequest {
        organisation_id: " ".to_owned(),
        appointment: Some(pb::Appointment {
            state: 99,
            start_time: at(START, -1),
            end_time: at(START, 1_000_000_000),
            time_zone: "Paris".to_owned(),
            r#type: "x".repeat(201),
            patient_name: "a\0b".to_owned(),
            url: "javascript:alert(1)".to_owned(),
            ..Default::default()
        }),
        wait: Some(PbDuration { seconds: 31, nanos: 0 }),
    };
    assert_eq!(
        faults(sync_appointment(&context(), &request)),
        [
            "organisation_id",
            "appointment.appointment_id",
            "appointment.revision",
            "appointment.state",
            "appointment.start_time",
            "appointment.end_time",
            "appointment.time_zone",
            "appointment.type",
            "appointment.patient_name",
            "appointment.url",
            "wait",
        ]
    );
    let nothing = pb::SyncAppointmentRequest::default();
    assert_eq!(faults(sync_appointment(&context(), &nothing)), ["organisation_id", "appointment"]);
}

#[test]
fn an_organisation_is_named_well_and_allowed() {
    let megabyte = "o".repeat(1 << 20);
    for bad in ["", "  ", " practice-1", "a\0b", "a\nb", &"o".repeat(129), &megabyte, "a\u{202E}b"] {
        assert_eq!(faults(organisation(&context(), bad)), ["organisation_id"], "{:?}", &bad[..bad.len().min(20)]);
    }
    assert!(organisation(&context(), PRACTICE).is_ok());
    assert!(matches!(organisation(&context(), "practice-2"), Err(Refusal::OrganisationNotAllowed)));
}

#[test]
fn a_foreign_organisation_is_refused_before_anything_is_said_about_the_request() {
    let request = pb::SyncAppointmentRequest { organisation_id: "practice-2".to_owned(), ..Default::default() };
    assert!(matches!(sync_appointment(&context(), &request), Err(Refusal::OrganisationNotAllowed)));
}

#[test]
fn an_appointment_is_named_well_and_has_a_revision() {
    for bad in ["", "a\0b", "a\nb", &"r".repeat(129), &"r".repeat(1 << 20)] {
        assert_eq!(with(|it| it.appointment_id = bad.to_owned()), ["appointment.appointment_id"]);
    }
    for bad in [0, -1, i64::MIN] {
        assert_eq!(with(|it| it.revision = bad), ["appointment.revision"]);
    }
    assert!(with(|it| it.revision = i64::MAX).is_empty());
}

#[test]
fn a_state_is_set_and_known() {
    for bad in [0, 99, -1, i32::MIN] {
        assert_eq!(with(|it| it.state = bad), ["appointment.state"]);
    }
}

#[test]
fn instants_are_instants_of_the_years_1900_to_9998() {
    for (bad, what) in [
        ((START, -1), "nanos below 0"),
        ((START, 1_000_000_000), "nanos of a second"),
        ((START, i32::MIN), "the least nanos"),
        ((-62_167_219_200, 0), "year 0"),
        ((-2_208_988_801, 999_999_999), "the last of 1899"),
        ((253_370_764_800, 0), "the first of 9999"),
        ((253_402_300_800, 0), "year 10000"),
        ((i64::MIN, 0), "the least seconds"),
        ((i64::MAX, 999_999_999), "the greatest seconds"),
    ] {
        assert_eq!(with(|it| it.start_time = at(bad.0, bad.1)), ["appointment.start_time"], "{what}");
        assert_eq!(with(|it| it.end_time = at(bad.0, bad.1)), ["appointment.end_time"], "{what}");
    }
    for (start, end) in [(-2_208_988_800, -2_208_988_799), (253_370_764_798, 253_370_764_799)] {
        assert!(with(|it| (it.start_time, it.end_time) = (at(start, 0), at(end, 999_999_999))).is_empty());
    }
}

#[test]
fn an_appointment_ends_after_it_starts_and_within_31_days() {
    const MONTH: i64 = 31 * 86_400;
    for (end, nanos, good) in [
        (START, 0, false),
        (START - 1, 0, false),
        (START, 1, true),
        (START + MONTH, 0, true),
        (START + MONTH, 1, false),
    ] {
        let expected: &[&str] = if good { &[] } else { &["appointment.end_time"] };
        assert_eq!(with(|it| it.end_time = at(end, nanos)), expected, "{end} {nanos}");
    }
}

#[test]
fn a_scheduled_appointment_needs_its_times_and_its_zone() {
    let missing = |it: &mut pb::Appointment| {
        (it.start_time, it.end_time) = (None, None);
        it.time_zone.clear();
    };
    assert_eq!(with(missing), ["appointment.start_time", "appointment.end_time", "appointment.time_zone"]);
}

#[test]
fn a_zone_is_one_that_iana_lists() {
    for good in ["Europe/Paris", "America/Argentina/Buenos_Aires", "UTC", "Etc/UTC", "Etc/GMT+5", "Indian/Reunion"] {
        assert!(with(|it| it.time_zone = good.to_owned()).is_empty(), "{good}");
    }
    for bad in [
        "Paris",
        "UTC+1",
        "GMT+01:00",
        "europe/paris",
        "Europe/paris",
        "Europe/Atlantis",
        "Europe/Paris ",
        "../etc/passwd",
        "Factory",
        "Etc/Unknown",
        "CEST",
        "\0",
        &"Z".repeat(1 << 20),
    ] {
        let shown = &bad[..bad.len().min(20)];
        assert_eq!(with(|it| it.time_zone = bad.to_owned()), ["appointment.time_zone"], "{shown:?}");
    }
}

#[test]
fn texts_are_counted_in_characters_and_hold_no_nul() {
    type Field = fn(&mut pb::Appointment) -> &mut String;
    let fields: [(&str, Field, usize); 4] = [
        ("appointment.type", |it| &mut it.r#type, 200),
        ("appointment.patient_name", |it| &mut it.patient_name, 200),
        ("appointment.practitioner_name", |it| &mut it.practitioner_name, 200),
        ("appointment.location", |it| &mut it.location, 500),
    ];
    for (name, field, limit) in fields {
        let set = |text: String| with(|it| *field(it) = text);
        assert!(set("é".repeat(limit)).is_empty(), "{name}");
        assert!(set("👩‍⚕️ \u{202E}{patient} <a href>\u{7}".to_owned()).is_empty(), "{name}: neutralised where rendered");
        assert_eq!(set("é".repeat(limit + 1)), [name]);
        assert_eq!(set("e".to_owned() + &"\u{301}".repeat(10_000)), [name]);
        assert_eq!(set("a\0b".to_owned()), [name]);
    }
}

#[test]
fn a_url_is_a_page_on_the_web_and_nothing_else() {
    for good in ["http://localhost:3000/rdv/1?a=b#c", "https://app.cassius.example/é", "HTTPS://app.cassius.example"] {
        assert!(with(|it| it.url = good.to_owned()).is_empty(), "{good}");
    }
    let long = format!("https://app.cassius.example/{}", "a".repeat(2_048));
    for bad in [
        "/rdv/1",
        "//evil.example",
        "/\\evil.example",
        "https:\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://app.cassius.example",
        "https://user@app.cassius.example",
        "https://user:secret@app.cassius.example",
        "https://@app.cassius.example",
        "https://app.cassius.example/\r\nset-cookie: a=b",
        "https://app.cassius.example/a b",
        " https://app.cassius.example",
        "https://",
        "not a url",
        "https://app.cassius.example/\0",
        &long,
    ] {
        assert_eq!(with(|it| it.url = bad.to_owned()), ["appointment.url"], "{bad:?}");
        let request = pb::BeginConnectRequest {
            organisation_id: PRACTICE.to_owned(),
            return_url: bad.to_owned(),
            ..Default::default()
        };
        assert_eq!(faults(begin_connect(&context(), &request)), ["return_url"], "{bad:?}");
    }
    let mut without = scheduled();
    without.url.clear();
    assert_eq!(sync(without).expect("no violation").details.url, None);
}

#[test]
fn what_does_not_take_place_needs_only_an_id_and_a_revision() {
    for (state, expected) in
        [(State::Cancelled, AppointmentState::Cancelled), (State::Deleted, AppointmentState::Deleted)]
    {
        let bare = pb::Appointment {
            appointment_id: "rdv-1".to_owned(),
            revision: 2,
            state: state.into(),
            ..Default::default()
        };
        let appointment = sync(bare.clone()).expect("no violation");
        assert_eq!((appointment.state, appointment.slot), (expected, None));
        let with_a_start = pb::Appointment { start_time: at(START, 0), ..bare.clone() };
        assert_eq!(sync(with_a_start).expect("a part of a slot is let through").slot, None);
        let nonsense = pb::Appointment {
            start_time: at(START, -1),
            time_zone: "Paris".to_owned(),
            patient_name: "\0".to_owned(),
            url: "javascript:".to_owned(),
            ..bare.clone()
        };
        assert_eq!(
            faults(sync(nonsense)),
            ["appointment.start_time", "appointment.time_zone", "appointment.patient_name", "appointment.url"]
        );
        let turned = pb::Appointment { start_time: at(START, 0), end_time: at(START, 0), ..bare };
        assert_eq!(faults(sync(turned)), ["appointment.end_time"]);
        let whole = pb::Appointment { state: state.into(), ..scheduled() };
        assert!(sync(whole).expect("no violation").slot.is_some());
    }
}

#[test]
fn a_wait_is_from_0_to_30_seconds() {
    let waits = |seconds, nanos| {
        let request = pb::SyncAppointmentRequest {
            organisation_id: PRACTICE.to_owned(),
            appointment: Some(scheduled()),
            wait: Some(PbDuration { seconds, nanos }),
        };
        sync_appointment(&context(), &request).map(|(_, _, wait)| wait)
    };
    assert_eq!(waits(0, 0).expect("no violation"), None);
    assert_eq!(waits(0, 1).expect("no violation"), Some(SignedDuration::from_nanos(1)));
    assert_eq!(waits(30, 0).expect("no violation"), Some(SignedDuration::from_secs(30)));
    for (seconds, nanos) in
        [(30, 1), (31, 0), (-1, 0), (0, -1), (-1, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)]
    {
        assert_eq!(faults(waits(seconds, nanos)), ["wait"], "{seconds} {nanos}");
    }
}

#[test]
fn a_preview_takes_an_appointment_that_has_no_name_yet() {
    let preview = |appointment, title_privacy| {
        preview_event(
            &context(),
            &pb::PreviewEventRequest { organisation_id: PRACTICE.to_owned(), appointment, title_privacy },
        )
    };
    let sample = preview(None, 0).expect("no violation");
    assert!(sample.appointment.is_none() && sample.privacy.is_none());
    let draft = pb::Appointment { appointment_id: String::new(), revision: 0, ..scheduled() };
    let drafted = preview(Some(draft), Privacy::Masked.into()).expect("no violation");
    assert!(drafted.appointment.is_some());
    assert_eq!(drafted.privacy, Some(TitlePrivacy::Masked));
    let bad =
        pb::Appointment { revision: -1, appointment_id: "a\nb".to_owned(), time_zone: String::new(), ..scheduled() };
    assert_eq!(
        faults(preview(Some(bad), 99)),
        ["appointment.appointment_id", "appointment.revision", "appointment.time_zone", "title_privacy"]
    );
}

fn update(
    paths: &[&str],
    settings: Option<pb::IntegrationSettings>,
) -> Result<crate::connection::SettingsRequest, Refusal> {
    let paths = paths.iter().map(|&path| path.to_owned()).collect();
    let request = pb::UpdateSettingsRequest {
        organisation_id: PRACTICE.to_owned(),
        settings,
        update_mask: Some(FieldMask { paths }),
    };
    update_settings(&context(), &request).map(|(_, change)| change)
}

fn settings(calendar_id: &str, title_privacy: i32) -> Option<pb::IntegrationSettings> {
    Some(pb::IntegrationSettings { is_enabled: true, calendar_id: calendar_id.to_owned(), title_privacy })
}

#[test]
fn a_mask_names_settings_and_only_those_are_looked_at() {
    let change = update(&["is_enabled"], settings("\0", 99)).expect("the others are not looked at");
    assert_eq!((change.is_enabled, change.calendar, change.title_privacy), (Some(true), None, None));
    let change = update(&["*"], settings("team@group.calendar.google.com", 2)).expect("no violation");
    assert_eq!(change.calendar, Some(CalendarId::new("team@group.calendar.google.com")));
    assert_eq!((change.is_enabled, change.title_privacy), (Some(true), Some(TitlePrivacy::Initials)));
    assert_eq!(
        faults(update(&["colour", "", "is_enabled"], settings("x", 1))),
        ["update_mask.paths[0]", "update_mask.paths[1]"]
    );
    assert_eq!(faults(update(&[], settings("x", 1))), ["update_mask"]);
    assert_eq!(faults(update(&["is_enabled"], None)), ["settings"]);
    let request = pb::UpdateSettingsRequest { organisation_id: PRACTICE.to_owned(), ..Default::default() };
    assert_eq!(faults(update_settings(&context(), &request)), ["update_mask", "settings"]);
}

#[test]
fn a_setting_that_is_named_is_checked() {
    for bad in ["", "  ", "a\0b", "a\nb", &"c".repeat(1_025)] {
        assert_eq!(faults(update(&["calendar_id"], settings(bad, 1))), ["settings.calendar_id"]);
    }
    assert!(update(&["calendar_id"], settings(&"c".repeat(1_024), 0)).is_ok());
    for bad in [0, 99] {
        assert_eq!(faults(update(&["title_privacy"], settings("x", bad))), ["settings.title_privacy"]);
    }
}

#[test]
fn remote_events_are_kept_unless_told_otherwise() {
    let request = |remote_events| pb::DisconnectRequest { organisation_id: PRACTICE.to_owned(), remote_events };
    for (number, expected) in [
        (0, RemoteEvents::Keep),
        (1, RemoteEvents::Keep),
        (2, RemoteEvents::DeleteUpcoming),
        (3, RemoteEvents::DeleteAll),
    ] {
        assert_eq!(disconnect(&context(), &request(number)).expect("no violation").1, expected);
    }
    assert_eq!(faults(disconnect(&context(), &request(99))), ["remote_events"]);
}

#[test]
fn a_retry_names_at_most_a_thousand_appointments_and_names_them_well() {
    let retry = |appointment_ids: Vec<String>| {
        let request = pb::RetryAppointmentsRequest { organisation_id: PRACTICE.to_owned(), appointment_ids };
        retry_appointments(&context(), &request).map(|(_, ids)| ids)
    };
    assert!(retry(Vec::new()).expect("no violation").is_none(), "none: all that stand in error");
    let ids = |count: usize| (0..count).map(|i| format!("rdv-{i}")).collect();
    assert_eq!(retry(ids(1_000)).expect("no violation").map(|ids| ids.len()), Some(1_000));
    assert_eq!(faults(retry(ids(1_001))), ["appointment_ids"]);
    assert_eq!(
        faults(retry(vec!["a".into(), "b\n".into(), "c".into(), String::new()])),
        ["appointment_ids[1]", "appointment_ids[3]"]
    );
    let Err(Refusal::InvalidRequest(violations)) = retry(vec![String::new(); 1_000]) else { panic!("violations") };
    assert_eq!((violations.omitted(), violations.into_fields().len()), (960, 40), "what a header can hold");
}

#[test]
fn at_most_five_hundred_links_are_looked_up_at_once() {
    let look_up = |appointment_ids: Vec<String>| {
        let request = pb::BatchGetAppointmentLinksRequest { organisation_id: PRACTICE.to_owned(), appointment_ids };
        batch_get_appointment_links(&context(), &request).map(|(_, ids)| ids.len())
    };
    let ids = |count: usize| (0..count).map(|i| format!("rdv-{i}")).collect();
    assert_eq!(look_up(Vec::new()).expect("no violation"), 0);
    assert_eq!(look_up(ids(500)).expect("no violation"), 500);
    assert_eq!(faults(look_up(ids(501))), ["appointment_ids"]);
    assert_eq!(
        faults(look_up(vec!["a".into(), String::new(), "b\n".into()])),
        ["appointment_ids[1]", "appointment_ids[2]"]
    );
}

#[test]
fn a_reconciled_appointment_is_named_well_and_has_a_revision() {
    let request = pb::ReconcileAppointmentsRequest { organisation_id: PRACTICE.to_owned(), ..Default::default() };
    assert_eq!(faults(reconcile(&context(), &request)), ["appointment_id", "revision"]);
}

fn list(sync_status: i32, page_size: i32, page_token: &str) -> Result<ListLinks, Refusal> {
    let organisation_id = PRACTICE.to_owned();
    let page_token = page_token.to_owned();
    let request = pb::ListAppointmentLinksRequest { organisation_id, sync_status, page_size, page_token };
    list_appointment_links(&context(), &request)
}

#[test]
fn a_page_has_a_size_and_a_known_filter() {
    for (asked, given) in [(0, 100), (1, 1), (1_000, 1_000), (1_001, 1_000), (70_000, 1_000), (i32::MAX, 1_000)] {
        assert_eq!(list(0, asked, "").expect("no violation").page.size, given);
    }
    assert_eq!(list(Status::Error.into(), 0, "").expect("no violation").status, Some(SyncStatus::Error));
    assert_eq!(faults(list(99, -1, "")), ["sync_status", "page_size"]);
    assert_eq!(faults(list(0, i32::MIN, "")), ["page_size"]);
}

#[test]
fn a_token_leads_on_in_its_own_list_and_nowhere_else() {
    let last = AppointmentId::parse(&"é".repeat(128)).expect("well formed");
    let page = list(Status::Error.into(), 10, "").expect("no violation").page;
    let token = page.token(last.as_str());
    assert_eq!(list(Status::Error.into(), 25, &token).expect("no violation").after, Some(last.clone()));

    assert_eq!(faults(list(0, 10, &token)), ["page_token"], "another filter");
    let elsewhere = Page { list: page.list.replace(PRACTICE, "practice-2"), ..page };
    let foreign = elsewhere.token(last.as_str());
    assert_eq!(faults(list(Status::Error.into(), 10, &foreign)), ["page_token"], "another list");
    assert_eq!(faults(list(99, 10, &foreign)), ["sync_status"], "which list it is cannot be told");
    assert_eq!(faults(list(99, 10, "x")), ["sync_status", "page_token"], "no token at all");
    for position in 0..token.len() {
        let mut mangled = token.clone().into_bytes();
        mangled[position] = if mangled[position] == b'A' { b'B' } else { b'A' };
        let mangled = String::from_utf8(mangled).expect("ASCII");
        assert_eq!(faults(list(Status::Error.into(), 10, &mangled)), ["page_token"], "at {position}");
    }
    for mangled in ["x", "====", "é", &token[1..], &format!("{token}A"), &"A".repeat(1 << 20)] {
        assert_eq!(faults(list(Status::Error.into(), 10, mangled)), ["page_token"]);
    }
}

#[test]
fn no_violation_repeats_a_value() {
    let canary = "canary-canary-canary";
    let mut bad = scheduled();
    bad.appointment_id = format!("{canary}\n");
    bad.time_zone = canary.to_owned();
    bad.url = format!("ftp://{canary}");
    bad.patient_name = format!("{canary}\0");
    let refusal = sync(bad).expect_err("violations");
    assert!(!format!("{refusal:?}").contains("canary"), "{refusal:?}");
    let refusal = update(&[canary], settings(&format!("{canary}\0"), 99)).expect_err("violations");
    assert!(!format!("{refusal:?}").contains("canary"), "{refusal:?}");
}

/// A request as it comes over the wire, with some bytes changed and perhaps cut.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(changes, cut, is_cut)| {
        let (organisation_id, wait) = (PRACTICE.to_owned(), Some(PbDuration { seconds: 3, nanos: 0 }));
        let request = pb::SyncAppointmentRequest { organisation_id, appointment: Some(scheduled()), wait };
        let mut bytes = request.encode_to_vec();
        changes.into_iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = byte);
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn whatever_a_request_holds_it_ends_in_a_value_or_in_violations(bytes in mangled(), text: String, number: i64, choice: i32) {
        let context = context();
        if let Ok(request) = pb::SyncAppointmentRequest::decode(&*bytes)
            && let Ok((_, appointment, _)) = sync_appointment(&context, &request)
        {
            prop_assert!(AppointmentId::parse(appointment.id.as_str()).is_ok());
        }
        if let Ok(request) = pb::UpdateSettingsRequest::decode(&*bytes) {
            let _ = update_settings(&context, &request);
        }
        if let Ok(request) = pb::RetryAppointmentsRequest::decode(&*bytes) {
            let _ = retry_appointments(&context, &request);
        }
        if let Ok(request) = pb::PreviewEventRequest::decode(&*bytes) {
            let _ = preview_event(&context, &request);
        }
        let seconds = Some(PbTimestamp { seconds: number, nanos: choice });
        let appointment = pb::Appointment {
            appointment_id: text.clone(),
            revision: number,
            state: choice,
            start_time: seconds,
            time_zone: text.clone(),
            url: text.clone(),
            ..scheduled()
        };
        let _ = sync(appointment);
        let organisation_id = PRACTICE.to_owned();
        let page_token = text.clone();
        let request = pb::ListAppointmentLinksRequest { organisation_id, page_token, ..Default::default() };
        prop_assert!(text.is_empty() || list_appointment_links(&context, &request).is_err(), "no token of ours");
        let (page_token, page_size, state) = (text.clone(), choice, choice);
        let request = pb::ListIntegrationsRequest { page_token, page_size, state, reason: choice };
        let _ = list_integrations(&context, &request);
        let request = pb::ListAuditEventsRequest { organisation_id: text.clone(), page_token: text, page_size: choice };
        let _ = list_audit_events(&context, &request);
    }
}
