//! What of an appointment is sent to Google, by the level that the practice has chosen.

use std::collections::BTreeMap;

use cassius_calendar::grpc::pb::{
    Appointment, DisconnectRequest, IntegrationSettings, IntegrationStatus, PreviewEventRequest, RemoteEvents,
    TitlePrivacy, UpdateSettingsRequest,
};
use prost_types::FieldMask;
use serde_json::Value;
use tonic::Code;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, instant};
use crate::house::readme::README;
use crate::wire::refused::refused;

const LEVELS: [TitlePrivacy; 3] = [TitlePrivacy::Full, TitlePrivacy::Initials, TitlePrivacy::Masked];
/// What Google adds to an event by itself.
const OF_GOOGLE: [&str; 15] = [
    "kind",
    "etag",
    "id",
    "status",
    "htmlLink",
    "created",
    "updated",
    "creator",
    "organizer",
    "iCalUID",
    "sequence",
    "reminders",
    "eventType",
    "calendar_id",
    "moved_away",
];

fn planted(id: &str, revision: i64) -> Appointment {
    Appointment {
        r#type: "Greffe-Wumbolt".into(),
        patient_name: "Zyxquathe Canarini".into(),
        practitioner_name: "Dr Quorvaxe".into(),
        location: "Salle Plimquist".into(),
        url: "https://cassius.example/patients/canarini".into(),
        ..appointment(id, revision)
    }
}

async fn update(
    app: &mut TestApp,
    settings: IntegrationSettings,
    path: &str,
) -> Result<IntegrationStatus, tonic::Status> {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(settings),
        update_mask: Some(FieldMask { paths: vec![path.into()] }),
    };
    app.integrations.update_settings(request).await.map(|answer| answer.into_inner().status.unwrap())
}

async fn show(app: &mut TestApp, privacy: TitlePrivacy) -> IntegrationStatus {
    let settings = IntegrationSettings { title_privacy: privacy.into(), ..IntegrationSettings::default() };
    update(app, settings, "title_privacy").await.unwrap()
}

/// The leaves of a JSON value, by their path.
fn leaves(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in
                object.iter().filter(|(name, _)| !path.is_empty() || !OF_GOOGLE.contains(&name.as_str()))
            {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, value, found);
            }
        }
        Value::String(text) => drop(found.insert(path.to_owned(), text.clone())),
        other => panic!("{path} is no text: {other}"),
    }
}

