//! The status of an integration and of a link: what a person is told.
//!
//! Owns the words for it, and which of two problems is told. Never asks what time it is: `now` is a parameter.
//! Invariant: of two problems one outweighs the other, whichever was noted first.

use jiff::Timestamp;

use super::CalendarId;

/// Says how far the sync of an appointment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// Stored and not to be sent: nothing is connected, or it was accepted while the sync was off or before the first
    /// connection, and no catch-up has taken it up since.
    None,
    /// To be sent, or being sent.
    Pending,
    /// Google shows it; for a cancelled one: no event stands there.
    Synced,
    /// Refused for good.
    Error,
}

/// Says why a call failed, or what stands in the way: the words of `error_reason.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Nothing is connected.
    NotConnected,
    /// The grant is dead, or a needed scope was not given.
    ReconnectRequired,
    /// The calendar is gone, or may not be written to.
    CalendarUnavailable,
    /// Google is away.
    GoogleUnavailable,
    /// Google asks for patience.
    GoogleThrottled,
    /// Google refuses one event for good.
    EventRefused,
    /// The operator's Google project or OAuth client is wrong.
    GoogleMisconfigured,
    /// Google refuses the account as a whole.
    AccountUnavailable,
    /// A stored secret does not open: the keyring lacks its key.
    KeyringIncomplete,
    /// A stored value does not read: a defect, or the value of a newer version.
    Internal,
}

impl Reason {
    /// Those that an integration can have: that nothing is connected, or that one event was refused, is no problem of it.
    pub fn of_integrations() -> impl Iterator<Item = Self> {
        let all = <Self as strum::VariantArray>::VARIANTS.iter().copied();
        all.filter(|reason| !matches!(reason, Self::NotConnected | Self::EventRefused))
    }

    /// The word itself, as callers and operators know it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether nothing is sent until somebody has acted; what Google delays goes on by itself.
    pub fn is_breaking(self) -> bool {
        match self {
            Self::ReconnectRequired
            | Self::AccountUnavailable
            | Self::CalendarUnavailable
            | Self::Internal
            | Self::GoogleMisconfigured
            | Self::KeyringIncomplete => true,
            Self::GoogleThrottled | Self::NotConnected | Self::GoogleUnavailable | Self::EventRefused => false,
        }
    }

    /// How much it takes to mend it: of two problems the graver one is told.
    fn gravity(self) -> u8 {
        match self {
            Self::ReconnectRequired => 7,
            Self::AccountUnavailable => 6,
            Self::CalendarUnavailable => 5,
            Self::Internal => 4,
            Self::GoogleMisconfigured => 3,
            Self::KeyringIncomplete => 2,
            Self::GoogleThrottled => 1,
            // These are noted of no integration.
            Self::NotConnected | Self::GoogleUnavailable | Self::EventRefused => 0,
        }
    }
}

/// What is wrong with an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub reason: Reason,
    /// Since when it stands.
    pub since_at: Timestamp,
    /// When the service tries again by itself; `None`: a person has to act first.
    pub retry_at: Option<Timestamp>,
}

impl Problem {
    /// Whether it stands at `now` in place of the one that is `noted`: the graver one does, and of two alike the one that
    /// lasts longer. A problem whose time to try again has come is over, or comes back by itself.
    pub fn outweighs(&self, noted: &Self, now: Timestamp) -> bool {
        let end = |problem: &Self| problem.retry_at.unwrap_or(Timestamp::MAX);
        end(noted) <= now || (self.reason.gravity(), end(self)) >= (noted.reason.gravity(), end(noted))
    }
}

/// Says what becomes of the events at Google when an account is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteEvents {
    /// All stay at Google as they are.
    Keep,
    /// Those of appointments not yet over are deleted.
    DeleteUpcoming,
    /// All are deleted, those of appointments that are over too.
    DeleteAll,
}

/// Says what became of the grant at a disconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantEnd {
    /// Google has revoked it, or no longer honoured it.
    Revoked,
    /// It goes on: somebody else uses the account, and to revoke one grant would end all of it.
    Shared,
    /// Google has not answered, and is asked again for a day.
    Pending,
    /// Google would not revoke it, or has not answered for a day: a person can end it in the account's own settings.
    Refused,
}

/// Says how much of an account was searched for events that are to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSearch {
    /// Every calendar that the account's list shows and that it may write to, to its end.
    Whole,
    /// Not all of it: the account does not permit listing its calendars, or one of them did not answer, or refused.
    Partial,
}

/// A Google calendar, as the account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its id at Google; of a primary calendar the account's e-mail address.
    pub id: CalendarId,
    /// Its name, as the account sees it.
    pub name: String,
    /// Its IANA zone, empty if unknown.
    pub time_zone: String,
    /// Its colour as `#rrggbb`, empty if unknown.
    pub color: String,
    /// Whether it is the account's primary one.
    pub is_primary: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(reason: Reason, retry_at: Option<i64>) -> Problem {
        let at = |second| Timestamp::from_second(second).expect("a valid second");
        Problem { reason, since_at: at(0), retry_at: retry_at.map(at) }
    }

    #[test]
    fn the_graver_problem_stands_and_of_two_waits_the_longer() {
        let by_gravity = [
            problem(Reason::GoogleThrottled, Some(20)),
            problem(Reason::GoogleThrottled, Some(30)),
            problem(Reason::KeyringIncomplete, Some(20)),
            problem(Reason::GoogleMisconfigured, Some(20)),
            problem(Reason::Internal, Some(20)),
            problem(Reason::CalendarUnavailable, None),
            problem(Reason::AccountUnavailable, Some(20)),
            problem(Reason::ReconnectRequired, None),
        ];
        let now = Timestamp::from_second(10).expect("a valid second");
        for (n, noted) in by_gravity.iter().enumerate() {
            for (m, found) in by_gravity.iter().enumerate() {
                assert_eq!(found.outweighs(noted, now), m >= n, "{found:?} where {noted:?} is noted");
            }
        }
    }

    #[test]
    fn what_is_to_be_tried_again_by_now_stands_in_nothings_way() {
        let over = problem(Reason::AccountUnavailable, Some(10));
        let found = problem(Reason::GoogleThrottled, Some(20));
        let at = |second| Timestamp::from_second(second).expect("a valid second");
        assert!(!found.outweighs(&over, at(9)));
        assert!(found.outweighs(&over, at(10)));
    }
}
