//! The path of every call: journal, faults, latency, the act itself, the state file, the answer.
//!
//! Owns that order. It never knows what an act does. Invariant: an act runs at most once, under the lock, and its
//! journal entry says in the same moment whether it changed anything.

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;

use super::fault::{FaultKind, Hit, Target};
use super::journal::Entry;
use super::refusal::Refusal;
use super::response::{Answer, dropped_connection, refuse, respond};
use super::selection::Selection;
use super::{Google, Shared};

/// What is known of a call before it is carried out.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) account: Option<String>,
    pub(crate) calendar_id: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) units: u64,
    pub(crate) send_updates_none: bool,
    pub(crate) private_property: Option<String>,
    pub(crate) has_attendees: bool,
    pub(crate) body: Bytes,
    /// How a JSON answer is written.
    pub(crate) compact: bool,
    pub(crate) fields: Option<Selection>,
}

/// Ends the journal entry, whichever way the call ends.
struct OpenEntry<'a> {
    shared: &'a Shared,
    sequence: u64,
    event_id: Option<String>,
    status: Option<u16>,
}

impl Drop for OpenEntry<'_> {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.lock().journal.close(self.sequence, self.event_id.as_deref(), self.status, now);
    }
}

/// Takes one call from its arrival to its answer.
pub(crate) async fn perform(
    shared: &Shared,
    call: Call,
    act: impl FnOnce(&mut Google, Timestamp) -> Result<Answer, Refusal>,
) -> Response {
    let operation = call.operation;
    let (compact, fields) = (call.compact, call.fields.clone());
    let (mut open, hit) = open(shared, call);
    let half_latency = Duration::from_micros(hit.latency_ms * 500);
    pause(half_latency).await;
    let prevented = prevented(&hit, operation).await;
    let outcome = carry_out(shared, open.sequence, prevented, act).await;
    if let Some(FaultKind::Hang { carry_out: true }) = hit.fault {
        released(hit.hold.clone()).await;
    }
    pause(half_latency).await;
    if matches!(hit.fault, Some(FaultKind::LoseAnswer | FaultKind::Reset)) {
        return dropped_connection();
    }
    let response = match outcome {
        Ok(answer) => respond(answer, compact, fields.as_ref()),
        Err(refusal) => refuse(&refusal, compact),
    };
    open.status = Some(response.status().as_u16());
    response
}

/// Writes the call into the journal, and finds what hits it; the latency of the settings is added to that of faults.
fn open(shared: &Shared, call: Call) -> (OpenEntry<'_>, Hit) {
    let now = shared.now();
    let mut google = shared.lock();
    let mut hit = google.faults.matching(Target {
        operation: call.operation,
        account: call.account.as_deref(),
        calendar_id: call.calendar_id.as_deref(),
        event_id: call.event_id.as_deref(),
    });
    let fault = hit.fault.as_ref().map(FaultKind::name).or((hit.latency_ms > 0).then_some("latency"));
    let event_id = call.event_id.clone();
    let is_reset = matches!(hit.fault, Some(FaultKind::Reset));
    let entry = Entry {
        sequence: 0,
        operation: call.operation.to_owned(),
        account: call.account,
        calendar_id: call.calendar_id,
        event_id: call.event_id,
        units: if is_reset { 0 } else { call.units },
        started_at: now,
        ended_at: None,
        status: None,
        reason: None,
        carried_out: false,
        fault,
        max_in_flight: 0,
        send_updates_none: call.send_updates_none,
        private_property: call.private_property,
        has_attendees: call.has_attendees,
        body: call.body,
    };
    let capacity = google.settings.journal_capacity;
    let sequence = google.journal.open(entry, capacity);
    hit.latency_ms += google.settings.latency_ms;
    (OpenEntry { shared, sequence, event_id, status: None }, hit)
}

/// Why the act is not run, if a fault prevents it; waits first where the fault holds the call.
async fn prevented(hit: &Hit, operation: &str) -> Option<Refusal> {
    match &hit.fault {
        // It is not sent: the connection is dropped.
        Some(FaultKind::Reset) => Some(Refusal::forbidden()),
        Some(FaultKind::Error { code, reason, message, retry_after_seconds }) => {
            let mut refusal = Refusal::asked(operation, *code, reason.clone(), message.clone());
            refusal.retry_after_seconds = *retry_after_seconds;
            Some(refusal)
        }
        Some(FaultKind::Page { code }) => Some(Refusal::page(*code)),
        Some(FaultKind::Hang { carry_out: false }) => {
            released(hit.hold.clone()).await;
            None
        }
        Some(FaultKind::Hang { carry_out: true } | FaultKind::LoseAnswer | FaultKind::Latency { .. }) | None => None,
    }
}

/// Runs the act unless it is prevented, notes in the journal what came of it, and waits until a change is saved.
async fn carry_out(
    shared: &Shared,
    sequence: u64,
    prevented: Option<Refusal>,
    act: impl FnOnce(&mut Google, Timestamp) -> Result<Answer, Refusal>,
) -> Result<Answer, Refusal> {
    let (outcome, version) = {
        let mut google = shared.lock();
        let outcome = match prevented {
            Some(refusal) => Err(refusal),
            None => act(&mut google, shared.now()),
        };
        let changed = matches!(&outcome, Ok(answer) if answer.changed);
        let version = changed.then(|| shared.changed(&mut google));
        if let Some(entry) = google.journal.entry(sequence) {
            entry.carried_out = changed;
            entry.reason = outcome.as_ref().err().map(|refusal| refusal.reason.to_string());
        }
        (outcome, version)
    };
    if let Some(version) = version {
        shared.saved(version).await;
    }
    outcome
}

#[expect(clippy::disallowed_methods, reason = "emulated latency is real time, also while a test holds the clock still")]
async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

/// Waits until the fault that holds the call is removed.
async fn released(hold: Option<watch::Receiver<()>>) {
    if let Some(mut hold) = hold {
        while hold.changed().await.is_ok() {}
    }
}
