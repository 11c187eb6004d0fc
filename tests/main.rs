//! Every integration test, in one binary.

#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod store;
