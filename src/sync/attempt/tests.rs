//! Tables for single decisions; and random histories against a model of Google that forgets answers, loses events and
//! calendars, throttles and refuses.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{AppointmentId, EventId, Generation, OrganisationId, Revision};
use crate::sync::ThrottleScope;

const CALENDARS: [&str; 3] = ["praxis", "salle-2", "salle-3"];

fn owner() -> Owner {
    Owner {
        organisation: OrganisationId::parse("cabinet-1").unwrap(),
        appointment: AppointmentId::parse("rdv-1").unwrap(),
    }
}

/// A goal whose content is the number `content`; `None`: cancelled.
fn goal(calendar: usize, content: Option<u8>) -> Goal {
    let Owner { organisation, appointment } = owner();
    let event = content.map(|content| {
        let event = Event {
            summary: content.to_string(),
            description: String::new(),
            location: String::new(),
            start_at: jiff::Timestamp::UNIX_EPOCH,
            end_at: jiff::Timestamp::UNIX_EPOCH,
            time_zone: "Europe/Paris".into(),
            source_url: None,
            organisation,
            appointment,
            revision: Revision::new(1).unwrap(),
        };
        (event, Fingerprint(vec![content]))
    });
    Goal { calendar: CalendarId::new(CALENDARS[calendar]), event, owner: owner() }
}

#[derive(Debug, Clone, PartialEq)]
struct Stored {
    alive: bool,
    summary: String,
    etag: u32,
    ours: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Carried out, and no answer came.
    AnswerLost,
    /// Not carried out, and no answer came.
    Unreachable,
    Throttled,
    /// The process died after the call was carried out.
    Killed,
    /// Moves are not possible for this event.
    MoveRefused,
}

#[derive(Debug, Default)]
struct Google {
    events: BTreeMap<(CalendarId, EventId), Stored>,
    missing: Vec<CalendarId>,
    etags: u32,
    calls: Vec<&'static str>,
}

impl Google {
    fn alive(&self) -> Vec<(&CalendarId, &Stored)> {
        self.events
            .iter()
            .filter(|((calendar, _), event)| event.alive && event.ours && !self.missing.contains(calendar))
            .map(|((calendar, _), event)| (calendar, event))
            .collect()
    }

    fn stored(&mut self, place: &Place, summary: &str) -> Answer {
        self.etags += 1;
        let event = Stored { alive: true, summary: summary.into(), etag: self.etags, ours: true };
        self.events.insert((place.calendar.clone(), place.event.clone()), event);
        Answer::Stored { etag: Etag::new(self.etags.to_string()), html_link: None }
    }

    fn carry_out(&mut self, call: &Call) -> Answer {
        self.calls.push(call.name());
        let (calendar, place) = match call {
            Call::Insert { place, .. }
            | Call::Patch { place, .. }
            | Call::Delete { place, .. }
            | Call::Move { place, .. }
            | Call::Get { place } => (&place.calendar, Some(place)),
            Call::Probe { calendar } => (calendar, None),
        };
        if self.missing.contains(calendar) {
            return if place.is_some() { Answer::NotFound } else { Answer::CalendarMissing };
        }
        let Some(place) = place else { return Answer::CalendarOpen };
        let at = self.events.get(&(place.calendar.clone(), place.event.clone())).cloned();
        let expected = match call {
            Call::Patch { etag, .. } => Some(etag),
            Call::Delete { etag, .. } => etag.as_ref(),
            Call::Insert { .. } | Call::Move { .. } | Call::Get { .. } | Call::Probe { .. } => None,
        };
        let is_stale = |event: &Stored| expected.is_some_and(|etag| etag.as_str() != event.etag.to_string());
        match (call, at) {
            (Call::Insert { event, .. }, None) => self.stored(place, &event.summary),
            (Call::Insert { .. }, Some(_)) => Answer::AlreadyExists,
            (Call::Move { from, .. }, at) => {
                if self.missing.contains(from) {
                    return Answer::NotFound;
                }
                let source = self.events.get_mut(&(from.clone(), place.event.clone())).filter(|event| event.alive);
                match (source, at) {
                    (None, _) => Answer::NotFound,
                    (Some(_), Some(_)) => Answer::AlreadyExists,
                    (Some(source), None) => {
                        source.alive = false;
                        let summary = source.summary.clone();
                        self.stored(place, &summary)
                    }
                }
            }
            (_, None) => Answer::NotFound,
            (_, Some(event)) if !event.alive => Answer::Gone,
            (_, Some(event)) if is_stale(&event) => Answer::Changed,
            (Call::Patch { event, .. }, Some(_)) => self.stored(place, &event.summary),
            (Call::Delete { .. }, Some(_)) => {
                if let Some(event) = self.events.get_mut(&(place.calendar.clone(), place.event.clone())) {
                    event.alive = false;
                }
                Answer::Deleted
            }
            (Call::Get { .. } | Call::Probe { .. }, Some(event)) => Answer::Found {
                etag: Etag::new(event.etag.to_string()),
                html_link: None,
                owner: event.ours.then(owner),
            },
        }
    }

