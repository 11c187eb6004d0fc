//! What a look takes before it claims: places, and a unit of quota for each.
//!
//! Owns whose turn it is at a look. Never claims. Invariant: a place is taken for each permit, and given back with those
//! that no claim used; their units are spent first at the next looks, as long as they are fresh.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::super::turns::{PLACES, PLACES_EACH};
use super::{NextLook, POLL, Worker};
use crate::clock::ClockSample;
use crate::model::OrganisationId;
use crate::quota::{Permit, Scope, Wait};
use crate::store::{self, DueOrganisation};

/// How long after its instant a row may come into sight: by then it is committed, whatever clock wrote it.
const LATE: SignedDuration = SignedDuration::from_secs(10);
/// How often queues are looked at that were ready long before: those that nobody has put in their turn.
const WHOLE_LOOK: SignedDuration = SignedDuration::from_mins(1);
/// How long the project's spent quota is left to grow again: what is claimed then is claimed together, not unit by unit.
const QUOTA_GATHER_DELAY: SignedDuration = SignedDuration::from_millis(50);

/// Units of quota for what these organisations have to send.
pub(super) type Permits = BTreeMap<OrganisationId, Vec<Permit>>;

/// What a look has taken.
#[derive(Debug, Default)]
pub(super) struct TakenPermits {
    pub(super) permits: Permits,
    /// Who owes deletions that are due: of nobody else are they looked for.
    pub(super) owing: BTreeSet<OrganisationId>,
    /// Whether each that is due has its permit, and nothing was passed by.
    pub(super) is_all: bool,
    /// Whether there was no place for some.
    is_placeless: bool,
}

impl Worker {
    /// Gives the places back of what could not be claimed, and keeps its units.
    pub(super) fn give_back(&mut self, permits: Permits) {
        for (organisation, unused) in permits.into_iter().filter(|(_, unused)| !unused.is_empty()) {
            unused.iter().for_each(|_| self.turns.give_back(&organisation));
            self.unused.entry(organisation).or_default().extend(unused);
        }
    }

    /// Takes places, and a unit of quota for each, for the organisations whose turn it is; answers when to look again.
    pub(super) async fn take_permits(
        &mut self,
        taken: &mut TakenPermits,
        read: ClockSample,
    ) -> Result<NextLook, store::Error> {
        let now = read.now;
        let mut next = NextLook::at(read.after(POLL));
        // What cannot be served now lies before what can: as many more are looked at.
        let mut limit = PLACES + self.turns.served();
        if now >= self.whole_look_at {
            let ended = self.delivery.store.end_far_leases(now).await?;
            if ended > 0 {
                tracing::warn!(
                    leases = ended,
                    "leases that no process can have taken are ended: they end too far ahead"
                );
            }
            (self.not_before, self.whole_look_at) = (Timestamp::UNIX_EPOCH, now + WHOLE_LOOK);
        }
        loop {
            let look = self.delivery.store.look(self.not_before, limit, PLACES_EACH, now).await?;
            if !look.is_locked_out {
                let first_ready_at = look.first_ready_at.map_or(now, |at| at.min(now));
                self.not_before = self.not_before.max(first_ready_at - LATE);
            }
            next.is_locked_out |= look.is_locked_out;
            for integration in &look.unreadable {
                self.delivery.grants.note_unreadable(integration).await?;
            }
            taken.owing.extend(look.due.iter().filter(|due| due.owes).map(|due| due.organisation.clone()));
            let wait = self.permit(&look.due, taken).await;
            if taken.is_placeless {
                next.at = next.at.min(self.when_places_are_left(read));
            }
            if let Some(wait) = wait {
                let at = next.at.min(wait.until.max(read.after(QUOTA_GATHER_DELAY)));
                match wait.scope {
                    Scope::Project => return Ok(NextLook { is_fixed: true, ..NextLook::at(at) }),
                    Scope::Account => next.at = next.at.min(wait.until),
                }
            }
            if look.is_whole || self.turns.is_full() {
                // As many as are counted at most may be more.
                let has_all = |due: &DueOrganisation| {
                    due.count < PLACES_EACH && taken.permits.get(&due.organisation).map_or(0, Vec::len) == due.count
                };
                taken.is_all =
                    look.is_whole && !next.is_locked_out && look.unreadable.is_empty() && look.due.iter().all(has_all);
                return Ok(next);
            }
            limit *= 2;
        }
    }

    /// Takes places and units for as many as are due: one for each organisation, then a second one, then a third. Answers
    /// who has to be waited for: the whole project, or else the account whose units are back first.
    async fn permit(&mut self, due: &[DueOrganisation], taken: &mut TakenPermits) -> Option<Wait> {
        let TakenPermits { permits, is_placeless, .. } = taken;
        let mut wanted = Vec::new();
        for round in 0..PLACES_EACH {
            for due in due.iter().filter(|due| due.count > round) {
                if permits.get(&due.organisation).map_or(0, Vec::len) > round {
                    continue;
                }
                match self.turns.begin(&due.organisation) {
                    true => wanted.push(due),
                    false => *is_placeless = true,
                }
            }
        }
        let quota = &self.delivery.quota;
        self.unused.retain(|_, unused| {
            unused.retain(|permit| quota.is_fresh(permit));
            !unused.is_empty()
        });
        let mut without_permit = Vec::new();
        for due in wanted {
            match self.unused.get_mut(&due.organisation).and_then(Vec::pop) {
                Some(permit) => permits.entry(due.organisation.clone()).or_default().push(permit),
                None => without_permit.push(due),
            }
        }
        self.delivery.quota.prepare(without_permit.iter().map(|due| due.google_user_id.clone()).collect()).await;
        let mut wait: Option<Wait> = None;
        for due in without_permit {
            let refused = match wait.filter(|wait| wait.scope == Scope::Project) {
                Some(wait) => Err(wait),
                None => self.delivery.quota.try_take(&due.google_user_id, 1),
            };
            match refused {
                Ok(permit) => permits.entry(due.organisation.clone()).or_default().push(permit),
                Err(refused) => {
                    self.turns.give_back(&due.organisation);
                    let is_sooner = |wait: Wait| match (wait.scope, refused.scope) {
                        (Scope::Project, _) => false,
                        (Scope::Account, Scope::Project) => true,
                        (Scope::Account, Scope::Account) => refused.until < wait.until,
                    };
                    if wait.is_none_or(is_sooner) {
                        wait = Some(refused);
                    }
                }
            }
        }
        wait
    }
}
