//! One attempt: from a goal and a placement, call by call, to an outcome.
//!
//! Owns the choice of the next call, and what is known after each. Never makes a call and never stores anything: the
//! caller stores the placement of a [`Step::Call`] **before** it makes the call, gives the answer to
//! [`Attempt::advance`], and settles with the [`Outcome`]. It may break off at any point: a new attempt from the stored
//! placement takes it up again. Invariant: an attempt asks for no more than [`MOST_CALLS`] calls.

mod answers;

use super::{Answer, Call, Event, Owner, RetryCause, event_id};
use crate::model::{CalendarId, Etag, Fingerprint, Generation, Place, Placement};
use jiff::SignedDuration;

/// More calls than any sound attempt needs; past it something at Google keeps changing, and we come back later.
const MOST_CALLS: u8 = 16;

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
        /// The call to make next.
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
        /// The place that Google confirmed, or that there is none.
        placement: Placement,
        /// The event's page, if Google answered with it.
        html_link: Option<String>,
    },
    /// Google gave no usable answer or asked for patience: to be attempted again.
    Later {
        /// Where the event may stand.
        placement: Placement,
        /// What went wrong, and how long Google asks to wait.
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

impl Outcome {
    /// What is known now of where the event may stand.
    pub fn placement(&self) -> &Placement {
        match self {
            Self::Synced { placement, .. }
            | Self::Later { placement, .. }
            | Self::Refused { placement, .. }
            | Self::Stopped { placement, .. } => placement,
        }
    }
}

/// What went wrong with an attempt that is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    /// What went wrong, as the backoff tells failures apart.
    pub cause: RetryCause,
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
    /// Google refuses the account as a whole.
    AccountUnavailable,
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
    /// What the last read is to settle.
    doubt: Option<Doubt>,
    /// How far it is, where the event cannot be moved.
    rewriting: Rewriting,
    /// Google does not take the event's zone: it is written without.
    without_zone: bool,
    /// Where an event may still stand that is out of our reach, and that the placement no longer names.
    left_behind: Vec<Place>,
    /// The event got its id in this attempt, and Google has taken nothing under it.
    is_unsent: bool,
}

/// What a read is to settle. Without a doubt, it is to find out how an event stands.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an attempt holds one doubt at a time")]
enum Doubt {
    /// A call has said that the event is gone: does a read say so too?
    EventGone,
    /// The event is not there: is its calendar?
    CalendarGone {
        /// Where it is not.
        place: Place,
    },
    /// A call about an event was forbidden: is it the event, its calendar, or the account?
    Forbidden {
        /// The call that was forbidden.
        call: Call,
        /// Google's word for why.
        reason: String,
    },
    /// The target refuses what says nothing about the event: is it missing?
    TargetGone,
    /// It was copied, and may not be deleted where it stood: does it stand there?
    SourceStands {
        /// Google's word for why.
        reason: String,
    },
    /// It is not taken as a copy: was it before, by an attempt whose answer was lost?
    CopyStands {
        /// Google's word for why.
        reason: String,
    },
}

/// How far the rewriting is of an event that cannot be moved. The placement goes on to name both calendars meanwhile.
#[derive(Debug)]
enum Rewriting {
    /// It can be moved, as far as is known.
    Not,
    /// The target is asked to take it, under the id that it has or else under the next; it stands where it stood.
    Copying,
    /// The target has it: it is deleted where it stood.
    Copied {
        /// The state of the copy.
        etag: Etag,
        /// The content of the copy; `None`: it is not known.
        fingerprint: Option<Fingerprint>,
    },
    /// It may not be deleted at one end: it is at the other, so that it stands once at the most.
    Undoing {
        /// Google's word for why.
        reason: String,
    },
}

impl Attempt {
    /// Begins from what is stored.
    pub fn begin(goal: Goal, placement: Placement) -> (Self, Step) {
        let mut attempt = Self {
            goal,
            placement,
            last: None,
            calls: 0,
            html_link: None,
            doubt: None,
            rewriting: Rewriting::Not,
            without_zone: false,
            left_behind: Vec::new(),
            is_unsent: false,
        };
        let step = attempt.plan();
        (attempt, step)
    }

