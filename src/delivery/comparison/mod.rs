//! The comparison with Google: what is marked as in step is held against what Google lists.
//!
//! Owns when an organisation is compared, what is listed, and what becomes of the findings; and the search for what is to be
//! deleted and stands where nothing says so. Never writes to Google: it makes links due and owes deletions, and the worker
//! carries them out. Never asks for a single event. What the target or the account refuses is noted at the integration,
//! and so is that the target cannot be listed, while that is tried again. Invariant: a user's own fields, and events that
//! Cassius did not write, are left alone.
//!
//! Of the account's calendars where nothing of ours is known to stand, each comparison lists a few, the next one the next
//! few, so that all have their turn; and all of them, on all days, where an event has vanished, since a person may have
//! moved it there: it is made again in the target, and the moved one is deleted.
//!
//! Its limit: a calendar is looked into that the account's list shows and that the account may write to, and where the
//! account does not permit the list, only those where something of ours is known to stand. What a person moved elsewhere
//! is made again in the target and stands twice: of an event that was moved Google says the same where it stood as of one
//! that was deleted. Nor is one found that a person moved and took our properties from. A dry run says that it left
//! calendars out where it knows of them, or may not know; of a calendar that no list shows nobody can tell.

mod findings;
mod judging;
mod listing;
mod refusals;
mod schedule;
mod search;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{Delivery, Error, Inner};
use crate::connection::ReadError;
use crate::error_chain::error_chain;
use crate::model::{CalendarId, Change, GoogleUserId, OrganisationId};
use crate::store::{self, ComparedLink, ComparisonClaim, Guarded, Integration, SearchClaim, Unreadable};
use crate::sync::{RetryCause, backoff};
use findings::{Listed, Scope};
use listing::Lists;

/// How long a process may leave a comparison untouched, before another one makes it.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// No lease of any kind lives longer.
pub(super) const LONGEST_LEASE: SignedDuration = LEASE;
/// How long before its hour of the day an organisation that was compared is left until that of the next day.
const REST: SignedDuration = SignedDuration::from_hours(12);
const DAY: i64 = 86_400;
/// How far the clocks of two processes may lie apart. What is found in spite of a change is read before it is believed.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(2);
/// How many links are read at a time.
const LINKS: usize = 500;

/// How an organisation's calendar differs from what it should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ComparisonCounts {
    /// How many events should stand, of appointments that are not over.
    pub due: usize,
    /// How many events stand at Google.
    pub remote: usize,
    /// How many that should stand do not.
    pub missing: usize,
    /// How many show something else in our fields.
    pub altered: usize,
    /// How many stand that should not.
    pub surplus: usize,
    /// How many have one that is not held: of a higher revision, or made by a state of this database that was lost.
    pub newer: usize,
    /// Whether calendars of the account were left out: what stands there is not counted.
    pub is_partial: bool,
}

/// What a comparison came to.
struct Compared {
    counts: ComparisonCounts,
    /// Why a calendar beside the target was left out that may answer later.
    unanswered: Option<ReadError>,
    /// Whether events stand where none should, of which nothing could be said yet.
    is_any_in_motion: bool,
}

/// Why a comparison broke off.
#[derive(Debug, thiserror::Error)]
enum ComparisonError {
    /// The lease is lost, or the account was disconnected or connected anew.
    #[error("another process compares, or the integration is in another epoch")]
    Fenced,
    #[error("Google could not be asked")]
    Google(#[from] ReadError),
    #[error("the store failed")]
    Store(#[from] store::Error),
}

/// Whose calendars are listed, and under which lease.
struct CalendarReadContext<'a> {
    integration: &'a Integration,
    account: &'a GoogleUserId,
    lease: ReadLease<'a>,
}

/// The lease under which lists are read.
#[derive(Clone, Copy)]
enum ReadLease<'a> {
    /// No lease: somebody waits for them.
    None,
    /// That of a comparison.
    Comparison(&'a ComparisonClaim),
    /// That of a search.
    Search(&'a SearchClaim),
}

/// What one comparison is about.
struct Comparison<'a> {
    reading: CalendarReadContext<'a>,
    target: &'a CalendarId,
}

impl Comparison<'_> {
    /// The lease under which it mends; `None`: it only counts.
    fn claim(&self) -> Option<&ComparisonClaim> {
        match self.reading.lease {
            ReadLease::Comparison(claim) => Some(claim),
            ReadLease::None | ReadLease::Search(_) => None,
        }
    }
}

