//! Words in columns.
//!
//! Owns the word that stands in a column for each value of a closed set, and how a statement spells it. Never guesses: a
//! word that is not of the set is corrupt. Invariant: a word, once released, keeps its meaning.

use std::fmt;

use super::OwedCause;
use super::fault::Corrupt;
use super::wish::Wish;
use crate::model::{AccountSearch, GrantEnd, Provider, Reason, RemoteEvents, SyncStatus, TitlePrivacy};

/// The one provider so far, as it is bound.
pub(super) const PROVIDER: &str = Provider::Google.as_str();
/// The same, as a statement spells it.
pub(super) const GOOGLE: &str = "'google'";

/// Who asked for the latest attempt of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// An edit in Cassius, or a person who retries: it goes first.
    Live,
    /// A catch-up: it goes after all that is live.
    CatchUp,
}

/// As a statement spells it: the smaller goes first.
impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "0",
            Self::CatchUp => "1",
        })
    }
}

/// The words of a set: how one is written, and how it is read; where it is asked for, the list of them all, as a statement
/// spells it.
macro_rules! words {
    ($column:literal, $kind:ident, $of:ident, $parse:ident, {
        $first:ident => $first_word:literal $(, $value:ident => $word:literal)+ $(,)?
    }) => {
        pub(super) fn $of(value: $kind) -> &'static str {
            match value {
                $kind::$first => $first_word,
                $($kind::$value => $word,)+
            }
        }

        pub(super) fn $parse(word: &str) -> Result<$kind, Corrupt> {
            match word {
                $first_word => Ok($kind::$first),
                $($word => Ok($kind::$value),)+
                _ => Err(Corrupt($column)),
            }
        }
    };
    ($column:literal, $kind:ident, $of:ident, $parse:ident, all: $all:ident, {
        $first:ident => $first_word:literal $(, $value:ident => $word:literal)+ $(,)?
    }) => {
        words!($column, $kind, $of, $parse, { $first => $first_word $(, $value => $word)+ });

        pub(super) const $all: &str = concat!("('", $first_word, "'" $(, ", '", $word, "'")+, ")");
    };
}

words!("sync_status", SyncStatus, of_status, status, {
    None => "none",
    Pending => "pending",
    Synced => "synced",
    Error => "error",
});

/// The statuses, as a statement spells them.
pub(super) const NONE: &str = "'none'";
pub(super) const PENDING: &str = "'pending'";
pub(super) const SYNCED: &str = "'synced'";
pub(super) const ERROR: &str = "'error'";

words!("title_privacy", TitlePrivacy, of_privacy, privacy, {
    Full => "full",
    Initials => "initials",
    Masked => "masked",
});

words!("problem_reason or last_error", Reason, of_reason, reason, all: REASONS, {
    NotConnected => "not_connected",
    ReconnectRequired => "reconnect_required",
    CalendarUnavailable => "calendar_unavailable",
    GoogleUnavailable => "google_unavailable",
    GoogleThrottled => "google_throttled",
    EventRefused => "event_refused",
    GoogleMisconfigured => "google_misconfigured",
    AccountUnavailable => "account_unavailable",
    KeyringIncomplete => "keyring_incomplete",
    Internal => "internal",
});

/// The reasons that a statement asks for.
pub(super) const RECONNECT_REQUIRED: &str = "'reconnect_required'";
pub(super) const GOOGLE_UNAVAILABLE: &str = "'google_unavailable'";
pub(super) const GOOGLE_THROTTLED: &str = "'google_throttled'";
pub(super) const CALENDAR_UNAVAILABLE: &str = "'calendar_unavailable'";
pub(super) const INTERNAL: &str = "'internal'";
pub(super) const KEYRING_INCOMPLETE: &str = "'keyring_incomplete'";

words!("disconnect_remote_events", RemoteEvents, of_remote_events, remote_events, {
    Keep => "keep",
    DeleteUpcoming => "delete_upcoming",
    DeleteAll => "delete_all",
});

