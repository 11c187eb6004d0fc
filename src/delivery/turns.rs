//! Whose turn it is: organisations are served in turn, and none holds more than a few places.

use std::collections::HashMap;

use crate::model::OrganisationId;

/// How many appointments of one organisation are under way at a time: quick writes to one calendar get throttled.
const PLACES_EACH: usize = 3;

/// Who is being served, and who was served last.
#[derive(Debug, Default)]
pub(super) struct Turns {
    under_way: HashMap<OrganisationId, usize>,
    last: Option<OrganisationId>,
}

impl Turns {
    /// The order in which to serve `due`: those that come after the last one served, then the others; those that have
    /// all their places taken are left out.
    pub(super) fn order<T>(&self, mut due: Vec<T>, organisation: impl Fn(&T) -> &OrganisationId) -> Vec<T> {
        due.retain(|it| self.under_way.get(organisation(it)).is_none_or(|places| *places < PLACES_EACH));
        due.sort_by(|a, b| organisation(a).cmp(organisation(b)));
        let first = due.partition_point(|it| self.last.as_ref().is_some_and(|last| organisation(it) <= last));
        due.rotate_left(first);
        due
    }

    /// Takes a place.
    pub(super) fn begin(&mut self, organisation: &OrganisationId) {
        *self.under_way.entry(organisation.clone()).or_default() += 1;
        self.last = Some(organisation.clone());
    }

    /// Gives a place back.
    pub(super) fn end(&mut self, organisation: &OrganisationId) {
        if let Some(places) = self.under_way.get_mut(organisation) {
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

    fn organisations(names: &[&str]) -> Vec<OrganisationId> {
        names.iter().map(|name| OrganisationId::parse(name).unwrap()).collect()
    }

    #[test]
    fn everybody_is_served_before_anybody_is_served_again() {
        let mut turns = Turns::default();
        let mut served = Vec::new();
        for _ in 0..6 {
            let next = turns.order(organisations(&["c", "a", "b"]), |it| it).remove(0);
            turns.begin(&next);
            turns.end(&next);
            served.push(next);
        }
        assert_eq!(served, organisations(&["a", "b", "c", "a", "b", "c"]));
    }

    #[test]
    fn an_organisation_whose_places_are_taken_waits() {
        let mut turns = Turns::default();
        let big = organisations(&["big"]).remove(0);
        (0..PLACES_EACH).for_each(|_| turns.begin(&big));
        assert_eq!(turns.order(organisations(&["big", "small"]), |it| it), organisations(&["small"]));
        turns.end(&big);
        assert_eq!(turns.order(organisations(&["big"]), |it| it), organisations(&["big"]));
    }
}