    fn answer(&mut self, call: &Call, fault: Fault) -> Option<Answer> {
        match fault {
            Fault::None => Some(self.carry_out(call)),
            Fault::AnswerLost => {
                self.carry_out(call);
                Some(Answer::Unavailable { retry_after: None })
            }
            Fault::Unreachable => Some(Answer::Unavailable { retry_after: None }),
            Fault::Throttled => Some(Answer::Throttled { scope: ThrottleScope::User, retry_after: None }),
            Fault::Killed => {
                self.carry_out(call);
                None
            }
            Fault::MoveRefused if matches!(call, Call::Move { .. }) => {
                Some(Answer::Refused { reason: "invalid".into() })
            }
            Fault::MoveRefused => Some(self.carry_out(call)),
        }
    }
}

/// Runs one attempt; `stored` is what the database would hold at each moment. `None`: the process died.
fn attempt(
    google: &mut Google,
    goal: Goal,
    stored: &mut Placement,
    faults: &mut dyn Iterator<Item = Fault>,
) -> Option<Outcome> {
    let (mut attempt, mut step) = Attempt::begin(goal, stored.clone());
    loop {
        match step {
            Step::Call { placement, call } => {
                *stored = placement;
                let answer = google.answer(&call, faults.next().unwrap_or(Fault::None))?;
                assert!(google.alive().len() <= 1, "two live events after {call:?}");
                step = attempt.advance(answer);
            }
            Step::Settle(outcome) => {
                let (Outcome::Synced { placement, .. }
                | Outcome::Later { placement, .. }
                | Outcome::Refused { placement, .. }
                | Outcome::Stopped { placement, .. }) = &outcome;
                *stored = placement.clone();
                return Some(outcome);
            }
        }
    }
}

fn settle(google: &mut Google, goal: Goal, stored: &mut Placement) -> Outcome {
    attempt(google, goal, stored, &mut std::iter::empty()).expect("nothing kills it")
}

fn synced(google: &mut Google, goal: Goal, stored: &mut Placement) {
    let outcome = settle(google, goal, stored);
    assert!(matches!(outcome, Outcome::Synced { .. }), "{outcome:?}");
}

#[derive(Debug, Clone)]
enum Happening {
    Edit(u8),
    Cancel,
    ChangeCalendar(usize),
    Attempt(Vec<Fault>),
    /// The user deletes the event.
    Vanish,
    /// The user changes the event.
    Touch,
    CalendarDeleted(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::Unreachable),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Killed),
        1 => Just(Fault::MoveRefused),
    ];
    prop_oneof![
        4 => (0u8..4).prop_map(Happening::Edit),
        2 => Just(Happening::Cancel),
        2 => (0usize..2).prop_map(Happening::ChangeCalendar),
        8 => prop::collection::vec(fault, 0..6).prop_map(Happening::Attempt),
        1 => Just(Happening::Vanish),
        1 => Just(Happening::Touch),
        1 => (0usize..2).prop_map(Happening::CalendarDeleted),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_google_ends_up_showing_the_goal_once(history in prop::collection::vec(happening(), 1..24)) {
        let mut google = Google::default();
        let mut stored = Placement::NEVER;
        let (mut calendar, mut content) = (0, None);
        for happening in history {
            match happening {
                Happening::Edit(number) => content = Some(number),
                Happening::Cancel => content = None,
                Happening::ChangeCalendar(number) => calendar = number,
                Happening::Attempt(faults) => {
                    attempt(&mut google, goal(calendar, content), &mut stored, &mut faults.into_iter());
                }
                Happening::Vanish => google.events.values_mut().for_each(|event| event.alive = false),
                Happening::Touch => {
                    google.etags += 1;
                    let etag = google.etags;
                    google.events.values_mut().for_each(|event| event.etag = etag);
                }
                Happening::CalendarDeleted(number) => {
                    let deleted = CalendarId::new(CALENDARS[number]);
                    google.events.retain(|(calendar, _), _| *calendar != deleted);
                    google.missing.push(deleted);
                }
            }
        }
        // At rest: Google is well, and the practice has chosen a calendar that exists.
        let target = if google.missing.is_empty() { calendar } else { 2 };
        synced(&mut google, goal(target, content.map(|content| content + 100)), &mut stored);
        let shown: Vec<_> =
            google.alive().iter().map(|(calendar, event)| (calendar.as_str().to_owned(), event.summary.clone())).collect();
        let expected: Vec<_> =
            content.iter().map(|content| (CALENDARS[target].to_owned(), (content + 100).to_string())).collect();
        prop_assert_eq!(shown, expected);
        // And it rests: what is synced needs no further call.
        let calls = google.calls.len();
        synced(&mut google, goal(target, content.map(|content| content + 100)), &mut stored);
        prop_assert_eq!(google.calls.len(), calls);
    }
}

