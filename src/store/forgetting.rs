//! What is kept of organisations that are not connected, and when it is forgotten.
//!
//! Owns in which transactions that goes: one for each organisation, and one for the accounts that nobody uses. Never
//! forgets anything of an organisation that is connected. Invariant: each transaction asks again whether its
//! organisation is to be forgotten, so that one that was connected meanwhile keeps everything.

use jiff::{SignedDuration, Timestamp};

use super::{Error, Store};

impl Store {
    /// Forgets what was kept of organisations that have been disconnected since before `disconnected_before`: which account
    /// it was, where its events stand, and which of them are owed. Answers how many organisations that were. Accounts that
    /// nobody uses are forgotten a day after their last use.
    pub async fn forget_kept_events(&self, disconnected_before: Timestamp, now: Timestamp) -> Result<usize, Error> {
        let organisations = query!(self, read, forgetting::disconnected_before(disconnected_before))?;
        let count = organisations.len();
        for organisation in organisations {
            query!(self, long, forgetting::forget_kept(&organisation, disconnected_before, now))?;
        }
        query!(self, write, accounts::sweep(now - SignedDuration::from_hours(24)))?;
        Ok(count)
    }

    /// Erases the snapshots that the first connection of an organisation will not need, or that were accepted before
    /// `accepted_before`: of organisations that were never connected. Answers of how many organisations.
    pub async fn erase_unconnected(&self, accepted_before: Timestamp, now: Timestamp) -> Result<usize, Error> {
        let organisations = query!(self, read, forgetting::unconnected(accepted_before, now))?;
        let count = organisations.len();
        for organisation in organisations {
            query!(self, long, forgetting::erase_unconnected(&organisation, accepted_before, now))?;
        }
        Ok(count)
    }
}
