//! What each answer means to each call.
//!
//! Owns the tables below. Never takes one 404, 410 or `cancelled` of an event for the truth: it is asked once more, but for a
//! copy that was refused after a lost answer, which is read once.
//! Invariant: an answer from which nothing is concluded ends the attempt, and it is made again.
//!
//! | answer | insert | patch | delete | move | get |
//! |---|---|---|---|---|---|
//! | `Stored` | synced | synced | – | – | – |
//! | `Moved` | – | – | – | synced if it shows the goal, else patch it | – |
//! | `Deleted` | – | – | go on | – | – |
//! | `Found` | – | – | – | – | see below |
//! | `AlreadyExists` | read it | – | – | copy it | – |
//! | `Changed` | – | read it | read it | read it at the target | – |
//! | `Gone` | read it | read it | read it (moving: at the target) | read it at the target | read it again, then believe it |
//! | `NotFound` | ask the target | as `Gone` | as `Gone` | as `Gone` | as `Gone` |
//! | `NotPermitted`, `Forbidden` | ask its calendar | ask its calendar | ask its calendar | copy it | ask its calendar |
//! | `Refused` | for the word `invalid` once more without its zone; else refused | the same | refused | copy it | refused |
//! | `ScopeMissing` | stop: reconnect | stop | stop | copy it | stop |
//! | `AccountRefused` | stop: account | stop | stop | stop | stop |
//! | `Misconfigured` | stop: operator | stop | stop | stop | stop |
//! | `Unauthorized`, `Throttled`, `Unavailable` | come back | come back | come back | come back | come back |
//!
//! "–": the call does not give this answer; nothing is concluded, and we come back. "Read it": `events.get`, since a
//! single 404, 410 or `cancelled` may be spurious. A 404 of a read leaves open whether the calendar is gone with its
//! event: the calendar is asked then. "Copy it": an event that cannot be moved is inserted into the target under the id
//! that it has, or under the next one where the target has used that up, and deleted where it stood once the target has
//! it. A target that takes no writes keeps nothing from standing. What is found at the end of a move may be a copy: it
//! is deleted where it came from, whichever calendar is the target now.
//!
//! An event that is read and found: ours, or nobody's: go on (where it could not be moved: ask the target); another's:
//! the next generation; one that was called gone before: come back.
//!
//! Of a copy:
//!
//! | what is said | of the copy at the target | of the event where it stood |
//! |---|---|---|
//! | it is there | delete the event where it stood | come back |
//! | it is gone, or another's | the id is used up: copy it under the next one | the copy is the event |
//! | it is not taken | read it: where it stands all the same, delete the event where it stood; else refused | – |
//! | it may not be deleted | refused | read it: where it stands, delete the copy; refused |
//! | its calendar is out of reach | stop: calendar | left behind, and the copy is the event |
//!
//! Where an event is called off that may stand in two calendars, both are deleted; where one may not be, the other is
//! all the same, and it is refused.
//!
//! The calendar itself is asked by a probe:
//!
//! | its answer | it is the target | it is another |
//! |---|---|---|
//! | `CalendarOpen` | see below | the same |
//! | `CalendarReadOnly`, `CalendarMissing` | stop: calendar | its event is out of reach: left behind, and as good as gone |
//! | `Forbidden`, `AccountRefused` | stop: account | the same |
//! | `ScopeMissing`, `Misconfigured` | stop: reconnect; operator | the same |
//! | any other | come back | come back |
//!
//! A calendar that is open: what was forbidden is refused for good; what was gone is the next generation; else come back.
//!
//! A calendar that may be read, where no event is wanted, has said itself what does not stand in it: what was gone
//! there is gone, whether it takes writes or not.
//!
//! A refresh that succeeds proves the grant: a 401 after it ends nothing. Only the token endpoint, or a missing scope,
//! asks a person to connect again.

use super::{Answer, Attempt, Call, Doubt, Event, Place, Placement, RetryCause, Rewriting, Setback, Step, Stop};
use crate::model::{CalendarId, Etag, Fingerprint};

/// Google's word for a value that it does not take, a zone that it does not know (yet) among them.
const INVALID_VALUE: &str = "invalid";

impl Attempt {
    /// Takes Google's answer to the call of the last step.
    pub fn advance(&mut self, answer: Answer) -> Step {
        let Some(call) = self.last.take() else { return self.plan() };
        if matches!(call, Call::Insert { .. }) && !answer.is_refusal() {
            self.is_unsent = false;
        }
        let doubt = self.doubt.take();
        let answer = match self.of_any_call(&call, answer) {
            Ok(step) => return step,
            Err(answer) => answer,
        };
        match call {
            Call::Move { place, .. } => self.after_move(place, answer),
            Call::Probe { calendar } => self.after_probe(&calendar, answer, doubt),
            Call::Insert { .. } | Call::Patch { .. } | Call::Delete { .. } | Call::Get { .. } => match answer {
                // The calendar is asked before it, or the account, is blamed for one event.
                Answer::NotPermitted { reason } | Answer::Forbidden { reason } => {
                    self.probe(call.calendar().clone(), Doubt::Forbidden { call, reason })
                }
                answer => self.after_call_of_event(call, answer, doubt),
            },
        }
    }

