//! What is asked of Google, and what it answers.
//!
//! Owns the calls, the answers and the event. Does no I/O.
//!
//! Invariant: an answer says what the caller can do next, in no word of Google's wire.

pub mod call;
pub mod event;
