//! Every answer to every call: the table, cell by cell; and what becomes of an event that cannot be moved.

use super::super::tests::{CALENDARS, Fault, Google, attempt, calls_of, goal, owner, settle, synced};
use super::super::{Goal, Outcome};
use super::*;
use crate::model::{AppointmentId, CalendarId, Etag, EventId, Fingerprint, Generation};
use crate::sync::{Owner, Shown, ThrottleScope};

/// What comes of an answer to an insert, a patch, a delete, a move, a first read, a second read, and a probe of the target.
type Row = (Answer, [&'static str; 7]);

fn rows() -> Vec<Row> {
    let word = || "word".to_owned();
    let another = Owner { appointment: AppointmentId::parse("another").unwrap(), ..owner() };
    let owner = Some(owner());
    let stored = Answer::Stored { etag: Etag::new("2"), html_link: None };
    let moved = |summary: &str| {
        let (event, _) = goal(1, Some(1)).event.unwrap();
        let shown = Shown {
            summary: summary.to_owned(),
            description: event.description,
            location: event.location,
            start_at: Some(event.start_at),
            end_at: Some(event.end_at),
            source_url: event.source_url,
            is_source_told: true,
            is_private: true,
        };
        Answer::Moved { etag: Etag::new("2"), html_link: None, shown: Box::new(shown) }
    };
    let found = |owner| Answer::Found { etag: Etag::new("2"), html_link: None, owner };
    let (get, list, insert) = ("events.get", "events.list", "events.insert");
    let later = ["come back"; 7];
    vec![
        (stored, ["synced", "synced", "come back", "come back", "come back", "come back", "come back"]),
        (moved("1"), ["come back", "come back", "come back", "synced", "come back", "come back", "come back"]),
        // Somebody changed it before.
        (
            moved("theirs"),
            ["come back", "come back", "come back", "events.patch", "come back", "come back", "come back"],
        ),
        (Answer::Deleted, ["come back", "come back", "synced", "come back", "come back", "come back", "come back"]),
        (found(owner), ["come back", "come back", "come back", "come back", "events.patch", "come back", "come back"]),
        // Somebody took our properties away.
        (found(None), ["come back", "come back", "come back", "come back", "events.patch", "come back", "come back"]),
        (
            found(Some(another)),
            ["come back", "come back", "come back", "come back", "events.insert", "events.insert", "come back"],
        ),
        (Answer::AlreadyExists, [get, "come back", "come back", insert, "come back", "come back", "come back"]),
        (Answer::Changed, ["come back", get, get, get, "come back", "come back", "come back"]),
        (Answer::Gone, [get, get, get, get, get, "events.insert", "come back"]),
        (Answer::NotFound, [list, get, get, get, get, list, "come back"]),
        (Answer::NotPermitted { reason: word() }, [list, list, list, insert, list, list, "come back"]),
        (Answer::Forbidden { reason: word() }, [list, list, list, insert, list, list, "stop: account"]),
        (Answer::AccountRefused { reason: word() }, ["stop: account"; 7]),
        (
            Answer::Refused { reason: word() },
            ["refused", "refused", "refused", insert, "refused", "refused", "come back"],
        ),
        (
            Answer::ScopeMissing,
            [
                "stop: reconnect",
                "stop: reconnect",
                "stop: reconnect",
                insert,
                "stop: reconnect",
                "stop: reconnect",
                "stop: reconnect",
            ],
        ),
        (Answer::Misconfigured, ["stop: operator"; 7]),
        (Answer::Unauthorized, later),
        (Answer::Throttled { scope: ThrottleScope::Account, retry_after: None }, ["throttled"; 7]),
        (Answer::Unavailable { retry_after: None }, later),
        // To the doubt that a 404 of a read has raised: is the calendar there?
        (
            Answer::CalendarOpen,
            ["come back", "come back", "come back", "come back", "come back", "come back", "events.insert"],
        ),
        (
            Answer::CalendarReadOnly,
            ["come back", "come back", "come back", "come back", "come back", "come back", "stop: calendar"],
        ),
        (
            Answer::CalendarMissing,
            ["come back", "come back", "come back", "come back", "come back", "come back", "stop: calendar"],
        ),
    ]
}

/// Attempts whose last call is each of those in a row.
fn attempts() -> [Attempt; 7] {
    let place = || {
        let calendar = CalendarId::new(CALENDARS[0]);
        Place { calendar, event: EventId::new("event1"), generation: Generation::FIRST }
    };
    let written = || Placement::Written { place: place(), etag: Etag::new("1"), fingerprint: None };
    let begin = |goal: Goal, placement| Attempt::begin(goal, placement).0;
    let after = |answers: &[Answer]| {
        let mut attempt = begin(goal(0, Some(1)), written());
        for answer in answers {
            attempt.advance(answer.clone());
        }
        attempt
    };
    [
        begin(goal(0, Some(1)), Placement::NEVER),
        after(&[]),
        begin(goal(0, None), written()),
        begin(
            goal(1, Some(1)),
            Placement::Written { place: place(), etag: Etag::new("1"), fingerprint: Some(Fingerprint(vec![1])) },
        ),
        after(&[Answer::Changed]),
        after(&[Answer::NotFound]),
        after(&[Answer::NotFound, Answer::NotFound]),
    ]
}

fn shown(step: &Step) -> &'static str {
    match step {
        Step::Call { call, .. } => call.name(),
        Step::Settle(Outcome::Synced { .. }) => "synced",
        Step::Settle(Outcome::Later { setback: Setback { cause: RetryCause::Unavailable, .. }, .. }) => "come back",
        Step::Settle(Outcome::Later { setback: Setback { cause: RetryCause::Throttled(_), .. }, .. }) => "throttled",
        Step::Settle(Outcome::Refused { .. }) => "refused",
        Step::Settle(Outcome::Stopped { stop, .. }) => match stop {
            Stop::ReconnectRequired => "stop: reconnect",
            Stop::CalendarUnavailable => "stop: calendar",
            Stop::AccountUnavailable => "stop: account",
            Stop::Misconfigured => "stop: operator",
        },
    }
}

#[test]
fn each_answer_means_to_each_call_what_the_table_says() {
    const CALLS: [&str; 7] = ["insert", "patch", "delete", "move", "first read", "second read", "probe"];
    let rows = rows();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|(answer, _)| answer.name()).collect();
    assert_eq!(names.len(), 20, "every answer has a row; one that was found has three, one that was moved two");
    for (answer, expected) in rows {
        for ((call, mut attempt), expected) in CALLS.into_iter().zip(attempts()).zip(expected) {
            let step = attempt.advance(answer.clone());
            assert_eq!(shown(&step), expected, "{} answered {answer:?}", call);
        }
    }
}

