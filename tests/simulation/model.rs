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
    /// Whether the last disconnect deleted every upcoming event and searched the whole account, and no consent was asked for
    /// since.
    pub(super) is_clean: bool,
    /// How many consents were asked for.
    pub(super) consents: u32,
    /// How many times a person changed an event of its.
    pub(super) touches: u32,
    /// Between which calls of the journal nothing may be written: from a disconnect's answer to the next consent's begin.
    pub(super) silences: Vec<(u64, Option<u64>)>,
    /// How many appointments are being sent.
    pub(super) sending: u32,
    /// Whether all of it is being sent.
    pub(super) is_replaced: bool,
    /// Until when something was accepted, at the latest.
    accepted_until: Option<Timestamp>,
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
    /// The highest revision sent when the account was disconnected: what comes later changes nothing at Google.
    pub(super) left_with: i64,
    /// How many times it was sent.
    pub(super) sent: u32,
    /// How many erasures of it began, and how many of them have no answer yet.
    pub(super) erasures: u32,
    pub(super) erasing: u32,
    /// Whether an OK came for an erasure since which it was not sent.
    pub(super) is_erased: bool,
    /// Whether a person changed the event since the latest erasure began, or it began while nothing was connected: what they
    /// moved then is found by nobody.
    pub(super) is_unfindable: bool,
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
        practice.touches += 1;
        let wish = number(appointment).and_then(|number| practice.appointments.get_mut(&number));
        if let Some(wish) = wish {
            wish.touched_up_to = wish.newest();
            wish.is_unfindable = true;
        }
    }
}

impl Wish {
    /// The newest revision that was sent.
    pub(super) fn newest(&self) -> i64 {
        self.versions.keys().next_back().copied().unwrap_or(0)
    }

    /// It is sent; answers by which erasure an OK is to be believed: while one is under way, it may come after.
    pub(super) fn send(&mut self) -> Option<u32> {
        self.sent += 1;
        self.is_erased = false;
        (self.erasing == 0).then_some(self.erasures)
    }

    /// An OK came for a revision.
    pub(super) fn is_accepted(&mut self, revision: i64, erasures: Option<u32>) {
        if erasures == Some(self.erasures) {
            self.accepted = self.accepted.max(revision);
        }
    }

    /// It is erased; answers since when it must not be sent for that to hold.
    pub(super) fn erase(&mut self, is_connected: bool) -> u32 {
        self.is_unfindable = !is_connected;
        self.accepted = 0;
        self.erasures += 1;
        self.erasing += 1;
        self.sent
    }

    /// An erasure was answered; `sent`: with an OK, if it was not sent since.
    pub(super) fn erasure_ends(&mut self, sent: Option<u32>) {
        self.erasing = self.erasing.saturating_sub(1);
        self.is_erased |= sent == Some(self.sent);
    }
}

impl Practice {
    /// A disconnect was answered when `last` was the last call. One during which a consent was asked for, or a person
    /// changed an event, promises nothing beyond its answer: `consents` and `touches` are how many there had been when it
    /// began. `is_clean`: the upcoming events were to be deleted, and none is told as remaining, nor that it was not
    /// looked for.
    pub(super) fn disconnected(&mut self, last: u64, (consents, touches): (u32, u32), is_clean: bool) {
        let is_clean = is_clean && self.touches == touches;
        if self.consents == consents {
            if !self.is_disconnected() {
                self.appointments.values_mut().for_each(|wish| wish.left_with = wish.newest());
            }
            // Where nothing is connected any more, what the disconnect before has kept stays.
            self.is_clean = if self.is_disconnected() { self.is_clean && is_clean } else { is_clean };
            self.silences.push((last, None));
        }
    }

    /// Whatever was being sent has its answer, or never gets one, by now.
    pub(super) fn accepted_by(&mut self, now: Timestamp) {
        self.accepted_until = self.accepted_until.max(Some(now));
    }

    /// Whether everything was accepted before this.
    pub(super) fn is_accepted_before(&self, now: Timestamp) -> bool {
        self.accepted_until.is_none_or(|until| until < now)
    }

    /// No call under way gets an answer any more.
    pub(super) fn forget_calls(&mut self, now: Timestamp) {
        (self.sending, self.is_replaced) = (0, false);
        self.accepted_by(now);
        self.appointments.values_mut().for_each(|wish| wish.erasing = 0);
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
