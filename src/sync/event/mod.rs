//! Renders an appointment as an event: title, description, place, times.
//!
//! Owns what an event shows under each privacy, and the id that it has. What people typed is neutralised here: control
//! characters and marks that reorder text go, markup is escaped in the description, and a long title is cut between
//! graphemes. Never reads what people typed as a pattern: a `{patient}` in a name stays as it is. Invariant: the same
//! appointment gets the same event id for the same calendar, generation by generation; an event that is moved keeps the id
//! that it got.

use std::fmt;

use data_encoding::BASE32HEX_NOPAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use unicode_script::{Script, UnicodeScript as _};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::model::{
    Appointment, AppointmentId, CalendarId, Details, EventId, Generation, OrganisationId, Revision, TitlePrivacy,
    breaks_a_line, is_invisible, is_part_of_a_script,
};

const PREFIX: &str = "[Cassius]";
const FALLBACK_KIND: &str = "Rendez-vous";
/// In graphemes, so that no letter or emoji is cut in two.
const MAX_TITLE: usize = 250;
/// In characters: the longest emoji sequences have about ten; hundreds of combining marks are noise.
const MAX_GRAPHEME_CHARS: usize = 16;

/// An event as it is written to Google. A patient can be known by it: `Debug` withholds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The title, of at most 250 graphemes.
    pub summary: String,
    /// The description, in the HTML that Google shows.
    pub description: String,
    /// The place, possibly empty.
    pub location: String,
    /// The first instant.
    pub start_at: Timestamp,
    /// The instant after the last.
    pub end_at: Timestamp,
    /// The IANA zone.
    pub time_zone: String,
    /// The page of the appointment in Cassius.
    pub source_url: Option<String>,
    /// The organisation, for the private properties.
    pub organisation: OrganisationId,
    /// The appointment, for the private properties.
    pub appointment: AppointmentId,
    /// The revision, for the private properties.
    pub revision: Revision,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("appointment", &self.appointment)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl Event {
    /// The bytes that decide whether two events show the same. Not among them: the revision, and whose event it is, which
    /// never changes.
    pub fn content(&self) -> Vec<u8> {
        let Self {
            summary,
            description,
            location,
            start_at,
            end_at,
            time_zone,
            source_url,
            organisation: _,
            appointment: _,
            revision: _,
        } = self;
        let start_at = start_at.as_microsecond().to_string();
        let end_at = end_at.as_microsecond().to_string();
        let source_url = source_url.as_deref().unwrap_or_default();
        length_prefixed(&[summary, description, location, &start_at, &end_at, time_zone, source_url])
    }
}

/// What rendering needs beside the appointment.
#[derive(Debug, Clone)]
pub struct EventContext<'a> {
    /// The organisation that the event's private properties name.
    pub organisation: &'a OrganisationId,
    /// How much of the appointment the event shows.
    pub privacy: TitlePrivacy,
    /// Where Cassius is, for links to appointments that bring none of their own.
    pub app_url: Option<&'a Url>,
}

/// Renders the event of an appointment; `None`: none should stand.
pub fn render(appointment: &Appointment, context: &EventContext<'_>) -> Option<Event> {
    let (slot, details) = appointment.scheduled()?;
    let opaque_link = || context.app_url.map(|base| deep_link(base, &appointment.id));
    let (practitioner, location, url) = match context.privacy {
        TitlePrivacy::Full | TitlePrivacy::Initials => {
            (details.practitioner_name.as_str(), details.location.as_str(), details.url.clone().or_else(opaque_link))
        }
        // An address of Cassius's own making may tell of the patient.
        TitlePrivacy::Masked => ("", "", opaque_link()),
    };
    Some(Event {
        summary: title(details, context.privacy),
        description: description(practitioner, url.as_deref()),
        location: neutralise(location),
        start_at: slot.start_at,
        end_at: slot.end_at,
        time_zone: slot.time_zone.clone(),
        source_url: url,
        organisation: context.organisation.clone(),
        appointment: appointment.id.clone(),
        revision: appointment.revision,
    })
}

