//! One attempt: from a goal and a placement, call by call, to an outcome.
//!
//! The caller stores the placement of a [`Step::Call`] **before** it makes the call, gives the answer to
//! [`Attempt::advance`], and settles with the [`Outcome`]. It may break off at any point: a new attempt from the stored
//! placement takes it up again.

use super::{Answer, Call, Delay, Event, Owner, event_id};
use crate::model::{CalendarId, Etag, Fingerprint, Place, Placement};
use jiff::SignedDuration;

/// More calls than any sound attempt needs; past it something at Google keeps changing, and we come back later.
const MOST_CALLS: u8 = 10;

/// What should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The calendar that the event belongs in.
    pub calendar: CalendarId,
    /// The event and the fingerprint of its content; `None`: no event should stand.
    pub event: Option<(Event, Fingerprint)>,
    /// Whose event it is.
    pub owner: Owner,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a step is looked at once and dropped; nobody keeps many")]
pub enum Step {
    /// Store `placement` if it is not stored yet, then make the call.
    Call {
        /// What is known, and may be true once the call is made.
        placement: Placement,
        /// The call.
        call: Call,
    },
    /// The attempt is over.
    Settle(Outcome),
}

/// How an attempt ended. Each carries what is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Google shows the goal.
    Synced {
        /// Where.
        placement: Placement,
        /// The event's page, if Google answered with it.
        html_link: Option<String>,
    },
    /// Google was away or asked for patience: to be attempted again.
    Later {
        /// Where the event may stand.
        placement: Placement,
        /// Why.
        setback: Setback,
    },
    /// Google refuses this appointment for good.
    Refused {
        /// Where the event may stand.
        placement: Placement,
        /// Google's word for why.
        reason: String,
    },
    /// Nothing of this integration can be written until somebody acts.
    Stopped {
        /// Where the event may stand.
        placement: Placement,
        /// What has to be done.
        stop: Stop,
    },
}

/// Why an attempt has to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    /// What is waited for.
    pub delay: Delay,
    /// How long Google asked to wait.
    pub retry_after: Option<SignedDuration>,
}

/// Why an integration stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The grant is dead, or lacks a scope.
    ReconnectRequired,
    /// The target calendar is gone, or may not be written to.
    CalendarUnavailable,
    /// The operator's project may not use the API.
    Misconfigured,
}

/// One attempt under way.
#[derive(Debug)]
pub struct Attempt {
    goal: Goal,
    placement: Placement,
    last: Option<Call>,
    calls: u8,
    html_link: Option<String>,
    /// We lost the right to write to the calendar that a move should leave.
    source_out_of_reach: bool,
}

impl Attempt {
    /// Begins from what is stored.
    pub fn begin(goal: Goal, placement: Placement) -> (Self, Step) {
        let mut attempt = Self { goal, placement, last: None, calls: 0, html_link: None, source_out_of_reach: false };
        let step = attempt.plan();
        (attempt, step)
    }

    /// Takes Google's answer to the call of the last step.
    pub fn advance(&mut self, answer: Answer) -> Step {
        let Some(call) = self.last.take() else { return self.plan() };
        let answer = match self.setback(&call, answer) {
            Ok(step) => return step,
            Err(answer) => answer,
        };
        match call {
            Call::Insert { place, .. } => self.after_insert(place, answer),
            Call::Patch { place, .. } => self.after_patch(place, answer),
            Call::Delete { place, .. } => self.after_delete(place, answer),
            Call::Move { place, from } => self.after_move(place, from, answer),
            Call::Get { place } => self.after_get(place, answer),
            Call::Probe { calendar } => self.after_probe(&calendar, answer),
        }
    }

    /// Decides from what is known, as if nothing had been called yet.
    fn plan(&mut self) -> Step {
        match (&self.goal.event, self.placement.clone()) {
            (None, Placement::Absent { .. }) => self.synced(),
            (None, Placement::Reserved(place)) => self.call(Call::Delete { place, etag: None }),
            (None, Placement::Written { place, etag, .. }) => {
                self.placement = Placement::Written { place: place.clone(), etag: etag.clone(), fingerprint: None };
                self.call(Call::Delete { place, etag: Some(etag) })
            }
            (None, Placement::Moving { place, .. }) => self.call(Call::Delete { place, etag: None }),

            (Some(_), Placement::Absent { generation }) => {
                let calendar = self.goal.calendar.clone();
                let Owner { organisation, appointment } = &self.goal.owner;
                let event = event_id(organisation, appointment, &calendar, generation);
                self.placement = Placement::Reserved(Place { calendar, event, generation });
                self.plan()
            }
            (Some((event, _)), Placement::Reserved(place)) if place.calendar == self.goal.calendar => {
                let event = event.clone();
                self.call(Call::Insert { place, event })
            }
            // The target changed before any answer came: first find out whether the event stands there.
            (Some(_), Placement::Reserved(place)) => self.call(Call::Get { place }),
            (Some((event, wanted)), Placement::Written { place, etag, fingerprint })
                if place.calendar == self.goal.calendar =>
            {
                if fingerprint.as_ref() == Some(wanted) {
                    return self.synced();
                }
                let event = event.clone();
                self.placement = Placement::Written { place: place.clone(), etag: etag.clone(), fingerprint: None };
                self.call(Call::Patch { place, event, etag })
            }
            (Some(_), Placement::Written { place, fingerprint, .. }) => {
                self.move_to_target(place.clone(), place.calendar, fingerprint)
            }
            (Some(_), Placement::Moving { place, from, .. }) if place.calendar == self.goal.calendar => {
                self.call(Call::Move { place, from })
            }
            // The target changed during the move: first find out where the event stands.
            (Some(_), Placement::Moving { place, .. }) => self.call(Call::Get { place }),
        }
    }

