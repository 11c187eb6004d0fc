//! Every test that does I/O, in one binary.

#[cfg(feature = "dev")]
mod contract;
#[cfg(feature = "dev")]
mod google;
