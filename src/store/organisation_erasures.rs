//! The erasure of a whole organisation, begun.
//!
//! Owns how it is begun. Never erases the rest: `erasures` goes on with it. Invariant: whoever goes on with
//! the disconnect is woken once it is begun.

use jiff::Timestamp;

use super::wish::Wish;
use super::{Error, Store};
use crate::model::OrganisationId;

impl Store {
    /// Begins to erase an organisation: what is known of its appointments at once, its events by a disconnect that deletes
    /// all of them, and the rest at the end of that. Whatever was begun before goes on.
    pub async fn begin_erasure(&self, organisation: &OrganisationId, now: Timestamp) -> Result<(), Error> {
        let (whose, size) = (organisation.clone(), self.links_at_once);
        query!(self, long, organisation_erasures::begin(&whose, size, now))?;
        self.count_unreached(organisation, Wish::Disconnect, now).await;
        Ok(())
    }
}
