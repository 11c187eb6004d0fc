//! The journal: each call with what came of it, so that tests can assert the order and number of calls.
//!
//! Owns the entries, in the order in which the calls arrived. It never holds a token. Invariant: every call has
//! exactly one entry, opened before anything is decided, and closed once, also when the caller left meanwhile.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One call as it came in, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// Grows by one with each call; never reused, also not after the journal was emptied.
    pub(crate) sequence: u64,
    /// `events.insert`, `token.refresh` and the like.
    pub(crate) operation: String,
    /// The account's e-mail, where a token or code names one.
    pub(crate) account: Option<String>,
    /// With `primary` resolved.
    pub(crate) calendar_id: Option<String>,
    /// Of an insert: the id in its body.
    pub(crate) event_id: Option<String>,
    /// What the call costs: a patch 3, any other call of the API 1, OAuth 0.
    pub(crate) units: u64,
    /// When it arrived, by the clock.
    pub(crate) started_at: Timestamp,
    /// When it was answered, cut, or given up by the caller.
    pub(crate) ended_at: Option<Timestamp>,
    /// The status that was answered; none for a cut or abandoned call.
    pub(crate) status: Option<u16>,
    /// The reason of a refusal.
    pub(crate) reason: Option<String>,
    /// Whether the state changed.
    pub(crate) carried_out: bool,
    /// The fault that was applied: its kind.
    pub(crate) fault: Option<&'static str>,
    /// The most calls that were in flight for its event id, itself included, while it was.
    pub(crate) max_in_flight: usize,
    /// Whether `sendUpdates=none` was sent.
    pub(crate) send_updates_none: bool,
    /// Of a list: the private property that it was narrowed to, as it was sent.
    pub(crate) private_property: Option<String>,
    /// Whether the body named attendees.
    pub(crate) has_attendees: bool,
    /// What was sent to the Calendar API, unless it was empty.
    #[serde(serialize_with = "as_json")]
    pub(crate) body: Bytes,
}

fn as_json<S: serde::Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_slice::<Value>(body).unwrap_or(Value::Null).serialize(serializer)
}

/// All entries that are kept.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    /// The sequence of the first entry kept.
    first: u64,
    /// The open calls of each event id.
    in_flight: HashMap<String, Vec<u64>>,
}

impl Journal {
    /// Opens an entry and gives it its sequence.
    pub(crate) fn open(&mut self, mut entry: Entry, capacity: usize) -> u64 {
        let sequence = self.first + self.entries.len() as u64;
        entry.sequence = sequence;
        let event_id = entry.event_id.clone();
        self.entries.push_back(entry);
        if let Some(event_id) = event_id {
            let open = self.in_flight.entry(event_id).or_default();
            open.push(sequence);
            let open = open.clone();
            for other in &open {
                if let Some(entry) = self.entry(*other) {
                    entry.max_in_flight = entry.max_in_flight.max(open.len());
                }
            }
        }
        while self.entries.len() > capacity.max(1) {
            self.entries.pop_front();
            self.first += 1;
        }
        sequence
    }

    /// The entry of `sequence`, while it is kept.
    pub(crate) fn entry(&mut self, sequence: u64) -> Option<&mut Entry> {
        let index = sequence.checked_sub(self.first)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    /// Closes an entry.
    pub(crate) fn close(&mut self, sequence: u64, event_id: Option<&str>, status: Option<u16>, now: Timestamp) {
        if let Some(event_id) = event_id
            && let Some(open) = self.in_flight.get_mut(event_id)
        {
            open.retain(|other| *other != sequence);
            if open.is_empty() {
                self.in_flight.remove(event_id);
            }
        }
        if let Some(entry) = self.entry(sequence) {
            entry.ended_at = Some(now);
            entry.status = status;
        }
    }

    /// The entries after `since`, of one operation or of all.
    pub(crate) fn after<'a>(
        &'a self,
        since: Option<u64>,
        operation: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .iter()
            .filter(move |entry| since.is_none_or(|since| entry.sequence > since))
            .filter(move |entry| operation.is_none_or(|operation| entry.operation == operation))
    }

    /// The sequence of the last entry ever written.
    pub(crate) fn last(&self) -> Option<u64> {
        (self.first + self.entries.len() as u64).checked_sub(1)
    }

    /// Forgets all entries; sequences go on.
    pub(crate) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
    }
}
