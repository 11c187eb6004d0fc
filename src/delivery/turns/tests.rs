//! Places taken, left and given back, in a time that is moved by hand.

use super::*;
use crate::clock::Clock;

/// Starts attempts in this clock's time.
struct Stage {
    turns: Turns<usize>,
    clock: Clock,
    started: usize,
}

impl Stage {
    fn new() -> Self {
        Self { turns: Turns::default(), clock: Clock::manual("2026-10-30T09:00:00Z".parse().unwrap()), started: 0 }
    }

    /// Starts one of this organisation, if there is a place.
    fn start(&mut self, name: &str) -> Option<usize> {
        let organisation = OrganisationId::parse(name).unwrap();
        self.turns.begin(&organisation).then(|| {
            self.started += 1;
            self.turns.start(self.started, organisation, self.clock.after(LEAVES_AFTER));
            self.started
        })
    }

    /// How many organisations of this sort find a place.
    fn start_all(&mut self, sort: &str, count: usize) -> usize {
        (0..count).filter(|n| self.start(&format!("{sort}-{n}")).is_some()).count()
    }

    fn end(&mut self, attempt: usize, name: &str) {
        self.turns.end(attempt, &OrganisationId::parse(name).unwrap());
    }

    fn pass(&mut self, span: SignedDuration) {
        self.clock.advance(span);
        self.turns.leave_places(self.clock.after(SignedDuration::ZERO));
    }
}

#[test]
fn an_organisation_whose_places_are_taken_waits_though_they_are_slow() {
    let mut stage = Stage::new();
    let first = stage.start("big").unwrap();
    assert!(stage.start("big").is_some() && stage.start("big").is_some());
    assert!(stage.start("big").is_none() && stage.start("small").is_some());
    stage.pass(LEAVES_AFTER);
    assert!(stage.start("big").is_none());
    stage.end(first, "big");
    assert!(stage.start("big").is_some());
}

#[test]
fn the_last_places_go_to_those_that_have_none() {
    let mut stage = Stage::new();
    assert_eq!(stage.start_all("first", PLACES - RESERVED_PLACES), PLACES - RESERVED_PLACES);
    assert!(stage.start("first-0").is_none());
    assert_eq!(stage.start_all("new", RESERVED_PLACES + 1), RESERVED_PLACES);
    assert!(stage.turns.is_full() && stage.start("newer").is_none());
    for (number, organisation) in (1..).zip((0..PLACES - RESERVED_PLACES).map(|n| format!("first-{n}"))) {
        stage.end(number, &organisation);
    }
    let newest = PLACES - RESERVED_PLACES + 1;
    (0..RESERVED_PLACES).for_each(|n| stage.end(newest + n, &format!("new-{n}")));
    assert_eq!((stage.turns.served(), stage.turns.taken, stage.turns.quick.len()), (0, 0, 0));
}

#[test]
fn whoever_hangs_leaves_its_place_to_others_after_a_second_and_takes_none_of_the_last() {
    let mut stage = Stage::new();
    // Three times as many as there are places hang, one after the other.
    for round in 0..3 {
        assert_eq!(stage.start_all(&format!("hanging-{round}"), PLACES + 1), PLACES);
        stage.pass(LEAVES_AFTER - SignedDuration::from_millis(1));
        assert!(stage.start("healthy").is_none(), "their second is not over");
        stage.pass(SignedDuration::from_millis(1));
    }
    assert_eq!(stage.turns.slow.len(), SLOW_PLACES);
    let healthy = stage.start("healthy").unwrap();
    stage.end(healthy, "healthy");
    // No more can leave their places: of those that hung before, some fill all places but the last.
    (1..=SLOW_PLACES / 3).for_each(|attempt| stage.end(attempt, &format!("hanging-0-{}", attempt - 1)));
    assert_eq!(stage.start_all("hanging-0", PLACES), PLACES - RESERVED_PLACES);
    assert!(stage.start("healthy").is_some());
}

#[test]
fn whoever_answers_in_time_again_is_like_any_other() {
    let mut stage = Stage::new();
    let slow = stage.start("cabinet").unwrap();
    stage.pass(LEAVES_AFTER);
    stage.end(slow, "cabinet");
    assert_eq!(stage.start_all("other", PLACES - RESERVED_PLACES - 1), PLACES - RESERVED_PLACES - 1);
    let quick = stage.start("cabinet").unwrap();
    assert!(stage.start("one-more").is_some());
    stage.end(quick, "cabinet");
    assert!(stage.start("cabinet").is_some(), "its last attempt ended in its place");
    assert_eq!(stage.turns.next_leaves_at(), Some(stage.clock.after(LEAVES_AFTER)));
}
