//! The lists that a comparison and a search read.
//!
//! Owns which calendars are listed, and the quota and the lease of each call. Never judges what it reads. Invariant: the
//! target of a comparison is listed first, and is compared whatever another calendar answers.

use std::collections::HashSet;

use jiff::Timestamp;

use super::findings::{Listed, Remote};
use super::{CalendarReadContext, Comparison, ComparisonError, LEASE, ReadLease, retry_after};
use crate::connection::ReadError;
use crate::crypto::Secret;
use crate::delivery::Inner;
use crate::google::{Google, may_list_calendars};
use crate::model::CalendarId;
use crate::store::Guarded;

/// No calendar has 250,000 upcoming events; a list that does not end is no list.
const MOST_PAGES: usize = 100;
/// How many calendars of the account a comparison lists beside those that hold events of ours, or did; unless an event has
/// vanished.
const MOST_OTHERS: usize = 8;
/// No account has so many calendars; the rest is left out.
const MOST_CALENDARS: usize = 250;

/// What was listed.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) remote: Remote,
    /// Events that a person moved to a day that is over, or may have: those of upcoming appointments alone count.
    pub(super) over: Remote,
    /// The calendars that were asked for, the target first.
    asked: Vec<CalendarId>,
    /// The calendars that were listed to their end.
    pub(super) whole: HashSet<CalendarId>,
    /// The calendars whose turn it is not.
    pub(super) left_over: Vec<CalendarId>,
    /// Whether a calendar of the account was left out for another reason, or the account does not say which it has.
    is_any_left_out: bool,
    /// Whether one refused what will be refused again.
    pub(super) is_any_refused: bool,
    /// Why one was left out that may answer later.
    pub(super) unanswered: Option<ReadError>,
}

impl Lists {
    /// Whether a calendar of the account was left out, as far as that is known.
    pub(super) fn is_partial(&self) -> bool {
        self.is_any_left_out || !self.left_over.is_empty()
    }

    /// Leaves out of what may be over what the other lists show.
    fn leave_out_what_is_upcoming(&mut self) {
        for (appointment, events) in &mut self.over {
            let upcoming = self.remote.get(appointment).map_or(&[][..], Vec::as_slice);
            let is_upcoming = |event: &Listed| {
                upcoming.iter().any(|other| (&other.calendar, &other.event) == (&event.calendar, &event.event))
            };
            events.retain(|event| !is_upcoming(event));
        }
        self.over.retain(|_, events| !events.is_empty());
    }

    /// Leaves out what Google did not answer: `None`.
    pub(super) fn unless_left_out<T>(
        &mut self,
        answer: Result<T, ComparisonError>,
    ) -> Result<Option<T>, ComparisonError> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(ComparisonError::Google(error)) => error,
            Err(other @ (ComparisonError::Fenced | ComparisonError::Store(_))) => return Err(other),
        };
        self.is_any_left_out = true;
        match retry_after(&error) {
            Some(_) => self.unanswered = self.unanswered.take().or(Some(error)),
            None => self.is_any_refused = true,
        }
        Ok(None)
    }
}

impl Inner {
    /// Lists the events of the organisation wherever they may stand. A calendar that is out of reach, or that does not
    /// answer, is left out, unless it is the target.
    pub(super) async fn list(&self, comparison: &Comparison<'_>, since: Timestamp) -> Result<Lists, ComparisonError> {
        let mut lists = Lists::default();
        if !self.list_calendar(&comparison.reading, comparison.target, Some(since), &mut lists).await? {
            return Err(ComparisonError::Google(ReadError::CalendarUnavailable));
        }
        lists.asked.push(comparison.target.clone());
        for calendar in self.others(comparison, since, &mut lists).await? {
            self.list_if_it_answers(&comparison.reading, &calendar, Some(since), &mut lists).await?;
            lists.asked.push(calendar);
        }
        Ok(lists)
    }

    /// Lists what a person may have moved anywhere: those calendars too whose turn it was not, and all days. The target too,
    /// since it may have been another calendar when the event was moved there.
    pub(super) async fn list_everywhere(
        &self,
        reading: &CalendarReadContext<'_>,
        since: Timestamp,
        lists: &mut Lists,
    ) -> Result<(), ComparisonError> {
        for calendar in std::mem::take(&mut lists.left_over) {
            self.list_if_it_answers(reading, &calendar, Some(since), lists).await?;
            lists.asked.push(calendar);
        }
        let upcoming = std::mem::take(&mut lists.remote);
        for calendar in lists.asked.clone() {
            self.list_if_it_answers(reading, &calendar, None, lists).await?;
        }
        lists.over = std::mem::replace(&mut lists.remote, upcoming);
        lists.leave_out_what_is_upcoming();
        Ok(())
    }

