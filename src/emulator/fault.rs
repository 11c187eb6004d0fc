//! Faults: what goes wrong, for which calls, how often.
//!
//! Owns the list that `/emulator/faults` sets, and the choice of the one that hits a call. It never carries a fault
//! out. Invariant: with the same seeds and the same calls the same calls are hit.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::Entropy;

/// What goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FaultKind {
    /// Refused with this status and reason; nothing is carried out.
    Error { code: u16, reason: String, message: Option<String>, retry_after_seconds: Option<u64> },
    /// Answered with a page of HTML by something between; nothing is carried out.
    Page { code: u16 },
    /// Carried out, then the connection is cut without an answer.
    LoseAnswer,
    /// The connection is cut before anything is carried out.
    Reset,
    /// No answer until the fault is removed; the call is carried out before the wait, or after it.
    Hang {
        #[serde(default)]
        carry_out: bool,
    },
    /// Answered later, in real time; adds to whatever else hits the call.
    Latency { ms: u64 },
}

impl FaultKind {
    /// Its name in the journal.
    pub(crate) fn name(&self) -> &'static str {
        self.into()
    }
}

/// A fault as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// An operation's name, or `*`; `events.*` means all of that family.
    operation: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    calendar_id: Option<String>,
    #[serde(default)]
    event_id: Option<String>,
    /// How many calls it hits; none means for ever.
    #[serde(default)]
    times: Option<u64>,
    /// How many matching calls pass first.
    #[serde(default)]
    skip: u64,
    /// Chance to hit a matching call.
    #[serde(default)]
    probability: Option<f64>,
    /// Seeds the chance.
    #[serde(default)]
    seed: u64,
    #[serde(rename = "fault")]
    kind: FaultKind,
}

/// A fault that is set.
#[derive(Debug, Serialize)]
pub(crate) struct ActiveFault {
    id: u64,
    #[serde(flatten)]
    fault: Fault,
    /// Calls hit so far.
    hits: u64,
    #[serde(skip)]
    chance: Entropy,
    /// Dropped with the fault, which lets hanging calls go on.
    #[serde(skip)]
    hold: watch::Sender<()>,
}

/// What hits one call.
#[derive(Debug, Default)]
pub(crate) struct Hit {
    pub(crate) fault: Option<FaultKind>,
    pub(crate) latency_ms: u64,
    /// Closes when the fault is removed.
    pub(crate) hold: Option<watch::Receiver<()>>,
}

/// Whom a call concerns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) operation: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) calendar_id: Option<&'a str>,
    pub(crate) event_id: Option<&'a str>,
}

/// All faults that are set, in their order.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    next: u64,
}

impl Faults {
    /// Sets a fault and answers its id.
    pub(crate) fn set(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        let chance = Entropy::seeded(fault.seed);
        self.active.push(ActiveFault { id: self.next, fault, hits: 0, chance, hold: watch::Sender::new(()) });
        self.next
    }

    /// Every fault, the used-up ones among them.
    pub(crate) fn all(&self) -> &[ActiveFault] {
        &self.active
    }

    /// Removes one; whether it was there.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < before
    }

    /// Removes all faults, and releases the calls that they hold.
    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// What hits this call: the first fault that matches, and every latency.
    pub(crate) fn matching(&mut self, target: Target<'_>) -> Hit {
        let mut hit = Hit::default();
        for active in &mut self.active {
            let is_latency = matches!(active.fault.kind, FaultKind::Latency { .. });
            if (!is_latency && hit.fault.is_some()) || !active.fault.matches(target) || !active.takes() {
                continue;
            }
            if let FaultKind::Latency { ms } = active.fault.kind {
                hit.latency_ms += ms;
            } else {
                hit.fault = Some(active.fault.kind.clone());
                hit.hold = Some(active.hold.subscribe());
            }
        }
        hit
    }
}

impl ActiveFault {
    /// Counts a matching call, and says whether it is hit.
    fn takes(&mut self) -> bool {
        if self.fault.times.is_some_and(|times| self.hits >= times) {
            return false;
        }
        if self.fault.skip > 0 {
            self.fault.skip -= 1;
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "a chance needs no 53rd bit")]
        let drawn = self.fault.probability.map(|chance| (self.chance.number() as f64 / u64::MAX as f64, chance));
        if drawn.is_some_and(|(drawn, chance)| drawn >= chance) {
            return false;
        }
        self.hits += 1;
        true
    }
}

impl Fault {
    fn matches(&self, target: Target<'_>) -> bool {
        let operation = match self.operation.strip_suffix('*') {
            Some(family) => target.operation.starts_with(family),
            None => self.operation == target.operation,
        };
        let same = |asked: &Option<String>, of: Option<&str>| asked.as_deref().is_none_or(|asked| Some(asked) == of);
        operation
            && same(&self.account, target.account)
            && same(&self.calendar_id, target.calendar_id)
            && same(&self.event_id, target.event_id)
    }
}