    fn after_insert(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Stored { etag, html_link } => self.written(place, etag, html_link),
            Answer::AlreadyExists => self.call(Call::Get { place }),
            // An insert names no event: it is the calendar that is missing.
            Answer::NotFound | Answer::NotPermitted => self.stopped(Stop::CalendarUnavailable),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.unexpected(),
        }
    }

    fn after_patch(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Stored { etag, html_link } => self.written(place, etag, html_link),
            Answer::Changed => self.call(Call::Get { place }),
            Answer::Gone => self.vanished(),
            Answer::NotFound => self.call(Call::Probe { calendar: place.calendar }),
            Answer::NotPermitted => self.stopped(Stop::CalendarUnavailable),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.unexpected(),
        }
    }

    fn after_delete(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Gone | Answer::NotFound | Answer::NotPermitted if self.move_failed_from(&place.calendar) => {
                // It may have been moved by an attempt whose answer was lost: the destination tells.
                self.source_out_of_reach = answer == Answer::NotPermitted;
                self.call(Call::Get { place: Place { calendar: self.goal.calendar.clone(), ..place } })
            }
            Answer::Deleted | Answer::Gone | Answer::NotFound => self.deleted(&place),
            Answer::Changed => self.call(Call::Get { place }),
            // An old calendar that we lost the right to write to: its event is out of our reach.
            Answer::NotPermitted if place.calendar != self.goal.calendar => self.deleted(&place),
            Answer::NotPermitted => self.stopped(Stop::CalendarUnavailable),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.unexpected(),
        }
    }

    fn after_move(&mut self, place: Place, from: CalendarId, answer: Answer) -> Step {
        match answer {
            Answer::Stored { etag, html_link } => {
                let fingerprint = match &self.placement {
                    Placement::Moving { fingerprint, .. } => fingerprint.clone(),
                    Placement::Absent { .. } | Placement::Reserved(_) | Placement::Written { .. } => None,
                };
                self.html_link = html_link.or(self.html_link.take());
                self.placement = Placement::Written { place, etag, fingerprint };
                self.plan()
            }
            // Moved by an attempt whose answer was lost, or vanished: the destination tells.
            Answer::NotFound | Answer::Gone | Answer::Changed => self.call(Call::Get { place }),
            // This event cannot be moved: it is deleted there and made anew here.
            Answer::AlreadyExists | Answer::NotPermitted | Answer::ScopeMissing | Answer::Refused { .. } => {
                let place = Place { calendar: from, ..place };
                self.call(Call::Delete { place, etag: None })
            }
            _ => self.unexpected(),
        }
    }

    fn after_get(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Found { etag, html_link, owner } if owner.as_ref() == Some(&self.goal.owner) => {
                let left_behind = self.move_failed_from(&place.calendar);
                self.html_link = html_link.or(self.html_link.take());
                self.placement = Placement::Written { place, etag, fingerprint: None };
                if left_behind {
                    // It could not be moved and has not vanished: is it the target that is missing?
                    return self.call(Call::Probe { calendar: self.goal.calendar.clone() });
                }
                self.plan()
            }
            // Our id, and not our event: it is left alone.
            Answer::Found { .. } => self.vanished(),
            Answer::Gone | Answer::NotFound => match self.placement.clone() {
                Placement::Moving { .. } if self.source_out_of_reach => self.vanished(),
                Placement::Moving { place: to, from, fingerprint } if place.calendar != from => {
                    // It is not where a move was to bring it. Does it still stand where it came from?
                    let stays = Place { calendar: from.clone(), ..to.clone() };
                    if to.calendar == self.goal.calendar || from == self.goal.calendar {
                        self.call(Call::Get { place: stays })
                    } else {
                        self.move_to_target(stays, from, fingerprint)
                    }
                }
                Placement::Written { .. } if answer == Answer::NotFound => {
                    self.call(Call::Probe { calendar: place.calendar })
                }
                Placement::Absent { .. }
                | Placement::Reserved(_)
                | Placement::Written { .. }
                | Placement::Moving { .. } => self.vanished(),
            },
            Answer::NotPermitted => self.stopped(Stop::CalendarUnavailable),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.unexpected(),
        }
    }

    fn after_probe(&mut self, calendar: &CalendarId, answer: Answer) -> Step {
        let stands_elsewhere = self.placement.place().is_some_and(|place| place.calendar != *calendar);
        match answer {
            Answer::CalendarOpen if stands_elsewhere => {
                self.later(Setback { delay: Delay::Unavailable, retry_after: None })
            }
            Answer::CalendarOpen => self.vanished(),
            // An old calendar took its event with it.
            Answer::CalendarReadOnly | Answer::CalendarMissing if *calendar != self.goal.calendar => self.vanished(),
            Answer::CalendarReadOnly | Answer::CalendarMissing => self.stopped(Stop::CalendarUnavailable),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.unexpected(),
        }
    }

    /// The answers that mean the same whatever was called.
    fn setback(&self, call: &Call, answer: Answer) -> Result<Step, Answer> {
        let later = |delay, retry_after| Ok(self.later(Setback { delay, retry_after }));
        match answer {
            Answer::Throttled { scope, retry_after } => later(Delay::Throttled(scope), retry_after),
            Answer::Unavailable { retry_after } => later(Delay::Unavailable, retry_after),
            Answer::Unauthorized => Ok(self.stopped(Stop::ReconnectRequired)),
            Answer::ScopeMissing if !matches!(call, Call::Move { .. }) => Ok(self.stopped(Stop::ReconnectRequired)),
            Answer::Misconfigured => Ok(self.stopped(Stop::Misconfigured)),
            other => Err(other),
        }
    }

    fn call(&mut self, call: Call) -> Step {
        if self.calls >= MOST_CALLS {
            return self.later(Setback { delay: Delay::Unavailable, retry_after: None });
        }
        self.calls += 1;
        self.last = Some(call.clone());
        Step::Call { placement: self.placement.clone(), call }
    }

    fn move_to_target(&mut self, at: Place, from: CalendarId, fingerprint: Option<Fingerprint>) -> Step {
        let place = Place { calendar: self.goal.calendar.clone(), ..at };
        self.placement = Placement::Moving { place: place.clone(), from: from.clone(), fingerprint };
        self.call(Call::Move { place, from })
    }

    /// Whether a move of the event out of `calendar` to the target has failed.
    fn move_failed_from(&self, calendar: &CalendarId) -> bool {
        self.goal.event.is_some()
            && matches!(&self.placement, Placement::Moving { place, from, .. }
                if place.calendar == self.goal.calendar && from == calendar)
    }

    /// A write of the whole event was confirmed.
    fn written(&mut self, place: Place, etag: Etag, html_link: Option<String>) -> Step {
        let fingerprint = self.goal.event.as_ref().map(|(_, fingerprint)| fingerprint.clone());
        self.html_link = html_link.or(self.html_link.take());
        self.placement = Placement::Written { place, etag, fingerprint };
        self.synced()
    }

    fn deleted(&mut self, place: &Place) -> Step {
        match self.placement.clone() {
            // Deleted at the one end of an unfinished move: it may stand at the other.
            Placement::Moving { place: to, from, .. } if self.goal.event.is_none() && place.calendar == to.calendar => {
                self.placement = Placement::Reserved(Place { calendar: from, ..to });
                self.plan()
            }
            Placement::Absent { .. }
            | Placement::Reserved(_)
            | Placement::Written { .. }
            | Placement::Moving { .. } => self.vanished(),
        }
    }

    fn vanished(&mut self) -> Step {
        self.placement = self.placement.vanished();
        self.html_link = None;
        self.plan()
    }

    fn synced(&self) -> Step {
        Step::Settle(Outcome::Synced { placement: self.placement.clone(), html_link: self.html_link.clone() })
    }

    fn later(&self, setback: Setback) -> Step {
        Step::Settle(Outcome::Later { placement: self.placement.clone(), setback })
    }

    fn refused(&self, reason: String) -> Step {
        Step::Settle(Outcome::Refused { placement: self.placement.clone(), reason })
    }

    fn stopped(&self, stop: Stop) -> Step {
        Step::Settle(Outcome::Stopped { placement: self.placement.clone(), stop })
    }

    /// An answer that this call does not give: nothing is concluded from it, and we ask again later.
    fn unexpected(&self) -> Step {
        self.later(Setback { delay: Delay::Unavailable, retry_after: None })
    }
}

#[cfg(test)]
mod tests;
