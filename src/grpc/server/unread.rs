//! One budget of bytes for all answers that wait for their callers to read.
//!
//! Owns whose connection is cut when it is spent: the one whose answer has waited longest, if that is long enough. Never
//! holds the bytes themselves. Invariant: what is counted stays within the budget, and small answers within as much again;
//! where nobody has waited long enough, the newcomer is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What an answer holds besides its bytes.
const OVERHEAD_BYTES: usize = 1024;
/// An answer of at most so much has room also where those that are larger have spent the budget.
const SMALL_BYTES: usize = 8 * 1024;
/// An answer that was not read for so long is one that its caller does not read: over a slow line it moves all the same.
const UNREAD_FOR: SignedDuration = SignedDuration::from_secs(1);

/// The answers that were not read yet. A clone is the same budget.
#[derive(Clone)]
pub(super) struct Unread(Arc<Mutex<UnreadAnswers>>);

struct UnreadAnswers {
    budget: usize,
    bytes: usize,
    next: u64,
    /// The answers, the one that has waited longest first.
    answers: BTreeMap<u64, Waiting>,
}

struct Waiting {
    bytes: usize,
    since: SignedDuration,
    connection: CancellationToken,
}

/// An answer, or a message of a stream, that was not read yet.
pub(in crate::grpc) struct UnreadAnswer {
    unread: Unread,
    number: u64,
}

impl Unread {
    /// A budget of so many bytes.
    pub(super) fn new(budget: usize) -> Self {
        Self(Arc::new(Mutex::new(UnreadAnswers { budget, bytes: 0, next: 0, answers: BTreeMap::new() })))
    }

    /// Counts an answer of so many bytes over a connection, `now` in steady time. `None`: there is no room for it.
    pub(super) fn begin(
        &self,
        bytes: usize,
        connection: &CancellationToken,
        now: SignedDuration,
    ) -> Option<UnreadAnswer> {
        let mut unread = self.0.lock();
        let most = if bytes <= SMALL_BYTES { 2 * unread.budget } else { unread.budget };
        let bytes = bytes + OVERHEAD_BYTES;
        if bytes > most {
            return None;
        }
        while unread.bytes + bytes > most {
            let (_, oldest) = unread.answers.first_key_value()?;
            if now.saturating_sub(oldest.since) < UNREAD_FOR {
                return None;
            }
            oldest.connection.cancel();
            unread.forget_cut();
        }
        let number = unread.next;
        unread.next += 1;
        unread.bytes += bytes;
        unread.answers.insert(number, Waiting { bytes, since: now, connection: connection.clone() });
        Some(UnreadAnswer { unread: self.clone(), number })
    }
}

impl UnreadAnswers {
    /// Forgets all answers of connections that are cut.
    fn forget_cut(&mut self) {
        let bytes = &mut self.bytes;
        self.answers.retain(|_, answer| {
            let is_cut = answer.connection.is_cancelled();
            *bytes -= if is_cut { answer.bytes } else { 0 };
            !is_cut
        });
    }
}

impl UnreadAnswer {
    /// Notes that a part of it was handed over: it waits since now.
    pub(super) fn moves(&mut self, bytes: usize, now: SignedDuration) {
        let mut unread = self.unread.0.lock();
        let Some(mut answer) = unread.answers.remove(&self.number) else { return };
        let read = bytes.min(answer.bytes);
        answer.bytes -= read;
        answer.since = now;
        unread.bytes -= read;
        self.number = unread.next;
        unread.next += 1;
        unread.answers.insert(self.number, answer);
    }
}

impl Drop for UnreadAnswer {
    fn drop(&mut self) {
        let mut unread = self.unread.0.lock();
        if let Some(answer) = unread.answers.remove(&self.number) {
            unread.bytes -= answer.bytes;
        }
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = self.0.lock();
        write!(f, "Unread({} of {} bytes)", unread.bytes, unread.budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SignedDuration = SignedDuration::ZERO;

    #[test]
    fn the_connection_gives_way_that_has_not_read_for_longest_and_nobody_who_reads() {
        const LARGE: usize = 2 * SMALL_BYTES;
        let unread = Unread::new(3 * LARGE);
        let [deaf, slow, other] = [(); 3].map(|()| CancellationToken::new());
        let _first = unread.begin(LARGE, &deaf, NOW).unwrap();
        let mut second = unread.begin(LARGE, &slow, NOW).unwrap();
        assert!(unread.begin(LARGE, &other, NOW).is_none(), "nobody has waited long");
        let _same = unread.begin(0, &deaf, NOW).unwrap();
        assert!(unread.begin(4 * LARGE, &other, NOW + UNREAD_FOR).is_none(), "no room for that is ever made");
        assert!(!deaf.is_cancelled());
        second.moves(1, NOW + UNREAD_FOR);
        let third = unread.begin(LARGE, &other, NOW + UNREAD_FOR);
        assert!(third.is_some() && deaf.is_cancelled() && !slow.is_cancelled() && !other.is_cancelled());
        assert!(unread.begin(LARGE, &other, NOW + UNREAD_FOR).is_none(), "the others read");
        drop((second, third));
        assert_eq!(unread.0.lock().bytes, 0);
    }

    #[test]
    fn small_answers_have_room_beside_large_ones_but_not_without_end() {
        let unread = Unread::new(4 * SMALL_BYTES);
        let caller = CancellationToken::new();
        assert!(
            unread.begin(4 * SMALL_BYTES, &caller, NOW).is_none(),
            "with its overhead it is larger than the budget"
        );
        let _large = unread.begin(3 * SMALL_BYTES, &caller, NOW).unwrap();
        let small: Vec<_> = std::iter::from_fn(|| unread.begin(SMALL_BYTES, &caller, NOW)).take(100).collect();
        assert_eq!(small.len(), 4);
        assert!(!caller.is_cancelled());
    }
}
