//! Every test that does I/O, in one binary.
#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod appointment_sync;
mod calendar_integration;
mod contract;
mod google;
mod harness;
mod house;
mod kill;
mod operations;
mod replicas;
mod scenarios;
mod sidecar;
mod simulation;
mod store;
mod wire;