/// The title: `[Cassius] {type} — {patient}`, as far as `privacy` lets it be shown.
pub fn title(details: &Details, privacy: TitlePrivacy) -> String {
    let kind = neutralise(&details.kind);
    let kind = if kind.is_empty() { FALLBACK_KIND } else { &kind };
    let patient = match privacy {
        TitlePrivacy::Full => neutralise(&details.patient_name),
        TitlePrivacy::Initials => initials(&neutralise(&details.patient_name)),
        TitlePrivacy::Masked => return format!("{PREFIX} {FALLBACK_KIND}"),
    };
    let title = if patient.is_empty() { format!("{PREFIX} {kind}") } else { format!("{PREFIX} {kind} — {patient}") };
    cut(&title, MAX_TITLE)
}

fn description(practitioner: &str, url: Option<&str>) -> String {
    let link = url
        .map(|url| format!("<a href=\"{}\">Ouvrir dans Cassius</a>", html_escape::encode_double_quoted_attribute(url)));
    let practitioner = neutralise(practitioner);
    let practitioner =
        (!practitioner.is_empty()).then(|| format!("Praticien : {}", html_escape::encode_safe(&practitioner)));
    link.into_iter().chain(practitioner).collect::<Vec<_>>().join("<br>")
}

fn deep_link(base: &Url, appointment: &AppointmentId) -> String {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["appointments", appointment.as_str()]);
    }
    url.into()
}

/// `Marie-Claire Durand` → `M.-C. D.` A word of one letter or of digits has none, nor has one without two letters in a row,
/// such as `A.B`: its initial would be all of it, or half. Nor has a name in a script without letters: its first sign is a
/// family name as a rule.
fn initials(name: &str) -> String {
    let is_letter = |grapheme: &&str| grapheme.chars().next().is_some_and(is_of_letters);
    let initial = |part: &str| {
        let graphemes: Vec<&str> = part.graphemes(true).collect();
        let first = graphemes.iter().find(|grapheme| is_letter(grapheme))?;
        let is_any_hidden = graphemes.windows(2).any(|pair| pair.iter().all(is_letter));
        is_any_hidden.then(|| format!("{}.", first.to_uppercase()))
    };
    name.split_whitespace()
        .map(|word| word.split(HYPHENS).filter_map(initial).collect::<Vec<_>>().join("-"))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Joins the parts of a name: as it is typed, as it is set, and where no line may break.
const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{2011}'];

/// Whether a character is a letter, and no number that is written in them, of a script whose signs are letters and not whole
/// words or syllables.
fn is_of_letters(c: char) -> bool {
    let is_sign = matches!(
        c.script(),
        Script::Han | Script::Hangul | Script::Hiragana | Script::Katakana | Script::Bopomofo | Script::Yi
    );
    c.is_alphabetic() && !c.is_numeric() && !is_sign
}

/// One line of text without control characters and without marks that reorder or hide what follows. Joiners stay: emoji
/// and several scripts need them.
fn neutralise(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if breaks_a_line(c) { ' ' } else { c })
        .filter(|c| !is_invisible(*c) || is_part_of_a_script(*c) || is_tag(*c))
        .collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    // Behind a black flag tags say whose it is; behind anything else they hide a text.
    let seen = |grapheme: &str| {
        let is_flag = grapheme.starts_with('\u{1F3F4}');
        grapheme.chars().filter(move |c| is_flag || !is_tag(*c)).take(MAX_GRAPHEME_CHARS).collect::<String>()
    };
    line.graphemes(true).map(seen).collect()
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

fn cut(text: &str, most: usize) -> String {
    match text.grapheme_indices(true).nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.graphemes(true).take(most - 1).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

/// The id of an appointment's event: the same inputs give the same id, so that an insert repeated after a lost answer
/// cannot make a second event. 160 bits, in Google's alphabet `a-v0-9`.
pub fn event_id(
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    calendar: &CalendarId,
    generation: Generation,
) -> EventId {
    let generation = generation.0.to_string();
    let name = length_prefixed(&[organisation.as_str(), appointment.as_str(), calendar.as_str(), &generation]);
    let digest = Sha256::digest(name);
    EventId::new(BASE32HEX_NOPAD.encode(&digest[..20]).to_lowercase())
}

/// Joins texts so that no two lists give the same bytes.
fn length_prefixed(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
