//! What Cassius and the people have done, as far as the service has answered for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::operation::ORGANISATIONS;

/// Everything that should be, by organisation.
pub(super) struct Model(pub(super) Vec<Practice>);

#[derive(Default)]
pub(super) struct Practice {
    pub(super) appointments: BTreeMap<u64, Wish>,
    /// The accounts for which a consent was given, ever.
    pub(super) accounts: BTreeSet<&'static str>,
    /// Whether the last disconnect deleted every upcoming event, and no consent was asked for since.
    pub(super) is_clean: bool,
    /// How many consents were asked for.
    pub(super) consents: u32,
    /// Between which calls of the journal nothing may be written: from a disconnect's answer to the next consent's begin.
    pub(super) silences: Vec<(u64, Option<u64>)>,
}

/// One appointment.
#[derive(Default)]
pub(super) struct Wish {
    /// The highest revision for which an OK came.
    pub(super) accepted: i64,
    /// Everything that was ever sent.
    pub(super) versions: BTreeMap<i64, Version>,
    /// The highest revision sent when a person last changed the event at Google. Once the appointment is over, nobody
    /// compares: up to that revision their word stands.
    pub(super) touched_up_to: i64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    pub(super) is_scheduled: bool,
    pub(super) start_at: Timestamp,
    pub(super) end_at: Timestamp,
}

impl Model {
    pub(super) fn new() -> Self {
        Self(ORGANISATIONS.iter().map(|_| Practice::default()).collect())
    }

    /// A person changed the event of an appointment: what a disconnect has deleted may stand again.
    pub(super) fn touched(&mut self, organisation: &str, appointment: &str) {
        let Some(practice) = ORGANISATIONS.iter().position(|name| *name == organisation) else { return };
        let practice = &mut self.0[practice];
        practice.is_clean = false;
        let wish = number(appointment).and_then(|number| practice.appointments.get_mut(&number));
        if let Some(wish) = wish {
            wish.touched_up_to = wish.newest();
        }
    }
}

impl Wish {
    /// The newest revision that was sent.
    pub(super) fn newest(&self) -> i64 {
        self.versions.keys().next_back().copied().unwrap_or(0)
    }
}

impl Practice {
    /// A disconnect was answered when `last` was the last call. One during which a consent was asked for promises nothing
    /// beyond its answer: `consents` is how many had been asked for when it began.
    /// `is_clean`: the upcoming events were to be deleted, and none is told as remaining.
    pub(super) fn disconnected(&mut self, last: u64, consents: u32, is_clean: bool) {
        if self.consents == consents {
            // Where nothing is connected any more, what the disconnect before has kept stays.
            self.is_clean = if self.is_disconnected() { self.is_clean && is_clean } else { is_clean };
            self.silences.push((last, None));
        }
    }

    /// A consent is asked for when `last` is the last call.
    pub(super) fn consent_begins(&mut self, last: u64) {
        self.consents += 1;
        self.is_clean = false;
        for silence in self.silences.iter_mut().filter(|silence| silence.1.is_none()) {
            silence.1 = Some(last);
        }
    }

    /// Whether a disconnect was answered and no consent asked for since.
    pub(super) fn is_disconnected(&self) -> bool {
        self.silences.last().is_some_and(|silence| silence.1.is_none())
    }
}

/// The appointment's id.
pub(super) fn appointment_id(number: u64) -> String {
    format!("rdv-{number}")
}

fn number(id: &str) -> Option<u64> {
    id.strip_prefix("rdv-")?.parse().ok()
}
