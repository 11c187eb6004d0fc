//! The right to revoke the grants of an account.
//!
//! Owns what proves it, and until when it lasts. Never says of which account it is. Invariant: whoever takes it next proves
//! it by another token.

use jiff::Timestamp;
use uuid::Uuid;

/// The right to revoke the grants of an account, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevocationLease {
    /// Names the one who has it.
    pub token: Uuid,
    /// When it lapses.
    pub until: Timestamp,
}
