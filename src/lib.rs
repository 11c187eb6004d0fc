//! Keeps Google Calendar in step with the appointments of Cassius.
pub mod clock;
#[cfg(feature = "dev")]
pub mod emulator;
