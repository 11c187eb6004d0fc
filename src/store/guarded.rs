//! What became of a change that only its rightful owner may make.
//!
//! Owns the two answers that there are. Never says who has the right by now. Invariant: where a change is fenced,
//! nothing was changed.

/// Says whether a change was made that holds only under the caller's lease, or in the caller's epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "whoever is fenced has lost the right to go on; where that changes nothing, say why"]
pub enum Guarded {
    /// It is durable.
    Done,
    /// The lease was taken over, the integration is in another epoch or has another calendar, or something graver is noted
    /// there: nothing was changed.
    Fenced,
}

impl Guarded {
    /// What a statement came to that changes one row, or none.
    pub(super) fn by(rows: usize) -> Self {
        if rows > 0 { Self::Done } else { Self::Fenced }
    }

    /// Whether it is durable.
    pub fn is_done(self) -> bool {
        match self {
            Self::Done => true,
            Self::Fenced => false,
        }
    }
}
