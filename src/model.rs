//! The vocabulary that every room speaks.
//!
//! Owns the identifiers, the appointment, the integration's and the link's standing, and their rules of form. Never does
//! I/O, asks the time, or knows a wire format.
//!
//! Invariant: a value of these types is well formed. What a patient could be known by is never shown by `Debug`.

mod appointment;
mod identifier;
mod provider;
mod standing;

pub use appointment::{Appointment, AppointmentState, Details, Slot, TitlePrivacy};
pub use identifier::{
    AppointmentId, CalendarId, Epoch, Etag, EventId, Fingerprint, Generation, GoogleUserId, IdentifierFault,
    OrganisationId, Revision,
};
pub use provider::Provider;
pub use standing::{Calendar, Place, Placement, Problem, Reason, RemoteEvents, SyncStatus};
