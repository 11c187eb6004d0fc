//! The vocabulary that every room speaks.
//!
//! Owns the identifiers, the appointment, the placement of its event, the status of integration and link, what may
//! change, who calls without a key, which characters nobody sees, and their rules of form. Never does I/O, asks the
//! time, or knows a wire format.
//!
//! Invariant: an identifier of Cassius, a revision and a zone are well formed, but for an identifier that the database
//! holds, which is taken as it stands there (`as_stored`); an identifier of Google is what Google said. What a patient
//! could be known by is never shown by `Debug`.

mod appointment;
mod caller;
mod change;
mod identifier;
mod placement;
mod provider;
mod status;
mod visible;
mod zone;

pub use appointment::{Appointment, AppointmentState, Details, Slot, TitlePrivacy};
pub use caller::{ANYBODY, BROWSER};
pub use change::Change;
pub use identifier::{
    AppointmentId, CalendarId, Epoch, Etag, EventId, Fingerprint, Generation, GoogleUserId, IdentifierFault,
    OrganisationId, Revision,
};
pub use placement::{Origin, Place, Placement};
pub use provider::Provider;
pub use status::{AccountSearch, Calendar, GrantEnd, Problem, Reason, RemoteEvents, SyncStatus};
pub use visible::{breaks_a_line, is_invisible, is_part_of_a_script};
pub use zone::zone;
