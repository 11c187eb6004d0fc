//! The calendar in which an appointment's event should stand.
//!
//! Owns that choice for an attempt. (What a comparison lists, and what is blamed where a calendar is out of reach, is the
//! integration's target itself.) Never knows where an event stands already. Invariant: target and appointment alone decide.

use crate::model::{Appointment, CalendarId};

/// The calendar of an appointment, by what its integration chose: the integration's target, whoever the practitioner is.
/// What the engine moves an event to follows from here alone, so that a choice by appointment is made by this function.
pub fn calendar_of(target: &CalendarId, _: &Appointment) -> CalendarId {
    target.clone()
}
