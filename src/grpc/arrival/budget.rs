//! One budget of bytes for all requests that are not whole yet.
//!
//! Owns who gives way when it is spent: the request that has been arriving for longest. Never holds the bytes
//! themselves. Invariant: what is counted stays within the budget, but for what has to give way and is about to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What a request holds besides its bytes: its stream, its task, its buffers.
const OVERHEAD_BYTES: usize = 6 * 1024;

/// The requests that are not whole yet. A clone is the same budget.
#[derive(Clone)]
pub(in crate::grpc) struct Unfinished(Arc<Mutex<BufferedRequests>>);

struct BufferedRequests {
    budget: usize,
    bytes: usize,
    next: u64,
    /// What each holds, the one that has been arriving for longest first.
    requests: BTreeMap<u64, (usize, CancellationToken)>,
}

/// One request that is not whole yet.
pub(super) struct Arrival {
    unfinished: Unfinished,
    number: u64,
    gives_way: CancellationToken,
}

impl Unfinished {
    /// A budget of so many bytes.
    pub(in crate::grpc) fn new(budget: usize) -> Self {
        let buffered = BufferedRequests { budget, bytes: 0, next: 0, requests: BTreeMap::new() };
        Self(Arc::new(Mutex::new(buffered)))
    }

    /// Counts a request that begins to arrive, of which so many bytes are held.
    pub(super) fn begin(&self, bytes: usize) -> Arrival {
        let gives_way = CancellationToken::new();
        let mut held = self.0.lock();
        let number = held.next;
        held.next += 1;
        held.requests.insert(number, (0, gives_way.clone()));
        held.add(number, bytes + OVERHEAD_BYTES);
        Arrival { unfinished: self.clone(), number, gives_way }
    }
}

impl BufferedRequests {
    fn add(&mut self, number: u64, more: usize) {
        // One that has given way holds nothing any more.
        let Some((bytes, _)) = self.requests.get_mut(&number) else { return };
        *bytes += more;
        self.bytes += more;
        while self.bytes > self.budget {
            let Some((_, (bytes, oldest))) = self.requests.pop_first() else { return };
            self.bytes -= bytes;
            oldest.cancel();
        }
    }
}

impl Arrival {
    /// Counts bytes that have come.
    pub(super) fn add(&self, bytes: usize) {
        self.unfinished.0.lock().add(self.number, bytes);
    }

    /// Carries on with `work` unless the request has to give way: `None`.
    pub(super) async fn unless_it_gives_way<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.gives_way.run_until_cancelled(work).await
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut held = self.unfinished.0.lock();
        if let Some((bytes, _)) = held.requests.remove(&self.number) {
            held.bytes -= bytes;
        }
    }
}

impl fmt::Debug for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.lock();
        write!(f, "Unfinished({} of {} bytes)", held.bytes, held.budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_given_way(arrival: &Arrival) -> bool {
        arrival.gives_way.is_cancelled()
    }

    #[test]
    fn the_request_that_has_been_arriving_for_longest_gives_way() {
        let unfinished = Unfinished::new(4 * OVERHEAD_BYTES);
        let [first, second] = [(); 2].map(|()| unfinished.begin(0));
        second.add(2 * OVERHEAD_BYTES);
        assert!(!has_given_way(&first), "the budget is just spent");
        let third = unfinished.begin(0);
        assert!(has_given_way(&first) && !has_given_way(&second) && !has_given_way(&third));
        first.add(100 * OVERHEAD_BYTES);
        assert!(!has_given_way(&second), "what has given way holds nothing");
        drop((second, third));
        let large = unfinished.begin(4 * OVERHEAD_BYTES);
        assert!(has_given_way(&large), "nothing is larger than the budget");
        assert_eq!(unfinished.0.lock().bytes, 0);
    }
}
