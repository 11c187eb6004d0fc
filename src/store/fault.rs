//! Faults of queries, and what they mean to the caller.
//!
//! Owns the judgement whether a statement that failed may succeed later. Never shows a bound value: neither back end puts
//! one into the message of an error. Invariant: a fault of the statement itself is never called unavailable, so that no
//! caller repeats it for ever.

use diesel::result::{DatabaseErrorKind, Error as QueryError};

use super::{Error, Guarded};

/// What stopped a query.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database answered an error, or none at all.
    Query(QueryError),
    /// A stored value cannot be read; it is named by its column.
    Corrupt(&'static str),
    /// What was to be changed is no longer the caller's: what the transaction did so far is undone.
    Fenced,
}

/// A stored value that cannot be read, by its column: the row can be left out, and the others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corrupt(pub(super) &'static str);

impl From<Corrupt> for Fault {
    fn from(Corrupt(column): Corrupt) -> Self {
        Self::Corrupt(column)
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl Fault {
    /// What the caller is told; `is_closed`: the connection is gone.
    pub(super) fn into_error(self, is_closed: bool) -> Error {
        match self {
            Self::Query(error) if is_closed || is_passing(&error) => Error::Unavailable(Box::new(error)),
            Self::Query(error) => Error::Bug(Box::new(error)),
            Self::Corrupt(column) => Error::Corrupt(column),
            Self::Fenced => Error::Bug("a fenced statement was not answered as such".into()),
        }
    }
}

/// Turns the one expected fault into an answer.
pub(super) fn unless_fenced(outcome: Result<(), Fault>) -> Result<Guarded, Fault> {
    match outcome {
        Ok(()) => Ok(Guarded::Done),
        Err(Fault::Fenced) => Ok(Guarded::Fenced),
        Err(fault) => Err(fault),
    }
}

fn is_passing(error: &QueryError) -> bool {
    match error {
        QueryError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction => true,
            // Neither back end hands its error code through, so that the message has to tell: PostgreSQL is asked for
            // English.
            _ => PASSING.iter().any(|words| information.message().contains(words)),
        },
        QueryError::BrokenTransactionManager | QueryError::RollbackErrorOnCommit { .. } => true,
        _ => false,
    }
}

/// What a message says when the trouble is the server's or the disk's, not the statement's.
const PASSING: [&str; 16] = [
    // SQLite
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    // PostgreSQL
    "deadlock detected",
    "canceling statement",
    "terminating connection",
    "the database system is",
    "No space left on device",
    "could not extend file",
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "out of memory",
];
