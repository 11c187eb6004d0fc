//! What has changed, as far as somebody may wait for it.
//!
//! Owns which changes are told apart. Never says what something has changed to. Invariant: every change is one of an
//! organisation.

use super::{AppointmentId, OrganisationId};

/// A change that was committed, in this process or in another replica. It carries no data: whoever waits looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An organisation's account, its settings, or what is wrong with it.
    Integration(OrganisationId),
    /// Some of an organisation's appointments: accepted, queued, or put off.
    Links(OrganisationId),
    /// One appointment, which waits for nothing any more.
    Settled(OrganisationId, AppointmentId),
}

impl Change {
    /// Whose it is.
    pub fn organisation(&self) -> &OrganisationId {
        match self {
            Self::Integration(organisation) | Self::Links(organisation) | Self::Settled(organisation, _) => {
                organisation
            }
        }
    }
}
