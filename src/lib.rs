//! Keeps Google Calendar in step with the appointments of Cassius.
pub mod app;
pub mod bell;
pub mod clock;
pub mod config;
pub mod connection;
pub mod crypto;
pub mod delivery;
#[cfg(feature = "dev")]
pub mod emulator;
pub mod google;
pub mod grpc;
pub mod http;
pub mod language;
pub mod model;
pub mod quota;
pub mod store;
pub mod sync;
