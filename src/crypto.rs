//! Sealed values.
//!
//! Owns the type that token and patient columns have. Never shows what is inside. Invariant: plain text does not pass for
//! a [`Sealed`] by accident, since only bytes named as sealed become one.

use std::fmt;

/// Bytes that only a key can open.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes bytes that were sealed before, as a column held them.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The sealed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(withheld)")
    }
}
