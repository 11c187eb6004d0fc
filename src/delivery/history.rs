//! What was called at Google for one appointment.
//!
//! Owns the question alone: the store keeps the calls. Never tells anything of the appointment itself. Invariant: the
//! newest call comes first.

use super::{CallMade, Delivery, Error};
use crate::model::{AppointmentId, OrganisationId};

impl Delivery {
    /// The latest calls, the newest first; `None`: the appointment was never accepted, or was erased.
    pub async fn history(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Vec<CallMade>>, Error> {
        Ok(self.0.store.recent_calls(organisation, appointment).await?)
    }
}
