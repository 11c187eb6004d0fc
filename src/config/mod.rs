//! Every setting, from the environment.
//!
//! Owns the names of the settings, their defaults, and the rules they must keep. Never echoes a value: a fault names the
//! variable, what is wrong and what to do.
//!
//! Invariant: a `Config` that exists is fit to start with.

mod return_urls;

pub use return_urls::ReturnUrls;
