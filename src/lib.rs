//! Keeps Google Calendar in step with the appointments of Cassius.
pub mod clock;
pub mod crypto;
pub mod google;
pub mod model;
pub mod sync;
