//! Tables for single decisions; and random histories against a model of Google that forgets answers, loses events and
//! calendars, throttles and refuses.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{AppointmentId, EventId, Generation, OrganisationId, Revision};
use crate::sync::{Shown, ThrottleScope};

pub(super) const CALENDARS: [&str; 3] = ["praxis", "salle-2", "salle-3"];

pub(super) fn owner() -> Owner {
    Owner {
        organisation: OrganisationId::parse("cabinet-1").unwrap(),
        appointment: AppointmentId::parse("rdv-1").unwrap(),
    }
}

/// A goal whose content is the number `content`; `None`: cancelled.
pub(super) fn goal(calendar: usize, content: Option<u8>) -> Goal {
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
pub(super) struct Stored {
    alive: bool,
    summary: String,
    etag: u32,
    /// Whose it says that it is.
    owner: Option<Owner>,
}

impl Stored {
    /// Nobody makes an event under our id by chance.
    fn is_ours(&self) -> bool {
        self.owner.as_ref().is_none_or(|its| *its == owner())
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
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
    /// Not carried out, and untrue: 404 for something that is there.
    SpuriousNotFound,
    /// The same with 410.
    SpuriousGone,
    /// Not carried out, and not repeated: 403 with a word that nobody knows.
    Forbidden,
    /// Not carried out: 401, though the token is fresh.
    Unauthorized,
    /// Not carried out, and untrue: 412, though nobody changed it.
    Changed,
    /// Not carried out: 400 for what is written or deleted.
    Refused,
}

impl Fault {
    /// Whether Google says what is not so. It does so once, and not twice in a row.
    fn is_untrue(self) -> bool {
        matches!(self, Self::SpuriousNotFound | Self::SpuriousGone | Self::Forbidden | Self::Changed)
    }
}

/// Where an event may stand.
fn places(stored: &Placement) -> Vec<Place> {
    let from = match stored {
        Placement::Moving { place, from } => Some(from.place(place.generation)),
        Placement::Absent { .. } | Placement::Reserved(_) | Placement::Written { .. } => None,
    };
    stored.place().cloned().into_iter().chain(from).collect()
}

#[derive(Debug, Default, Clone)]
pub(super) struct Google {
    events: BTreeMap<(CalendarId, EventId), Stored>,
    missing: Vec<CalendarId>,
    /// Calendars that may only be read.
    pub(super) read_only: Vec<CalendarId>,
    /// Whether it does not know the zone of events.
    knows_no_zone: bool,
    etags: u32,
    calls: Vec<&'static str>,
    /// Where events were left behind, as the database would hold it.
    left_behind: Vec<Place>,
}

impl Google {
    /// Our events, over all calendars that may be written to.
    pub(super) fn alive(&self) -> Vec<(&CalendarId, &Stored)> {
        self.events
            .iter()
            .filter(|((calendar, _), event)| event.alive && event.is_ours() && !self.is_out_of_reach(calendar))
            .map(|((calendar, _), event)| (calendar, event))
            .collect()
    }

    fn is_out_of_reach(&self, calendar: &CalendarId) -> bool {
        self.missing.contains(calendar) || self.read_only.contains(calendar)
    }

    fn is_any_standing(&self) -> bool {
        self.events.values().any(|event| event.alive && event.is_ours())
    }

    /// Our events that nobody knows of any more: they stand, and neither the placement nor what is owed names them.
    fn forgotten(&self, stored: &Placement) -> Vec<&(CalendarId, EventId)> {
        let wanted = places(stored);
        let known: Vec<_> = self.left_behind.iter().chain(&wanted).collect();
        let is_known = |(calendar, event): &&(CalendarId, EventId)| {
            known.iter().any(|place| place.calendar == *calendar && place.event == *event)
        };
        let standing = self.events.iter().filter(|(_, event)| event.alive && event.is_ours());
        standing.map(|(place, _)| place).filter(|place| !is_known(place)).collect()
    }

    /// Deletes what was left behind, as the worker would: not what the link stands at.
    pub(super) fn carry_out_what_is_owed(&mut self, stored: &Placement) {
        let wanted = places(stored);
        for place in std::mem::take(&mut self.left_behind) {
            if wanted.iter().any(|it| (&it.calendar, &it.event) == (&place.calendar, &place.event)) {
                continue;
            }
            if let Some(event) = self.events.get_mut(&(place.calendar, place.event)) {
                event.alive = false;
            }
        }
    }

    fn stored(&mut self, place: &Place, summary: &str) -> Answer {
        self.etags += 1;
        let event = Stored { alive: true, summary: summary.into(), etag: self.etags, owner: Some(owner()) };
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
        let Some(place) = place else {
            return if self.read_only.contains(calendar) { Answer::CalendarReadOnly } else { Answer::CalendarOpen };
        };
        let source = if let Call::Move { from, .. } = call { from } else { calendar };
        let is_write = !matches!(call, Call::Get { .. });
        if is_write && (self.read_only.contains(calendar) || self.read_only.contains(source)) {
            return Answer::NotPermitted { reason: "requiredAccessLevel".into() };
        }
        let names_a_zone = matches!(call, Call::Insert { names_zone: true, .. } | Call::Patch { names_zone: true, .. });
        if names_a_zone && self.knows_no_zone {
            return Answer::Refused { reason: "invalid".into() };
        }
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
                        self.stored(place, &summary);
                        let shown = Shown {
                            summary,
                            description: String::new(),
                            location: String::new(),
                            start_at: Some(jiff::Timestamp::UNIX_EPOCH),
                            end_at: Some(jiff::Timestamp::UNIX_EPOCH),
                            source_url: None,
                            is_source_told: true,
                            is_private: true,
                        };
                        Answer::Moved {
                            etag: Etag::new(self.etags.to_string()),
                            html_link: None,
                            shown: Box::new(shown),
                        }
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
            (Call::Get { .. } | Call::Probe { .. }, Some(event)) => {
                Answer::Found { etag: Etag::new(event.etag.to_string()), html_link: None, owner: event.owner.clone() }
            }
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
            Fault::Throttled => Some(Answer::Throttled { scope: ThrottleScope::Account, retry_after: None }),
            Fault::Killed => {
                self.carry_out(call);
                None
            }
            Fault::MoveRefused if matches!(call, Call::Move { .. }) => {
                Some(Answer::Refused { reason: "invalid".into() })
            }
            Fault::MoveRefused => Some(self.carry_out(call)),
            Fault::SpuriousNotFound if matches!(call, Call::Probe { .. }) => Some(Answer::CalendarMissing),
            Fault::SpuriousNotFound => Some(Answer::NotFound),
            // A calendar that is out of sight knows no event, and says 404.
            Fault::SpuriousGone if self.missing.contains(call.calendar()) => Some(self.carry_out(call)),
            Fault::SpuriousGone => Some(Answer::Gone),
            Fault::Forbidden => Some(Answer::Forbidden { reason: "somethingNew".into() }),
            Fault::Unauthorized => Some(Answer::Unauthorized),
            Fault::Changed if matches!(call, Call::Patch { .. } | Call::Delete { .. }) => Some(Answer::Changed),
            Fault::Changed => Some(self.carry_out(call)),
            Fault::Refused if matches!(call, Call::Insert { .. } | Call::Patch { .. } | Call::Delete { .. }) => {
                Some(Answer::Refused { reason: "required".into() })
            }
            Fault::Refused => Some(self.carry_out(call)),
        }
    }
}

/// Runs one attempt; `stored` is what the database would hold at each moment. `None`: the process died.
pub(super) fn attempt(
    google: &mut Google,
    goal: Goal,
    stored: &mut Placement,
    faults: &mut dyn Iterator<Item = Fault>,
) -> Option<Outcome> {
    let (is_wanted, stood) = (goal.event.is_some(), google.is_any_standing());
    let (mut attempt, mut step) = Attempt::begin(goal, stored.clone());
    let (mut last, mut is_misled) = (Fault::None, false);
    loop {
        let left_behind = attempt.take_left_behind();
        // What is within reach is deleted, and not left until a comparison finds it.
        assert!(is_misled || left_behind.iter().all(|it| google.is_out_of_reach(&it.calendar)), "{left_behind:?}");
        google.left_behind.extend(left_behind);
        match step {
            Step::Call { placement, call } => {
                *stored = placement;
                let fault = faults.next().unwrap_or(Fault::None);
                last = if last.is_untrue() && fault.is_untrue() { Fault::None } else { fault };
                is_misled |= last.is_untrue();
                let answer = google.answer(&call, last)?;
                // What cannot be moved stands twice while it is copied; both are known.
                let copies = places(stored).len().saturating_sub(1) + google.left_behind.len();
                assert!(google.alive().len() <= 1 + copies, "two live events after {call:?}");
                assert_eq!(google.forgotten(stored), Vec::<&(CalendarId, EventId)>::new(), "after {call:?}");
                let is_lost = is_wanted && stood && !google.is_any_standing();
                assert!(!is_lost, "the only one is deleted by {call:?}");
                step = attempt.advance(answer);
            }
            Step::Settle(outcome) => {
                *stored = outcome.placement().clone();
                assert_eq!(google.forgotten(stored), Vec::<&(CalendarId, EventId)>::new(), "{outcome:?}");
                // Nobody tries again by itself what was refused.
                let is_left = is_wanted && !is_misled && matches!(outcome, Outcome::Refused { .. });
                let is_single = google.alive().len() <= 1 + google.left_behind.len();
                assert!(!is_left || is_single, "{outcome:?}: {:?}", google.alive());
                return Some(outcome);
            }
        }
    }
}

pub(super) fn settle(google: &mut Google, goal: Goal, stored: &mut Placement) -> Outcome {
    attempt(google, goal, stored, &mut std::iter::empty()).expect("nothing kills it")
}

pub(super) fn synced(google: &mut Google, goal: Goal, stored: &mut Placement) {
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
    CalendarReadOnly(usize),
    /// Nobody shares the calendar with the account any more: its events stand, out of sight.
    CalendarUnshared(usize),
    /// The account has all the rights again that it had.
    AllOpen,
    /// Google learns of a zone, or forgets it.
    ZoneKnown(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::Unreachable),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Killed),
        1 => Just(Fault::MoveRefused),
        1 => Just(Fault::SpuriousNotFound),
        1 => Just(Fault::SpuriousGone),
        1 => Just(Fault::Forbidden),
        1 => Just(Fault::Unauthorized),
        1 => Just(Fault::Changed),
        1 => Just(Fault::Refused),
    ];
    prop_oneof![
        4 => (0u8..4).prop_map(Happening::Edit),
        2 => Just(Happening::Cancel),
        2 => (0usize..3).prop_map(Happening::ChangeCalendar),
        8 => prop::collection::vec(fault, 0..6).prop_map(Happening::Attempt),
        1 => Just(Happening::Vanish),
        1 => Just(Happening::Touch),
        1 => (0usize..2).prop_map(Happening::CalendarDeleted),
        1 => (0usize..2).prop_map(Happening::CalendarReadOnly),
        1 => (0usize..2).prop_map(Happening::CalendarUnshared),
        1 => Just(Happening::AllOpen),
        1 => any::<bool>().prop_map(Happening::ZoneKnown),
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
                Happening::CalendarReadOnly(number) => google.read_only.push(CalendarId::new(CALENDARS[number])),
                Happening::CalendarUnshared(number) => google.missing.push(CalendarId::new(CALENDARS[number])),
                Happening::AllOpen => {
                    google.read_only.clear();
                    google.missing.clear();
                    google.carry_out_what_is_owed(&stored);
                }
                Happening::ZoneKnown(is_known) => google.knows_no_zone = !is_known,
            }
        }
        // At rest: Google is well, and the practice has chosen a calendar that takes writes.
        let is_well = google.missing.is_empty() && google.read_only.is_empty();
        let target = if is_well { calendar } else { 2 };
        synced(&mut google, goal(target, content.map(|content| content + 100)), &mut stored);
        google.carry_out_what_is_owed(&stored);
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
    let other = Owner { appointment: AppointmentId::parse("another").unwrap(), ..owner() };
    let foreign = Stored { alive: true, summary: "private".into(), etag: 1, owner: Some(other) };
    google.events.insert((calendar.clone(), event.clone()), foreign.clone());
    synced(&mut google, goal(0, Some(1)), &mut stored);
    assert_eq!(google.events[&(calendar, event)], foreign);
    assert_eq!(google.alive().len(), 1);
}