    /// The answers that mean the same whatever was called; a missing scope alone is passed by where a move failed.
    fn of_any_call(&self, call: &Call, answer: Answer) -> Result<Step, Answer> {
        let later = |cause, retry_after| Ok(self.later(Setback { cause, retry_after }));
        match answer {
            Answer::Throttled { scope, retry_after } => later(RetryCause::Throttled(scope), retry_after),
            Answer::Unavailable { retry_after } => later(RetryCause::Unavailable, retry_after),
            Answer::Unauthorized => Ok(self.come_back()),
            Answer::ScopeMissing if !matches!(call, Call::Move { .. }) => Ok(self.stopped(Stop::ReconnectRequired)),
            Answer::AccountRefused { .. } => Ok(self.stopped(Stop::AccountUnavailable)),
            Answer::Misconfigured => Ok(self.stopped(Stop::Misconfigured)),
            other => Err(other),
        }
    }

    fn after_call_of_event(&mut self, call: Call, answer: Answer, doubt: Option<Doubt>) -> Step {
        match call {
            Call::Insert { place, .. } => self.after_insert(place, answer),
            Call::Patch { place, .. } => self.after_patch(place, answer),
            Call::Delete { place, .. } => self.after_delete(place, answer),
            Call::Get { place } => match (doubt, answer) {
                (Some(Doubt::SourceStands { reason }), Answer::Found { .. }) => self.delete_copy(reason),
                (Some(Doubt::CopyStands { reason }), answer) => self.after_get_of_refused_copy(answer, reason),
                (Some(Doubt::EventGone), answer) => self.after_get(place, answer, true),
                (_, answer) => self.after_get(place, answer, false),
            },
            Call::Move { .. } | Call::Probe { .. } => self.come_back(),
        }
    }

