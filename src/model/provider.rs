//! Whose calendars they are.

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
