//! Words in columns.
//!
//! Owns the word that stands in a column for each value of a closed set. Never guesses: a word that is not of the set is
//! corrupt. Invariant: a word, once released, keeps its meaning.

use super::fault::Fault;
use crate::model::{Reason, SyncStatus, TitlePrivacy};

/// The one provider so far.
pub(super) const PROVIDER: &str = "google";

macro_rules! words {
    ($column:literal, $kind:ident, $of:ident, $parse:ident, { $($value:ident => $word:literal),+ $(,)? }) => {
        pub(super) fn $of(value: $kind) -> &'static str {
            match value {
                $($kind::$value => $word,)+
            }
        }

        pub(super) fn $parse(word: &str) -> Result<$kind, Fault> {
            match word {
                $($word => Ok($kind::$value),)+
                _ => Err(Fault::Corrupt($column)),
            }
        }
    };
}

words!("sync_status", SyncStatus, of_status, status, {
    None => "none",
    Pending => "pending",
    Synced => "synced",
    Error => "error",
});

words!("title_privacy", TitlePrivacy, of_privacy, privacy, {
    Full => "full",
    Initials => "initials",
    Masked => "masked",
});

words!("problem_reason or last_error", Reason, of_reason, reason, {
    NotConnected => "not_connected",
    ReconnectRequired => "reconnect_required",
    CalendarUnavailable => "calendar_unavailable",
    GoogleUnavailable => "google_unavailable",
    GoogleThrottled => "google_throttled",
    EventRefused => "event_refused",
    GoogleMisconfigured => "google_misconfigured",
});
