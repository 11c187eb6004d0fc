//! Requests to send again: changed settings, catch-ups, retries.
//!
//! Owns what a person can change of the settings, and how many links a request is said to reach. Never sends anything:
//! it makes links due, and the worker sends them. Invariant: while nothing is connected, no request makes a link due.

use jiff::Timestamp;

use super::wish::Wish;
use super::{Error, Integration, Store};
use crate::model::{AppointmentId, Calendar, Epoch, OrganisationId, TitlePrivacy};

/// What changes of the settings; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Whether appointments are sent.
    pub is_enabled: Option<bool>,
    /// The target calendar.
    pub calendar: Option<Calendar>,
    /// The epoch in which the calendar was seen to take writes: in another one, another account may be connected. `None`:
    /// whichever it is.
    pub epoch: Option<Epoch>,
    /// How much of an appointment its event shows.
    pub title_privacy: Option<TitlePrivacy>,
}

/// What a request to retry came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// So many links are due now.
    Queued(i32),
    /// These appointments are unknown; nothing was queued.
    Unknown(Vec<AppointmentId>),
}

impl Store {
    /// Changes settings, and answers the integration as it stands then. While nothing is connected, the privacy alone can be
    /// set: `None`, and nothing is changed, where anything else is to be, or where the epoch is another one.
    ///
    /// Another calendar or another privacy queues every upcoming link that has an event or is pending, as a catch-up; so
    /// does enabling, of what [`Store::catch_up`] queues. A tighter privacy also queues what is over, as long as it has its
    /// snapshot. While nothing is connected, the links rest instead, and the next connection queues them.
    /// Where there are many links, the first of them have it at once, and the others in parts: see [`Store::reach`].
    /// A calendar that is chosen, even the same one again, also clears the problem `CalendarUnavailable`.
    pub async fn change_settings(
        &self,
        organisation: &OrganisationId,
        change: SettingsChange,
        now: Timestamp,
    ) -> Result<Option<Integration>, Error> {
        let (whose, size) = (organisation.clone(), self.links_at_once);
        let changed = query!(self, long, requests::change_settings(&whose, change, size, now))?;
        self.count_unreached(organisation, Wish::Retell, now).await;
        Ok(changed)
    }

    /// Makes links due now: those named that are refused or pending, or all that are refused. Queues none where nothing
    /// is connected.
    pub async fn retry(
        &self,
        organisation: &OrganisationId,
        appointments: Option<&[AppointmentId]>,
        now: Timestamp,
    ) -> Result<Retry, Error> {
        let (whose, appointments, size) = (organisation.clone(), appointments.map(<[_]>::to_vec), self.links_at_once);
        match query!(self, long, requests::retry(&whose, appointments, size, now))? {
            (Retry::Queued(queued), true) => {
                let rest = self.count_unreached(organisation, Wish::Retry, now).await;
                Ok(Retry::Queued(queued.saturating_add(rest)))
            }
            (retry, _) => Ok(retry),
        }
    }

    /// Makes due now what was never sent, was refused or waits for another attempt, and what is upcoming with its event in
    /// another calendar than the target; answers how many links that are, whether they were reached by now or will be
    /// later. They join the catch-up that is under way, or begin one. Queues none where nothing is connected.
    pub async fn catch_up(&self, organisation: &OrganisationId, now: Timestamp) -> Result<i32, Error> {
        let (whose, size) = (organisation.clone(), self.links_at_once);
        let (queued, has_rest) = query!(self, long, requests::catch_up(&whose, size, now))?;
        let rest = self.count_unreached(organisation, Wish::CatchUp, now).await;
        // What is under way since before is not queued now.
        Ok(queued.saturating_add(if has_rest { rest } else { 0 }))
    }
}
