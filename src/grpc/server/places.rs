//! The places that connections take.
//!
//! Owns how many there are, and who gives way. Never closes a connection by itself: it tells the one that gives way.
//! Invariant: a known caller keeps its place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// All places of one server.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<OccupiedPlaces>>);

struct OccupiedPlaces {
    connections: usize,
    max_strangers: usize,
    known: usize,
    next: u64,
    /// The strangers, the one who has been there longest first.
    strangers: BTreeMap<u64, CancellationToken>,
}

/// One place, given back when dropped.
pub(super) struct Place {
    places: Places,
    number: u64,
    gives_way: CancellationToken,
}

impl Places {
    /// So many places, of which strangers may have some.
    pub(super) fn new(connections: usize, max_strangers: usize) -> Self {
        let taken = OccupiedPlaces { connections, max_strangers, known: 0, next: 0, strangers: BTreeMap::new() };
        Self(Arc::new(Mutex::new(taken)))
    }

    /// A place for a stranger: another one may have to give way for it. `None`: known callers have them all.
    pub(super) fn take(&self) -> Option<Place> {
        let mut taken = self.0.lock();
        if taken.strangers.len() >= taken.max_strangers || taken.known + taken.strangers.len() >= taken.connections {
            let (_, oldest) = taken.strangers.pop_first()?;
            oldest.cancel();
        }
        let number = taken.next;
        taken.next += 1;
        let gives_way = CancellationToken::new();
        taken.strangers.insert(number, gives_way.clone());
        Some(Place { places: self.clone(), number, gives_way })
    }
}

impl Place {
    /// Cancelled when the place is another's.
    pub(super) fn gives_way(&self) -> CancellationToken {
        self.gives_way.clone()
    }

    /// Keeps the place from now on.
    pub(super) fn belongs_to_a_known_caller(&self) {
        let mut taken = self.places.0.lock();
        if taken.strangers.remove(&self.number).is_some() {
            taken.known += 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock();
        let was_stranger = taken.strangers.remove(&self.number).is_some();
        if !was_stranger && !self.gives_way.is_cancelled() {
            taken.known -= 1;
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stranger_who_has_been_there_longest_gives_way_and_a_known_caller_never() {
        let places = Places::new(4, 2);
        let [first, second] = [(); 2].map(|()| places.take().expect("a place"));
        first.belongs_to_a_known_caller();
        let third = places.take().expect("a place");
        assert!(!second.gives_way().is_cancelled());
        let fourth = places.take().expect("a place");
        assert!(second.gives_way().is_cancelled(), "it was the oldest of two strangers");
        assert!(!first.gives_way().is_cancelled() && !third.gives_way().is_cancelled());
        drop((second, third));
        fourth.belongs_to_a_known_caller();
        let kept = [(); 2].map(|()| places.take().expect("a place"));
        kept.iter().for_each(Place::belongs_to_a_known_caller);
        assert!(places.take().is_none(), "known callers have all four");
        drop(first);
        assert!(places.take().is_some());
    }
}
