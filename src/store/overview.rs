//! All integrations and their queues at a glance.
//!
//! Owns what an operator is told of all organisations together, and what the connections to the database do. Never
//! changes anything. Invariant: no link is counted for it: the queues keep their counts.

use jiff::Timestamp;

use super::{Backend, Error, Integration, Store};
use crate::model::OrganisationId;

/// How many integrations stand in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationCount {
    /// `connected`, `paused`, `error`, `disconnecting` or `not_connected`.
    pub state: String,
    /// The word for what is wrong; empty if nothing is.
    pub reason: String,
    /// How many integrations have this state and this reason.
    pub count: i64,
}

/// How all queues stand together, as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    /// How many links wait to be sent.
    pub pending: i64,
    /// How many are in step.
    pub synced: i64,
    /// How many were refused.
    pub error: i64,
    /// How many organisations have something due.
    pub due_organisations: i64,
    /// Since when the first of them has; `None` if none has.
    pub oldest_due_at: Option<Timestamp>,
}

/// An integration in the list of all, with what is kept of its links.
#[derive(Debug, Clone)]
pub struct ListedIntegration {
    /// The integration as it stands.
    pub integration: Integration,
    /// How many links wait to be sent.
    pub pending: i64,
    /// How many were refused.
    pub error: i64,
    /// When the first of those that wait is due, or has been since; `None` if none waits.
    pub oldest_due_at: Option<Timestamp>,
    /// When the first of those that Google was away for is tried again.
    pub unavailable_until: Option<Timestamp>,
    /// When the first of those that wait for a key of the keyring is tried again.
    pub unopened_until: Option<Timestamp>,
}

/// What the connections of a pool do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// What they are for: `write`, `read`, or `all`.
    pub pool: &'static str,
    /// How many carry a query.
    pub busy: usize,
    /// How many do not.
    pub idle: usize,
    /// How many queries wait for one.
    pub waiting: usize,
}

impl Store {
    /// Counts all integrations by state and reason.
    pub async fn integration_counts(&self) -> Result<Vec<IntegrationCount>, Error> {
        query!(self, read, overview::integration_counts())
    }

    /// Adds up what is kept of the links of all organisations.
    pub async fn queue_counts(&self, now: Timestamp) -> Result<QueueCounts, Error> {
        query!(self, read, overview::queue_counts(now))
    }

    /// Up to `limit` integrations by organisation id that have begun to connect, those after `after`: of these organisations
    /// alone, if any are named, and only those with a problem if `has_problem`.
    pub async fn list_integrations(
        &self,
        only: Option<Vec<OrganisationId>>,
        has_problem: bool,
        after: Option<OrganisationId>,
        limit: i64,
    ) -> Result<Vec<ListedIntegration>, Error> {
        if only.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        query!(self, read, overview::list(only.as_deref(), has_problem, after.as_ref(), limit))
    }

    /// What the connections to the database do now.
    pub fn pools_in_use(&self) -> Vec<PoolUse> {
        match &self.backend {
            Backend::Postgres { pools, .. } => pools.in_use(),
            Backend::Sqlite { pools, .. } => pools.in_use(),
        }
    }
}
