//! The calendars of an account.
//!
//! Owns the reading of the calendar list, and the way around it where the account did not allow it. Never writes, and never
//! decides to go on: who asks pays for each request.
//!
//! Invariant: a method makes one request, and a calendar that comes from here has its real id, never the alias `primary`.

use std::cmp::Reverse;

use http::Method;

use super::Google;
use super::calendar::{bare, may_write, read};
use super::errors::CalendarError;
use super::wire::{CalendarEntry, CalendarPage, EventsAnswer, address};
use crate::crypto::Secret;
use crate::model::{Calendar, CalendarId};

/// The alias by which Google knows the main calendar of the account that asks.
pub const PRIMARY: &str = "primary";
/// The role of those who may share a calendar.
const OWNER: &str = "owner";
const ENTRY_FIELDS: &str = "id,summary,summaryOverride,primary,accessRole,timeZone,backgroundColor,deleted";
/// A calendar, and what the account may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarAccess {
    /// The calendar as the account's list names it.
    pub calendar: Calendar,
    /// Whether the account may write events to it.
    pub may_write: bool,
    /// Whether the account may share it: otherwise it is somebody else's.
    pub is_owned: bool,
}

/// A page of the calendar list. It may be short, or empty, with more behind it.
#[derive(Debug)]
pub struct CalendarListPage {
    /// Those that the account may write to, in Google's order.
    pub calendars: Vec<CalendarAccess>,
    /// Asks for the page behind this one; `None`: this is the last.
    pub next_page_token: Option<String>,
}

/// Calendars as they are shown: the primary one first, then by name.
pub fn in_order(mut calendars: Vec<CalendarAccess>) -> Vec<CalendarAccess> {
    calendars.sort_by_cached_key(|CalendarAccess { calendar, .. }| {
        (Reverse(calendar.is_primary), calendar.name.to_lowercase(), calendar.id.clone())
    });
    calendars
}

impl Google {
    /// The calendars that the account may write to, one page a call; `shows_hidden`: those too that it hides. Wants the list
    /// scope.
    pub async fn calendars(
        &self,
        access_token: &Secret,
        shows_hidden: bool,
        page_token: Option<&str>,
    ) -> Result<CalendarListPage, CalendarError> {
        let fields = format!("nextPageToken,items({ENTRY_FIELDS})");
        let mut query = vec![
            ("minAccessRole", "writer"),
            ("showHidden", if shows_hidden { "true" } else { "false" }),
            ("maxResults", "250"),
            ("fields", fields.as_str()),
            ("prettyPrint", "false"),
        ];
        query.extend(page_token.map(|token| ("pageToken", token)));
        let uri = address(&self.client.endpoints.calendar_url, &["users", "me", "calendarList"], &query);
        let answer = self.ask(access_token, "calendarList.list", bare(Method::GET, uri)).await?;
        let page: CalendarPage = read(&answer).ok_or(UNREADABLE)?;
        let accessible = page.items.into_iter().filter(|entry| entry.deleted != Some(true)).map(access);
        Ok(CalendarListPage {
            calendars: accessible.filter(|access| access.may_write).collect(),
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
        })
    }

    /// One calendar, by its id or as `primary`. `None`: without the list scope Google does not show it;
    /// [`Google::calendar_by_events`] does.
    pub async fn calendar(&self, access_token: &Secret, id: &str) -> Result<Option<CalendarAccess>, CalendarError> {
        let query = [("fields", ENTRY_FIELDS), ("prettyPrint", "false")];
        let uri = address(&self.client.endpoints.calendar_url, &["users", "me", "calendarList", id], &query);
        match self.ask(access_token, "calendarList.get", bare(Method::GET, uri)).await.map_err(CalendarError::from) {
            Ok(answer) => match read::<CalendarEntry>(&answer) {
                Some(entry) if entry.deleted == Some(true) => Err(CalendarError::NotFound),
                Some(entry) => Ok(Some(access(entry))),
                None => Err(UNREADABLE),
            },
            Err(CalendarError::ScopeMissing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same without the list scope.
    ///
    /// Google does not say then what `primary` stands for; the primary calendar's id is the account's e-mail, so that
    /// `google_email` is asked for in its place, and what comes back is proven to be there. Name and colour are what a list
    /// of events can tell.
    pub async fn calendar_by_events(
        &self,
        access_token: &Secret,
        id: &str,
        google_email: &str,
    ) -> Result<CalendarAccess, CalendarError> {
        let id = if id == PRIMARY { google_email } else { id };
        let query = [("maxResults", "1"), ("fields", "accessRole,summary,timeZone"), ("prettyPrint", "false")];
        let uri = address(&self.client.endpoints.calendar_url, &["calendars", id, "events"], &query);
        let answer = self.ask(access_token, "events.list", bare(Method::GET, uri)).await?;
        let events: EventsAnswer = read(&answer).ok_or(UNREADABLE)?;
        let role = events.access_role.ok_or(UNREADABLE)?;
        let calendar = Calendar {
            id: CalendarId::new(id),
            name: events.summary.unwrap_or_else(|| id.to_owned()),
            time_zone: events.time_zone.unwrap_or_default(),
            color: String::new(),
            is_primary: id == google_email,
        };
        Ok(CalendarAccess { calendar, may_write: may_write(&role), is_owned: role == OWNER })
    }
}

const UNREADABLE: CalendarError = CalendarError::Unavailable { retry_after: None };

fn access(entry: CalendarEntry) -> CalendarAccess {
    let may_write = entry.access_role.as_deref().is_some_and(may_write);
    let is_owned = entry.access_role.as_deref() == Some(OWNER);
    let name = entry.summary_override.or(entry.summary).filter(|name| !name.is_empty());
    let calendar = Calendar {
        name: name.unwrap_or_else(|| entry.id.clone()),
        id: CalendarId::new(entry.id),
        time_zone: entry.time_zone.unwrap_or_default(),
        color: entry.background_color.unwrap_or_default(),
        is_primary: entry.primary == Some(true),
    };
    CalendarAccess { calendar, may_write, is_owned }
}
