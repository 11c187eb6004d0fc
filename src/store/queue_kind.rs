//! The two queues of an organisation: of links, and of owed deletions.
//!
//! Owns which columns are whose. Never reads or changes one. Invariant: no column is of both.

/// What an organisation has in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueKind {
    /// Links that are due to be sent.
    Links,
    /// Deletions of events that no link stands for any more.
    Owed,
}

impl QueueKind {
    /// The column with the instant before which none can be attempted.
    pub(super) fn due_at(self) -> &'static str {
        match self {
            Self::Links => "due_at",
            Self::Owed => "owed_due_at",
        }
    }

    /// The column with the instant from which a worker looks at them.
    pub(super) fn ready_at(self) -> &'static str {
        match self {
            Self::Links => "ready_at",
            Self::Owed => "owed_ready_at",
        }
    }
}
