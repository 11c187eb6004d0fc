//! Appointments on their way to Google.
//!
//! Owns the intake, the catch-up, the worker that brings each link in step, and the pace at which Google is called.
//! Never decides what to call (that is `sync`), never speaks gRPC.
//!
//! Invariant: what was accepted is durable before the answer, and stays due until Google shows it, refuses it for good,
//! or a person has to act.

use jiff::SignedDuration;

use crate::connection;
use crate::model::{Appointment, AppointmentId, OrganisationId, Revision, SyncStatus};
pub use crate::store::{Link, LinkError, Retry};

/// The intake and the standing of appointments. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Delivery;

impl Delivery {
    /// Accepts an appointment durably, and answers its link; with `wait`, once Google has it or the time is up.
    pub async fn accept(
        &self,
        _organisation: &OrganisationId,
        _appointment: Appointment,
        _wait: Option<SignedDuration>,
    ) -> Result<Link, connection::Error> {
        unimplemented!()
    }

    /// The link of one appointment.
    pub async fn link(
        &self,
        _organisation: &OrganisationId,
        _appointment: &AppointmentId,
    ) -> Result<Option<Link>, connection::Error> {
        unimplemented!()
    }

    /// Up to `limit` links by appointment id, those after `after`.
    pub async fn links(
        &self,
        _organisation: &OrganisationId,
        _status: Option<SyncStatus>,
        _after: Option<&AppointmentId>,
        _limit: i64,
    ) -> Result<Vec<Link>, connection::Error> {
        unimplemented!()
    }

    /// Those of the given appointments that are unknown (`None`) or held at an older revision, in the order given.
    pub async fn lacking(
        &self,
        _organisation: &OrganisationId,
        _held: &[(AppointmentId, Revision)],
    ) -> Result<Vec<(AppointmentId, Option<Revision>)>, connection::Error> {
        unimplemented!()
    }

    /// Tries links again that are refused or wait: those named, or all that are refused.
    pub async fn retry(
        &self,
        _organisation: &OrganisationId,
        _appointments: Option<&[AppointmentId]>,
    ) -> Result<Retry, connection::Error> {
        unimplemented!()
    }

    /// Catches up, and answers how many links it queued; 0 where a catch-up is under way.
    pub async fn sync_now(&self, _organisation: &OrganisationId) -> Result<i32, connection::Error> {
        unimplemented!()
    }
}
