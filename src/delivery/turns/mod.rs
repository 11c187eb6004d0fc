//! Whose turn it is among the organisations that are due.
//!
//! Owns the places: how many there are, how many of them one organisation may hold, and who leaves its place since its
//! attempt takes long. Never knows what is due. Invariant: no organisation has more than [`PLACES_EACH`] under way,
//! those that have left their places among them, and the last places go to those that have nothing under way, and of
//! whom no attempt has left its place since one ended in it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use jiff::SignedDuration;

use crate::clock::Deadline;
use crate::model::OrganisationId;

/// How many attempts are under way at a time, over all organisations, beside those that have left their places.
pub(super) const PLACES: usize = 64;
/// How many of them go to organisations that have nothing under way and do not hang: where Google hangs for many, a lone
/// edit of another still finds one.
const RESERVED_PLACES: usize = 8;
/// How many appointments of one organisation are under way at a time: quick writes to one calendar get throttled.
pub(super) const PLACES_EACH: usize = 3;
/// After how long an attempt leaves its place to others: most of Google's answers take a tenth of it.
pub(super) const LEAVES_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// How many may have left their places: each is an attempt whose end is still waited for.
const SLOW_PLACES: usize = 192;

/// Who is being served; `A` tells attempts apart.
#[derive(Debug)]
pub(super) struct Turns<A> {
    under_way: HashMap<OrganisationId, usize>,
    /// How many places are taken.
    taken: usize,
    /// Who has a place, and when it is to leave that, in the order of these moments.
    quick: VecDeque<(Deadline, A, OrganisationId)>,
    /// Who has left its place.
    slow: HashSet<A>,
    /// Those of whom an attempt has left its place, until one ends in its place.
    hanging: HashSet<OrganisationId>,
}

impl<A> Default for Turns<A> {
    fn default() -> Self {
        Self {
            under_way: HashMap::new(),
            taken: 0,
            quick: VecDeque::new(),
            slow: HashSet::new(),
            hanging: HashSet::new(),
        }
    }
}

impl<A: Copy + Eq + Hash> Turns<A> {
    /// Whether there may be any place for anybody.
    pub(super) fn is_full(&self) -> bool {
        self.taken >= PLACES
    }

    /// How many organisations are being served: some of them may have to wait though they are due.
    pub(super) fn served(&self) -> usize {
        self.under_way.len()
    }

    /// Takes a place for `organisation`; answers whether there was one.
    pub(super) fn begin(&mut self, organisation: &OrganisationId) -> bool {
        let its = self.under_way.get(organisation).copied().unwrap_or_default();
        let reserved = if its == 0 && !self.hanging.contains(organisation) { 0 } else { RESERVED_PLACES };
        let has_place = its < PLACES_EACH && self.taken + reserved < PLACES;
        if has_place {
            *self.under_way.entry(organisation.clone()).or_default() += 1;
            self.taken += 1;
        }
        has_place
    }

    /// Gives a place back in which nothing was started.
    pub(super) fn give_back(&mut self, organisation: &OrganisationId) {
        self.taken -= 1;
        self.count_down(organisation);
    }

    /// An attempt has started in a place that was taken, and leaves it at `until`.
    pub(super) fn start(&mut self, attempt: A, organisation: OrganisationId, until: Deadline) {
        self.quick.push_back((until, attempt, organisation));
    }

    /// Those that started long before `now` leave their places, as far as there may be more that have.
    pub(super) fn leave_places(&mut self, now: Deadline) {
        while self.next_leaves_at().is_some_and(|at| at <= now)
            && let Some((_, attempt, organisation)) = self.quick.pop_front()
        {
            self.taken -= 1;
            self.slow.insert(attempt);
            self.hanging.insert(organisation);
        }
    }

    /// When the next one leaves its place; `None`: none will.
    pub(super) fn next_leaves_at(&self) -> Option<Deadline> {
        self.quick.front().filter(|_| self.slow.len() < SLOW_PLACES).map(|(at, ..)| *at)
    }

    /// An attempt of `organisation` has ended.
    pub(super) fn end(&mut self, attempt: A, organisation: &OrganisationId) {
        if !self.slow.remove(&attempt) {
            self.quick.retain(|(_, quick, _)| *quick != attempt);
            self.hanging.remove(organisation);
            self.taken -= 1;
        }
        self.count_down(organisation);
    }

    /// One less of it is under way.
    fn count_down(&mut self, organisation: &OrganisationId) {
        if let Some(its) = self.under_way.get_mut(organisation) {
            *its -= 1;
            if *its == 0 {
                self.under_way.remove(organisation);
            }
        }
    }
}

#[cfg(test)]
mod tests;
