//! The appointment as it is kept: JSON, sealed for its row.

use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::crypto::{Cell, Keyring, OpenError, Sealed};
use crate::model::{Appointment, AppointmentId, OrganisationId};

/// Seals an appointment for its row.
pub(super) fn seal(
    keyring: &Keyring,
    entropy: &Entropy,
    organisation: &OrganisationId,
    appointment: &Appointment,
) -> Sealed {
    let row = [organisation.as_str(), appointment.id.as_str(), "google"];
    let json = serde_json::to_vec(appointment).expect("an appointment has no map keys and no floats: it is JSON");
    keyring.seal(&cell(&row), &Zeroizing::new(json), entropy)
}

/// Opens what [`seal`] sealed.
pub(super) fn open(
    keyring: &Keyring,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    sealed: &Sealed,
) -> Result<Appointment, OpenError> {
    let row = [organisation.as_str(), appointment.as_str(), "google"];
    let json = keyring.open(&cell(&row), sealed)?;
    // What is authentic was written by `seal`; what does not read was not.
    serde_json::from_slice(&json).map_err(|_| OpenError::Malformed)
}

fn cell<'a>(row: &'a [&'a str]) -> Cell<'a> {
    Cell { table: "appointment_external_links", row, column: "snapshot" }
}