/// What a probe is asked for, and the answers that lead to it: of the target, then of a calendar that is left.
fn probes() -> [(&'static str, Attempt); 7] {
    let place = || {
        let calendar = CalendarId::new(CALENDARS[0]);
        Place { calendar, event: EventId::new("event1"), generation: Generation::FIRST }
    };
    let written = |fingerprint| Placement::Written { place: place(), etag: Etag::new("1"), fingerprint };
    let not_permitted = || Answer::NotPermitted { reason: "word".to_owned() };
    let refused = || Answer::Refused { reason: "word".to_owned() };
    let stored = || Answer::Stored { etag: Etag::new("2"), html_link: None };
    let after = |goal: Goal, placement, answers: Vec<Answer>| {
        let mut attempt = Attempt::begin(goal, placement).0;
        for answer in answers {
            attempt.advance(answer);
        }
        assert!(matches!(attempt.last, Some(Call::Probe { .. })), "{attempt:?}");
        attempt
    };
    let gone = || vec![Answer::NotFound, Answer::NotFound];
    let (here, there) = (|| goal(0, Some(1)), || goal(1, Some(1)));
    let in_step = || written(Some(Fingerprint(vec![1])));
    [
        ("a forbidden patch", after(here(), written(None), vec![not_permitted()])),
        ("a vanished event", after(here(), written(None), gone())),
        ("a forbidden copy", after(there(), in_step(), vec![refused(), not_permitted()])),
        ("elsewhere a forbidden read", after(there(), Placement::Reserved(place()), vec![not_permitted()])),
        ("elsewhere a vanished event", after(there(), Placement::Reserved(place()), gone())),
        (
            "elsewhere a forbidden deletion of what was copied",
            after(there(), in_step(), vec![refused(), stored(), not_permitted()]),
        ),
        ("elsewhere a forbidden deletion", after(goal(1, None), in_step(), vec![not_permitted()])),
    ]
}

#[test]
fn each_answer_of_a_calendar_means_what_the_table_says() {
    const OUT_OF_REACH: &str = "events.insert, left behind";
    let word = || "word".to_owned();
    let (refused, insert) = ("refused", "events.insert");
    let (stop, gone) = ("stop: calendar", "synced, left behind");
    for (answer, expected) in [
        (Answer::CalendarOpen, [refused, insert, "events.get", refused, insert, "events.get", refused]),
        // What can be read has said that the event is gone.
        (Answer::CalendarReadOnly, [stop, stop, stop, OUT_OF_REACH, insert, gone, gone]),
        (Answer::CalendarMissing, [stop, stop, stop, OUT_OF_REACH, OUT_OF_REACH, gone, gone]),
        (Answer::Forbidden { reason: word() }, ["stop: account"; 7]),
        (Answer::AccountRefused { reason: word() }, ["stop: account"; 7]),
        (Answer::ScopeMissing, ["stop: reconnect"; 7]),
        (Answer::Misconfigured, ["stop: operator"; 7]),
        (Answer::NotPermitted { reason: word() }, ["come back"; 7]),
        (Answer::Refused { reason: word() }, ["come back"; 7]),
        (Answer::NotFound, ["come back"; 7]),
        (Answer::Gone, ["come back"; 7]),
    ] {
        for ((doubt, mut attempt), expected) in probes().into_iter().zip(expected) {
            let step = attempt.advance(answer.clone());
            let left_behind = if attempt.take_left_behind().is_empty() { "" } else { ", left behind" };
            assert_eq!(format!("{}{left_behind}", shown(&step)), expected, "{doubt}, then {answer:?}");
        }
    }
}

#[test]
fn an_event_that_cannot_be_moved_is_deleted_only_once_the_target_takes_writes() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    google.read_only.push(CalendarId::new(CALENDARS[1]));
    let (calls, outcome) = calls_of(&mut google, goal(1, Some(1)), &mut stored, &[]);
    assert_eq!(calls, ["events.move", "events.insert", "events.list"]);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::CalendarUnavailable, .. }), "{outcome:?}");
    assert_eq!(google.alive()[0].0.as_str(), CALENDARS[0]);
    google.read_only.clear();
    for fault in [Fault::Unreachable, Fault::Throttled, Fault::Forbidden, Fault::Unauthorized] {
        calls_of(&mut google, goal(1, Some(1)), &mut stored, &[Fault::MoveRefused, fault]);
        assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[0]), "{fault:?}");
    }
    let (calls, outcome) = calls_of(&mut google, goal(1, Some(1)), &mut stored, &[Fault::MoveRefused]);
    assert_eq!(calls, ["events.move", "events.insert", "events.delete"]);
    assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[1]));
    stored = outcome.placement().clone();
    // And back, where its id is used up.
    let there_and_back = [Fault::MoveRefused, Fault::None, Fault::None, Fault::None];
    for fault in [Fault::Unreachable, Fault::Throttled, Fault::Forbidden, Fault::Unauthorized] {
        let (mut google, mut stored) = (google.clone(), stored.clone());
        let faults = [&there_and_back[..], &[fault]].concat();
        let outcome = calls_of(&mut google, goal(0, Some(1)), &mut stored, &faults).1;
        assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[1]), "{fault:?}");
        stored = outcome.placement().clone();
        let (calls, outcome) = calls_of(&mut google, goal(0, Some(1)), &mut stored, &[]);
        assert_eq!(calls, ["events.insert", "events.delete"], "{fault:?}");
        assert!(matches!(outcome, Outcome::Synced { .. }), "{outcome:?}");
        assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[0]), "{fault:?}");
    }
    let (calls, outcome) = calls_of(&mut google, goal(0, Some(1)), &mut stored, &there_and_back);
    assert_eq!(calls[..4], ["events.move", "events.insert", "events.get", "events.get"]);
    assert_eq!(calls[4..], ["events.insert", "events.delete"], "under the next id");
    assert!(matches!(outcome, Outcome::Synced { .. }), "{outcome:?}");
    assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[0]));
}

