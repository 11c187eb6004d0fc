//! What people typed, as Google gets it: neutralised, escaped, cut; never expanded.

use cassius_calendar::grpc::pb::{Appointment, SyncStatus};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

/// The event at Google after a sync of this appointment.
async fn written(app: &mut TestApp, appointment: Appointment) -> serde_json::Value {
    let id = appointment.appointment_id.clone();
    let link = app.sync("cabinet", appointment).await;
    assert_eq!(link.sync_status(), SyncStatus::Synced);
    let events = app.google.events(ACCOUNT).await;
    let ours = |event: &&serde_json::Value| event["extendedProperties"]["private"]["cassiusAppointmentId"] == *id;
    events.iter().find(ours).unwrap().clone()
}

fn summary(event: &serde_json::Value) -> &str {
    event["summary"].as_str().unwrap()
}

#[apply(both_backends)]
async fn marks_that_reorder_or_break_a_line_are_taken_out_and_emoji_are_kept(app: &mut TestApp) {
    app.connect("cabinet").await;
    let family = "👩\u{200d}👩\u{200d}👧";
    for (id, typed, shown) in [
        ("bidi", "Ca\u{202e}mille\u{2066}\u{200f} Exemple", "Camille Exemple"),
        ("controls", "Camille\u{1b}[31m\r\nExemple\u{7f}\u{85}\t", "Camille [31m Exemple"),
        ("separators", "Camille\u{2028}Ex\u{feff}em\u{200b}ple", "Camille Exemple"),
        ("emoji", family, family),
        ("braces", "{patient} {{type}} ${url} %s", "{patient} {{type}} ${url} %s"),
    ] {
        let event = written(app, Appointment { patient_name: typed.into(), ..appointment(id, 1) }).await;
        assert_eq!(summary(&event), format!("[Cassius] Implant — {shown}"));
    }
}

#[apply(both_backends)]
async fn a_heap_of_combining_marks_becomes_a_few(app: &mut TestApp) {
    app.connect("cabinet").await;
    let heap = format!("e{}", "\u{301}".repeat(199));
    let event = written(app, Appointment { patient_name: heap, ..appointment("marks", 1) }).await;
    assert!(summary(&event).chars().count() < 60, "{}", summary(&event));
}

#[apply(both_backends)]
async fn markup_is_escaped_where_google_would_show_it(app: &mut TestApp) {
    app.connect("cabinet").await;
    let markup = "<a href=\"https://evil.example\">x</a><script>1</script>&amp;";
    let marked = Appointment {
        practitioner_name: markup.into(),
        url: "https://cassius.example/rdv?a=1&b=%22%3E%3Cscript%3E".into(),
        ..appointment("markup", 1)
    };
    let event = written(app, marked).await;
    let description = event["description"].as_str().unwrap();
    assert_eq!(description.matches('<').count(), 3, "our own link and line break alone: {description}");
    assert!(!description.contains("evil.example\">") && !description.contains("<script"), "{description}");
    assert!(!description.contains("Camille"), "a description names no patient");
}

#[apply(both_backends)]
async fn a_long_title_is_cut_between_graphemes(app: &mut TestApp) {
    app.connect("cabinet").await;
    let flags = "🇫🇷".repeat(100);
    let long = Appointment { r#type: "é".repeat(200), patient_name: flags, ..appointment("long", 1) };
    let event = written(app, long).await;
    let title = summary(&event);
    assert_eq!(title.graphemes(true).count(), 250);
    assert!(title.ends_with("🇫🇷…"), "{title}");
    assert!(title.starts_with("[Cassius] é"));
}
