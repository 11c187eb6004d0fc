//! The appointment as it is kept: the JSON of [`Appointment`], sealed for its row.
//!
//! Owns the form of what is stored. Never asks whose key it is. Invariant: what any version has sealed, a later one reads:
//! a field that comes in later has a default (`#[serde(default)]`).

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
    serde_json::from_slice(&json).map_err(|_| OpenError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first version sealed them; such rows stand in databases.
    const FIRST_VERSION: [&str; 2] = [
        r#"{"id":"rdv","revision":7,"state":"scheduled","slot":{"start_at":"2026-01-05T09:00:00Z",
            "end_at":"2026-01-05T09:30:00Z","time_zone":"Europe/Paris"},"details":{"kind":"Implant",
            "patient_name":"Camille Exemple","practitioner_name":"Dr Alex Modèle","location":"Salle 2","url":null}}"#,
        r#"{"id":"rdv","revision":8,"state":"cancelled","slot":null,"details":{"kind":"","patient_name":"",
            "practitioner_name":"","location":"","url":"https://cassius.example/rdv"}}"#,
    ];

    #[test]
    fn what_the_first_version_sealed_is_read() {
        for (json, revision) in FIRST_VERSION.into_iter().zip([7, 8]) {
            let read: Appointment = serde_json::from_str(json).expect("every field that came later has a default");
            assert_eq!(read.revision.number(), revision);
        }
    }
}