impl Delivery {
    /// Counts how the calendar differs from what it should be, and changes nothing of it; what the target or the account
    /// refuses is noted.
    pub async fn count_differences(&self, organisation: &OrganisationId) -> Result<ComparisonCounts, Error> {
        let integration = self.0.store.integration(organisation).await?.filter(Integration::is_connected);
        let integration = integration.ok_or(Error::NotConnected)?;
        if let Some(column) = integration.unreadable {
            return Err(store::Error::Corrupt(column).into());
        }
        let compared = self.0.compare(&integration, None).await;
        compared.map(|compared| compared.counts).map_err(|broken| match broken {
            ComparisonError::Fenced => Error::NotConnected,
            ComparisonError::Google(error) => Error::Google(error),
            ComparisonError::Store(error) => Error::Store(error),
        })
    }
}

impl Inner {
    async fn compare_claimed(&self, claim: &ComparisonClaim) -> Result<(), store::Error> {
        let integration = self.store.integration(&claim.organisation).await?;
        let vanished_count = integration.as_ref().map(|it| it.vanished_count);
        let outcome = match integration.filter(|it| it.epoch == claim.epoch && it.is_connected()) {
            Some(integration) => match integration.unreadable {
                None => self.compare(&integration, Some(claim)).await,
                Some(column) => {
                    let organisation = claim.organisation.as_str().to_owned();
                    self.grants.note_unreadable(&Unreadable { organisation, appointment: None, column }).await?;
                    Err(ComparisonError::Fenced)
                }
            },
            None => Err(ComparisonError::Fenced),
        };
        let now = self.clock.now();
        let mut unlisted_at = None;
        let next = match outcome {
            Ok(compared) => self.note_compared(claim, &compared, vanished_count, now).await?,
            // Where it is noted, it is due again once the integration is served.
            Err(ComparisonError::Google(error)) => {
                let asked = retry_after(&error);
                if asked.is_none() {
                    tracing::warn!(error = %error_chain(&error), "Google's events could not be compared");
                }
                unlisted_at = asked.filter(|_| !matches!(error, ReadError::Store(_))).map(|_| now);
                self.put_off(claim.attempts, asked.flatten(), now)
            }
            // It stays as due as it is, for whoever may make it.
            Err(ComparisonError::Fenced) => (claim.due_at, claim.attempts),
            Err(ComparisonError::Store(error)) => return Err(error),
        };
        match self.store.end_comparison(claim, next, unlisted_at).await? {
            // Whoever took it over ends it.
            Guarded::Done | Guarded::Fenced => {}
        }
        self.notifier.notify(&Change::Integration(claim.organisation.clone()));
        Ok(())
    }

    /// Tells what a comparison found; answers when the next is made, and how many in a row have failed by then.
    async fn note_compared(
        &self,
        claim: &ComparisonClaim,
        Compared { counts: found, unanswered, is_any_in_motion }: &Compared,
        vanished_count: Option<i32>,
        now: Timestamp,
    ) -> Result<(Timestamp, i32), store::Error> {
        log_found(found);
        let behind = i32::try_from(found.newer).unwrap_or(i32::MAX);
        // What did not answer, or was in motion, is looked through again.
        let is_again = unanswered.is_some() || *is_any_in_motion;
        let looked_for = vanished_count.filter(|_| !is_again);
        match self.store.note_compared(claim, behind, looked_for, now).await? {
            Guarded::Done => {
                self.notifier.notify(&Change::Integration(claim.organisation.clone()));
                self.notifier.notify_due();
            }
            // Whoever took it over notes it.
            Guarded::Fenced => {}
        }
        Ok(match is_again {
            true => self.put_off(claim.attempts, unanswered.as_ref().and_then(retry_after).flatten(), now),
            false => (next_daily(&claim.organisation, now), 0),
        })
    }

    /// When what failed after so many failures in a row is made again, and how many those are by then.
    fn put_off(&self, attempts: i32, asked: Option<SignedDuration>, now: Timestamp) -> (Timestamp, i32) {
        let number = u32::try_from(attempts).unwrap_or(0);
        let wait = backoff(RetryCause::Unavailable, number, asked, self.entropy.number());
        (now.saturating_add(wait).unwrap_or(Timestamp::MAX), attempts.saturating_add(1))
    }

    async fn compare(
        &self,
        integration: &Integration,
        claim: Option<&ComparisonClaim>,
    ) -> Result<Compared, ComparisonError> {
        let (Some(account), Some(calendar)) = (&integration.google_user_id, &integration.calendar) else {
            return Err(ComparisonError::Fenced);
        };
        let lease = claim.map_or(ReadLease::None, ReadLease::Comparison);
        let comparison =
            Comparison { reading: CalendarReadContext { integration, account, lease }, target: &calendar.id };
        match self.compare_lists(&comparison).await {
            Err(ComparisonError::Google(error)) => {
                Err(ComparisonError::Google(self.note_refusal(&comparison, error).await?))
            }
            compared => compared,
        }
    }

