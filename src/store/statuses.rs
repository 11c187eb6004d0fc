//! Statuses: all that a status is made of.
//!
//! Owns which parts those are. Never judges them: `connection` says what they mean. Invariant: the parts are of one
//! moment: what a commit changed together is never seen half.

use jiff::Timestamp;

use super::{Counts, Error, Integration, OwedLeft, PendingAccount, Store};
use crate::model::OrganisationId;

/// What a status is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusParts {
    /// The integration; `None`: nobody has ever begun one.
    pub integration: Option<Integration>,
    /// How many links stand how.
    pub counts: Counts,
    /// What a disconnect that is under way has left to delete; nothing where none is.
    pub owed_left: OwedLeft,
    /// The account that waits for a person's word, where one is connected.
    pub pending_account: Option<PendingAccount>,
}

impl Store {
    /// What the status of an organisation is made of at `now`.
    pub async fn status_parts(&self, organisation: &OrganisationId, now: Timestamp) -> Result<StatusParts, Error> {
        let organisation = organisation.clone();
        query!(self, read, statuses::parts(&organisation, now))
    }
}
