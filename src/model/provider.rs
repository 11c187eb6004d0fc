//! Whose calendars they are.
//!
//! There is one provider so far, and the code does not pretend otherwise: a word of rows and sealed cells, no abstraction.
//! A second one would touch: the store, whose statements take the provider from `store/words.rs` where they would take it
//! as a parameter (the keys of all tables begin with organisation and provider already); [`crate::google`], beside which a
//! room of the same shape would stand, answering [`crate::sync`] in the same words (`Call`, `Answer`), which know nothing
//! of Google but the form of an event's id; `connection::Grants` and `delivery`, which hold a `google::Google` each; and
//! the wire, where `google_email` and the two addresses of the sidecar name it. The brain, the worker, the leases, quota
//! and the settings pages' RPCs stay.

/// A provider of calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Google Calendar.
    Google,
}

impl Provider {
    /// Its name in rows and cells; a stored value does not open under another one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
        }
    }
}