#[test]
fn a_copy_of_what_may_not_be_deleted_is_taken_back() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    let faults = [Fault::MoveRefused, Fault::None, Fault::Forbidden];
    let (calls, outcome) = calls_of(&mut google, goal(1, Some(1)), &mut stored, &faults);
    assert_eq!(calls[..4], ["events.move", "events.insert", "events.delete", "events.list"]);
    assert_eq!(calls[4..], ["events.get", "events.delete"], "only where it stands");
    assert!(matches!(outcome, Outcome::Refused { ref reason, .. } if reason == "somethingNew"), "{outcome:?}");
    assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[0]));
}

/// An event of which nobody knows any more whether it was moved or copied: the answer to the call was lost.
fn moved_or_copied(faults: &[Fault]) -> (Google, Placement) {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    calls_of(&mut google, goal(1, Some(1)), &mut stored, faults);
    (google, stored)
}

const LOST_MOVE: [Fault; 1] = [Fault::AnswerLost];
const COPIED: [Fault; 3] = [Fault::MoveRefused, Fault::None, Fault::Unreachable];
const LOST_DELETION: [Fault; 3] = [Fault::MoveRefused, Fault::None, Fault::AnswerLost];

#[test]
fn what_stands_nowhere_else_is_not_taken_back() {
    for faults in [&LOST_MOVE[..], &LOST_DELETION] {
        let (mut google, mut stored) = moved_or_copied(faults);
        // Moved again, which is refused or finds nothing; read at the target; deleted where it came from.
        let faults = [Fault::MoveRefused, Fault::None, Fault::None, Fault::Forbidden];
        calls_of(&mut google, goal(1, Some(1)), &mut stored, &faults);
        assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[1]));
        synced(&mut google, goal(1, Some(1)), &mut stored);
        assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[1]));
    }
}

