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
    let json = serde_json::to_vec(appointment).expect("an appointment has no map keys and no floats: it is JSON");
    keyring.seal(&Cell::snapshot(organisation, &appointment.id), &Zeroizing::new(json), entropy)
}

/// Opens what [`seal`] sealed.
pub(super) fn open(
    keyring: &Keyring,
    organisation: &OrganisationId,
    appointment: &AppointmentId,
    sealed: &Sealed,
) -> Result<Appointment, OpenError> {
    let json = keyring.open(&Cell::snapshot(organisation, appointment), sealed)?;
    // What is authentic was written by `seal`; what does not read was not.
    serde_json::from_slice(&json).map_err(|_| OpenError::Malformed)
}