    /// Where else than in the target events of ours may stand: where links and owed deletions say, and in the account's
    /// other calendars, since a person may have moved one there; of these it is the turn of a few.
    async fn others(
        &self,
        comparison: &Comparison<'_>,
        since: Timestamp,
        lists: &mut Lists,
    ) -> Result<Vec<CalendarId>, ComparisonError> {
        let Comparison { reading, target } = comparison;
        let mut calendars = self.store.compared_calendars(&reading.integration.organisation, since).await?;
        calendars.retain(|calendar| calendar != *target);
        let all = self.calendars_of_account(reading, lists).await?;
        let is_new = |id: &CalendarId| id != *target && !calendars.contains(id);
        let mut more: Vec<_> = all.into_iter().filter(is_new).collect();
        if more.len() > MOST_OTHERS {
            let round = usize::try_from(reading.integration.compare_round).unwrap_or(0);
            let turn = round.wrapping_mul(MOST_OTHERS) % more.len();
            more.rotate_left(turn);
            lists.left_over = more.split_off(MOST_OTHERS);
        }
        calendars.extend(more);
        Ok(calendars)
    }

    /// The calendars that the account's list shows and that it may write to.
    pub(super) async fn calendars_of_account(
        &self,
        reading: &CalendarReadContext<'_>,
        lists: &mut Lists,
    ) -> Result<Vec<CalendarId>, ComparisonError> {
        if !may_list_calendars(&reading.integration.granted_scopes) {
            lists.is_any_left_out = true;
            return Ok(Vec::new());
        }
        let answer = self.grants.calendars(reading.integration, true, || self.take_unit(reading)).await;
        let mut all = lists.unless_left_out(answer)?.unwrap_or_default();
        lists.is_any_left_out |= all.len() > MOST_CALENDARS;
        all.truncate(MOST_CALENDARS);
        Ok(all.into_iter().map(|access| access.calendar.id).collect())
    }

    /// The same as [`Inner::list_calendar`] of one that is left out where Google does not answer.
    pub(super) async fn list_if_it_answers(
        &self,
        reading: &CalendarReadContext<'_>,
        calendar: &CalendarId,
        from: Option<Timestamp>,
        lists: &mut Lists,
    ) -> Result<(), ComparisonError> {
        let answer = self.list_calendar(reading, calendar, from, lists).await;
        lists.unless_left_out(answer).map(drop)
    }

    /// Lists a calendar, and answers whether the account may write to it.
    async fn list_calendar(
        &self,
        reading: &CalendarReadContext<'_>,
        calendar: &CalendarId,
        from: Option<Timestamp>,
        lists: &mut Lists,
    ) -> Result<bool, ComparisonError> {
        let integration = reading.integration;
        let mut page_token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let list = |google: Google, token: Secret| {
                let (calendar, organisation) = (calendar.clone(), integration.organisation.clone());
                let (google_email, page_token) = (integration.google_email.clone(), page_token.clone());
                async move {
                    let (asks, page) = (google_email.as_deref(), page_token.as_deref());
                    google.list_events(&token, &calendar, &organisation, asks, from, page).await
                }
            };
            let page = self.grants.call_with_token_retry(integration, || self.take_unit(reading), list).await?;
            for event in page.events {
                let listed = Listed {
                    calendar: calendar.clone(),
                    event: event.event,
                    etag: event.etag,
                    created_at: event.created_at,
                    revision: event.revision,
                    shown: event.shown,
                };
                lists.remote.entry(event.owner.appointment).or_default().push(listed);
            }
            page_token = page.next_page_token;
            if page_token.is_none() {
                lists.whole.insert(calendar.clone());
                return Ok(page.may_write);
            }
        }
        Err(ComparisonError::Google(ReadError::GoogleUnavailable { retry_after: None }))
    }

    /// Waits for a unit of quota, and makes sure that the lease outlives the request that it is for.
    pub(super) async fn take_unit(&self, reading: &CalendarReadContext<'_>) -> Result<(), ComparisonError> {
        // What is dropped is spent: a permit stands for one call.
        let _spent = match reading.lease {
            // Somebody may wait for the disconnect that it is the last of.
            ReadLease::None | ReadLease::Search(_) => self.quota.take(reading.account, 1).await,
            ReadLease::Comparison(_) => self.quota.take_in_background(reading.account).await,
        };
        let until = self.clock.now() + LEASE;
        let renewed = match reading.lease {
            ReadLease::None => Guarded::Done,
            ReadLease::Comparison(claim) => self.store.renew_comparison(claim, until).await?,
            ReadLease::Search(claim) => self.store.renew_search(claim, until).await?,
        };
        match renewed {
            Guarded::Done => Ok(()),
            Guarded::Fenced => Err(ComparisonError::Fenced),
        }
    }
}