#[test]
fn an_appointment_costs_one_call_a_change_and_none_without_one() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    for (content, expected) in [
        (Some(1), vec!["events.insert"]),
        (Some(1), vec![]),
        (Some(2), vec!["events.patch"]),
        (None, vec!["events.delete"]),
        (None, vec![]),
    ] {
        google.calls.clear();
        synced(&mut google, goal(0, content), &mut stored);
        assert_eq!(google.calls, expected);
    }
}

#[test]
fn cancelled_before_it_was_sent_makes_no_call() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, None), &mut stored);
    assert!(google.calls.is_empty());
    assert_eq!(stored, Placement::NEVER);
}

#[test]
fn an_insert_whose_answer_was_lost_is_adopted() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    attempt(&mut google, goal(0, Some(1)), &mut stored, &mut [Fault::AnswerLost].into_iter());
    synced(&mut google, goal(0, Some(2)), &mut stored);
    assert_eq!(google.calls, ["events.insert", "events.insert", "events.get", "events.patch"]);
    assert_eq!(google.alive().len(), 1);
}

#[test]
fn a_change_whose_answer_was_lost_is_not_taken_for_undone_when_the_content_returns() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    attempt(&mut google, goal(0, Some(2)), &mut stored, &mut [Fault::AnswerLost].into_iter());
    synced(&mut google, goal(0, Some(1)), &mut stored);
    assert_eq!(google.alive()[0].1.summary, "1");
}

#[test]
fn an_event_that_vanished_is_recreated_as_the_next_generation() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.events.values_mut().for_each(|event| event.alive = false);
    synced(&mut google, goal(0, Some(2)), &mut stored);
    assert_eq!(stored.place().map(|place| place.generation), Some(Generation(2)));
    assert_eq!(google.alive().len(), 1);
}

#[test]
fn an_event_that_is_not_ours_is_left_alone() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    let calendar = CalendarId::new(CALENDARS[0]);
    let Owner { organisation, appointment } = owner();
    let event = event_id(&organisation, &appointment, &calendar, Generation::FIRST);
    let foreign = Stored { alive: true, summary: "private".into(), etag: 1, ours: false };
    google.events.insert((calendar.clone(), event.clone()), foreign.clone());
    synced(&mut google, goal(0, Some(1)), &mut stored);
    assert_eq!(google.events[&(calendar, event)], foreign);
    assert_eq!(google.alive().len(), 1);
}

#[test]
fn a_missing_calendar_stops_the_integration_and_recreates_nothing() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.missing.push(CalendarId::new(CALENDARS[0]));
    google.calls.clear();
    let outcome = settle(&mut google, goal(0, Some(2)), &mut stored);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::CalendarUnavailable, .. }));
    assert_eq!(google.calls, ["events.patch", "events.list"]);
    assert_eq!(stored.place().map(|place| place.generation), Some(Generation(1)));
}

#[test]
fn a_target_that_is_missing_leaves_the_event_where_it_is() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.missing.push(CalendarId::new(CALENDARS[1]));
    let outcome = settle(&mut google, goal(1, Some(1)), &mut stored);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::CalendarUnavailable, .. }), "{outcome:?}");
    synced(&mut google, goal(2, Some(1)), &mut stored);
    assert_eq!(google.alive().len(), 1);
    assert_eq!(google.alive()[0].0.as_str(), CALENDARS[2]);
}

#[test]
fn a_move_is_one_call() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.calls.clear();
    synced(&mut google, goal(1, Some(1)), &mut stored);
    assert_eq!(google.calls, ["events.move"]);
}
