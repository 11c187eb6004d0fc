//! OAuth scopes: which of them a method asks for, and how far each reaches.
//!
//! Owns the table from Calendar's discovery document. It never looks at a token. Invariant: a method without a scope
//! in its row cannot be called.

use super::world::AccessRole;

const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";

/// What a method does, as far as scopes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// `events.get`, `events.list`.
    ReadEvents,
    /// `events.insert`, `patch`, `update`, `delete`.
    WriteEvents,
    /// `events.move`: as writing, but closed to `calendar.app.created`.
    MoveEvents,
    /// `calendarList.list`.
    ListCalendars,
    /// `calendarList.get`.
    ReadListEntry,
    /// `calendars.get`.
    ReadCalendar,
    /// `calendars.insert`, `calendars.delete`.
    WriteCalendars,
}

/// The calendars that a token's scopes reach with one right.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    every: bool,
    owned: bool,
    app_created: bool,
}

impl Reach {
    /// Whether the right may be used at all.
    pub(crate) fn is_some(self) -> bool {
        self.every || self.owned || self.app_created
    }

    /// Whether it covers a calendar on which the account has `role`.
    pub(crate) fn covers(self, role: AccessRole, app_created: bool) -> bool {
        self.every || (self.owned && role == AccessRole::Owner) || (self.app_created && app_created)
    }
}

/// How far `scopes` reach with `right`.
pub(crate) fn reach(right: Right, scopes: &[String]) -> Reach {
    let mut reach = Reach::default();
    for scope in scopes {
        let Some(name) = scope.strip_prefix(CALENDAR) else { continue };
        let read =
            matches!(right, Right::ReadEvents | Right::ListCalendars | Right::ReadListEntry | Right::ReadCalendar);
        match name {
            "" => reach.every = true,
            ".readonly" => reach.every |= read,
            ".events" => {
                reach.every |= matches!(right, Right::ReadEvents | Right::WriteEvents | Right::MoveEvents);
            }
            ".events.owned" => {
                reach.owned |= matches!(right, Right::ReadEvents | Right::WriteEvents | Right::MoveEvents);
            }
            ".events.readonly" => reach.every |= right == Right::ReadEvents,
            ".events.owned.readonly" => reach.owned |= right == Right::ReadEvents,
            ".calendarlist" | ".calendarlist.readonly" => {
                reach.every |= matches!(right, Right::ListCalendars | Right::ReadListEntry);
            }
            ".calendars" => reach.every |= matches!(right, Right::ReadCalendar | Right::WriteCalendars),
            ".calendars.readonly" => reach.every |= right == Right::ReadCalendar,
            ".app.created" => reach.app_created |= !matches!(right, Right::MoveEvents | Right::ListCalendars),
            _ => {}
        }
    }
    reach
}

/// A scope as a token answer names it: the short names of OpenID come back in full.
pub(crate) fn full_name(scope: &str) -> &str {
    match scope {
        "email" => "https://www.googleapis.com/auth/userinfo.email",
        "profile" => "https://www.googleapis.com/auth/userinfo.profile",
        other => other,
    }
}

/// Whether a person can untick it: Calendar's scopes, not the sign-in.
pub(crate) fn is_optional(scope: &str) -> bool {
    scope.starts_with(CALENDAR)
}

/// Whether Google knows it.
pub(crate) fn is_known(scope: &str) -> bool {
    match scope.strip_prefix(CALENDAR) {
        Some(name) => matches!(
            name,
            "" | ".readonly"
                | ".events"
                | ".events.owned"
                | ".events.readonly"
                | ".events.owned.readonly"
                | ".calendarlist"
                | ".calendarlist.readonly"
                | ".calendars"
                | ".calendars.readonly"
                | ".app.created"
        ),
        None => {
            matches!(
                scope,
                "openid"
                    | "email"
                    | "profile"
                    | "https://www.googleapis.com/auth/userinfo.email"
                    | "https://www.googleapis.com/auth/userinfo.profile"
            )
        }
    }
}
