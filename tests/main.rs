//! Every test that does I/O, in one binary.
#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]
#![expect(missing_docs, unreachable_pub, reason = "a test's name is its documentation")]

mod appointment_sync;
mod calendar_integration;
mod contract;
mod google;
mod harness;
mod scenarios;
mod store;
mod wire;
