//! What goes wrong with integrations, and that it is over, told as it happens.
//!
//! Owns what is news. Never mends anything. Invariant: whoever listens is told first what is broken already, and then
//! everything that changes; the same news has the same organisation, instant and days, whoever tells it and how often.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::Stream;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedSemaphorePermit;

use super::{Integrations, overview};
use crate::connection::{Error, StoreError};
use crate::model::{OrganisationId, Problem};

/// How often the process looks for news.
const POLL: SignedDuration = SignedDuration::from_secs(5);
/// After how many days it is told once more that an integration is broken, the most first.
const REMINDERS: [u32; 3] = [7, 3, 1];

/// Something that whoever looks after practices should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemNotice {
    /// An integration cannot write until a person acts.
    Broken {
        /// The organisation whose integration it is.
        organisation: OrganisationId,
        /// Why, and since when.
        problem: Problem,
        /// For how many days at least: 0, 1, 3 or 7.
        days: u32,
    },
    /// An integration that was told as broken works again, or was disconnected.
    Healed {
        /// The organisation whose integration it is.
        organisation: OrganisationId,
    },
    /// Everything that was broken at the beginning has been told.
    AllTold,
}

/// Who is told of problems.
struct ProblemWatcher {
    integrations: Integrations,
    visible: Option<BTreeSet<OrganisationId>>,
    told: Option<NotifiedProblems>,
    news: VecDeque<ProblemNotice>,
    has_failed: bool,
    _place: OwnedSemaphorePermit,
}

/// What was told as broken.
type NotifiedProblems = BTreeMap<OrganisationId, (Problem, u32)>;

impl Integrations {
    /// What is broken of the integrations of these organisations (`None`: of all), then each change.
    pub fn watch_problems(
        &self,
        visible: Option<BTreeSet<OrganisationId>>,
    ) -> Result<impl Stream<Item = Result<ProblemNotice, StoreError>> + Send + use<>, Error> {
        let place = self.watches.place_for_problems()?;
        let (integrations, news) = (self.clone(), VecDeque::new());
        let watcher = ProblemWatcher { integrations, visible, told: None, news, has_failed: false, _place: place };
        Ok(futures_util::stream::unfold(watcher, async |mut watcher| {
            if watcher.has_failed {
                return None;
            }
            let next = watcher.next().await;
            watcher.has_failed = next.is_err();
            Some((next, watcher))
        }))
    }
}

impl ProblemWatcher {
    async fn next(&mut self) -> Result<ProblemNotice, StoreError> {
        loop {
            if let Some(notice) = self.news.pop_front() {
                return Ok(notice);
            }
            let clock = &self.integrations.clock;
            if self.told.is_some() {
                clock.sleep(POLL).await;
            }
            let now = clock.now();
            let broken = overview::broken(&self.integrations.store, self.visible.as_ref(), now).await?;
            let is_first = self.told.is_none();
            let (told, news) = news(self.told.take().unwrap_or_default(), broken, now);
            self.told = Some(told);
            self.news = news.into();
            if is_first {
                self.news.push_back(ProblemNotice::AllTold);
            }
        }
    }
}

/// What is told from now on, and what of it is news.
fn news(
    mut before: NotifiedProblems,
    broken: Vec<(OrganisationId, Problem)>,
    now: Timestamp,
) -> (NotifiedProblems, Vec<ProblemNotice>) {
    let (mut told, mut news) = (NotifiedProblems::new(), Vec::new());
    for (organisation, problem) in broken {
        let age = now.duration_since(problem.since_at).as_hours() / 24;
        let days = REMINDERS.into_iter().find(|days| age >= i64::from(*days)).unwrap_or(0);
        let is_told = before.remove(&organisation).is_some_and(|(before, reminded)| {
            (before.reason, before.since_at, reminded) == (problem.reason, problem.since_at, days)
        });
        if !is_told {
            let (organisation, problem) = (organisation.clone(), problem.clone());
            news.push(ProblemNotice::Broken { organisation, problem, days });
        }
        told.insert(organisation, (problem, days));
    }
    news.extend(before.into_keys().map(|organisation| ProblemNotice::Healed { organisation }));
    (told, news)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reason;

    fn organisation(name: &str) -> OrganisationId {
        OrganisationId::parse(name).expect("well formed")
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3_600).expect("a valid second")
    }

    fn problem(reason: Reason, since: i64) -> Problem {
        Problem { reason, since_at: at(since), retry_at: None }
    }

    fn broken(name: &str, problem: Problem, days: u32) -> ProblemNotice {
        ProblemNotice::Broken { organisation: organisation(name), problem, days }
    }

    #[test]
    fn what_breaks_heals_or_lasts_is_told_once() {
        let dead = || problem(Reason::ReconnectRequired, 0);
        let both = || vec![(organisation("a"), dead()), (organisation("b"), problem(Reason::Internal, 5))];
        let (told, first) = news(NotifiedProblems::new(), both(), at(6));
        assert_eq!(first, [broken("a", dead(), 0), broken("b", problem(Reason::Internal, 5), 0)]);
        let (told, again) = news(told, both(), at(23));
        assert_eq!(again, []);
        let (told, healed) = news(told, vec![(organisation("a"), dead())], at(24));
        assert_eq!(healed, [broken("a", dead(), 1), ProblemNotice::Healed { organisation: organisation("b") }]);
        let (told, other) = news(told, vec![(organisation("a"), problem(Reason::CalendarUnavailable, 25))], at(26));
        assert_eq!(other, [broken("a", problem(Reason::CalendarUnavailable, 25), 0)]);
        let (told, _) = news(told, vec![(organisation("a"), problem(Reason::CalendarUnavailable, 25))], at(25 + 72));
        let (_, week) = news(told, vec![(organisation("a"), problem(Reason::CalendarUnavailable, 25))], at(25 + 168));
        assert_eq!(week, [broken("a", problem(Reason::CalendarUnavailable, 25), 7)]);
        // Whoever begins to listen late hears how long it has lasted.
        let (_, late) = news(NotifiedProblems::new(), vec![(organisation("a"), dead())], at(80));
        assert_eq!(late, [broken("a", dead(), 3)]);
    }
}
