//! What a grant lets us do.
//!
//! Owns the names of the scopes that matter. Never asks Google. Scopes are compared word by word: a person may untick any
//! of them, and Google writes some otherwise than they were asked for (`email` comes back as `…/userinfo.email`), none of
//! those here.
//!
//! Invariant: a grant without a write scope that was asked for is not enough, and one without the list scope is.

const BASE: &str = "https://www.googleapis.com/auth/";
/// Each lets events be written, the narrowest first.
const WRITE: [&str; 3] = ["calendar.events.owned", "calendar.events", "calendar"];
/// Each lets the account's calendars be listed.
const LIST: [&str; 4] = ["calendar.calendarlist.readonly", "calendar.calendarlist", "calendar.readonly", "calendar"];

/// Whether these scopes let the account's calendars be listed.
pub fn may_list_calendars(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| among(scope, &LIST))
}

/// The write scopes that were asked for, if none of them was granted.
pub(super) fn missing(asked: &[String], granted: &[String]) -> Vec<String> {
    let wanted: Vec<_> = asked.iter().filter(|scope| among(scope, &WRITE)).cloned().collect();
    match wanted.iter().any(|scope| granted.contains(scope)) {
        true => Vec::new(),
        false if wanted.is_empty() => vec![format!("{BASE}calendar.events")],
        false => wanted,
    }
}

fn among(scope: &str, names: &[&str]) -> bool {
    scope.strip_prefix(BASE).is_some_and(|name| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("{BASE}{name}")).collect()
    }

    #[test]
    fn one_write_scope_that_was_asked_for_is_enough_and_nothing_like_it_is() {
        let cases: [(&[&str], &[&str], &[&str]); 7] = [
            (&["calendar.events"], &["calendar.events"], &[]),
            (&["calendar.events.owned"], &["calendar.events.owned", "userinfo.email"], &[]),
            (&["calendar", "calendar.events"], &["calendar"], &[]),
            (&["calendar.events"], &["calendar.events.readonly"], &["calendar.events"]),
            (&["calendar.events"], &["calendar.events.owned"], &["calendar.events"]),
            (&["calendar.events", "calendar"], &[], &["calendar.events", "calendar"]),
            (&["calendar.readonly"], &["calendar.readonly"], &["calendar.events"]),
        ];
        for (asked, granted, expected) in cases {
            assert_eq!(missing(&scopes(asked), &scopes(granted)), scopes(expected), "{asked:?} {granted:?}");
        }
        assert_eq!(
            missing(&scopes(&["calendar.events"]), &["calendar.events".to_owned()]),
            scopes(&["calendar.events"])
        );
    }

    #[test]
    fn a_list_scope_lets_calendars_be_listed() {
        assert!(may_list_calendars(&scopes(&["calendar.events", "calendar.calendarlist.readonly"])));
        assert!(!may_list_calendars(&scopes(&["calendar.events", "calendar.calendarlist.readonly2"])));
        assert!(!may_list_calendars(&[]));
    }
}
