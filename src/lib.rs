//! Keeps Google Calendar in step with the appointments of Cassius.
pub mod bell;
pub mod clock;
pub mod connection;
pub mod crypto;
pub mod delivery;
pub mod grpc;
pub mod http;
pub mod language;
pub mod model;
pub mod store;
pub mod sync;
