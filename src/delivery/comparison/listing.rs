//! The lists that a comparison reads.
//!
//! Owns which calendars are listed, and the quota and the lease of each call. Never judges what it reads.

use std::collections::HashSet;

use jiff::Timestamp;

use super::findings::{Listed, Remote};
use super::{Broken, Comparison, LEASE};
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

impl Inner {
    /// Lists the events of the organisation wherever they may stand; answers also which calendars were listed. One that
    /// is out of reach is passed by, unless it is the target.
    pub(super) async fn list(
        &self,
        comparison: &Comparison<'_>,
        since: Timestamp,
    ) -> Result<(Remote, HashSet<CalendarId>), Broken> {
        let calendars = self.calendars(comparison, since).await?;
        let (mut remote, mut listed) = (Remote::new(), HashSet::new());
        for calendar in calendars {
            match self.list_calendar(comparison, &calendar, since, &mut remote).await {
                Ok(()) => {
                    listed.insert(calendar);
                }
                Err(Broken::Google(connection::Error::CalendarUnavailable)) if calendar != *comparison.target => {}
                Err(broken) => return Err(broken),
            }
        }
        Ok((remote, listed))
    }

    /// Where events of ours may stand: in the target, where links and owed deletions say, and in the account's other
    /// calendars, since a person may have moved one there.
    async fn calendars(&self, comparison: &Comparison<'_>, since: Timestamp) -> Result<Vec<CalendarId>, Broken> {
        let integration = comparison.integration;
        let mut calendars = self.store.compared_calendars(&integration.organisation, since).await?;
        if !calendars.contains(comparison.target) {
            calendars.push(comparison.target.clone());
        }
        if !may_list_calendars(&integration.granted_scopes) {
            return Ok(calendars);
        }
        self.take_unit(comparison).await?;
        let list = |google: Google, token: Secret| async move { google.calendars(&token).await };
        let all = self.grants.call_with_token_retry(integration, list).await.map_err(Broken::Google)?;
        let others: Vec<_> =
            all.into_iter().map(|access| access.calendar.id).filter(|id| !calendars.contains(id)).collect();
        calendars.extend(others.into_iter().take(MOST_OTHERS));
        Ok(calendars)
    }

    async fn list_calendar(
        &self,
        comparison: &Comparison<'_>,
        calendar: &CalendarId,
        since: Timestamp,
        remote: &mut Remote,
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
            for event in page.events {
                let listed = Listed {
                    calendar: calendar.clone(),
                    event: event.event,
                    etag: event.etag,
                    revision: event.revision,
                    shown: event.shown,
                };
                remote.entry(event.owner.appointment).or_default().push(listed);
            }
            page_token = page.next_page_token;
            if page_token.is_none() {
                return Ok(());
            }
        }
        Err(Broken::Google(connection::Error::GoogleUnavailable { retry_after: None }))
    }

    /// Waits for a unit of quota, and makes sure that the lease outlives the call.
    async fn take_unit(&self, comparison: &Comparison<'_>) -> Result<(), Broken> {
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