#[test]
fn an_event_of_ours_that_no_longer_says_so_is_set_right_and_deleted_as_ours() {
    for wanted in [Some(2), None] {
        let (mut google, mut stored) = (Google::default(), Placement::NEVER);
        synced(&mut google, goal(0, Some(1)), &mut stored);
        google.events.values_mut().for_each(|event| (event.owner, event.etag) = (None, 100));
        synced(&mut google, goal(0, wanted), &mut stored);
        assert_eq!(google.events.len(), 1, "it is the same event");
        assert_eq!(google.alive().len(), usize::from(wanted.is_some()));
        assert!(google.events.values().all(|event| !event.alive || event.owner == Some(owner())));
    }
}

#[test]
fn a_missing_calendar_stops_the_integration_and_recreates_nothing() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.missing.push(CalendarId::new(CALENDARS[0]));
    google.calls.clear();
    let outcome = settle(&mut google, goal(0, Some(2)), &mut stored);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::CalendarUnavailable, .. }));
    assert_eq!(google.calls, ["events.patch", "events.get", "events.list"]);
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

/// The calls of an attempt, some of which meet faults.
pub(super) fn calls_of(
    google: &mut Google,
    goal: Goal,
    stored: &mut Placement,
    faults: &[Fault],
) -> (Vec<&'static str>, Outcome) {
    google.calls.clear();
    let mut called = Vec::new();
    let (mut attempt, mut step) = Attempt::begin(goal, stored.clone());
    let mut faults = faults.iter();
    loop {
        match step {
            Step::Call { placement, call } => {
                *stored = placement;
                called.push(call.name());
                let answer = google.answer(&call, *faults.next().unwrap_or(&Fault::None)).expect("nothing kills it");
                step = attempt.advance(answer);
            }
            Step::Settle(outcome) => {
                return (called, outcome);
            }
        }
    }
}

