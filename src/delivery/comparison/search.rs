//! The search for what is to be deleted and stands where nothing says so: a person has moved it.
//!
//! Owns what is looked for, and when a search is over. Never deletes an event: what it finds is owed, and the worker
//! deletes it. A calendar that does not answer is asked again as long as a disconnect tries to delete; one that
//! refuses, once more. What is not seen by then is told. Invariant: what is found is owed before the search is over, so
//! that one which is broken off is merely made again.
//!
//! It sees the calendars where something of the organisation is known to stand, and those that the list of the account
//! shows and that it may write to; an event there by the private properties that name its organisation and its
//! appointment: one that another program took them from is not found. Whatever the disconnect keeps is left: with
//! `DELETE_UPCOMING`, what ended before, unless a person moved the event of an upcoming appointment to a day that is
//! over.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::listing::Lists;
use super::{CalendarReadContext, ComparisonError, LINKS, ReadLease, retry_after};
use crate::delivery::Inner;
use crate::model::{AccountSearch, AppointmentId, CalendarId, Change, Generation, Place, RemoteEvents};
use crate::store::{self, Guarded, Integration, SearchClaim, SearchEnd, Searched};

/// How long it is asked for what does not answer: as long as a disconnect tries to delete.
const SEARCH_GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What one list of each calendar is for.
struct Sweep<'a> {
    /// Events that end after that; `None`: all.
    from: Option<Timestamp>,
    of: Whose<'a>,
}

/// Whose events a list is for.
#[derive(Clone, Copy)]
enum Whose<'a> {
    All,
    /// Those of these appointments.
    These(&'a HashSet<AppointmentId>),
    /// Those of these appointments, and of all that are not over.
    TheseAndUpcoming(&'a HashSet<AppointmentId>),
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
        let all_erased = Sweep { from: None, of: Whose::These(&of_erased) };
        let sweeps = match disconnect {
            Some(RemoteEvents::Keep) => return Err(ComparisonError::Fenced),
            Some(RemoteEvents::DeleteAll) => vec![Sweep { from: None, of: Whose::All }],
            Some(RemoteEvents::DeleteUpcoming) => vec![
                Sweep { from: Some(since), of: Whose::All },
                Sweep { from: None, of: Whose::TheseAndUpcoming(&of_erased) },
            ],
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
            if matches!(of, Whose::These(these) if these.is_empty()) {
                continue;
            }
            for calendar in &calendars {
                self.list_if_it_answers(reading, calendar, *from, &mut lists).await?;
            }
            let listed = std::mem::take(&mut lists.remote);
            let wanted = self.wanted_of(reading, *of, listed.keys().cloned().collect(), since).await?;
            for (appointment, events) in listed.into_iter().filter(|(appointment, _)| wanted.contains(appointment)) {
                found.extend(events.into_iter().map(|it| (appointment.clone(), (it.calendar, it.event))));
            }
        }
        // Which event of its appointment it was is not known: the first counts for none but itself.
        let place = |(calendar, event)| Place { calendar, event, generation: Generation::FIRST };
        let mut found: Vec<_> = found.into_iter().map(|(appointment, at)| (appointment, place(at))).collect();
        found.sort_by(|(_, one), (_, other)| (&one.calendar, &one.event).cmp(&(&other.calendar, &other.event)));
        Ok((found, lists))
    }

    /// Those of these appointments whose events are wanted.
    async fn wanted_of(
        &self,
        reading: &CalendarReadContext<'_>,
        of: Whose<'_>,
        appointments: Vec<AppointmentId>,
        since: Timestamp,
    ) -> Result<HashSet<AppointmentId>, ComparisonError> {
        let (these, is_upcoming_wanted) = match of {
            Whose::All => return Ok(appointments.into_iter().collect()),
            Whose::These(these) => (these, false),
            Whose::TheseAndUpcoming(these) => (these, true),
        };
        let (wanted, rest): (Vec<_>, Vec<_>) = appointments.into_iter().partition(|it| these.contains(it));
        let mut wanted: HashSet<_> = wanted.into_iter().collect();
        for some in rest.chunks(LINKS).filter(|_| is_upcoming_wanted) {
            let links = self.store.links_of(&reading.integration.organisation, some).await?;
            let upcoming = links.into_iter().filter(|link| link.ends_at.is_some_and(|end| end > since));
            wanted.extend(upcoming.map(|link| link.appointment));
        }
        Ok(wanted)
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
