//! The links of appointments: looked up, compared, tried again.
//!
//! Owns what a link that waits for its integration says of itself. Never changes an appointment. Invariant: what it says so
//! stands in the answer alone, and not in its row.

use jiff::Timestamp;

use super::{Delivery, Error, Inner, Link, LinkError, Retry};
use crate::model::{AppointmentId, Change, OrganisationId, Reason, Revision, SyncStatus};
use crate::store::Integration;

/// An appointment that is held otherwise than its caller has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The appointment's id in Cassius.
    pub appointment: AppointmentId,
    /// The revision that is held; `None`: it is unknown.
    pub held: Option<Revision>,
    /// The revision that the caller has.
    pub asked: Revision,
}

impl Delivery {
    /// The link of one appointment.
    pub async fn link(
        &self,
        organisation: &OrganisationId,
        appointment: &AppointmentId,
    ) -> Result<Option<Link>, Error> {
        let mut link = self.0.store.link(organisation, appointment).await?;
        self.0.explain(organisation, link.as_mut_slice()).await?;
        Ok(link)
    }

    /// The links of those of the given appointments that are known, by appointment id.
    pub async fn some_links(
        &self,
        organisation: &OrganisationId,
        appointments: &[AppointmentId],
    ) -> Result<Vec<Link>, Error> {
        let mut links = self.0.store.some_links(organisation, appointments).await?;
        self.0.explain(organisation, &mut links).await?;
        Ok(links)
    }

    /// Up to `limit` links by appointment id, those after `after`.
    pub async fn links(
        &self,
        organisation: &OrganisationId,
        status: Option<SyncStatus>,
        after: Option<&AppointmentId>,
        limit: i64,
    ) -> Result<Vec<Link>, Error> {
        let mut links = self.0.store.links(organisation, status, after, limit).await?;
        self.0.explain(organisation, &mut links).await?;
        Ok(links)
    }

    /// Those of the given appointments that are unknown, or held at another revision, in the order given.
    pub async fn differing(
        &self,
        organisation: &OrganisationId,
        held: &[(AppointmentId, Revision)],
    ) -> Result<Vec<Differing>, Error> {
        let ids: Vec<_> = held.iter().map(|(id, _)| id.clone()).collect();
        let known = self.0.store.revisions(organisation, &ids).await?;
        let differing = held.iter().map(|(id, revision)| {
            let (appointment, held) = (id.clone(), known.get(id).copied());
            Differing { appointment, held, asked: *revision }
        });
        Ok(differing.filter(|it| it.held != Some(it.asked)).collect())
    }

    /// Tries links again that are refused or wait: those named, or all that are refused.
    pub async fn retry(
        &self,
        organisation: &OrganisationId,
        appointments: Option<&[AppointmentId]>,
    ) -> Result<Retry, Error> {
        let retry = self.0.store.retry(organisation, appointments, self.0.clock.now()).await?;
        self.0.notifier.notify(&Change::Links(organisation.clone()));
        self.0.notifier.notify_due();
        Ok(retry)
    }
}

/// Says that nothing of an organisation is sent.
#[derive(Debug, Clone)]
pub(super) struct Standstill {
    /// The problem of its integration; `None`: the sync is off.
    reason: Option<Reason>,
    /// When it is served again by itself; `None`: when a person acts.
    pub(super) until: Option<Timestamp>,
}

impl Standstill {
    /// Why nothing of an integration is sent at `now`; `None`: it is sent, or is not connected.
    pub(super) fn of(integration: Option<Integration>, now: Timestamp) -> Option<Self> {
        let integration = integration.filter(Integration::is_connected)?;
        match integration.problem {
            Some(problem) if problem.retry_at.is_none_or(|retry_at| retry_at > now) => {
                Some(Self { reason: Some(problem.reason), until: problem.retry_at })
            }
            Some(_) | None => (!integration.is_enabled).then_some(Self { reason: None, until: None }),
        }
    }
}

impl Inner {
    /// Tells of links that wait for their integration why they wait, and that they are not due before it is served again. Of
    /// those that do not read, the log names the column.
    pub(super) async fn explain(&self, organisation: &OrganisationId, links: &mut [Link]) -> Result<(), Error> {
        for link in links.iter() {
            if let Some(LinkError { reason: Reason::Internal, detail: Some(column) }) = &link.last_error {
                tracing::warn!(
                    appointment.id = ?link.appointment.as_str(), column,
                    "a stored value of a link does not read"
                );
            }
        }
        if !links.iter().any(|link| link.sync_status == SyncStatus::Pending) {
            return Ok(());
        }
        if let Some(standstill) = self.standstill(organisation).await? {
            for link in links.iter_mut().filter(|link| link.sync_status == SyncStatus::Pending) {
                let error = standstill.reason.map(|reason| LinkError { reason, detail: None });
                link.last_error = error.or(link.last_error.take());
                link.next_attempt_at = standstill.until;
            }
        }
        Ok(())
    }
}
