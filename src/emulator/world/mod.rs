//! Everything Google remembers: accounts, calendars, events and grants.
//!
//! Owns the rows and how they relate. It never decides who may see them. Invariant: an account has exactly one primary
//! calendar, whose id is its e-mail, and an event id, once taken in a calendar, stays taken.

mod event;
mod grant;
mod sample;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use event::{Event, Moment, Origin};
pub(crate) use grant::{AccessToken, Challenge, Code, Grant, Grants};
pub(crate) use sample::samples;

/// A JSON object.
pub(crate) type Object = serde_json::Map<String, Value>;

/// The whole of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) calendars: BTreeMap<String, Calendar>,
    pub(crate) grants: Grants,
    etags: u64,
}

/// A Google account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) name: String,
    /// Its lasting id, `sub` in an id token.
    pub(crate) sub: String,
    /// Its Workspace domain.
    pub(crate) hosted_domain: Option<String>,
    /// Writes are refused with `quotaExceeded`.
    pub(crate) read_only: bool,
    /// Its calendar list, the primary one first.
    pub(crate) list: Vec<ListEntry>,
}

/// A calendar as it stands in one account's list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ListEntry {
    pub(crate) calendar_id: String,
    pub(crate) access_role: AccessRole,
    pub(crate) primary: bool,
    pub(crate) summary_override: Option<String>,
    pub(crate) background_color: String,
    pub(crate) etag: u64,
}

/// What an account may do with a calendar, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub(crate) enum AccessRole {
    FreeBusyReader,
    Reader,
    Writer,
    Owner,
}

impl AccessRole {
    /// Google's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A calendar with every event it ever held.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calendar {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) time_zone: String,
    /// Made through the API, and so open to the scope `calendar.app.created`.
    pub(crate) app_created: bool,
    pub(crate) etag: u64,
    pub(crate) events: BTreeMap<String, Event>,
}

impl Calendar {
    /// Its zone; names are checked on the way in.
    pub(crate) fn zone(&self) -> TimeZone {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// As `calendars.get` answers it.
    pub(crate) fn resource(&self) -> Value {
        json!({
            "kind": "calendar#calendar",
            "etag": quoted(self.etag),
            "id": self.id,
            "summary": self.summary,
            "timeZone": self.time_zone,
            "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        })
    }
}

impl ListEntry {
    /// As `calendarList` answers it.
    pub(crate) fn resource(&self, calendar: &Calendar) -> Value {
        let mut entry = json!({
            "kind": "calendar#calendarListEntry",
            "etag": quoted(self.etag),
            "id": calendar.id,
            "summary": calendar.summary,
            "timeZone": calendar.time_zone,
            "colorId": "14",
            "backgroundColor": self.background_color,
            "foregroundColor": "#000000",
            "selected": true,
            "accessRole": self.access_role,
            "defaultReminders": [],
            "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        });
        if let Some(summary) = &self.summary_override {
            entry["summaryOverride"] = json!(summary);
        }
        if self.primary {
            entry["primary"] = json!(true);
        }
        entry
    }
}

impl World {
    /// The next etag; none is ever given twice.
    pub(crate) fn next_etag(&mut self) -> u64 {
        self.etags += 1;
        3_400_000_000_000_000 + self.etags * 2_000
    }

    /// `calendar_id` with the alias `primary` resolved.
    pub(crate) fn resolve<'a>(account: &'a str, calendar_id: &'a str) -> &'a str {
        if calendar_id == "primary" { account } else { calendar_id }
    }

    /// Adds a calendar to an account's list, and the calendar itself where it is new.
    pub(crate) fn add_calendar(&mut self, email: &str, calendar: NewCalendar) {
        let etag = self.next_etag();
        let Some(account) = self.accounts.get_mut(email) else { return };
        account.list.retain(|entry| entry.calendar_id != calendar.id);
        account.list.push(ListEntry {
            calendar_id: calendar.id.clone(),
            access_role: calendar.access_role,
            primary: calendar.id == email,
            summary_override: None,
            background_color: calendar.background_color,
            etag,
        });
        self.calendars.entry(calendar.id.clone()).or_insert_with(|| Calendar {
            id: calendar.id,
            summary: calendar.summary,
            time_zone: calendar.time_zone,
            app_created: calendar.app_created,
            etag,
            events: BTreeMap::new(),
        });
    }

    /// Takes a calendar from everybody; whether it was there.
    pub(crate) fn remove_calendar(&mut self, calendar_id: &str) -> bool {
        for account in self.accounts.values_mut() {
            account.list.retain(|entry| entry.calendar_id != calendar_id);
        }
        self.calendars.remove(calendar_id).is_some()
    }

    /// Adds an account with its primary calendar.
    pub(crate) fn add_account(&mut self, email: &str, name: &str, sub: String, time_zone: &str) {
        let hosted_domain =
            email.split_once('@').map(|(_, domain)| domain.to_owned()).filter(|domain| domain != "gmail.com");
        let account = Account {
            email: email.to_owned(),
            name: name.to_owned(),
            sub,
            hosted_domain,
            read_only: false,
            list: Vec::new(),
        };
        self.accounts.insert(email.to_owned(), account);
        self.add_calendar(
            email,
            NewCalendar {
                id: email.to_owned(),
                summary: email.to_owned(),
                time_zone: time_zone.to_owned(),
                access_role: AccessRole::Owner,
                background_color: "#9fe1e7".to_owned(),
                app_created: false,
            },
        );
    }
}

/// A calendar to add.
#[derive(Debug)]
pub(crate) struct NewCalendar {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) time_zone: String,
    pub(crate) access_role: AccessRole,
    pub(crate) background_color: String,
    pub(crate) app_created: bool,
}

/// An etag as it travels.
pub(crate) fn quoted(etag: u64) -> String {
    format!("\"{etag}\"")
}

/// The zones as compiled in, whatever the system has installed.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of an IANA name, spelt exactly as IANA does.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name).ok().filter(|zone| zone.iana_name() == Some(name))
}
