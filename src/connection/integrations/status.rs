//! The status of an integration, made of what is stored.
//!
//! Owns which problem is shown, and how far a catch-up is. Never reads anything by itself: the parts and `now` are
//! parameters. Invariant: without a grant, a status says nothing but counts and the chosen privacy.

use jiff::Timestamp;

use crate::model::{Calendar, Problem, Reason, TitlePrivacy};
use crate::store::{Counts, Integration, PendingAccount, StatusParts};

/// Says whether an integration works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No account is connected.
    NotConnected,
    /// Connected and able to write.
    Connected,
    /// Connected, and unable to write until a person acts.
    Error,
    /// Being disconnected: events are deleted, or calls under way are waited for. Nothing is written.
    Disconnecting,
}

/// The status of an integration: what the settings pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it works.
    pub state: State,
    /// The e-mail of the connected account; `None` when not connected.
    pub google_email: Option<String>,
    /// The target calendar; `None` when not connected.
    pub calendar: Option<Calendar>,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// How much of an appointment its event shows; it can be chosen before anything is connected.
    pub title_privacy: TitlePrivacy,
    /// When the account was connected; `None`: none is.
    pub connected_at: Option<Timestamp>,
    /// When an appointment was last brought in step, also where nothing had to be written; `None`: none ever was.
    pub last_sync_at: Option<Timestamp>,
    /// How many links there are of each status.
    pub counts: Counts,
    /// The progress of the catch-up under way; `None`: none is.
    pub catch_up: Option<Progress>,
    /// The progress of the disconnect under way: how many events it has deleted, and how many could not be;
    /// `None`: none is.
    pub disconnect: Option<Progress>,
    /// What is wrong; `None`: nothing is.
    pub problem: Option<Problem>,
    /// Of how many appointments an event at Google showed a higher revision than is held, or than any that is known, at the
    /// latest comparison.
    pub behind_count: i32,
    /// The other account that waits to be confirmed; `None`: none does.
    pub pending_account: Option<PendingAccount>,
}

/// The progress of a catch-up, or of a disconnect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How many links a catch-up began with, those that joined it, and those that were edited meanwhile and wait; how many
    /// events a disconnect is to delete.
    pub total: i64,
    /// How many are done.
    pub done: i64,
    /// How many were refused, or are out of reach.
    pub failed: i64,
    /// When it began.
    pub started_at: Timestamp,
}

impl Status {
    /// The status at `now`.
    pub(super) fn of(parts: StatusParts, now: Timestamp) -> Self {
        let StatusParts { integration, counts, owed_left, pending_account } = parts;
        let title_privacy = integration.as_ref().map(|it| it.title_privacy).unwrap_or_default();
        let has_grant = |integration: &Integration| integration.refresh_token.is_some();
        let Some(integration) = integration.filter(has_grant) else {
            return Self {
                state: State::NotConnected,
                google_email: None,
                calendar: None,
                is_enabled: false,
                title_privacy,
                connected_at: None,
                last_sync_at: None,
                counts,
                catch_up: None,
                disconnect: None,
                problem: None,
                behind_count: 0,
                pending_account: None,
            };
        };
        let stop = stop_at(&integration, now);
        let state = match &stop {
            Some(_) | None if integration.disconnecting.is_some() => State::Disconnecting,
            Some(_) => State::Error,
            None => State::Connected,
        };
        let problem = stop.or_else(|| delay_at(&integration, &counts, now));
        let catch_up =
            integration.catch_up.and_then(|(total, started_at)| progress(i64::from(total), started_at, &counts));
        Self {
            state,
            google_email: integration.google_email,
            calendar: integration.calendar,
            is_enabled: integration.is_enabled,
            title_privacy,
            connected_at: integration.connected_at,
            last_sync_at: integration.last_sync_at,
            counts,
            catch_up: catch_up.filter(|_| integration.disconnecting.is_none()),
            disconnect: integration.disconnecting.map(|it| {
                let taken = i64::from(integration.disconnect_total);
                let (done, failed) = ((taken - owed_left.events).max(0), owed_left.parked);
                let total = taken + owed_left.untaken;
                Progress { total, done, failed, started_at: it.since_at }
            }),
            problem,
            behind_count: integration.behind_count,
            pending_account,
        }
    }
}

/// How far a catch-up is; none when none of its appointments waits any more.
///
/// One that was edited meanwhile has left the catch-up, but not the work: what is pending beside it counts in the total,
/// so that what remains is told exactly, and what is done never shrinks. What a catch-up has not reached yet counts in it
/// from the beginning.
fn progress(total: i64, started_at: Timestamp, counts: &Counts) -> Option<Progress> {
    let &Counts { pending, catching_up, catch_up_failed: failed, unreached, .. } = counts;
    let total = total.max(catching_up + failed) + pending - catching_up + unreached;
    // What was refused before is no part of it, once it is reached.
    let done = (total - pending - failed - unreached).max(0);
    (catching_up + unreached > 0).then_some(Progress { total, done, failed, started_at })
}

