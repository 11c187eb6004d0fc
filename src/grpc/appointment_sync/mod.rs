//! `AppointmentSync`: the Cassius backend's side.
//!
//! Owns the order of each call: check, ask `delivery`, tell. Never keeps anything between calls, and never decides what
//! happens at Google. Invariant: an answer that says a link stands was given by `delivery` after the appointment was
//! durable.

mod streams;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::context::{ResponseStream, answer, split};
use super::pb::appointment_sync_server::AppointmentSync;
use super::status::Refusal;
use super::{convert, pb, validate};
use crate::delivery::{Delivery, Link, Retry};
use crate::model::{Appointment, OrganisationId};

/// The service `AppointmentSync`.
#[derive(Debug, Clone)]
pub(super) struct Appointments {
    pub(super) delivery: Delivery,
    pub(super) drain: CancellationToken,
}

impl Appointments {
    /// Accepts an appointment; a wait ends early when the service drains, with the link as it stands.
    async fn accept(
        &self,
        organisation: &OrganisationId,
        appointment: Appointment,
        wait: Option<SignedDuration>,
    ) -> Result<Link, Refusal> {
        if wait.is_some() {
            let waited = self.delivery.accept(organisation, appointment.clone(), wait);
            if let Some(link) = self.drain.run_until_cancelled(waited).await {
                return Ok(link?);
            }
        }
        // Accepting the same revision again changes nothing, however far the wait had come.
        Ok(self.delivery.accept(organisation, appointment, None).await?)
    }
}

#[tonic::async_trait]
impl AppointmentSync for Appointments {
    async fn sync_appointment(
        &self,
        request: Request<pb::SyncAppointmentRequest>,
    ) -> Result<Response<pb::SyncAppointmentResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointment, wait) = validate::sync_appointment(&context, &request)?;
            let sent = appointment.revision;
            let link = self.accept(&organisation, appointment, wait).await?;
            Ok(pb::SyncAppointmentResponse { link: Some(convert::accepted(link, sent, context.language)) })
        })
        .await
    }

    type SyncAppointmentsStream = ResponseStream<pb::SyncAppointmentsResponse>;

    async fn sync_appointments(
        &self,
        request: Request<Streaming<pb::SyncAppointmentsRequest>>,
    ) -> Result<Response<Self::SyncAppointmentsStream>, Status> {
        let (context, requests) = split(request);
        Ok(Response::new(streams::sync(self.delivery.clone(), &self.drain, context, requests)))
    }

    type ReconcileAppointmentsStream = ResponseStream<pb::ReconcileAppointmentsResponse>;

    async fn reconcile_appointments(
        &self,
        request: Request<Streaming<pb::ReconcileAppointmentsRequest>>,
    ) -> Result<Response<Self::ReconcileAppointmentsStream>, Status> {
        let (context, requests) = split(request);
        Ok(Response::new(streams::reconcile(self.delivery.clone(), &self.drain, context, requests)))
    }

    async fn get_appointment_link(
        &self,
        request: Request<pb::GetAppointmentLinkRequest>,
    ) -> Result<Response<pb::GetAppointmentLinkResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointment) =
                validate::appointment(&context, &request.organisation_id, &request.appointment_id)?;
            match self.delivery.link(&organisation, &appointment).await? {
                Some(link) => Ok(pb::GetAppointmentLinkResponse { link: Some(convert::link(link, context.language)) }),
                None => Err(Refusal::AppointmentNotFound(vec![appointment])),
            }
        })
        .await
    }

    async fn batch_get_appointment_links(
        &self,
        request: Request<pb::BatchGetAppointmentLinksRequest>,
    ) -> Result<Response<pb::BatchGetAppointmentLinksResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointments) = validate::batch_get_appointment_links(&context, &request)?;
            let links = self.delivery.some_links(&organisation, &appointments).await?;
            let links = links.into_iter().map(|link| convert::link(link, context.language)).collect();
            Ok(pb::BatchGetAppointmentLinksResponse { links })
        })
        .await
    }

    async fn list_appointment_links(
        &self,
        request: Request<pb::ListAppointmentLinksRequest>,
    ) -> Result<Response<pb::ListAppointmentLinksResponse>, Status> {
        answer(request, async |context, request| {
            let validate::ListLinks { organisation, status, page, after } =
                validate::list_appointment_links(&context, &request)?;
            let mut links = self.delivery.links(&organisation, status, after.as_ref(), page.limit().into()).await?;
            Ok(pb::ListAppointmentLinksResponse {
                next_page_token: page.cut(&mut links, |link| link.appointment.to_string()),
                links: links.into_iter().map(|link| convert::link(link, context.language)).collect(),
            })
        })
        .await
    }

    async fn retry_appointments(
        &self,
        request: Request<pb::RetryAppointmentsRequest>,
    ) -> Result<Response<pb::RetryAppointmentsResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointments) = validate::retry_appointments(&context, &request)?;
            match self.delivery.retry(&organisation, appointments.as_deref()).await? {
                Retry::Queued(queued_count) => Ok(pb::RetryAppointmentsResponse { queued_count }),
                Retry::Unknown(unknown) => Err(Refusal::AppointmentNotFound(unknown)),
            }
        })
        .await
    }

    async fn get_appointment_history(
        &self,
        request: Request<pb::GetAppointmentHistoryRequest>,
    ) -> Result<Response<pb::GetAppointmentHistoryResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointment) =
                validate::appointment(&context, &request.organisation_id, &request.appointment_id)?;
            match self.delivery.history(&organisation, &appointment).await? {
                Some(calls) => {
                    let calls = calls.into_iter().map(convert::call).collect();
                    Ok(pb::GetAppointmentHistoryResponse { calls })
                }
                None => Err(Refusal::AppointmentNotFound(vec![appointment])),
            }
        })
        .await
    }

    async fn replace_appointments(
        &self,
        request: Request<Streaming<pb::ReplaceAppointmentsRequest>>,
    ) -> Result<Response<pb::ReplaceAppointmentsResponse>, Status> {
        let (context, requests) = split(request);
        streams::replace(self.delivery.clone(), &self.drain, context, requests).await.map(Response::new)
    }

    async fn erase_appointments(
        &self,
        request: Request<pb::EraseAppointmentsRequest>,
    ) -> Result<Response<pb::EraseAppointmentsResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, appointments) = validate::erase_appointments(&context, &request)?;
            let erased = self.delivery.erase_appointments(&organisation, &appointments).await?;
            Ok(pb::EraseAppointmentsResponse {
                is_done: erased.is_done,
                known_count: convert::count(erased.known),
                remaining_event_count: convert::count(erased.remaining_events),
                search: convert::search(erased.search).into(),
            })
        })
        .await
    }
}
