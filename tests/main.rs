//! Every test that does I/O, in one binary.

#[cfg(feature = "dev")]
mod contract;
