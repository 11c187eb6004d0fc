//! The fields of a request that are at fault.
//!
//! Owns how many of them are told, and how they read. Never holds a value of the request. Invariant: what is told fits
//! into the headers that many clients take at most.

use std::fmt::{self, Display, Formatter};

use tonic_types::FieldViolation;

/// How many violations are told: details travel in a header, and many clients take 16 KiB of headers at most. Only a
/// list of bad ids has more.
const MAX_TOLD: usize = 40;
/// How many of them the message of the status names, which travels in a header too.
const MAX_IN_MESSAGE: usize = 3;

/// The fields at fault: at least one.
#[derive(Debug, Default)]
pub(super) struct Violations {
    told: Vec<FieldViolation>,
    omitted: usize,
}

impl Violations {
    /// One field at fault.
    pub(super) fn one(field: &str, description: &str) -> Self {
        Self { told: vec![FieldViolation::new(field, description)], omitted: 0 }
    }

    /// Adds a violation of one field.
    pub(super) fn add(&mut self, field: String, description: String) {
        if self.told.len() < MAX_TOLD {
            self.told.push(FieldViolation::new(field, description));
        } else {
            self.omitted += 1;
        }
    }

    /// How many there are, told or not.
    pub(super) fn count(&self) -> usize {
        self.told.len() + self.omitted
    }

    /// How many more there are than are told.
    pub(super) fn omitted(&self) -> usize {
        self.omitted
    }

    /// Those that are told.
    pub(super) fn into_fields(self) -> Vec<FieldViolation> {
        self.told
    }
}

/// The first of them as one line, for whoever sees the status without its details.
impl Display for Violations {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (position, FieldViolation { field, description, .. }) in self.told.iter().take(MAX_IN_MESSAGE).enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{field} {description}")?;
        }
        match self.count().saturating_sub(MAX_IN_MESSAGE) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}
