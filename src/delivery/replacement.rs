//! The replacement of everything that is held of an organisation: what is sent is the truth, whatever revisions are held.
//!
//! Owns when a replacement began, by which what was accepted meanwhile is told from what was before. Never deletes an event
//! itself. Invariant: nothing is erased before the caller has said that it sent everything.

use jiff::Timestamp;

use super::{Delivery, Error};
use crate::model::{Appointment, Change, OrganisationId};

/// A replacement under way.
#[derive(Debug)]
pub struct Replacement {
    organisation: OrganisationId,
    begun_at: Timestamp,
}

impl Delivery {
    /// Begins a replacement.
    pub fn begin_replacement(&self, organisation: &OrganisationId) -> Replacement {
        Replacement { organisation: organisation.clone(), begun_at: self.0.clock.now() }
    }

    /// Takes appointments over (a few hundred).
    pub async fn replace(&self, replacement: &Replacement, appointments: &[Appointment]) -> Result<(), Error> {
        let Replacement { organisation, begun_at } = replacement;
        let acceptances = appointments.iter().map(|it| self.0.acceptance(organisation, it)).collect();
        self.0.store.replace(acceptances, *begun_at, self.0.clock.now()).await?;
        self.0.notifier.notify(&Change::Links(organisation.clone()));
        self.0.notifier.notify_due();
        Ok(())
    }

    /// Erases what was neither taken over nor accepted since the replacement began, and answers how many appointments.
    pub async fn end_replacement(&self, replacement: Replacement) -> Result<i64, Error> {
        let Replacement { organisation, begun_at } = replacement;
        let erased = self.0.store.erase_accepted_before(&organisation, begun_at, self.0.clock.now()).await?;
        self.0.notifier.notify(&Change::Links(organisation.clone()));
        self.0.notifier.notify_due();
        self.0.notifier.notify_listing();
        tracing::info!(erased, "an organisation's appointments were replaced");
        Ok(erased)
    }
}
