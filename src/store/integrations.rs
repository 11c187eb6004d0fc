//! Integrations: looked up, and what is wrong with one noted.
//!
//! Owns against what a problem is held before it is noted: the epoch, and the target calendar that it was found in. Never
//! clears a problem. Invariant: nothing is written over what is graver.

use jiff::Timestamp;

use super::{Error, Guarded, Integration, Store};
use crate::model::{CalendarId, Epoch, OrganisationId, Problem};

impl Store {
    /// The integration of `organisation`, if it ever had one.
    pub async fn integration(&self, organisation: &OrganisationId) -> Result<Option<Integration>, Error> {
        let organisation = organisation.clone();
        query!(self, read, integrations::integration(&organisation))
    }

    /// Notes what is wrong; keeps `since_at` where the same reason is noted already. Fenced also where something graver
    /// is noted, or a longer wait.
    pub async fn note_problem(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (organisation, problem) = (organisation.clone(), problem.clone());
        query!(self, write, integrations::note_problem(&organisation, epoch, &problem, None, now))
    }

    /// The same, of a target calendar: fenced also where another one was chosen since.
    pub async fn note_problem_of_calendar(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        problem: &Problem,
        calendar: &CalendarId,
        now: Timestamp,
    ) -> Result<Guarded, Error> {
        let (organisation, problem, calendar) = (organisation.clone(), problem.clone(), calendar.clone());
        query!(self, write, integrations::note_problem(&organisation, epoch, &problem, Some(&calendar), now))
    }
}
