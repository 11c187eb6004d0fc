//! Keeps Google Calendar in step with the appointments of Cassius.
pub mod clock;
pub mod model;
pub mod sync;