    /// Where events may still stand that were given up since this was last asked: their calendar is not the target, and out
    /// of our reach. They are owed from the moment at which the placement of the same step is stored.
    pub fn take_left_behind(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.left_behind)
    }

    /// Whether the event stands in two calendars, since it was copied, and the next calls are to delete it in one.
    pub fn is_copied(&self) -> bool {
        matches!(self.rewriting, Rewriting::Copied { .. } | Rewriting::Undoing { .. })
    }

    /// Where the event may stand if the attempt breaks off here, `stored` being what is stored: nowhere if it was never
    /// sent, or Google has refused to take it.
    pub fn placement_if_abandoned(&self, stored: Placement) -> Placement {
        match stored {
            Placement::Reserved(Place { generation, .. }) if self.is_unsent => Placement::Absent { generation },
            Placement::Absent { .. }
            | Placement::Reserved(_)
            | Placement::Written { .. }
            | Placement::Moving { .. } => stored,
        }
    }

    /// Decides from what is known, as if nothing had been called yet.
    fn plan(&mut self) -> Step {
        self.rewriting = Rewriting::Not;
        match (&self.goal.event, self.placement.clone()) {
            (None, Placement::Absent { .. }) => self.synced(),
            (None, Placement::Reserved(place)) => self.call(Call::Delete { place, etag: None }),
            (None, Placement::Written { place, etag, .. }) => {
                self.placement = Placement::Written { place: place.clone(), etag: etag.clone(), fingerprint: None };
                self.call(Call::Delete { place, etag: Some(etag) })
            }
            (None, Placement::Moving { place, .. }) => self.call(Call::Delete { place, etag: None }),

            (Some(_), Placement::Absent { generation }) => {
                self.placement = Placement::Reserved(self.new_place(generation));
                self.is_unsent = true;
                self.plan()
            }
            (Some((event, _)), Placement::Reserved(place)) if place.calendar == self.goal.calendar => {
                let (event, names_zone) = (event.clone(), !self.without_zone);
                self.call(Call::Insert { place, event, names_zone })
            }
            // The target changed before any answer came: first find out whether the event stands there.
            (Some(_), Placement::Reserved(place)) => self.call(Call::Get { place }),
            (Some((event, wanted)), Placement::Written { place, etag, fingerprint })
                if place.calendar == self.goal.calendar =>
            {
                if fingerprint.as_ref() == Some(wanted) {
                    return self.synced();
                }
                let (event, names_zone) = (event.clone(), !self.without_zone);
                self.placement = Placement::Written { place: place.clone(), etag: etag.clone(), fingerprint: None };
                self.call(Call::Patch { place, event, names_zone, etag })
            }
            (Some(_), Placement::Written { place, .. }) => self.move_to_target(place),
            (Some(_), Placement::Moving { place, from }) if place.calendar == self.goal.calendar => {
                match from.event == place.event {
                    true => self.call(Call::Move { place, from: from.calendar }),
                    // The target has used up the id that it has: nothing is moved to another one.
                    false => self.copy_to_target(),
                }
            }
            // The target changed during the move: first find out where the event stands.
            (Some(_), Placement::Moving { place, .. }) => self.call(Call::Get { place }),
        }
    }

    /// A place in the target that no event had yet.
    fn new_place(&self, generation: Generation) -> Place {
        let calendar = self.goal.calendar.clone();
        let Owner { organisation, appointment } = &self.goal.owner;
        let event = event_id(organisation, appointment, &calendar, generation);
        Place { calendar, event, generation }
    }

    fn call(&mut self, call: Call) -> Step {
        if self.calls >= MOST_CALLS {
            return self.come_back();
        }
        self.calls += 1;
        self.last = Some(call.clone());
        Step::Call { placement: self.placement.clone(), call }
    }

    fn read(&mut self, place: Place, doubt: Option<Doubt>) -> Step {
        self.doubt = doubt;
        self.call(Call::Get { place })
    }

    fn probe(&mut self, calendar: CalendarId, doubt: Doubt) -> Step {
        self.doubt = Some(doubt);
        self.call(Call::Probe { calendar })
    }

    fn probe_target(&mut self, doubt: Doubt) -> Step {
        self.probe(self.goal.calendar.clone(), doubt)
    }

    fn move_to_target(&mut self, at: Place) -> Step {
        let place = Place { calendar: self.goal.calendar.clone(), ..at.clone() };
        self.placement = Placement::Moving { place, from: at.into() };
        self.plan()
    }

    /// Whether a move of the event out of `calendar` to the target has failed.
    fn move_failed_from(&self, calendar: &CalendarId) -> bool {
        self.goal.event.is_some()
            && matches!(&self.placement, Placement::Moving { place, from, .. }
                if place.calendar == self.goal.calendar && from.calendar == *calendar)
    }

    /// A write of the whole event was confirmed.
    fn written(&mut self, place: Place, etag: Etag, html_link: Option<String>) -> Step {
        self.html_link = html_link.or(self.html_link.take());
        self.placement = Placement::Written { place, etag, fingerprint: self.wanted_content() };
        self.synced()
    }

    /// What the event shows once it is written as it should be.
    fn wanted_content(&self) -> Option<Fingerprint> {
        self.goal.event.as_ref().map(|(_, fingerprint)| fingerprint.clone())
    }

    fn deleted(&mut self, place: &Place) -> Step {
        if let Rewriting::Undoing { reason } = &self.rewriting {
            return self.refused(reason.clone());
        }
        match self.placement.clone() {
            Placement::Moving { place: to, from } if self.goal.event.is_some() && place.calendar == from.calendar => {
                match std::mem::replace(&mut self.rewriting, Rewriting::Not) {
                    Rewriting::Copied { etag, fingerprint } => {
                        self.placement = Placement::Written { place: to, etag, fingerprint };
                        self.plan()
                    }
                    Rewriting::Not | Rewriting::Copying | Rewriting::Undoing { .. } => self.vanished(),
                }
            }
            // Deleted at the one end of an unfinished move: it may stand at the other.
            Placement::Moving { place: to, from, .. } if self.goal.event.is_none() && place.calendar == to.calendar => {
                self.placement = Placement::Reserved(from.place(to.generation));
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
        Step::Settle(Outcome::Later { placement: self.placement_if_abandoned(self.placement.clone()), setback })
    }

    fn refused(&self, reason: String) -> Step {
        Step::Settle(Outcome::Refused { placement: self.placement_if_abandoned(self.placement.clone()), reason })
    }

    fn stopped(&self, stop: Stop) -> Step {
        Step::Settle(Outcome::Stopped { placement: self.placement_if_abandoned(self.placement.clone()), stop })
    }

    /// Nothing can be concluded: we come back.
    fn come_back(&self) -> Step {
        self.later(Setback { cause: RetryCause::Unavailable, retry_after: None })
    }
}

#[cfg(test)]
mod tests;