words!("grant_end", GrantEnd, of_grant_end, grant_end, {
    Revoked => "revoked",
    Shared => "shared",
    Pending => "pending",
    Refused => "refused",
});

words!("last_search", AccountSearch, of_search, search, {
    Whole => "whole",
    Partial => "partial",
});

/// The search that a statement asks for.
pub(super) const PARTIAL: &str = "'partial'";

/// The disconnects that delete, as a statement spells them.
pub(super) const DELETING: &str = "('delete_upcoming', 'delete_all')";

/// The ends that are still to come, or go by what others do, as a statement spells them.
pub(super) const GRANT_PENDING: &str = "'pending'";
pub(super) const GRANT_SHARED: &str = "'shared'";

words!("cause", OwedCause, of_cause, cause, {
    AccountExchanged => "account_exchanged",
    LeftBehind => "left_behind",
    Disconnect => "disconnect",
    Erasure => "erasure",
    Comparison => "comparison",
});

words!("wish", Wish, of_wish, wish, all: WISHES, {
    Retell => "retell",
    RetellAll => "retell_all",
    CatchUp => "catch_up",
    Retry => "retry",
    Disconnect => "disconnect",
});

/// The wishes that a statement asks for.
pub(super) const CATCH_UP: &str = "'catch_up'";
/// Those that a catch-up has.
pub(super) const OF_CATCH_UPS: &str = "('catch_up', 'retell', 'retell_all')";

/// The causes that a statement asks for.
pub(super) const ACCOUNT_EXCHANGED: &str = "'account_exchanged'";
pub(super) const DISCONNECT: &str = "'disconnect'";
pub(super) const ERASURE: &str = "'erasure'";
pub(super) const LEFT_BEHIND: &str = "'left_behind'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_spells_a_word_as_it_is_stored() {
        for (literal, word) in [
            (GOOGLE, PROVIDER),
            (NONE, of_status(SyncStatus::None)),
            (PENDING, of_status(SyncStatus::Pending)),
            (SYNCED, of_status(SyncStatus::Synced)),
            (ERROR, of_status(SyncStatus::Error)),
            (RECONNECT_REQUIRED, of_reason(Reason::ReconnectRequired)),
            (GOOGLE_THROTTLED, of_reason(Reason::GoogleThrottled)),
            (GOOGLE_UNAVAILABLE, of_reason(Reason::GoogleUnavailable)),
            (CALENDAR_UNAVAILABLE, of_reason(Reason::CalendarUnavailable)),
            (INTERNAL, of_reason(Reason::Internal)),
            (KEYRING_INCOMPLETE, of_reason(Reason::KeyringIncomplete)),
            (PARTIAL, of_search(AccountSearch::Partial)),
            (GRANT_PENDING, of_grant_end(GrantEnd::Pending)),
            (GRANT_SHARED, of_grant_end(GrantEnd::Shared)),
            (ACCOUNT_EXCHANGED, of_cause(OwedCause::AccountExchanged)),
            (DISCONNECT, of_cause(OwedCause::Disconnect)),
            (ERASURE, of_cause(OwedCause::Erasure)),
            (LEFT_BEHIND, of_cause(OwedCause::LeftBehind)),
            (CATCH_UP, of_wish(Wish::CatchUp)),
            (DISCONNECT, of_wish(Wish::Disconnect)),
        ] {
            assert_eq!(literal, format!("'{word}'"));
        }
        let of_catch_ups = [Wish::CatchUp, Wish::Retell, Wish::RetellAll].map(of_wish);
        assert_eq!(OF_CATCH_UPS, format!("('{}')", of_catch_ups.join("', '")));
        let deleting = [RemoteEvents::DeleteUpcoming, RemoteEvents::DeleteAll].map(of_remote_events);
        assert_eq!(DELETING, format!("('{}', '{}')", deleting[0], deleting[1]));
    }
}
