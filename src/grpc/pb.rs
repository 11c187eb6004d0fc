//! The wire, as generated from `proto/`.
//!
//! Owns nothing but the `Debug` of the messages that a patient, an account or a browser's ticket could be known by.
//! Never shows more of these than the fields that are named here. Invariant: the types stop at this room, which a rule
//! of the house holds.

#![expect(
    clippy::allow_attributes,
    clippy::large_enum_variant,
    reason = "generated code; its documentation stands in `proto/`"
)]

use std::fmt;

tonic::include_proto!("cassius.calendar.v1");

/// The description of all files in `proto/`, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! withhold {
    ($($message:ident { $($shown:ident),* })*) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        })*
    };
}

withhold! {
    Appointment { appointment_id, revision, state }
    BeginConnectRequest { organisation_id }
    ConnectCookie { name, max_age }
    EventPreview {}
    IntegrationStatus { state, is_enabled, title_privacy, counts, problem }
}
