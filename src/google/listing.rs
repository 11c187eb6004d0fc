//! The events that Cassius wrote to a calendar, listed.
//!
//! Owns how they are asked for, and which of the entries of a page are events of an appointment: deleted ones are not, nor
//! are single instances of an event that its user made repeat. Never writes. Invariant: what is listed says itself whose it
//! is, and names the organisation that was asked for.

use http::Method;
use jiff::Timestamp;

use super::Google;
use super::calendar::{bare, may_write, read};
use super::errors::CalendarError;
use super::event::{ORGANISATION, owner, revision, shown};
use super::wire::{EventsPage, ListedEvent, address};
use crate::crypto::Secret;
use crate::model::{CalendarId, Etag, EventId, OrganisationId};
use crate::sync::{RemoteEvent, Shown};

const FIELDS: &str = "accessRole,nextPageToken,items(id,etag,status,created,summary,description,location,start/dateTime,end/dateTime,\
                      source/url,visibility,recurringEventId,creator/email,extendedProperties/private)";
/// The most that Google puts on one page.
const PAGE: &str = "2500";
const UNREADABLE: CalendarError = CalendarError::Unavailable { retry_after: None };

/// A page of events. It may be short, or empty, with more behind it.
#[derive(Debug)]
pub struct EventPage {
    /// The events of appointments.
    pub events: Vec<RemoteEvent>,
    /// Asks for the page behind this one; `None`: this is the last.
    pub next_page_token: Option<String>,
    /// Whether the account may write to the calendar, as far as Google says.
    pub may_write: bool,
}

impl Google {
    /// The live events of `organisation` in a calendar, one page a call: those that end after `from`; `None`: all of them.
    /// `google_email` is who asks, as far as it is known: a source is told to who created the event alone.
    pub async fn list_events(
        &self,
        access_token: &Secret,
        calendar: &CalendarId,
        organisation: &OrganisationId,
        google_email: Option<&str>,
        from: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<EventPage, CalendarError> {
        let property = format!("{ORGANISATION}={organisation}");
        let from = from.map(|from| from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let mut query = vec![
            ("privateExtendedProperty", property.as_str()),
            ("showDeleted", "false"),
            ("maxResults", PAGE),
            ("fields", FIELDS),
            ("prettyPrint", "false"),
        ];
        query.extend(from.as_deref().map(|from| ("timeMin", from)));
        query.extend(page_token.map(|token| ("pageToken", token)));
        let segments = ["calendars", calendar.as_str(), "events"];
        let uri = address(&self.client.endpoints.calendar_url, &segments, &query);
        let answer = self.ask(access_token, "events.list", bare(Method::GET, uri)).await?;
        let page: EventsPage = read(&answer).ok_or(UNREADABLE)?;
        let events = page.items.into_iter().filter_map(|listed| of_appointment(listed, google_email));
        Ok(EventPage {
            events: events.filter(|event| event.owner.organisation == *organisation).collect(),
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
            may_write: page.access_role.is_none_or(|role| may_write(&role)),
        })
    }
}

fn of_appointment(listed: ListedEvent, google_email: Option<&str>) -> Option<RemoteEvent> {
    if listed.status.as_deref() == Some("cancelled") || listed.recurring_event_id.is_some() {
        return None;
    }
    let creator = listed.creator.as_ref().and_then(|creator| creator.email.as_deref());
    let is_source_told = creator.zip(google_email).is_some_and(|(creator, asks)| creator.eq_ignore_ascii_case(asks));
    Some(RemoteEvent {
        event: EventId::new(listed.id.clone()),
        etag: Etag::new(listed.etag.clone()?),
        created_at: listed.created.as_deref().and_then(|at| at.parse().ok()),
        revision: revision(listed.extended_properties.as_ref()),
        owner: owner(listed.extended_properties.as_ref())?,
        shown: Shown { is_source_told, ..shown(listed) },
    })
}
