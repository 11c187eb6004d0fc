//! Whose turn it is among the organisations that are due.
//!
//! Owns the places: how many there are, and how many of them one organisation may hold. Never knows what is due.
//! Invariant: no organisation holds more than [`PLACES_EACH`], and the last places go to those that hold none.

use std::collections::HashMap;

use crate::model::OrganisationId;

/// How many attempts are under way at a time, over all organisations.
pub(super) const PLACES: usize = 64;
/// How many of them go to organisations that have nothing under way: where Google hangs for many, a lone edit of another
/// still finds one.
const RESERVED_PLACES: usize = 8;
/// How many appointments of one organisation are under way at a time: quick writes to one calendar get throttled.
pub(super) const PLACES_EACH: usize = 3;

/// Who is being served.
#[derive(Debug, Default)]
pub(super) struct Turns {
    under_way: HashMap<OrganisationId, usize>,
    taken: usize,
}

impl Turns {
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
        let has_place = match self.under_way.get(organisation) {
            None => self.taken < PLACES,
            Some(its) => *its < PLACES_EACH && self.taken < PLACES - RESERVED_PLACES,
        };
        if has_place {
            *self.under_way.entry(organisation.clone()).or_default() += 1;
            self.taken += 1;
        }
        has_place
    }

    /// Gives a place back.
    pub(super) fn end(&mut self, organisation: &OrganisationId) {
        if let Some(places) = self.under_way.get_mut(organisation) {
            self.taken -= 1;
            *places -= 1;
            if *places == 0 {
                self.under_way.remove(organisation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(name: &str) -> OrganisationId {
        OrganisationId::parse(name).unwrap()
    }

    #[test]
    fn an_organisation_whose_places_are_taken_waits() {
        let mut turns = Turns::default();
        let big = organisation("big");
        assert!((0..PLACES_EACH).all(|_| turns.begin(&big)));
        assert!(!turns.begin(&big) && turns.begin(&organisation("small")));
        turns.end(&big);
        assert!(turns.begin(&big));
    }

    #[test]
    fn the_last_places_go_to_those_that_have_none() {
        let mut turns = Turns::default();
        assert!((0..PLACES - RESERVED_PLACES).all(|n| turns.begin(&organisation(&n.to_string()))));
        assert!(!turns.begin(&organisation("0")));
        assert!((0..RESERVED_PLACES).all(|n| turns.begin(&organisation(&format!("new {n}")))));
        assert!(turns.is_full() && !turns.begin(&organisation("newer")));
        (0..PLACES).for_each(|n| turns.end(&organisation(&n.to_string())));
        (0..RESERVED_PLACES).for_each(|n| turns.end(&organisation(&format!("new {n}"))));
        assert_eq!((turns.served(), turns.taken), (0, 0));
    }
}
