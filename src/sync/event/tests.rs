use super::*;
use crate::model::{AppointmentState, Slot};

fn details(kind: &str, patient: &str) -> Details {
    Details {
        kind: kind.into(),
        patient_name: patient.into(),
        practitioner_name: "Dr Anne Petit".into(),
        location: "Cabinet 2".into(),
        url: None,
    }
}

fn rendered(details: Details, privacy: TitlePrivacy) -> Event {
    let appointment = Appointment {
        id: AppointmentId::parse("rdv/1").unwrap(),
        revision: Revision::new(7).unwrap(),
        state: AppointmentState::Scheduled,
        slot: Some(Slot {
            start_at: "2026-03-02T08:00:00Z".parse().unwrap(),
            end_at: "2026-03-02T08:30:00Z".parse().unwrap(),
            time_zone: "Europe/Paris".into(),
        }),
        details,
    };
    let organisation = OrganisationId::parse("cabinet-1").unwrap();
    let app_url = Url::parse("https://app.cassius.example/").unwrap();
    render(&appointment, &EventContext { organisation: &organisation, privacy, app_url: Some(&app_url) }).unwrap()
}

#[test]
fn the_title_shows_as_much_as_the_privacy_lets_it() {
    let marie = details("Implant", "Marie-Claire Durand");
    assert_eq!(title(&marie, TitlePrivacy::Full), "[Cassius] Implant — Marie-Claire Durand");
    assert_eq!(title(&marie, TitlePrivacy::Initials), "[Cassius] Implant — M.-C. D.");
    assert_eq!(title(&marie, TitlePrivacy::Masked), "[Cassius] Rendez-vous");
}

#[test]
fn initials_give_nothing_away_of_names_that_are_no_longer_than_they() {
    for (name, shown) in [
        ("Camille Exemple", " — C. E."),
        ("Li X Wang", " — L. W."),
        ("Marie-C Durand-Petit", " — M. D.-P."),
        ("J.-P. D'Arc", " — D."),
        ("张 伟", ""),
        ("李明", ""),
        ("김민준 Martin", " — M."),
        ("さくら カナ", ""),
        ("Ольга Иванова", " — О. И."),
        ("Patient 4711", " — P."),
        ("4711 12", ""),
        ("2B 7a", ""),
        ("É. Zoé", " — Z."),
        ("ⅩⅡ Zoé", " — Z."),
        ("A\u{2011}B Zoé", " — Z."),
        ("A.B J.P. Zoé", " — Z."),
        ("Marie\u{2011}Claire Zoé", " — M.-C. Z."),
        ("e\u{301} Zoé", " — Z."),
    ] {
        assert_eq!(
            title(&details("Implant", name), TitlePrivacy::Initials),
            format!("[Cassius] Implant{shown}"),
            "{name}"
        );
    }
}

#[test]
fn a_masked_event_shows_when_and_an_opaque_link_alone() {
    let mut telling = details("Implant", "Marie Durand");
    telling.url = Some("https://app.cassius.example/patients/marie-durand".into());
    let event = rendered(telling, TitlePrivacy::Masked);
    let link = "https://app.cassius.example/appointments/rdv%2F1";
    assert_eq!(event.description, format!("<a href=\"{link}\">Ouvrir dans Cassius</a>"));
    assert_eq!((event.location.as_str(), event.source_url.as_deref()), ("", Some(link)));
}

#[test]
fn what_is_missing_leaves_no_gap() {
    assert_eq!(title(&details("", "Marie Durand"), TitlePrivacy::Full), "[Cassius] Rendez-vous — Marie Durand");
    assert_eq!(title(&details("Implant", " \t"), TitlePrivacy::Full), "[Cassius] Implant");
}

#[test]
fn marks_that_reorder_or_hide_text_go_and_emoji_stay() {
    let full = |patient| title(&details("Contrôle", patient), TitlePrivacy::Full);
    assert_eq!(full("Ma\u{202E}rie\u{0}\nDurand\u{2066}"), "[Cassius] Contrôle — Marie Durand");
    assert_eq!(full("👩‍👩‍👧‍👦 Zoé"), "[Cassius] Contrôle — 👩‍👩‍👧‍👦 Zoé");
    assert_eq!(full("❤\u{FE0F} 葛\u{E0100}"), "[Cassius] Contrôle — ❤\u{FE0F} 葛\u{E0100}", "variants stay");
    let scottish = "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F} Zoé";
    assert_eq!(full(scottish), format!("[Cassius] Contrôle — {scottish}"));
    assert_eq!(full("M\u{E0048}\u{E0049}arie\u{E0044} Durand"), "[Cassius] Contrôle — Marie Durand");
    let marks = format!("e{}", "\u{301}".repeat(10_000));
    assert!(full(&marks).len() < 100);
}

#[test]
fn a_name_is_never_taken_for_a_template() {
    assert_eq!(title(&details("{patient}", "{type}"), TitlePrivacy::Full), "[Cassius] {patient} — {type}");
}

#[test]
fn a_long_title_is_cut_between_graphemes() {
    let long = title(&details("Implant", &"👨‍👩‍👧".repeat(400)), TitlePrivacy::Full);
    assert_eq!(long.graphemes(true).count(), MAX_TITLE);
    assert!(long.ends_with("👨‍👩‍👧…"));
}

#[test]
fn the_description_links_to_cassius_and_escapes_markup() {
    let mut markup = details("Implant", "Marie");
    markup.practitioner_name = "Dr <a href=\"https://evil.example\">O'Neil</a>".into();
    let event = rendered(markup, TitlePrivacy::Full);
    assert!(event.description.starts_with(
        "<a href=\"https://app.cassius.example/appointments/rdv%2F1\">Ouvrir dans Cassius</a><br>Praticien : Dr &lt;a"
    ));
    assert!(!event.description.contains("<a href=\"https://evil"));
}

#[test]
fn the_content_changes_with_what_is_shown_and_not_with_the_revision() {
    let event = rendered(details("Implant", "Marie"), TitlePrivacy::Full);
    let mut later = event.clone();
    later.revision = Revision::new(8).unwrap();
    assert_eq!(event.content(), later.content());
    later.location.push('!');
    assert_ne!(event.content(), later.content());
}

#[test]
fn an_event_id_keeps_to_googles_alphabet_and_tells_its_inputs_apart() {
    let id = |organisation, appointment, calendar, generation| {
        event_id(
            &OrganisationId::parse(organisation).unwrap(),
            &AppointmentId::parse(appointment).unwrap(),
            &CalendarId::new(calendar),
            Generation(generation),
        )
    };
    let one = id("a", "bc", "d", 1);
    assert!(one.as_str().len() == 32 && one.as_str().chars().all(|c| matches!(c, 'a'..='v' | '0'..='9')));
    assert_eq!(one, id("a", "bc", "d", 1));
    for other in [id("ab", "c", "d", 1), id("a", "bc", "d", 2), id("a", "bc", "e", 1)] {
        assert_ne!(one, other);
    }
}

#[test]
fn debug_shows_nothing_of_the_patient() {
    let event = rendered(details("Implant", "Canary Name"), TitlePrivacy::Full);
    assert!(!format!("{event:?}").contains("Canary"));
}
