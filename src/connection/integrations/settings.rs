//! The settings that a practice may change, and the calendars it may choose from.
//!
//! Owns what a change of settings is checked against. Never moves an event: a new target makes links due, and the
//! worker moves them. Invariant: no calendar is chosen but one of which Google has just said that the account may write
//! to it.

use super::{Integrations, Status};
use crate::connection::Error;
use crate::google::{CalendarAccess, PRIMARY, may_list_calendars};
use crate::model::{Calendar, CalendarId, Change, OrganisationId, TitlePrivacy};
use crate::store::{Integration, SettingsChange};

/// What changes of the settings; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsRequest {
    /// Whether appointments are sent.
    pub is_enabled: Option<bool>,
    /// The id of the target calendar.
    pub calendar: Option<CalendarId>,
    /// How much of an appointment its event shows.
    pub title_privacy: Option<TitlePrivacy>,
}

/// A calendar that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCalendar {
    /// The calendar, with the id by which it may be chosen.
    pub calendar: Calendar,
    /// Whether it is the account's own to share: otherwise somebody else reads what is written there.
    pub is_owned: bool,
}

impl From<CalendarAccess> for OfferedCalendar {
    fn from(access: CalendarAccess) -> Self {
        Self { calendar: access.calendar, is_owned: access.is_owned }
    }
}

/// The calendars that an account may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarList {
    /// The primary one first, then by name.
    pub calendars: Vec<OfferedCalendar>,
    /// Whether the account permitted listing; otherwise the primary one stands alone.
    pub is_permitted: bool,
}

impl Integrations {
    /// The calendars that the account may write to, as Google answered just now.
    pub async fn calendars(&self, organisation: &OrganisationId) -> Result<CalendarList, Error> {
        let integration = self.connected(organisation).await?;
        if integration.problem.is_some() {
            return self.calendars_now(&integration).await;
        }
        let ask = self.calendars_now(&integration);
        self.calendar_lists.kept_or(organisation, integration.epoch, self.clock.elapsed(), ask).await
    }

    async fn calendars_now(&self, integration: &Integration) -> Result<CalendarList, Error> {
        let is_permitted = may_list_calendars(&integration.granted_scopes);
        let calendars = match is_permitted {
            true => {
                let account = integration.google_user_id.as_ref().ok_or(Error::NotConnected)?;
                self.grants.calendars(integration, false, || self.grants.take_read_unit(account)).await?
            }
            false => vec![self.grants.calendar(integration, PRIMARY).await?],
        };
        let calendars = calendars.into_iter().map(OfferedCalendar::from).collect();
        Ok(CalendarList { calendars, is_permitted })
    }

    /// Changes settings; a new calendar is checked with Google first. While nothing is connected, how much events show can
    /// be chosen, and nothing else.
    ///
    /// Switched off, nothing more is claimed: an attempt under way goes on to its end, links that wait stay pending and
    /// due, and what is accepted meanwhile is stored with the status `None`. What is owed waits as well, but for what was
    /// erased, and unless a disconnect deletes; nothing is compared by itself. Switched on again, it catches up.
    pub async fn change_settings(
        &self,
        organisation: &OrganisationId,
        request: SettingsRequest,
    ) -> Result<Status, Error> {
        let SettingsRequest { is_enabled, calendar, title_privacy } = request;
        let (calendar, epoch) = match calendar {
            Some(id) => {
                let integration = self.connected(organisation).await?;
                let access = self.grants.calendar(&integration, id.as_str()).await?;
                if !access.may_write {
                    return Err(Error::CalendarUnavailable);
                }
                (Some(access.calendar), Some(integration.epoch))
            }
            None => (None, None),
        };
        let change = SettingsChange { is_enabled, calendar, epoch, title_privacy };
        self.store.change_settings(organisation, change, self.clock.now()).await?.ok_or(Error::NotConnected)?;
        self.notifier.notify(&Change::Integration(organisation.clone()));
        self.notifier.notify_due();
        self.status(organisation).await
    }
}