#[test]
fn what_is_called_off_goes_at_both_ends_whatever_one_of_them_says_once() {
    let once = [Fault::Changed, Fault::SpuriousGone, Fault::SpuriousNotFound, Fault::Unreachable, Fault::AnswerLost];
    for fault in once {
        for faults in [&LOST_MOVE[..], &COPIED, &LOST_DELETION] {
            for met in [vec![fault], vec![Fault::None, fault]] {
                let (mut google, mut stored) = moved_or_copied(faults);
                let outcome = calls_of(&mut google, goal(1, None), &mut stored, &met).1;
                stored = outcome.placement().clone();
                synced(&mut google, goal(1, None), &mut stored);
                assert!(google.alive().is_empty(), "{faults:?}, then {met:?}: {:?}", google.alive());
            }
        }
    }
}

#[test]
fn what_is_called_off_goes_at_the_other_end_where_one_may_not_be_deleted() {
    for faults in [vec![Fault::Forbidden], vec![Fault::None, Fault::Forbidden]] {
        let (mut google, mut stored) = moved_or_copied(&COPIED);
        assert_eq!(google.alive().len(), 2);
        let (_, outcome) = calls_of(&mut google, goal(1, None), &mut stored, &faults);
        assert!(matches!(outcome, Outcome::Refused { ref reason, .. } if reason == "somethingNew"), "{outcome:?}");
        assert_eq!(google.alive().len(), 1, "{faults:?}");
        // A person has it tried again.
        stored = outcome.placement().clone();
        synced(&mut google, goal(1, None), &mut stored);
        assert!(google.alive().is_empty(), "{faults:?}");
    }
}