#[test]
fn one_spurious_404_or_410_makes_no_second_event_and_loses_none() {
    for fault in [Fault::SpuriousNotFound, Fault::SpuriousGone] {
        let (mut google, mut stored) = (Google::default(), Placement::NEVER);
        synced(&mut google, goal(0, Some(1)), &mut stored);
        let (calls, outcome) = calls_of(&mut google, goal(0, Some(2)), &mut stored, &[fault]);
        assert_eq!(calls, ["events.patch", "events.get"], "{fault:?}");
        assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
        synced(&mut google, goal(0, Some(2)), &mut stored);
        assert_eq!((google.alive().len(), google.alive()[0].1.summary.as_str()), (1, "2"), "{fault:?}");
        let (calls, outcome) = calls_of(&mut google, goal(0, None), &mut stored, &[fault]);
        assert_eq!(calls, ["events.delete", "events.get"], "{fault:?}");
        assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
        synced(&mut google, goal(0, None), &mut stored);
        assert!(google.alive().is_empty(), "{fault:?}");
    }
}

#[test]
fn an_event_whose_zone_google_refuses_is_written_without_it() {
    let (mut google, mut stored) = (Google { knows_no_zone: true, ..Google::default() }, Placement::NEVER);
    let (calls, outcome) = calls_of(&mut google, goal(0, Some(1)), &mut stored, &[]);
    assert_eq!(calls, ["events.insert", "events.insert"]);
    let Outcome::Synced { placement, .. } = outcome else { panic!("{outcome:?}") };
    stored = placement;
    let (calls, outcome) = calls_of(&mut google, goal(0, Some(2)), &mut stored, &[]);
    assert_eq!(calls, ["events.patch", "events.patch"]);
    assert!(matches!(outcome, Outcome::Synced { .. }), "{outcome:?}");
}
