//! Who calls without a key of their own.
//!
//! Owns the names under which the audit knows them. Never decides who may call. Invariant: no key has one of them.

/// Whoever reaches gRPC where no key is asked for.
pub const ANYBODY: &str = "anybody";

/// Whoever came back from Google to the sidecar.
pub const BROWSER: &str = "browser";
