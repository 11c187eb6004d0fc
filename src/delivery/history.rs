//! What was called at Google for one appointment.

use super::{CallMade, Delivery, Error};
use crate::model::{AppointmentId, OrganisationId};

impl Delivery {
    /// The latest calls, the newest first; `None`: the appointment was never accepted.
    pub async fn history(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Vec<CallMade>>, Error> {
        Ok(self.0.store.recent_calls(organisation, appointment).await?)
    }
}
