//! What a comparison finds of one appointment: pure.
//!
//! Owns what is wanted of a link and of the events that Google lists for it. Never calls Google, and never changes
//! anything. Invariant: of what is not at rest and in step, or was changed since the lists were begun, nothing is to be
//! mended: it is the worker's, or waits for a person.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::model::{AppointmentId, CalendarId, Etag, EventId, Generation, Place, Placement, Revision, SyncStatus};
use crate::store::{ChangeWindow, ComparedLink, Mend, Silence};
use crate::sync::{Event, Shown};

/// An event that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) calendar: CalendarId,
    pub(super) event: EventId,
    pub(super) etag: Etag,
    pub(super) created_at: Option<Timestamp>,
    /// The revision that it says it shows.
    pub(super) revision: Option<Revision>,
    pub(super) shown: Shown,
}

/// The events that Google lists, by the appointment that they say they show.
pub(super) type Remote = HashMap<AppointmentId, Vec<Listed>>;

/// What the lists cover.
pub(super) struct Scope {
    /// When the lists were begun.
    pub(super) since: Timestamp,
    /// The calendars that were listed to their end.
    pub(super) listed: HashSet<CalendarId>,
    /// The events whose deletion is owed already.
    pub(super) owed: HashSet<(CalendarId, EventId)>,
    /// When nobody wrote to this database: what was made at Google then was made by a state that was lost.
    pub(super) silences: Vec<Silence>,
}

impl Scope {
    /// Whether its deletion is owed already: it says nothing of what should stand.
    fn is_owed(&self, listed: &Listed) -> bool {
        self.owed.contains(&(listed.calendar.clone(), listed.event.clone()))
    }

    /// Whether an event was made while nobody wrote here.
    fn is_of_lost_state(&self, listed: &Listed) -> bool {
        listed.created_at.is_some_and(|at| self.silences.iter().any(|silence| silence.covers(at)))
    }
}

/// The state of a link's event at Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RemoteState {
    /// As it was confirmed, or it is not for this comparison to say.
    AsKnown,
    /// It is not there.
    Missing,
    /// Somebody changed our fields.
    Altered(Etag),
    /// Somebody changed what is not ours.
    Touched(Etag),
    /// It shows a higher revision than is held, or was made by a state of this database that was lost: an older state is not
    /// written over it.
    Newer,
    /// The worker has to do with it, and events stand elsewhere of which nothing can be said before.
    InMotion,
}

/// What was found of one appointment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) state: RemoteState,
    /// Events that nobody wants.
    pub(super) surplus: Vec<Place>,
}

impl Finding {
    /// What is to be done about the link.
    pub(super) fn mend(&self, appointment: &AppointmentId) -> Option<Mend> {
        let (etag, is_due) = match &self.state {
            RemoteState::AsKnown | RemoteState::Newer | RemoteState::InMotion => return None,
            RemoteState::Missing => (None, true),
            RemoteState::Altered(etag) => (Some(etag.clone()), true),
            RemoteState::Touched(etag) => (Some(etag.clone()), false),
        };
        Some(Mend { appointment: appointment.clone(), etag, is_due })
    }
}

/// Holds the events that Google lists for one appointment against its link; `wanted` renders the event that should stand,
/// and is asked only where that decides something.
pub(super) fn compare(
    link: Option<&ComparedLink>,
    events: Vec<Listed>,
    scope: &Scope,
    within: ChangeWindow,
    wanted: impl FnOnce() -> Option<Event>,
) -> Finding {
    let surplus = |events: Vec<Listed>| {
        let places = events.into_iter().map(|listed| (listed.calendar, listed.event));
        let unowed = places.filter(|place| !scope.owed.contains(place));
        // Which event of its appointment it was is not known: the first counts for none but itself.
        unowed.map(|(calendar, event)| Place { calendar, event, generation: Generation::FIRST }).collect()
    };
    let Some(link) = link else {
        let is_lost = |listed: &Listed| scope.is_of_lost_state(listed) && !scope.is_owed(listed);
        let (lost, unknown): (Vec<_>, Vec<_>) = events.into_iter().partition(is_lost);
        let state = if lost.is_empty() { RemoteState::AsKnown } else { RemoteState::Newer };
        return Finding { state, surplus: surplus(unknown) };
    };
    let (own, other): (Vec<_>, Vec<_>) = events.into_iter().partition(|listed| stands_at(&link.placement, listed));
    // What shows a later state is no double, wherever it stands, unless it is what was erased.
    if other.iter().any(|listed| listed.revision > link.revision && !scope.is_owed(listed)) {
        return Finding { state: RemoteState::Newer, surplus: Vec::new() };
    }
    if !is_at_rest(link, within) {
        // What was refused, or was never sent, waits for a person.
        let is_waited_for = matches!(link.sync_status, SyncStatus::Synced | SyncStatus::Pending) && !other.is_empty();
        let state = if is_waited_for { RemoteState::InMotion } else { RemoteState::AsKnown };
        return Finding { state, surplus: Vec::new() };
    }
    Finding { state: state(link, own.first(), scope, wanted), surplus: surplus(other) }
}

fn is_at_rest(link: &ComparedLink, within: ChangeWindow) -> bool {
    let is_in_step = match link.sync_status {
        SyncStatus::Synced => true,
        SyncStatus::None | SyncStatus::Pending | SyncStatus::Error => false,
    };
    is_in_step && !within.covers(link.updated_at) && link.lease_until.is_none_or(|until| until <= within.since)
}

/// Whether the event is where a placement may have one.
fn stands_at(placement: &Placement, listed: &Listed) -> bool {
    let is_at = |calendar: &CalendarId| *calendar == listed.calendar;
    match placement {
        Placement::Absent { .. } => false,
        Placement::Reserved(place) | Placement::Written { place, .. } => {
            place.event == listed.event && is_at(&place.calendar)
        }
        Placement::Moving { place, from } => {
            place.event == listed.event && is_at(&place.calendar) || from.event == listed.event && is_at(&from.calendar)
        }
    }
}

fn state(
    link: &ComparedLink,
    own: Option<&Listed>,
    scope: &Scope,
    wanted: impl FnOnce() -> Option<Event>,
) -> RemoteState {
    let Placement::Written { place, etag, .. } = &link.placement else { return RemoteState::AsKnown };
    if link.ends_at.is_none_or(|end| end <= scope.since) {
        return RemoteState::AsKnown;
    }
    match own {
        Some(listed) if listed.revision > link.revision => RemoteState::Newer,
        Some(listed) if listed.etag == *etag => RemoteState::AsKnown,
        Some(listed) => match wanted() {
            Some(event) if listed.shown.is_as(&event) && listed.revision.is_some() => {
                RemoteState::Touched(listed.etag.clone())
            }
            Some(_) => RemoteState::Altered(listed.etag.clone()),
            None => RemoteState::AsKnown,
        },
        None if scope.listed.contains(&place.calendar) && wanted().is_some() => RemoteState::Missing,
        None => RemoteState::AsKnown,
    }
}
