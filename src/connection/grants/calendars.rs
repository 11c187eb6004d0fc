//! The calendars of a connected account, as Google answers them now.
//!
//! Owns in how many requests they are read: a list page by page, and a calendar by its events where the account did not
//! permit its list to be read. Never keeps what it read. Invariant: each request takes its unit first.

use super::{Error, Grants, ReadError};
use crate::crypto::Secret;
use crate::google::{CalendarAccess, Google, in_order};
use crate::store::Integration;

/// No account has 10,000 calendars; a list that does not end is cut.
const MAX_PAGES: usize = 40;

impl Grants {
    /// The calendars that the account may write to: the primary one first, then by name; `shows_hidden`: those too that it
    /// hides. Wants the list scope. `take_unit` is what each request takes.
    pub async fn calendars<E, Taking>(
        &self,
        integration: &Integration,
        shows_hidden: bool,
        take_unit: impl Fn() -> Taking,
    ) -> Result<Vec<CalendarAccess>, E>
    where
        E: From<ReadError>,
        Taking: Future<Output = Result<(), E>> + Send,
    {
        let mut calendars = Vec::new();
        let mut page_token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let list = |google: Google, token: Secret| {
                let page_token = page_token.clone();
                async move { google.calendars(&token, shows_hidden, page_token.as_deref()).await }
            };
            let page = self.call_with_token_retry(integration, &take_unit, list).await?;
            calendars.extend(page.calendars);
            page_token = page.next_page_token;
            if page_token.is_none() {
                break;
            }
        }
        Ok(in_order(calendars))
    }

    /// One calendar, by its id or as `primary`, with its real id.
    pub(in crate::connection) async fn calendar(
        &self,
        integration: &Integration,
        id: &str,
    ) -> Result<CalendarAccess, Error> {
        let account = integration.google_user_id.as_ref().ok_or(Error::NotConnected)?;
        let take_unit = || self.take_read_unit(account);
        let get = |google: Google, token: Secret| async move { google.calendar(&token, id).await };
        if let Some(access) = self.call_with_token_retry(integration, take_unit, get).await? {
            return Ok(access);
        }
        let google_email = integration.google_email.as_deref().unwrap_or_default();
        let by_events =
            |google: Google, token: Secret| async move { google.calendar_by_events(&token, id, google_email).await };
        self.call_with_token_retry(integration, take_unit, by_events).await
    }
}
