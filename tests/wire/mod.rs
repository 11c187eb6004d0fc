//! What holds for every call: keys, errors, health, reflection, bad input, hostile bytes, a database that is away.

mod bad_appointments;
mod bad_fields;
pub(crate) mod callers;
mod errors;
mod health;
mod hostile_bytes;
mod hostile_peers;
mod hostile_streams;
mod keys;
pub(crate) mod methods;
mod names;
mod proxy;
pub(crate) mod raw;
mod reflection;
pub(crate) mod refused;
pub(crate) mod sidecar;
mod storage_away;
mod storage_locked;