#[test]
fn a_copy_that_is_refused_once_its_answer_was_lost_leaves_one_event() {
    let lost = [Fault::MoveRefused, Fault::AnswerLost];
    // Under the id that it has; and there and back, under the next.
    let (google, stored) = moved_or_copied(&lost);
    let (mut back, mut stored_back) = moved_or_copied(&[Fault::MoveRefused]);
    synced(&mut back, goal(1, Some(1)), &mut stored_back);
    let lost = [Fault::MoveRefused, Fault::None, Fault::None, Fault::None, Fault::AnswerLost];
    calls_of(&mut back, goal(0, Some(1)), &mut stored_back, &lost);
    for (target, google, stored) in [(1, google, stored), (0, back, stored_back)] {
        assert_eq!(google.alive().len(), 2);
        let move_first = (target == 1).then_some(Fault::MoveRefused);
        for refusal in [Fault::Refused, Fault::Forbidden] {
            let (mut google, mut stored) = (google.clone(), stored.clone());
            let faults: Vec<_> = move_first.into_iter().chain([refusal]).collect();
            let (calls, outcome) = calls_of(&mut google, goal(target, Some(1)), &mut stored, &faults);
            assert_eq!(calls[calls.len() - 3..], ["events.get", "events.delete", "events.patch"], "{refusal:?}");
            assert!(matches!(outcome, Outcome::Synced { .. }), "{outcome:?}");
            assert_eq!((google.alive().len(), google.alive()[0].0.as_str()), (1, CALENDARS[target]), "{refusal:?}");
        }
    }
}

#[test]
fn what_was_copied_when_the_process_died_stands_once_whatever_is_wanted_then() {
    for wanted in [goal(0, Some(1)), goal(1, Some(1)), goal(2, Some(1)), goal(1, None)] {
        let (mut google, mut stored) = (Google::default(), Placement::NEVER);
        synced(&mut google, goal(0, Some(1)), &mut stored);
        let mut faults = [Fault::MoveRefused, Fault::Killed].into_iter();
        assert!(attempt(&mut google, goal(1, Some(1)), &mut stored, &mut faults).is_none());
        assert_eq!(google.alive().len(), 2, "it died between the copy and the deletion");
        // Somebody changes their mind, and Google says once what is not so.
        attempt(&mut google, goal(0, Some(1)), &mut stored, &mut [Fault::SpuriousNotFound].into_iter());
        synced(&mut google, wanted.clone(), &mut stored);
        google.carry_out_what_is_owed(&stored);
        let standing = google.alive().into_iter().map(|(calendar, _)| calendar);
        assert!(standing.eq(wanted.event.iter().map(|_| &wanted.calendar)), "{:?}", google.alive());
    }
}

#[test]
fn a_401_after_a_refresh_is_waited_out() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    let (_, outcome) = calls_of(&mut google, goal(0, Some(1)), &mut stored, &[Fault::Unauthorized]);
    let setback = Setback { cause: RetryCause::Unavailable, retry_after: None };
    assert!(matches!(outcome, Outcome::Later { setback: ref found, .. } if *found == setback), "{outcome:?}");
}

#[test]
fn one_event_that_may_not_be_touched_is_refused_and_its_calendar_is_not_blamed() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    for (content, call) in [(Some(2), "events.patch"), (None, "events.delete")] {
        let (calls, outcome) = calls_of(&mut google, goal(0, content), &mut stored, &[Fault::Forbidden]);
        assert_eq!(calls, [call, "events.list"]);
        assert!(matches!(outcome, Outcome::Refused { ref reason, .. } if reason == "somethingNew"), "{outcome:?}");
    }
    google.read_only.push(CalendarId::new(CALENDARS[0]));
    let outcome = settle(&mut google, goal(0, Some(3)), &mut stored);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::CalendarUnavailable, .. }), "{outcome:?}");
}

#[test]
fn a_403_that_the_calendar_repeats_is_the_accounts() {
    let (mut google, mut stored) = (Google::default(), Placement::NEVER);
    synced(&mut google, goal(0, Some(1)), &mut stored);
    let (calls, outcome) = calls_of(&mut google, goal(0, Some(2)), &mut stored, &[Fault::Forbidden, Fault::Forbidden]);
    assert_eq!(calls, ["events.patch", "events.list"]);
    assert!(matches!(outcome, Outcome::Stopped { stop: Stop::AccountUnavailable, .. }), "{outcome:?}");
}
