//! The links of an organisation, held against what was listed.
//!
//! Owns what is counted, and what a comparison makes due or owes of its findings. Never lists, and never decides what a
//! finding is. Invariant: what is found is mended under the lease of the comparison alone; without one it is only counted.

use std::collections::HashMap;

use super::findings::{Listed, Remote, RemoteState, Scope, compare};
use super::listing::Lists;
use super::{AGREEMENT, Compared, Comparison, ComparisonError, LEASE, LINKS};
use crate::delivery::{Inner, snapshot};
use crate::model::{AppointmentId, Change, Place};
use crate::store::{ChangeWindow, ComparedLink, Guarded, Integration, Mend};
use crate::sync::{Event, render};

impl Inner {
    /// Whether an event is not to be found that should stand, in what was listed so far.
    pub(super) async fn is_any_missing(
        &self,
        comparison: &Comparison<'_>,
        scope: &Scope,
        lists: &Lists,
    ) -> Result<bool, ComparisonError> {
        let integration = comparison.reading.integration;
        let within = ChangeWindow { since: scope.since, until: self.clock.now() + AGREEMENT };
        let mut after = None;
        loop {
            let organisation = &integration.organisation;
            let links = self.store.upcoming_links(organisation, scope.since, after.as_ref(), LINKS as i64).await?;
            let is_missing = |link: &ComparedLink| {
                let events = lists.remote.get(&link.appointment).cloned().unwrap_or_default();
                let found = compare(Some(link), events, scope, within, || self.wanted(integration, link));
                found.state == RemoteState::Missing
            };
            if links.iter().any(is_missing) {
                return Ok(true);
            }
            if links.len() < LINKS {
                return Ok(false);
            }
            after = links.last().map(|link| link.appointment.clone());
        }
    }

    /// Holds the links of these appointments, as far as they have them, against their events. `of` says what of both is held
    /// against each other, and where nothing is.
    pub(super) async fn judge_named(
        &self,
        comparison: &Comparison<'_>,
        scope: &Scope,
        remote: Remote,
        of: impl Fn(Option<ComparedLink>, Vec<Listed>) -> Option<(Option<ComparedLink>, Vec<Listed>)>,
        compared: &mut Compared,
    ) -> Result<(), ComparisonError> {
        let mut remote: Vec<_> = remote.into_iter().collect();
        while !remote.is_empty() {
            let some = remote.split_off(remote.len().saturating_sub(LINKS));
            let named: Vec<_> = some.iter().map(|(appointment, _)| appointment.clone()).collect();
            let links = self.store.links_of(&comparison.reading.integration.organisation, &named).await?;
            let mut links: HashMap<_, _> = links.into_iter().map(|link| (link.appointment.clone(), link)).collect();
            let pairs = some.into_iter().filter_map(|(appointment, events)| {
                let (link, events) = of(links.remove(&appointment), events)?;
                Some((appointment, link, events))
            });
            self.judge(comparison, scope, pairs, compared).await?;
        }
        Ok(())
    }

    /// Holds links against their events, counts what is found, and mends it if this comparison does.
    pub(super) async fn judge(
        &self,
        comparison: &Comparison<'_>,
        scope: &Scope,
        pairs: impl Iterator<Item = (AppointmentId, Option<ComparedLink>, Vec<Listed>)>,
        compared: &mut Compared,
    ) -> Result<(), ComparisonError> {
        let Compared { counts, is_any_in_motion, .. } = compared;
        let (mut mends, mut surplus): (Vec<Mend>, Vec<(AppointmentId, Place)>) = (Vec::new(), Vec::new());
        let now = self.clock.now();
        let within = ChangeWindow { since: scope.since, until: now + AGREEMENT };
        for (appointment, link, events) in pairs {
            let wanted = || link.as_ref().and_then(|link| self.wanted(comparison.reading.integration, link));
            let is_upcoming = link.as_ref().is_some_and(|link| link.ends_at.is_some_and(|end| end > scope.since));
            if comparison.claim().is_none() && is_upcoming && wanted().is_some() {
                counts.due += 1;
            }
            let finding = compare(link.as_ref(), events, scope, within, wanted);
            match &finding.state {
                RemoteState::AsKnown | RemoteState::Touched(_) => {}
                RemoteState::Missing => counts.missing += 1,
                RemoteState::Altered(_) => counts.altered += 1,
                RemoteState::Newer => counts.newer += 1,
                RemoteState::InMotion => *is_any_in_motion = true,
            }
            counts.surplus += finding.surplus.len();
            mends.extend(finding.mend(&appointment));
            surplus.extend(finding.surplus.into_iter().map(|place| (appointment.clone(), place)));
        }
        let Some(claim) = comparison.claim().filter(|_| !mends.is_empty() || !surplus.is_empty()) else {
            return Ok(());
        };
        let found = (mends, surplus);
        match self.store.mend(claim, comparison.reading.account, found, within, now + LEASE, now).await? {
            Guarded::Done => {
                self.notifier.notify(&Change::Links(claim.organisation.clone()));
                self.notifier.notify_due();
                Ok(())
            }
            Guarded::Fenced => Err(ComparisonError::Fenced),
        }
    }

    /// The event that should stand, as far as the snapshot can be read.
    fn wanted(&self, integration: &Integration, link: &ComparedLink) -> Option<Event> {
        let (organisation, sealed) = (&integration.organisation, link.snapshot.as_ref()?);
        let opened = snapshot::open(&self.keyring, organisation, &link.appointment, sealed).ok()?;
        render(&opened, &self.event_context(organisation, integration.title_privacy))
    }
}
