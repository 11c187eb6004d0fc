//! The settings that a practice may change, the calendars it may choose from, and the preview of what is written.

use jiff::{SignedDuration, ToSpan, civil::Time};

use super::{Connections, Error, Status};
use crate::crypto::Secret;
use crate::google::{CalendarAccess, Google, may_list_calendars};
use crate::model::{
    Appointment, AppointmentId, AppointmentState, Calendar, CalendarId, Details, OrganisationId, Revision, Slot,
    TitlePrivacy,
};
use crate::store::{Integration, SettingsChange};
use crate::sync::{Event, EventContext, render};

/// What changes of the settings; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsRequest {
    /// Whether appointments are sent.
    pub is_enabled: Option<bool>,
    /// The id of the target calendar.
    pub calendar: Option<CalendarId>,
    /// How much of the patient's name titles show.
    pub title_privacy: Option<TitlePrivacy>,
}

impl Connections {
    /// The calendars that the account may write to, the primary one first.
    ///
    /// An account that did not permit listing has its primary calendar alone.
    pub async fn calendars(&self, organisation: &OrganisationId) -> Result<Vec<Calendar>, Error> {
        let integration = self.connected(organisation).await?;
        if !may_list_calendars(&integration.granted_scopes) {
            return Ok(vec![self.calendar(&integration, "primary").await?.calendar]);
        }
        self.call_with_token_retry(&integration, |google, token| async move { google.calendars(&token).await }).await
    }

    async fn calendar(&self, integration: &Integration, id: &str) -> Result<CalendarAccess, Error> {
        let google_email = integration.google_email.as_deref().unwrap_or_default();
        let calendar = |google: Google, token: Secret| async move { google.calendar(&token, id, google_email).await };
        self.call_with_token_retry(integration, calendar).await
    }

    /// Changes settings; a new calendar is checked with Google first.
    pub async fn change_settings(
        &self,
        organisation: &OrganisationId,
        request: SettingsRequest,
    ) -> Result<Status, Error> {
        let integration = self.connected(organisation).await?;
        let calendar = match request.calendar {
            Some(id) => {
                let access = self.calendar(&integration, id.as_str()).await?;
                if !access.may_write {
                    return Err(Error::CalendarUnavailable);
                }
                Some(access.calendar)
            }
            None => None,
        };
        let change = SettingsChange { is_enabled: request.is_enabled, calendar, title_privacy: request.title_privacy };
        self.0.store.change_settings(organisation, change, self.0.clock.now()).await?.ok_or(Error::NotConnected)?;
        self.0.notifier.notify_changed(organisation);
        self.0.notifier.notify_due();
        self.status(organisation).await
    }

    /// Renders the event of an appointment (or of a sample) as it would be written; `None`: none would stand.
    pub async fn preview(
        &self,
        organisation: &OrganisationId,
        appointment: Option<Appointment>,
        privacy: Option<TitlePrivacy>,
    ) -> Result<Option<Event>, Error> {
        let privacy = match privacy {
            Some(privacy) => privacy,
            None => self.0.store.integration(organisation).await?.map(|it| it.title_privacy).unwrap_or_default(),
        };
        let appointment = appointment.unwrap_or_else(|| self.sample());
        let context = self.event_context(organisation, privacy);
        Ok(render(&appointment, &context))
    }

    /// What rendering an event of this organisation needs.
    pub fn event_context<'a>(&'a self, organisation: &'a OrganisationId, privacy: TitlePrivacy) -> EventContext<'a> {
        EventContext { organisation, privacy, app_url: self.0.settings.app_url.as_ref() }
    }

    /// An appointment of a made-up patient, tomorrow at half past two.
    fn sample(&self) -> Appointment {
        let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap_or(jiff::tz::TimeZone::UTC);
        let now = self.0.clock.now();
        let day = now.to_zoned(zone.clone()).date().saturating_add(1.day());
        let start_at =
            day.to_datetime(Time::constant(14, 30, 0, 0)).to_zoned(zone).map_or(now, |start| start.timestamp());
        Appointment {
            id: AppointmentId::parse("exemple").expect("the sample's id is well formed"),
            revision: Revision::new(1).expect("1 is greater than 0"),
            state: AppointmentState::Scheduled,
            slot: Some(Slot {
                start_at,
                end_at: start_at + SignedDuration::from_mins(45),
                time_zone: "Europe/Paris".to_owned(),
            }),
            details: Details {
                kind: "Pose d’implant".to_owned(),
                patient_name: "Camille Exemple".to_owned(),
                practitioner_name: "Dr Alex Modèle".to_owned(),
                location: "Cabinet, salle 2".to_owned(),
                url: None,
            },
        }
    }
}
