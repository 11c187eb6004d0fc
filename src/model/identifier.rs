//! Identifiers and counters, each a type of its own, so that none can stand in for another.
//!
//! Owns the rules of form of Cassius's identifiers. Never checks those of others: they are taken as their owner gave
//! them. Invariant: an identifier that was parsed has one to 128 characters, none of them invisible, and no blank at
//! its ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::visible::is_invisible;

/// The most characters an identifier of Cassius may have.
const MAX_IDENTIFIER_CHARS: usize = 128;

/// Says why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierFault {
    /// Nothing stands there.
    #[error("is required")]
    Missing,
    /// It is too long.
    #[error("must not be longer than 128 characters")]
    TooLong,
    /// It holds a character that has no place in an identifier.
    #[error("must not hold blanks at its ends, control characters or invisible formatting characters")]
    ForbiddenCharacter,
}

fn check_identifier(text: &str) -> Result<(), IdentifierFault> {
    if text.trim().is_empty() {
        return Err(IdentifierFault::Missing);
    }
    // Bytes first: a megabyte is refused without being counted through.
    if text.len() > MAX_IDENTIFIER_CHARS * 4 || text.chars().count() > MAX_IDENTIFIER_CHARS {
        return Err(IdentifierFault::TooLong);
    }
    if text.trim() != text || text.chars().any(is_invisible) {
        return Err(IdentifierFault::ForbiddenCharacter);
    }
    Ok(())
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! checked_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        text_type!($(#[$doc])* $name);

        impl $name {
            /// Takes a text of 1 to 128 characters, none of them a control or formatting character, without blanks at
            /// its ends.
            pub fn parse(text: &str) -> Result<Self, IdentifierFault> {
                check_identifier(text)?;
                Ok(Self(text.to_owned()))
            }

            /// Takes a text as it is stored, so that a row can be told of whose identifier would not be taken.
            pub fn as_stored(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }
    };
}

macro_rules! foreign_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        text_type!($(#[$doc])* $name);

        impl $name {
            /// Takes the text as its owner gave it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }
    };
}

checked_identifier! {
    /// Names an organisation (a practice) of Cassius.
    OrganisationId
}
checked_identifier! {
    /// Names an appointment of Cassius, within its organisation.
    AppointmentId
}
foreign_identifier! {
    /// Names a calendar at Google, never by the alias `primary`.
    CalendarId
}
foreign_identifier! {
    /// Names an event at Google, within its calendar.
    EventId
}
foreign_identifier! {
    /// Google's mark of one state of one event.
    Etag
}
foreign_identifier! {
    /// Names a Google account: the `sub` of its id token.
    GoogleUserId
}

impl CalendarId {
    /// How the alias begins that stands for a calendar while its organisation is not connected.
    pub const SEALED: &str = "sealed:";

    /// Whether it is an alias: its own id is sealed, since it may be an address.
    pub fn is_sealed(&self) -> bool {
        self.0.starts_with(Self::SEALED)
    }
}

/// Says which state of an appointment is meant; grows with each mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision(i64);

impl Revision {
    /// Takes a number greater than 0.
    pub fn new(number: i64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// The number, which is greater than 0.
    pub fn number(self) -> i64 {
        self.0
    }
}

/// Counts the events that an appointment has had: an id at Google is never free again, so that a vanished event is
/// recreated as the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub i32);

impl Generation {
    /// The generation of an appointment's first event.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Counts the connects and disconnects of an integration; what began in an earlier epoch may no longer write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// A keyed digest of an event's content: equal ones need no call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub Vec<u8>);
