//! How much an organisation still owes.
//!
//! Owns what is told of that. Never tells whose event it is. Invariant: an event that may stand in two calendars is one
//! event, and parked where it is due in neither.

use super::{Error, Store};
use crate::model::OrganisationId;

/// What an organisation still owes, whatever the cause and the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwedLeft {
    /// How many events are still to be deleted.
    pub events: i64,
    /// How many of them are parked: Google refused, their calendar is out of reach, or their account is another one.
    pub parked: i64,
    /// How many events a disconnect that is under way has not taken over yet, and is going to.
    pub untaken: i64,
}

impl Store {
    /// What `organisation` still owes, whatever the cause and the account.
    pub async fn owed_left(&self, organisation: &OrganisationId) -> Result<OwedLeft, Error> {
        let organisation = organisation.clone();
        query!(self, read, owed_counts::left(&organisation))
    }
}
