//! Who did what for an organisation, and what came of it.
//!
//! Owns how an event is noted, and who may see which. Never adds anything of a patient, or an e-mail: whoever acted is
//! named as the caller names them, by an id that means something to it alone, as `proto` asks. Invariant: an event that the
//! database does not take is told in the log; what was done stays done.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::StoreError;
use crate::clock::{Clock, Entropy};
use crate::error_chain::error_chain;
use crate::model::OrganisationId;
use crate::store::Store;
pub use crate::store::{AuditEvent, AuditPlace};

/// The audit. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Audit {
    store: Store,
    clock: Clock,
    entropy: Entropy,
}

/// Something that was done, or tried.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// The name of the API key, or `browser`.
    pub caller: String,
    /// On whose behalf, as the caller said; `None`: it did not.
    pub actor: Option<String>,
    /// The organisation that it was for; `None`: it named none.
    pub organisation: Option<OrganisationId>,
    /// The RPC, or `CompleteConsent`.
    pub action: String,
    /// `OK`, the reason of the refusal, or how the consent ended.
    pub outcome: String,
    /// The word to look for in the log; `None`: there is nothing to look for.
    pub incident: Option<String>,
}

impl Audit {
    /// Puts the parts together.
    pub fn new(store: Store, clock: Clock, entropy: Entropy) -> Self {
        Self { store, clock, entropy }
    }

    /// Notes what was done, durably.
    pub async fn note(&self, entry: AuditEntry) {
        let AuditEntry { caller, actor, organisation, action, outcome, incident } = entry;
        let (at, id) = (self.clock.now(), data_encoding::HEXLOWER.encode(&self.entropy.bytes::<8>()));
        let noted = AuditEvent { at, id, caller, actor, organisation, action, outcome, incident };
        let told = noted.clone();
        if let Err(error) = self.store.add_audit_event(noted).await {
            let AuditEvent { caller, actor, organisation, action, outcome, .. } = told;
            tracing::error!(
                organisation.id = organisation.map(tracing::field::display), caller.name = caller, actor, action, outcome,
                error = %error_chain(&error), "what was done could not be written into the audit: it stands here"
            );
        }
    }

    /// Up to `limit` events, the newest first, those behind `after`: of one organisation, or of all that may be seen
    /// (`None`: every one).
    pub async fn events(
        &self,
        organisation: Option<OrganisationId>,
        visible: Option<BTreeSet<OrganisationId>>,
        after: Option<AuditPlace>,
        limit: i64,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let only = match organisation {
            Some(organisation) => Some(vec![organisation]),
            None => visible.map(|visible| visible.into_iter().collect()),
        };
        self.store.audit_events(only, after, limit).await
    }

    /// Erases the events that are older than `before`, and answers how many.
    pub async fn sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.store.sweep_audit_events(before).await
    }
}