/// What stops everything now: a noted problem that has not passed, or a value that does not read.
fn stop_at(integration: &Integration, now: Timestamp) -> Option<Problem> {
    let noted = noted_at(integration, now).filter(|problem| problem.reason.is_breaking());
    let misread = integration.unreadable.or(integration.misread);
    noted.or_else(|| misread.map(|_| found(integration, Reason::Internal, None, now)))
}

/// What delays a part, where nothing stops everything: appointments that wait for a key, Google that asks for patience,
/// appointments that wait because it is away, or a target that cannot be compared because of that.
fn delay_at(integration: &Integration, counts: &Counts, now: Timestamp) -> Option<Problem> {
    let waiting =
        |until: Option<Timestamp>, reason| until.map(|retry_at| found(integration, reason, Some(retry_at), now));
    waiting(counts.unopened_until, Reason::KeyringIncomplete)
        .or_else(|| noted_at(integration, now))
        .or_else(|| waiting(counts.unavailable_until, Reason::GoogleUnavailable))
        .or_else(|| {
            let unlisted = integration.unlisted.filter(|_| integration.is_enabled);
            let reason = Reason::GoogleUnavailable;
            unlisted.map(|(since_at, retry_at)| Problem { reason, since_at, retry_at: Some(retry_at) })
        })
}

/// The problem that was noted, unless it has passed.
fn noted_at(integration: &Integration, now: Timestamp) -> Option<Problem> {
    let has_passed = |problem: &Problem| match problem.reason {
        Reason::GoogleThrottled => problem.retry_at.is_none_or(|retry_at| retry_at <= now),
        // If it still does not read, that is seen at the value itself.
        Reason::Internal => problem.retry_at.is_some_and(|retry_at| retry_at <= now),
        Reason::NotConnected
        | Reason::ReconnectRequired
        | Reason::CalendarUnavailable
        | Reason::GoogleUnavailable
        | Reason::EventRefused
        | Reason::GoogleMisconfigured
        | Reason::AccountUnavailable
        | Reason::KeyringIncomplete => false,
    };
    integration.problem.clone().filter(|problem| !has_passed(problem))
}

/// A problem that nobody noted: since when it stands is known no better than when something was sent last.
fn found(integration: &Integration, reason: Reason, retry_at: Option<Timestamp>, now: Timestamp) -> Problem {
    let since_at = integration.last_sync_at.or(integration.connected_at).unwrap_or(now);
    Problem { reason, since_at, retry_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(total: i64, pending: i64, catching_up: i64, catch_up_failed: i64) -> Option<(i64, i64, i64)> {
        shown_beside(0, total, pending, catching_up, catch_up_failed)
    }

    fn shown_beside(
        unreached: i64,
        total: i64,
        pending: i64,
        catching_up: i64,
        catch_up_failed: i64,
    ) -> Option<(i64, i64, i64)> {
        let counts = Counts { pending, catching_up, catch_up_failed, unreached, ..Counts::default() };
        progress(total, Timestamp::UNIX_EPOCH, &counts).map(|it| (it.total, it.done, it.failed))
    }

    #[test]
    fn what_remains_of_a_catch_up_is_all_that_is_pending() {
        assert_eq!(shown(10, 10, 10, 0), Some((10, 0, 0)));
        assert_eq!(shown(10, 4, 4, 1), Some((10, 5, 1)));
        // Three that have nothing to do with it are edited: as much is done as before.
        assert_eq!(shown(10, 7, 4, 1), Some((13, 5, 1)));
        // One of its own is edited: it is one of those that wait.
        assert_eq!(shown(10, 4, 3, 1), Some((11, 6, 1)));
        assert_eq!(shown(10, 2, 0, 1), None);
    }

    #[test]
    fn what_a_catch_up_has_not_reached_is_no_less_its_own() {
        assert_eq!(shown_beside(90, 10, 10, 10, 0), Some((100, 0, 0)));
        assert_eq!(shown_beside(90, 10, 4, 4, 1), Some((100, 5, 1)));
        // All that was reached is done.
        assert_eq!(shown_beside(90, 10, 0, 0, 0), Some((100, 10, 0)));
        // Of the run before, some were refused that are to be reached.
        assert_eq!(shown_beside(90, 10, 10, 10, 40), Some((140, 0, 40)));
    }
}
