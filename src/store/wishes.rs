//! Wishes: what is wanted of every link of an organisation, and how it gets to them in parts.
//!
//! A change that concerns all links of an organisation is a small transaction: it applies the wish to the first part of
//! them, by their keys, and leaves the rest with the key from which on they are still to be reached. Each further part
//! is a transaction of its own, by whichever process looks next.
//!
//! Owns the count of what is still to be reached, and wakes whoever goes on. Never remembers how a link stood when it was
//! wished: what becomes of one is decided by how it and its integration stand when it is reached, so that either side of
//! the key may change meanwhile. Invariant: each part is applied once, however many processes go on; and as long as a
//! wish stands, whatever it leaves out was to be left out when it was reached.

use jiff::Timestamp;

use super::wish::Wish;
use super::{Error, Store};
use crate::model::OrganisationId;

/// What became of an attempt to go on with a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One more part has what was wanted of it.
    Part {
        /// How many links changed.
        changed: i32,
    },
    /// Nothing is wanted.
    Nothing,
}

impl Store {
    /// The organisations some of whose links are still to be reached by a change of all of them.
    pub async fn organisations_with_wishes(&self) -> Result<Vec<OrganisationId>, Error> {
        query!(self, read, wishes::organisations())
    }

    /// Applies what is wanted of all links of an organisation to the next part of them, which `Options::links_at_once`
    /// sizes.
    pub async fn reach(&self, organisation: &OrganisationId, now: Timestamp) -> Result<Reach, Error> {
        let (organisation, size) = (organisation.clone(), self.links_at_once);
        query!(self, long, wishes::reach(&organisation, size, now))
    }

    /// Waits until a change leaves links to be reached, by this process; one that came before the call counts.
    pub async fn wish_left(&self) {
        self.wish_left.notified().await;
    }

    /// Counts what changes have left to be reached, and wakes who goes on with it. Answers how many links of a wish that is,
    /// 0 where they could not be counted: the change itself stands.
    pub(super) async fn count_unreached(&self, organisation: &OrganisationId, wish: Wish, now: Timestamp) -> i32 {
        let counted = self.note_unreached(organisation, wish, now).await.unwrap_or_else(|error| {
            tracing::warn!(organisation.id = %organisation, %error, "what a change has left to reach could not be counted");
            0
        });
        self.wish_left.notify_one();
        i32::try_from(counted).unwrap_or(i32::MAX)
    }

    /// Notes of each wish that was not counted yet how many links will join those that wait because of it (of a disconnect:
    /// how many it is still to change), and answers how many `wish` is still to change.
    async fn note_unreached(&self, organisation: &OrganisationId, wish: Wish, now: Timestamp) -> Result<i64, Error> {
        let whose = organisation.clone();
        let counted = query!(self, read, wishes::unreached(&whose, now))?;
        let mut its = 0;
        for (counted, wanted, joining) in counted {
            its += if counted == wish { wanted } else { 0 };
            let whose = organisation.clone();
            query!(self, write, wishes::note_unreached(&whose, counted, joining))?;
        }
        Ok(its)
    }
}