    async fn compare_lists(&self, comparison: &Comparison<'_>) -> Result<Compared, ComparisonError> {
        let integration = comparison.reading.integration;
        let since = self.clock.now();
        let mut lists = self.list(comparison, since).await?;
        let owed = self.store.owed_events(&integration.organisation).await?;
        let silences = self.store.silences(&integration.organisation).await?;
        let mut scope = Scope { since, listed: lists.whole.clone(), owed, silences };
        if integration.vanished_count > 0 || self.is_any_missing(comparison, &scope, &lists).await? {
            self.list_everywhere(&comparison.reading, since, &mut lists).await?;
            scope.listed = lists.whole.clone();
        }
        let is_partial = lists.is_partial();
        let Lists { mut remote, mut over, unanswered, .. } = lists;
        let counts =
            ComparisonCounts { remote: remote.values().map(Vec::len).sum(), is_partial, ..ComparisonCounts::default() };
        let mut compared = Compared { counts, unanswered, is_any_in_motion: false };
        let mut after = None;
        loop {
            let links =
                self.store.upcoming_links(&integration.organisation, since, after.as_ref(), LINKS as i64).await?;
            let is_last = links.len() < LINKS;
            after = links.last().map(|link| link.appointment.clone());
            let pairs = links.into_iter().map(|link| {
                let mut events = remote.remove(&link.appointment).unwrap_or_default();
                events.extend(over.remove(&link.appointment).unwrap_or_default());
                (link.appointment.clone(), Some(link), events)
            });
            self.judge(comparison, &scope, pairs, &mut compared).await?;
            if is_last {
                break;
            }
        }
        // Of appointments that are over, or that nobody knows.
        self.judge_named(comparison, &scope, remote, |link, events| Some((link, events)), &mut compared).await?;
        // On days that are over nobody may know what stands any more: it is left. So is a link's own event where a person
        // moved it: nothing would be made in its place.
        let beside_their_own = |link: Option<ComparedLink>, mut events: Vec<Listed>| {
            let place = link.as_ref()?.placement.place().cloned();
            events.retain(|listed| place.as_ref().is_none_or(|place| place.event != listed.event));
            Some((link, events))
        };
        self.judge_named(comparison, &scope, over, beside_their_own, &mut compared).await?;
        // Only now: a deletion under way holds its link, and of what is held nothing is found.
        if comparison.claim().is_some() && !scope.listed.is_empty() {
            let listed: Vec<_> = scope.listed.into_iter().collect();
            self.store.try_owed_again(&integration.organisation, &listed, self.clock.now()).await?;
            self.notifier.notify_due();
        }
        Ok(compared)
    }
}

/// How long Google asks to wait (`Some(None)`: it did not say); `None`: waiting does not help.
fn retry_after(error: &ReadError) -> Option<Option<SignedDuration>> {
    match error {
        ReadError::GoogleUnavailable { retry_after } | ReadError::GoogleThrottled { retry_after } => Some(*retry_after),
        ReadError::Store(_) => Some(None),
        ReadError::NotConnected
        | ReadError::ReconnectRequired
        | ReadError::CalendarUnavailable
        | ReadError::GoogleMisconfigured
        | ReadError::AccountUnavailable
        | ReadError::Sealed(_) => None,
    }
}

/// When an organisation is compared by itself next: once a day, each at a second of its own, all spread over the day.
fn next_daily(organisation: &OrganisationId, now: Timestamp) -> Timestamp {
    let digest = Sha256::digest(organisation.as_str());
    let drawn = digest.iter().take(7).fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
    let earliest = (now + REST).as_second();
    let wait = (drawn % DAY - earliest).rem_euclid(DAY);
    Timestamp::from_second(earliest + wait).unwrap_or(Timestamp::MAX)
}

/// Says in the log how Google's events differ.
fn log_found(found: &ComparisonCounts) {
    if found.missing + found.altered + found.surplus > 0 {
        tracing::info!(
            missing = found.missing,
            altered = found.altered,
            surplus = found.surplus,
            "Google's events differ from what they should be; they are mended"
        );
    }
    if found.newer > 0 {
        tracing::error!(
            newer = found.newer,
            "Google shows what this database does not hold: it was restored from an older backup; ReconcileAppointments \
             finds what it lacks"
        );
    }
}

#[cfg(test)]
mod tests;
