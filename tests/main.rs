//! Every test that does I/O, in one binary.
#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]
#![expect(missing_docs, unreachable_pub, reason = "a test's name is its documentation")]

mod contract;
mod google;
mod harness;
mod kill;
mod scenarios;
mod store;
