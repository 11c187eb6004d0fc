//! The event as it would be written, for the settings pages.
//!
//! Owns what rendering needs beside the appointment, and the sample. Never stores what it is shown, and never calls
//! Google. Invariant: what renders the event that is written, and in the same context, renders the one that is shown.

use jiff::{SignedDuration, ToSpan, civil::Time};

use super::{Delivery, Error, Inner};
use crate::model::{
    Appointment, AppointmentId, AppointmentState, Details, OrganisationId, Revision, Slot, TitlePrivacy, zone,
};
use crate::sync::{Event, EventContext, render};

impl Inner {
    /// What rendering an event of this organisation needs.
    pub(super) fn event_context<'a>(
        &'a self,
        organisation: &'a OrganisationId,
        privacy: TitlePrivacy,
    ) -> EventContext<'a> {
        EventContext { organisation, privacy, app_url: self.app_url.as_ref() }
    }
}

impl Delivery {
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
        let context = self.0.event_context(organisation, privacy);
        Ok(render(&appointment, &context))
    }

    /// An appointment of a made-up patient, tomorrow at half past two.
    fn sample(&self) -> Appointment {
        let zone = zone("Europe/Paris").unwrap_or(jiff::tz::TimeZone::UTC);
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
