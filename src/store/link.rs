//! A link: an appointment and its event, as they stand.
//!
//! Owns what is read of a link, and how a failed attempt is told, of a link as of an owed deletion. Never holds a snapshot
//! or a lease. Invariant: where an error has a detail, that is Google's own word or a column, and nothing of the
//! appointment.

use jiff::Timestamp;

use crate::model::{AppointmentId, OrganisationId, Placement, Reason, Revision, SyncStatus};

/// Why the latest attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError {
    /// The reason as callers are told it.
    pub reason: Reason,
    /// Google's own word for it, or the column that does not read; never anything of the appointment.
    pub detail: Option<String>,
}

/// A link, as it stands. One of which a value does not read is in error, and its error names the column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// The highest revision that was accepted; `None`: it does not read.
    pub revision: Option<Revision>,
    /// The revision that Google shows.
    pub synced_revision: Option<Revision>,
    /// How it stands.
    pub sync_status: SyncStatus,
    /// Where its event stands.
    pub placement: Placement,
    /// The event's page at Google.
    pub html_link: Option<String>,
    /// When it was last brought in step.
    pub last_synced_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// How many attempts have failed in a row.
    pub attempts: i32,
    /// Why the latest attempt failed.
    pub last_error: Option<LinkError>,
    /// When the appointment begins.
    pub starts_at: Option<Timestamp>,
    /// When the appointment ends.
    pub ends_at: Option<Timestamp>,
}
