//! The search for what is to be deleted and stands where nothing says so: a person has moved it.
//!
//! Owns what is looked for, and when a search is over. Never deletes an event: what it finds is owed, and the worker deletes
//! it. A calendar that does not answer is asked again as long as a disconnect tries to delete; one that refuses, once more.
//! What is not seen by then is told. Invariant: what is found is owed before the search is over, so that one which is broken
//! off is merely made again.
//!
//! It sees the calendars where something of the organisation is known to stand, and those that the list of the account shows
//! and that it may write to. Whatever the disconnect keeps is left: with `DELETE_UPCOMING`, what ended before.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::listing::Lists;
use super::{CalendarReadContext, ComparisonError, ReadLease, retry_after};
use crate::delivery::Inner;
use crate::model::{AccountSearch, AppointmentId, CalendarId, Change, Generation, Place, RemoteEvents};
use crate::store::{self, Guarded, Integration, SearchClaim, SearchEnd, Searched};

/// How long it is asked for what does not answer: as long as a disconnect tries to delete.
const SEARCH_GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What one list of each calendar is for.
struct Sweep<'a> {
    /// Events that end after that; `None`: all.
    from: Option<Timestamp>,
    /// Those of these appointments; `None`: of all.
    of: Option<&'a HashSet<AppointmentId>>,
}

impl Inner {
    /// Makes a search, and ends it or puts it off.
    pub(super) async fn search_claimed(&self, claim: &SearchClaim) -> Result<(), store::Error> {
        let organisation = &claim.organisation;
        let integration = self.store.integration(organisation).await?.filter(|it| it.epoch == claim.epoch);
        let made = match &integration {
            Some(integration) => self.search(claim, integration).await,
            None => Err(ComparisonError::Fenced),
        };
        let ended = match made {
            Ok(guarded) => guarded,
            Err(ComparisonError::Fenced) => Guarded::Fenced,
            // It is made again when its lease lapses; but what Google does not answer is left out.
            Err(ComparisonError::Google(error)) => return Err(store::Error::Unavailable(Box::new(error))),
            Err(ComparisonError::Store(error)) => return Err(error),
        };
        match ended {
            Guarded::Done => {}
            Guarded::Fenced => self.store.give_back_reading(&claim.organisation, claim.lease).await?,
        }
        self.notifier.notify(&Change::Integration(organisation.clone()));
        self.notifier.notify_due();
        Ok(())
    }

    async fn search(&self, claim: &SearchClaim, integration: &Integration) -> Result<Guarded, ComparisonError> {
        let Some(account) = &integration.google_user_id else { return Err(ComparisonError::Fenced) };
        let reading = CalendarReadContext { integration, account, lease: ReadLease::Search(claim) };
        let since = self.clock.now();
        let erased = self.store.unsearched_appointments(&claim.organisation, since).await?;
        let disconnect = integration.disconnecting.and_then(|it| it.remote_events);
        let of_erased: HashSet<_> = erased.iter().cloned().collect();
        let all_erased = Sweep { from: None, of: Some(&of_erased) };
        let sweeps = match disconnect {
            Some(RemoteEvents::Keep) => return Err(ComparisonError::Fenced),
            Some(RemoteEvents::DeleteAll) => vec![Sweep { from: None, of: None }],
            Some(RemoteEvents::DeleteUpcoming) => vec![Sweep { from: Some(since), of: None }, all_erased],
            None => vec![all_erased],
        };
        let (found, lists) = self.sweep(&reading, &sweeps, since).await?;
        let end = self.search_end(claim, &lists);
        if !found.is_empty() {
            tracing::info!(found = found.len(), "found events that are to be deleted where somebody has moved them");
        }
        let searched = Searched { disconnect, erased, found, end };
        Ok(self.store.end_search(claim, account, searched, self.clock.now()).await?)
    }

    /// Lists every calendar that can be seen for each of these, and answers what was found.
    async fn sweep(
        &self,
        reading: &CalendarReadContext<'_>,
        sweeps: &[Sweep<'_>],
        since: Timestamp,
    ) -> Result<(Vec<(AppointmentId, Place)>, Lists), ComparisonError> {
        let mut lists = Lists::default();
        let calendars = self.searched_calendars(reading, since, &mut lists).await?;
        let mut found = HashSet::new();
        for Sweep { from, of } in sweeps {
            // Nothing of nobody is to be found.
            if of.is_some_and(HashSet::is_empty) {
                continue;
            }
            for calendar in &calendars {
                self.list_if_it_answers(reading, calendar, *from, &mut lists).await?;
            }
            for (appointment, events) in lists.remote.drain() {
                if of.is_none_or(|of| of.contains(&appointment)) {
                    found.extend(events.into_iter().map(|it| (appointment.clone(), (it.calendar, it.event))));
                }
            }
        }
        // Which event of its appointment it was is not known: the first counts for none but itself.
        let place = |(calendar, event)| Place { calendar, event, generation: Generation::FIRST };
        let mut found: Vec<_> = found.into_iter().map(|(appointment, at)| (appointment, place(at))).collect();
        found.sort_by(|(_, one), (_, other)| (&one.calendar, &one.event).cmp(&(&other.calendar, &other.event)));
        Ok((found, lists))
    }

    async fn searched_calendars(
        &self,
        reading: &CalendarReadContext<'_>,
        since: Timestamp,
        lists: &mut Lists,
    ) -> Result<Vec<CalendarId>, ComparisonError> {
        let CalendarReadContext { integration, account, .. } = reading;
        let mut calendars = self.store.searched_calendars(&integration.organisation, account, since).await?;
        calendars.extend(integration.calendar.iter().map(|calendar| calendar.id.clone()));
        calendars.extend(self.calendars_of_account(reading, lists).await?);
        let mut seen = HashSet::new();
        calendars.retain(|calendar| seen.insert(calendar.clone()));
        Ok(calendars)
    }

    /// Whether what was listed is all that will be seen.
    fn search_end(&self, claim: &SearchClaim, lists: &Lists) -> SearchEnd {
        let now = self.clock.now();
        let is_late = claim.asked_at + SEARCH_GIVE_UP_AFTER <= now;
        // No single refusal is believed.
        let is_asked_again = lists.unanswered.is_some() || (lists.is_any_refused && claim.attempts == 0);
        if is_asked_again && !is_late {
            let asked = lists.unanswered.as_ref().and_then(retry_after).flatten();
            return SearchEnd::Again(self.put_off(claim.attempts, asked, now).0);
        }
        if lists.is_partial() {
            tracing::warn!("calendars of an account could not be searched for events that are to be deleted");
            return SearchEnd::Over(AccountSearch::Partial);
        }
        SearchEnd::Over(AccountSearch::Whole)
    }
}
