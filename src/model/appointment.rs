//! The appointment of Cassius.
//!
//! Owns its form, in which it is also stored. Never shows by `Debug` what a patient could be known by. Invariant: an
//! event is wanted of what [`Appointment::scheduled`] answers, and of nothing else.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AppointmentId, Revision};

/// Says whether an appointment takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// It takes place.
    Scheduled,
    /// It was called off.
    Cancelled,
    /// It was removed from Cassius.
    Deleted,
}

/// Says how much of an appointment its event shows. The later, the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TitlePrivacy {
    /// Everything, with the patient's whole name.
    #[default]
    Full,
    /// The same, with the patient's initials alone.
    Initials,
    /// When, and an opaque link: neither patient nor type, practitioner or place.
    Masked,
}

/// The time that an appointment takes: `start_at` before `end_at`, in a zone that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The first instant.
    pub start_at: Timestamp,
    /// The instant after the last.
    pub end_at: Timestamp,
    /// The IANA name of the zone that it is shown in.
    pub time_zone: String,
}

/// What a practice knows of an appointment. A patient can be known by it: it is stored sealed and never shown by `Debug`.
///
/// Like all of [`Appointment`], it is stored as the JSON that serde makes of it: a field that comes in later needs
/// `#[serde(default)]`, else what is stored already does not read any more (`delivery/snapshot.rs` tests it).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The kind of appointment, as the practice calls it.
    pub kind: String,
    /// The patient's name.
    pub patient_name: String,
    /// The practitioner's name.
    pub practitioner_name: String,
    /// Where it takes place.
    pub location: String,
    /// The page of the appointment in Cassius, if the caller gave one.
    pub url: Option<String>,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(withheld)")
    }
}

/// An appointment, whole, as it stands at one revision.
///
/// A scheduled one always has a slot: `Cancelled` and `Deleted` may come without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Its id in Cassius.
    pub id: AppointmentId,
    /// Which state of it this is.
    pub revision: Revision,
    /// Whether it takes place.
    pub state: AppointmentState,
    /// When it takes place; `None`: a cancelled or deleted one that does not say.
    pub slot: Option<Slot>,
    /// What, who, where.
    pub details: Details,
}

impl Appointment {
    /// The slot and the details, if it takes place.
    pub fn scheduled(&self) -> Option<(&Slot, &Details)> {
        match self.state {
            AppointmentState::Scheduled => self.slot.as_ref().map(|slot| (slot, &self.details)),
            AppointmentState::Cancelled | AppointmentState::Deleted => None,
        }
    }
}
