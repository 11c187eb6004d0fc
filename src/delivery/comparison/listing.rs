//! The lists that a comparison reads.
//!
//! Owns which calendars are listed, and the quota and the lease of each call. Never judges what it reads. Invariant: the
//! target is listed first, and is compared whatever another calendar answers.

use std::collections::HashSet;

use jiff::Timestamp;

use super::findings::{Listed, Remote};
use super::{Broken, Comparison, LEASE, retry_after};
use crate::connection;
use crate::crypto::Secret;
use crate::delivery::Inner;
use crate::google::{Google, may_list_calendars};
use crate::model::CalendarId;
use crate::store::Guarded;

/// No calendar has 250,000 upcoming events; a list that does not end is cut.
const MOST_PAGES: usize = 100;
/// How many calendars of the account are listed beside those that hold events of ours, or did.
const MOST_OTHERS: usize = 8;

/// What was listed.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) remote: Remote,
    /// The calendars that were listed to their end.
    pub(super) whole: HashSet<CalendarId>,
    /// Whether a calendar of the account was left out.
    pub(super) is_partial: bool,
    /// Why one was left out that may answer later.
    pub(super) unanswered: Option<connection::Error>,
}

impl Lists {
    /// Leaves out what Google did not answer of another calendar than the target: `None`.
    fn unless_left_out<T>(&mut self, answer: Result<T, Broken>) -> Result<Option<T>, Broken> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(Broken::Google(error)) => error,
            Err(broken @ (Broken::Fenced | Broken::Store(_))) => return Err(broken),
        };
        self.is_partial = true;
        if retry_after(&error).is_some() {
            self.unanswered = self.unanswered.take().or(Some(error));
        }
        Ok(None)
    }
}

impl Inner {
    /// Lists the events of the organisation wherever they may stand. A calendar that is out of reach, or that does not
    /// answer, is left out, unless it is the target.
    pub(super) async fn list(&self, comparison: &Comparison<'_>, since: Timestamp) -> Result<Lists, Broken> {
        let mut lists = Lists::default();
        self.list_calendar(comparison, comparison.target, since, &mut lists).await?;
        for calendar in self.others(comparison, since, &mut lists).await? {
            let answer = self.list_calendar(comparison, &calendar, since, &mut lists).await;
            lists.unless_left_out(answer)?;
        }
        Ok(lists)
    }

    /// Where else than in the target events of ours may stand: where links and owed deletions say, and in the account's
    /// other calendars, since a person may have moved one there.
    async fn others(
        &self,
        comparison: &Comparison<'_>,
        since: Timestamp,
        lists: &mut Lists,
    ) -> Result<Vec<CalendarId>, Broken> {
        let integration = comparison.integration;
        let mut calendars = self.store.compared_calendars(&integration.organisation, since).await?;
        calendars.retain(|calendar| calendar != comparison.target);
        if !may_list_calendars(&integration.granted_scopes) {
            lists.is_partial = true;
            return Ok(calendars);
        }
        self.take_unit(comparison).await?;
        let list = |google: Google, token: Secret| async move { google.calendars(&token).await };
        let answer = self.grants.call_with_token_retry(integration, list).await.map_err(Broken::Google);
        let all = lists.unless_left_out(answer)?.unwrap_or_default();
        let is_new = |id: &CalendarId| id != comparison.target && !calendars.contains(id);
        let mut more: Vec<_> = all.into_iter().map(|access| access.calendar.id).filter(is_new).collect();
        lists.is_partial |= more.len() > MOST_OTHERS;
        more.truncate(MOST_OTHERS);
        calendars.extend(more);
        Ok(calendars)
    }

    async fn list_calendar(
        &self,
        comparison: &Comparison<'_>,
        calendar: &CalendarId,
        since: Timestamp,
        lists: &mut Lists,
    ) -> Result<(), Broken> {
        let integration = comparison.integration;
        let mut page_token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            self.take_unit(comparison).await?;
            let list = |google: Google, token: Secret| {
                let (calendar, organisation) = (calendar.clone(), integration.organisation.clone());
                let page_token = page_token.clone();
                async move { google.list_events(&token, &calendar, &organisation, since, page_token.as_deref()).await }
            };
            let page = self.grants.call_with_token_retry(integration, list).await.map_err(Broken::Google)?;
            if !page.may_write && calendar == comparison.target {
                return Err(Broken::Google(connection::Error::CalendarUnavailable));
            }
            for event in page.events {
                let listed = Listed {
                    calendar: calendar.clone(),
                    event: event.event,
                    etag: event.etag,
                    revision: event.revision,
                    shown: event.shown,
                };
                lists.remote.entry(event.owner.appointment).or_default().push(listed);
            }
            page_token = page.next_page_token;
            if page_token.is_none() {
                lists.whole.insert(calendar.clone());
                return Ok(());
            }
        }
        Err(Broken::Google(connection::Error::GoogleUnavailable { retry_after: None }))
    }

    /// Waits for a unit of quota, and makes sure that the lease outlives the call.
    pub(super) async fn take_unit(&self, comparison: &Comparison<'_>) -> Result<(), Broken> {
        // What is dropped is spent: a permit stands for one call.
        let Some(claim) = comparison.claim else {
            let _spent = self.quota.take(comparison.account, 1).await;
            return Ok(());
        };
        let _spent = self.quota.take_in_background(comparison.account).await;
        match self.store.renew_comparison(claim, self.clock.now() + LEASE).await? {
            Guarded::Done => Ok(()),
            Guarded::Fenced => Err(Broken::Fenced),
        }
    }
}