/// The cell of a level in each row of the README's table, with the planted words in place of their names; what is not sent
/// has no entry.
fn promised(level: usize) -> BTreeMap<String, String> {
    let (_, table) = README.split_once("| field of the event | `FULL` | `INITIALS` | `MASKED` |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>());
    let sent = cells.filter(|cells| cells[level + 2] != "–");
    sent.map(|cells| {
        let words = [
            ("{type}", "Greffe-Wumbolt"),
            ("{patient}", "Zyxquathe Canarini"),
            ("{initials}", "Z. C."),
            ("{practitioner}", "Dr Quorvaxe"),
            ("{location}", "Salle Plimquist"),
            ("{url}", "https://cassius.example/patients/canarini"),
            ("{opaque link}", "http://127.0.0.1:3000/appointments/rdv"),
            ("{start}", "2026-04-02T10:00:00+02:00"),
            ("{end}", "2026-04-02T10:30:00+02:00"),
            ("{zone}", "Europe/Paris"),
            ("{appointment id}", "rdv"),
            ("{organisation id}", "cabinet"),
            ("{revision}", "7"),
        ];
        let value = words.iter().fold(cells[level + 2].clone(), |cell, (name, word)| cell.replace(name, word));
        (cells[1].clone(), value)
    })
    .collect()
}

#[apply(both_backends)]
async fn each_level_sends_what_the_table_of_the_readme_says_and_nothing_else(app: &mut TestApp) {
    app.connect("cabinet").await;
    for (level, privacy) in LEVELS.into_iter().enumerate() {
        show(app, privacy).await;
        app.sync("cabinet", planted("rdv", 7)).await;
        app.at_rest("cabinet").await;
        let mut sent = BTreeMap::new();
        leaves("", &app.google.events_of(ACCOUNT, "rdv").await[0], &mut sent);
        assert_eq!(sent, promised(level), "{privacy:?}");
        // The preview shows the same.
        let request = PreviewEventRequest {
            organisation_id: "cabinet".into(),
            appointment: Some(planted("rdv", 7)),
            ..PreviewEventRequest::default()
        };
        let shown = app.integrations.preview_event(request).await.unwrap().into_inner().event.unwrap();
        let of = |field: &str| sent.get(field).cloned().unwrap_or_default();
        assert_eq!((shown.title, shown.description), (of("summary"), of("description")));
        assert_eq!((shown.location, shown.url), (of("location"), of("source.url")));
    }
}

#[apply(both_backends)]
async fn it_can_be_chosen_before_the_first_consent(app: &mut TestApp) {
    let status = show(app, TitlePrivacy::Masked).await;
    assert_eq!((status.title_privacy(), status.google_email.as_str()), (TitlePrivacy::Masked, ""));
    assert_eq!(app.status("cabinet").await, status, "it is kept");
    let off = IntegrationSettings { is_enabled: true, ..IntegrationSettings::default() };
    refused(update(app, off, "is_enabled").await, Code::FailedPrecondition, "NOT_CONNECTED");
    app.connect("cabinet").await;
    assert_eq!(app.status("cabinet").await.title_privacy(), TitlePrivacy::Masked);
    app.sync("cabinet", planted("rdv", 1)).await;
    assert_eq!(app.google.events_of(ACCOUNT, "rdv").await[0]["summary"], "[Cassius] Rendez-vous");
}

/// An appointment that is over when every test begins, and was not long ago.
fn past(id: &str) -> Appointment {
    let (start_time, end_time) = (Some(instant("2026-02-27T08:00:00Z")), Some(instant("2026-02-27T08:30:00Z")));
    Appointment { start_time, end_time, ..planted(id, 1) }
}

async fn titles(app: &TestApp) -> (Value, Value) {
    let of = async |id| app.google.events_of(ACCOUNT, id).await[0]["summary"].clone();
    (of("past").await, of("next").await)
}

#[apply(both_backends)]
async fn what_becomes_tighter_is_rewritten_in_past_events_too(app: &mut TestApp) {
    const FULL: &str = "[Cassius] Greffe-Wumbolt — Zyxquathe Canarini";
    const INITIALS: &str = "[Cassius] Greffe-Wumbolt — Z. C.";
    const MASKED: &str = "[Cassius] Rendez-vous";
    app.connect("cabinet").await;
    app.sync("cabinet", past("past")).await;
    app.sync("cabinet", planted("next", 1)).await;
    for (privacy, past, next) in [
        (TitlePrivacy::Initials, INITIALS, INITIALS),
        // What is over is not told more of.
        (TitlePrivacy::Full, INITIALS, FULL),
        (TitlePrivacy::Masked, MASKED, MASKED),
    ] {
        show(app, privacy).await;
        app.at_rest("cabinet").await;
        assert_eq!(titles(app).await, (past.into(), next.into()), "{privacy:?}");
    }
}

#[apply(both_backends)]
async fn what_becomes_tighter_while_nothing_is_connected_is_rewritten_once_it_is_again(app: &mut TestApp) {
    app.connect("cabinet").await;
    app.sync("cabinet", past("past")).await;
    app.sync("cabinet", planted("next", 1)).await;
    let keep = DisconnectRequest { organisation_id: "cabinet".into(), remote_events: RemoteEvents::Keep.into() };
    app.integrations.disconnect(keep).await.unwrap();
    assert_eq!(show(app, TitlePrivacy::Masked).await.title_privacy(), TitlePrivacy::Masked);
    app.connect("cabinet").await;
    app.at_rest("cabinet").await;
    assert_eq!(titles(app).await, ("[Cassius] Rendez-vous".into(), "[Cassius] Rendez-vous".into()));
}
