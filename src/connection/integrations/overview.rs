//! All integrations at a glance.
//!
//! Owns what is shown of each, and who may see which. Never changes one. Invariant: how an integration stands is the
//! same here as in its own status.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Integrations, State, Status};
use crate::connection::StoreError;
use crate::model::{OrganisationId, Problem, Reason};
use crate::store::{Counts, ListedIntegration, StatusParts, Store};

/// How many integrations one query reads.
const BATCH: i64 = 500;

/// An integration among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Whether it works.
    pub state: State,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// What is wrong; `None`: nothing is.
    pub problem: Option<Problem>,
    /// When the account was connected.
    pub connected_at: Option<Timestamp>,
    /// When an appointment was last brought in step; `None`: none ever was.
    pub last_sync_at: Option<Timestamp>,
    /// How many appointments wait to be sent.
    pub pending: i64,
    /// How many were refused for good.
    pub error: i64,
    /// Since when the first of those that wait is due, or when it will be; `None` if none waits.
    pub oldest_due_at: Option<Timestamp>,
}

/// Which integrations are listed.
#[derive(Debug, Clone, Default)]
pub struct OverviewFilter {
    /// Those of these organisations alone; `None`: of all.
    pub visible: Option<BTreeSet<OrganisationId>>,
    /// Those in this state; `None`: in any.
    pub state: Option<State>,
    /// Those with this problem; `None`: with any, or none.
    pub reason: Option<Reason>,
}

impl OverviewFilter {
    fn takes(&self, overview: &Overview) -> bool {
        self.state.is_none_or(|state| overview.state == state)
            && self.reason.is_none_or(|reason| overview.problem.as_ref().is_some_and(|it| it.reason == reason))
    }

    fn only(&self) -> Option<Vec<OrganisationId>> {
        self.visible.as_ref().map(|visible| visible.iter().cloned().collect())
    }
}

impl Overview {
    fn of(listed: ListedIntegration, now: Timestamp) -> Self {
        let ListedIntegration { integration, pending, error, oldest_due_at, unavailable_until, unopened_until } =
            listed;
        let organisation = integration.organisation.clone();
        let counts = Counts { pending, error, unavailable_until, unopened_until, ..Counts::default() };
        let parts = StatusParts { integration: Some(integration), counts, ..StatusParts::default() };
        let status = Status::of(parts, now);
        Self {
            organisation,
            state: status.state,
            is_enabled: status.is_enabled,
            problem: status.problem,
            connected_at: status.connected_at,
            last_sync_at: status.last_sync_at,
            pending,
            error,
            oldest_due_at,
        }
    }
}

impl Integrations {
    /// Up to `limit` integrations by organisation id, those after `after`.
    pub async fn list(
        &self,
        filter: &OverviewFilter,
        after: Option<&OrganisationId>,
        limit: usize,
    ) -> Result<Vec<Overview>, StoreError> {
        list(&self.store, filter, after, limit, self.clock.now()).await
    }
}

/// The same, straight from the database: for an operator at a terminal.
pub async fn list(
    store: &Store,
    filter: &OverviewFilter,
    after: Option<&OrganisationId>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Overview>, StoreError> {
    let (mut found, mut after) = (Vec::new(), after.cloned());
    loop {
        let listed = store.list_integrations(filter.only(), false, after, BATCH).await?;
        let is_last = (listed.len() as i64) < BATCH;
        after = listed.last().map(|it| it.integration.organisation.clone());
        let overviews = listed.into_iter().map(|it| Overview::of(it, now));
        found.extend(overviews.filter(|overview| filter.takes(overview)));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

/// Those that cannot write until a person acts: the ones that a problem is noted of, and no more are read.
pub(super) async fn broken(
    store: &Store,
    visible: Option<&BTreeSet<OrganisationId>>,
    now: Timestamp,
) -> Result<Vec<(OrganisationId, Problem)>, StoreError> {
    let only = || visible.map(|visible| visible.iter().cloned().collect());
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listed = store.list_integrations(only(), true, after, BATCH).await?;
        let is_last = (listed.len() as i64) < BATCH;
        after = listed.last().map(|it| it.integration.organisation.clone());
        for overview in listed.into_iter().map(|it| Overview::of(it, now)) {
            match overview.state {
                State::Error => found.extend(overview.problem.map(|problem| (overview.organisation, problem))),
                State::NotConnected | State::Connected | State::Disconnecting => {}
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}
