//! The audit: who did what for an organisation.
//!
//! Owns what an event of the audit says, and in which order events are told. Never changes an event: it is added, read,
//! and erased once it is old enough. Invariant: the events are told in one order, also those of one instant, so that no
//! page leaves one out.

use jiff::Timestamp;

use super::{Error, Store};
use crate::model::OrganisationId;

/// Something that somebody did, or tried to do. Never anything of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When it was answered.
    pub at: Timestamp,
    /// Tells events of one instant apart.
    pub id: String,
    /// The name of the API key, or `browser`.
    pub caller: String,
    /// On whose behalf, as the caller said.
    pub actor: Option<String>,
    /// The organisation that it was for; `None`: none was named.
    pub organisation: Option<OrganisationId>,
    /// The RPC, or `CompleteConsent`.
    pub action: String,
    /// `OK`, the reason of the refusal, or how the consent ended.
    pub outcome: String,
    /// The word to look for in the log.
    pub incident: Option<String>,
}

/// The place of an event in the audit: the newest comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    /// When it was answered.
    pub at: Timestamp,
    /// What tells it apart there.
    pub id: String,
}

impl Store {
    /// Adds an event.
    pub async fn add_audit_event(&self, event: AuditEvent) -> Result<(), Error> {
        query!(self, write, audit_events::add(&event))
    }

    /// Up to `limit` events, the newest first: those behind `after`, of these organisations alone, if any are named.
    pub async fn audit_events(
        &self,
        only: Option<Vec<OrganisationId>>,
        after: Option<AuditPlace>,
        limit: i64,
    ) -> Result<Vec<AuditEvent>, Error> {
        if only.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        query!(self, read, audit_events::page(only.as_deref(), after.as_ref(), limit))
    }

    /// Erases the events that are older than `before`, and answers how many.
    pub async fn sweep_audit_events(&self, before: Timestamp) -> Result<u64, Error> {
        query!(self, long, audit_events::sweep(before))
    }
}
