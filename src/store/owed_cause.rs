//! Why an event is owed: it may stand at Google, and is no longer wanted there.
//!
//! Owns the causes. Never says what is owed. Invariant: whatever is owed has one cause.

/// Why an event is no longer wanted where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwedCause {
    /// Another account was connected.
    AccountExchanged,
    /// A move had to be given up, or a deletion, and the event may still stand in a calendar that is not the target and was
    /// out of reach.
    LeftBehind,
    /// The account is being disconnected, and the events that links stood at are to be deleted. That disconnect works off
    /// what is owed for any other cause, too.
    Disconnect,
    /// The appointment was erased.
    Erasure,
    /// The comparison with Google found it, and no link has it.
    Comparison,
}
