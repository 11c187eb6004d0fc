//! Owed deletions: events that may stand at Google and are no longer wanted there.
//!
//! Owns how a caller has them owed or parked. Never deletes an event, and never leases one. Invariant: a row ends when
//! Google has said that the event is gone, when a link wants exactly that event again, or when the organisation is
//! forgotten or erased without it.

use jiff::Timestamp;

use super::{Error, OwedCause, Store};
use crate::model::{AppointmentId, CalendarId, Epoch, GoogleUserId, OrganisationId, Place};

impl Store {
    /// Owes the deletion of these events of `account`, due now. One that is owed already is due again.
    pub async fn owe(
        &self,
        organisation: &OrganisationId,
        account: &GoogleUserId,
        events: &[(AppointmentId, Place)],
        cause: OwedCause,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, account, events) = (organisation.clone(), account.clone(), events.to_vec());
        query!(self, long, owed::owe(&organisation, &account, &events, cause, now))
    }

    /// Parks whatever is owed in a calendar that the account of this epoch cannot write to.
    pub async fn park_calendar(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        calendar: &CalendarId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (organisation, calendar) = (organisation.clone(), calendar.clone());
        query!(self, write, owed::park_calendar(&organisation, epoch, &calendar, now))
    }
}
