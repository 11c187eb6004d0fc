//! How an integration stands: one read, and a stream that reads afresh when told to look again.

use futures_util::Stream;
use jiff::{SignedDuration, Timestamp};

use super::{Connections, Error};
use crate::model::{Calendar, OrganisationId, Problem, Reason, TitlePrivacy};
use crate::store::{Counts, Integration};

/// Changes that follow each other within this time are told as one.
const QUIET: SignedDuration = SignedDuration::from_millis(200);

/// Says whether an integration works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No account is connected.
    NotConnected,
    /// Connected and able to write.
    Connected,
    /// Connected, and unable to write until a person acts.
    Error,
}

/// How an integration stands: what the settings pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it works.
    pub state: State,
    /// The connected account.
    pub google_email: Option<String>,
    /// The target calendar; `None` when not connected.
    pub calendar: Option<Calendar>,
    /// Whether appointments are sent.
    pub is_enabled: bool,
    /// How much of the patient's name titles show.
    pub title_privacy: TitlePrivacy,
    /// When the account was connected.
    pub connected_at: Option<Timestamp>,
    /// When Google last confirmed a write.
    pub last_sync_at: Option<Timestamp>,
    /// How many links stand how.
    pub counts: Counts,
    /// The catch-up under way.
    pub catch_up: Option<Progress>,
    /// What is wrong.
    pub problem: Option<Problem>,
}

/// The progress of a catch-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How many links it began with, and those that were edited meanwhile and wait.
    pub total: i64,
    /// How many are done.
    pub done: i64,
    /// How many were refused.
    pub failed: i64,
    /// When it began.
    pub started_at: Timestamp,
}

impl Connections {
    /// How the integration stands; an organisation never seen is not connected.
    pub async fn status(&self, organisation: &OrganisationId) -> Result<Status, Error> {
        let now = self.0.clock.now();
        let integration = self.0.store.integration(organisation).await?;
        let counts = self.0.store.counts(organisation, now).await?;
        Ok(status(integration, counts, now))
    }

    /// How the integration stands now, and again after each change.
    pub fn watch(&self, organisation: &OrganisationId) -> impl Stream<Item = Result<Status, Error>> + Send + use<> {
        let connections = self.clone();
        let organisation = organisation.clone();
        // Listening begins before the first look, so that nothing falls between.
        let listener = connections.0.notifier.listen_changed(&organisation);
        futures_util::stream::unfold((listener, None::<Status>), move |(mut listener, told)| {
            let (connections, organisation) = (connections.clone(), organisation.clone());
            async move {
                loop {
                    if told.is_some() {
                        listener.changed().await;
                        quiet().await;
                    }
                    match connections.status(&organisation).await {
                        Ok(status) if told.as_ref() == Some(&status) => {}
                        Ok(status) => return Some((Ok(status.clone()), (listener, Some(status)))),
                        Err(error) => return Some((Err(error), (listener, told))),
                    }
                }
            }
        })
    }
}

/// A pause for the reader's sake: it decides nothing, so it follows real time even where a test holds the clock.
#[expect(clippy::disallowed_methods, reason = "paces what a person watches; no outcome depends on it")]
async fn quiet() {
    tokio::time::sleep(QUIET.unsigned_abs()).await;
}

fn status(integration: Option<Integration>, counts: Counts, now: Timestamp) -> Status {
    let Some(integration) = integration.filter(Integration::is_connected) else {
        return Status {
            state: State::NotConnected,
            google_email: None,
            calendar: None,
            is_enabled: false,
            title_privacy: TitlePrivacy::default(),
            connected_at: None,
            last_sync_at: None,
            counts,
            catch_up: None,
            problem: None,
        };
    };
    let problem = standing_problem(&integration, &counts, now);
    let state = match &problem {
        Some(Problem {
            reason: Reason::ReconnectRequired | Reason::CalendarUnavailable | Reason::GoogleMisconfigured,
            ..
        }) => State::Error,
        Some(_) | None => State::Connected,
    };
    let catch_up = integration.catch_up.and_then(|(total, started_at)| progress(i64::from(total), started_at, &counts));
    Status {
        state,
        google_email: integration.google_email,
        calendar: integration.calendar,
        is_enabled: integration.is_enabled,
        title_privacy: integration.title_privacy,
        connected_at: integration.connected_at,
        last_sync_at: integration.last_sync_at,
        counts,
        catch_up,
        problem,
    }
}

/// How far a catch-up is; none when none of its appointments waits any more.
///
/// One that was edited meanwhile has left the catch-up, but not the work: what is pending beside it counts in the total,
/// so that what remains is told exactly, and what is done never shrinks.
fn progress(total: i64, started_at: Timestamp, counts: &Counts) -> Option<Progress> {
    let &Counts { pending, catching_up, catch_up_failed: failed, .. } = counts;
    let total = total.max(catching_up + failed) + pending - catching_up;
    (catching_up > 0).then(|| Progress { total, done: total - pending - failed, failed, started_at })
}

/// What is wrong now: a noted problem that has not passed, or else appointments that wait because Google is away.
fn standing_problem(integration: &Integration, counts: &Counts, now: Timestamp) -> Option<Problem> {
    let has_passed = |problem: &Problem| {
        problem.reason == Reason::GoogleThrottled && problem.retry_at.is_none_or(|retry_at| retry_at <= now)
    };
    let noted = integration.problem.clone().filter(|problem| !has_passed(problem));
    noted.or_else(|| {
        counts.unavailable_until.map(|retry_at| Problem {
            reason: Reason::GoogleUnavailable,
            since_at: integration.last_sync_at.or(integration.connected_at).unwrap_or(now),
            retry_at: Some(retry_at),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(total: i64, pending: i64, catching_up: i64, catch_up_failed: i64) -> Option<(i64, i64, i64)> {
        let counts = Counts { pending, catching_up, catch_up_failed, ..Counts::default() };
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
}
