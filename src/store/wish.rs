//! A wish: what is wanted of every link of an organisation.
//!
//! Owns the kinds of wishes. Never says which links one has reached. Invariant: a kind says what is wanted, and nothing of
//! how a link stood when that was wished.

/// What is wanted of every link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Upcoming events are written anew, elsewhere or otherwise.
    Retell,
    /// The same; and those that are over, as long as their snapshot is kept.
    RetellAll,
    /// What a catch-up queues.
    CatchUp,
    /// What was refused is sent again.
    Retry,
    /// A disconnect takes over what it deletes, and the rest is let rest.
    Disconnect,
}
