//! Disconnects: a state of the integration, from the request to the end of the grant.
//!
//! Owns how far a disconnect is, for how long it goes on trying to delete, and whether the account is to be searched
//! before it ends. Never calls Google: its caller revokes the grant. Invariant: one process at a time is told to end a
//! disconnect.

use jiff::{SignedDuration, Timestamp};

use super::wish::Wish;
use super::{Error, Guarded, Integration, Store};
use crate::model::{Epoch, OrganisationId, Reason, RemoteEvents};

/// How long a disconnect goes on trying to delete; what stands at Google after that stays owed.
const DELETING_GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How far a disconnect is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisconnectStep {
    /// None is under way.
    Ended,
    /// Calls are under way, deletions are due, or another process ends it.
    Waiting,
    /// Calls have ended since the last look, and left events that are due to be deleted now.
    MoreOwed,
    /// Nothing is known any more that is to be deleted: the account is to be searched for what a person moved, which is due
    /// now.
    ToSearch,
    /// Nothing is under way any more, and the caller alone may revoke this grant and end the disconnect.
    Finish(Box<Integration>),
}

impl Integration {
    /// Whether a disconnect of it no longer tries to delete events: they are kept, the grant is dead, or it took a day.
    pub(super) fn deletes_no_more(&self, now: Timestamp) -> bool {
        let is_dead = self.problem.as_ref().is_some_and(|problem| problem.reason == Reason::ReconnectRequired);
        self.disconnecting.is_none_or(|it| {
            is_dead || it.remote_events == Some(RemoteEvents::Keep) || it.since_at + DELETING_GIVE_UP_AFTER <= now
        })
    }
}

impl Integration {
    /// Whether a disconnect of it has to look through the account before it ends: one that deletes, and has not done so.
    pub(super) fn is_to_be_searched(&self) -> bool {
        let deletes = match self.disconnecting.and_then(|it| it.remote_events) {
            Some(RemoteEvents::DeleteUpcoming | RemoteEvents::DeleteAll) => true,
            Some(RemoteEvents::Keep) | None => false,
        };
        deletes && self.last_search.is_none() && self.google_user_id.is_some()
    }
}

impl Store {
    /// Begins a disconnect: no link is claimed any more, whatever consent was under way is dropped, and a new epoch fences
    /// what began before. Events that are to be deleted become owed, unless a call is under way for them, where there are
    /// many in parts (see [`Store::reach`]); whatever was owed before is due again, and counted with them. With `Keep`
    /// that stays owed, and is not deleted now.
    ///
    /// While one is under way, another disposition takes the place of the first: `Keep` gives back to the links what it
    /// owed and is not deleted yet. Answers the integration with the tokens that it still has; `None` if nothing is
    /// connected: then it begins an epoch, so that no consent that began before connects.
    pub async fn begin_disconnect(
        &self,
        organisation: &OrganisationId,
        remote_events: RemoteEvents,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let (whose, size) = (organisation.clone(), self.links_at_once);
        let begun = query!(self, long, disconnects::begin(&whose, remote_events, size, now))?;
        if begun.is_some() {
            self.count_unreached(organisation, Wish::Disconnect, now).await;
        }
        Ok(begun)
    }

    /// Takes a disconnect as far as it goes. Until `until`, one process alone is told to end it.
    pub async fn advance_disconnect(
        &self,
        organisation: &OrganisationId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<DisconnectStep, Error> {
        let organisation = organisation.clone();
        query!(self, long, disconnects::advance(&organisation, until, now))
    }

    /// Ends a disconnect: erases tokens, address and scopes, lets pending and refused links rest, and parks what is still
    /// owed. Fenced also where it has ended already.
    pub async fn finish_disconnect(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let organisation = organisation.clone();
        query!(self, long, disconnects::finish(&organisation, epoch, now))
    }

    /// The organisations whose disconnect began and did not end.
    pub async fn unfinished_disconnects(&self) -> Result<Vec<OrganisationId>, Error> {
        query!(self, read, disconnects::unfinished())
    }
}