    fn after_insert(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Stored { etag, html_link } if matches!(self.rewriting, Rewriting::Copying) => {
                self.copied(etag, html_link, self.wanted_content())
            }
            Answer::Stored { etag, html_link } => self.written(place, etag, html_link),
            Answer::AlreadyExists => self.read(place, None),
            Answer::Gone => self.read(place, Some(Doubt::EventGone)),
            // An insert names no event: it is the calendar that is missing.
            Answer::NotFound => self.probe_target(Doubt::TargetGone),
            Answer::Refused { reason } => self.write_refused(reason),
            _ => self.come_back(),
        }
    }

    fn after_patch(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Stored { etag, html_link } => self.written(place, etag, html_link),
            Answer::Changed => self.read(place, None),
            Answer::Gone | Answer::NotFound => self.read(place, Some(Doubt::EventGone)),
            Answer::Refused { reason } => self.write_refused(reason),
            _ => self.come_back(),
        }
    }

    fn after_delete(&mut self, place: Place, answer: Answer) -> Step {
        if let Rewriting::Undoing { reason } = &self.rewriting {
            return match answer {
                Answer::Deleted | Answer::Gone | Answer::NotFound => self.refused(reason.clone()),
                _ => self.come_back(),
            };
        }
        match answer {
            Answer::Deleted => self.deleted(&place),
            Answer::Gone | Answer::NotFound => self.read(place, Some(Doubt::EventGone)),
            Answer::Changed => self.read(place, None),
            Answer::Refused { reason } => self.not_deleted(place, reason),
            _ => self.come_back(),
        }
    }

    /// The event may not be deleted there. Where it was copied, the copy is deleted, so that it stands once; but the answer
    /// of an attempt before may have been lost, and it stands nowhere else.
    fn not_deleted(&mut self, place: Place, reason: String) -> Step {
        match (&self.placement, &self.rewriting) {
            (_, Rewriting::Copied { .. }) => self.read(place, Some(Doubt::SourceStands { reason })),
            // It is called off, and may stand at the other end as well.
            (Placement::Moving { place: to, from }, Rewriting::Not)
                if self.goal.event.is_none() && place.calendar == to.calendar =>
            {
                let other = from.place(to.generation);
                self.rewriting = Rewriting::Undoing { reason };
                self.call(Call::Delete { place: other, etag: None })
            }
            _ => self.refused(reason),
        }
    }

    fn after_move(&mut self, place: Place, answer: Answer) -> Step {
        match answer {
            Answer::Moved { etag, html_link, shown } => {
                // Its state is confirmed together with whatever somebody did to it before.
                let shows = |(event, _): &&(Event, Fingerprint)| shown.is_as(event);
                let fingerprint = self.goal.event.as_ref().filter(shows).map(|(_, fingerprint)| fingerprint.clone());
                self.html_link = html_link.or(self.html_link.take());
                self.placement = Placement::Written { place, etag, fingerprint };
                self.plan()
            }
            // Moved by an attempt whose answer was lost, or vanished: the destination tells.
            Answer::NotFound | Answer::Gone | Answer::Changed => self.read(place, None),
            Answer::AlreadyExists
            | Answer::NotPermitted { .. }
            | Answer::Forbidden { .. }
            | Answer::ScopeMissing
            | Answer::Refused { .. } => self.copy_to_target(),
            _ => self.come_back(),
        }
    }

    fn after_get(&mut self, place: Place, answer: Answer, was_called_gone: bool) -> Step {
        match answer {
            // Nobody makes an event under our id by chance: one that names no owner lost our properties, and is ours.
            Answer::Found { etag, html_link, owner }
                if owner.as_ref().is_none_or(|owner| *owner == self.goal.owner) =>
            {
                match &self.rewriting {
                    Rewriting::Copying => return self.copied(etag, html_link, None),
                    // It may have been moved, and as well copied: by an attempt whose answer was lost.
                    Rewriting::Not if self.may_be_a_copy(&place.calendar) => {
                        return match was_called_gone {
                            true => self.come_back(),
                            false => self.copied(etag, html_link, None),
                        };
                    }
                    // It is called off: both ends are deleted, whichever it was found at.
                    Rewriting::Not
                        if self.goal.event.is_none() && matches!(self.placement, Placement::Moving { .. }) =>
                    {
                        return if was_called_gone { self.come_back() } else { self.plan() };
                    }
                    Rewriting::Not => {}
                    Rewriting::Copied { .. } | Rewriting::Undoing { .. } => return self.come_back(),
                }
                let was_not_moved = self.move_failed_from(&place.calendar);
                self.html_link = html_link.or(self.html_link.take());
                self.found_at(place, etag);
                if was_not_moved {
                    // It could not be moved and has not vanished: is it the target that is missing?
                    self.probe_target(Doubt::TargetGone)
                } else if was_called_gone {
                    self.come_back()
                } else {
                    self.plan()
                }
            }
            // Our id, and somebody else's event: it is left alone.
            Answer::Found { .. } if matches!(self.rewriting, Rewriting::Copying) => self.copy_under_next_id(),
            Answer::Found { .. } => self.vanished(),
            Answer::Gone | Answer::NotFound if !was_called_gone => self.read(place, Some(Doubt::EventGone)),
            // The calendar may be out of sight, and the event with it.
            Answer::NotFound => self.probe(place.calendar.clone(), Doubt::CalendarGone { place }),
            Answer::Gone => self.absent_at(&place),
            Answer::Refused { reason } => self.refused(reason),
            _ => self.come_back(),
        }
    }

    /// The event does not stand at `place`, or is out of our reach there.
    fn absent_at(&mut self, place: &Place) -> Step {
        if self.goal.event.is_none() {
            return self.deleted(place);
        }
        match self.placement.clone() {
            Placement::Moving { from, .. }
                if place.calendar != from.calendar && matches!(self.rewriting, Rewriting::Copying) =>
            {
                self.copy_under_next_id()
            }
            Placement::Moving { place: to, from } if place.calendar != from.calendar => {
                // It is not where a move was to bring it. Does it still stand where it came from?
                let stays = from.place(to.generation);
                if to.calendar == self.goal.calendar || from.calendar == self.goal.calendar {
                    self.read(stays, None)
                } else {
                    self.move_to_target(stays)
                }
            }
            Placement::Moving { .. } => self.deleted(place),
            Placement::Absent { .. } | Placement::Reserved(_) | Placement::Written { .. } => self.vanished(),
        }
    }

    fn after_probe(&mut self, calendar: &CalendarId, answer: Answer, doubt: Option<Doubt>) -> Step {
        let is_wanted_here = self.goal.event.is_some() && *calendar == self.goal.calendar;
        match answer {
            // A calendar that can be read has said what does not stand in it.
            Answer::CalendarReadOnly if !is_wanted_here && matches!(doubt, Some(Doubt::CalendarGone { .. })) => {
                self.after_probe(calendar, Answer::CalendarOpen, doubt)
            }
            Answer::CalendarOpen => match doubt {
                Some(Doubt::Forbidden { call: Call::Delete { place, .. }, reason }) => self.not_deleted(place, reason),
                Some(Doubt::Forbidden { call: Call::Insert { .. }, reason }) => self.not_written(reason),
                Some(Doubt::Forbidden { reason, .. }) => self.refused(reason),
                Some(Doubt::CalendarGone { place }) => self.absent_at(&place),
                Some(Doubt::EventGone | Doubt::TargetGone | Doubt::SourceStands { .. } | Doubt::CopyStands { .. })
                | None => self.come_back(),
            },
            Answer::CalendarReadOnly | Answer::CalendarMissing if *calendar == self.goal.calendar => {
                self.stopped(Stop::CalendarUnavailable)
            }
            Answer::CalendarReadOnly | Answer::CalendarMissing => match doubt {
                Some(
                    Doubt::Forbidden { call: Call::Delete { place, .. } | Call::Get { place }, .. }
                    | Doubt::CalendarGone { place },
                ) => {
                    self.left_behind.push(place.clone());
                    self.absent_at(&place)
                }
                Some(_) | None => self.vanished(),
            },
            Answer::Forbidden { .. } => self.stopped(Stop::AccountUnavailable),
            _ => self.come_back(),
        }
    }

    /// Google does not take the event as it is: perhaps it is only the zone.
    fn write_refused(&mut self, reason: String) -> Step {
        if reason == INVALID_VALUE && !self.without_zone {
            self.without_zone = true;
            return self.plan();
        }
        self.not_written(reason)
    }

    /// Google takes the event no more. A copy of it may stand all the same, by an attempt whose answer was lost.
    fn not_written(&mut self, reason: String) -> Step {
        match (&self.rewriting, self.placement.clone()) {
            (Rewriting::Copying, Placement::Moving { place, .. }) => {
                self.read(place, Some(Doubt::CopyStands { reason }))
            }
            _ => self.refused(reason),
        }
    }

    /// Where the copy stands, it is the event, and the one that it was made of goes; else that one stays.
    fn after_get_of_refused_copy(&mut self, answer: Answer, reason: String) -> Step {
        match answer {
            Answer::Found { etag, html_link, owner }
                if owner.as_ref().is_none_or(|owner| *owner == self.goal.owner) =>
            {
                self.copied(etag, html_link, None)
            }
            Answer::Found { .. } | Answer::Gone | Answer::NotFound | Answer::Refused { .. } => self.refused(reason),
            _ => self.come_back(),
        }
    }

    /// Asks the target to take an event that cannot be moved, under the id that the placement says.
    pub(super) fn copy_to_target(&mut self) -> Step {
        let Placement::Moving { place, .. } = self.placement.clone() else { return self.plan() };
        let Some((event, _)) = self.goal.event.clone() else { return self.plan() };
        self.rewriting = Rewriting::Copying;
        self.call(Call::Insert { place, event, names_zone: !self.without_zone })
    }

    /// The target has the copy.
    fn copied(&mut self, etag: Etag, html_link: Option<String>, fingerprint: Option<Fingerprint>) -> Step {
        self.html_link = html_link.or(self.html_link.take());
        self.rewriting = Rewriting::Copied { etag, fingerprint };
        self.delete_at_source()
    }

    /// The target takes nothing under that id: it is asked under the next one, while the event stands where it stood.
    fn copy_under_next_id(&mut self) -> Step {
        let Placement::Moving { place, from } = self.placement.clone() else { return self.plan() };
        self.placement = Placement::Moving { place: self.new_place(place.generation.next()), from };
        self.copy_to_target()
    }

    fn delete_at_source(&mut self) -> Step {
        let Placement::Moving { place, from } = self.placement.clone() else { return self.plan() };
        self.call(Call::Delete { place: from.place(place.generation), etag: None })
    }

    fn delete_copy(&mut self, reason: String) -> Step {
        let Placement::Moving { place, .. } = self.placement.clone() else { return self.plan() };
        self.rewriting = Rewriting::Undoing { reason };
        self.call(Call::Delete { place, etag: None })
    }

    /// Whether a move was to bring the event to `calendar`, out of one in which it does not belong: where it stands there, it
    /// may stand in both.
    fn may_be_a_copy(&self, calendar: &CalendarId) -> bool {
        self.goal.event.is_some()
            && matches!(&self.placement, Placement::Moving { place, from }
                if place.calendar == *calendar && from.calendar != self.goal.calendar)
    }

    /// An event that stands where a move was to bring it, and belongs where it came from, is on its way back.
    fn found_at(&mut self, found: Place, etag: Etag) {
        self.placement = match self.placement.clone() {
            Placement::Moving { place, from }
                if place.calendar == found.calendar && from.calendar == self.goal.calendar =>
            {
                Placement::Moving { place: from.place(found.generation), from: found.into() }
            }
            Placement::Absent { .. }
            | Placement::Reserved(_)
            | Placement::Written { .. }
            | Placement::Moving { .. } => Placement::Written { place: found, etag, fingerprint: None },
        };
    }
}

#[cfg(test)]
mod tests;
