//! `CalendarIntegration`: the settings pages' side.
//!
//! Owns the order of each call: check, ask `connection` (or `delivery` for what is rendered, compared or caught up), tell.
//! Never keeps anything between calls. Invariant: no answer holds a token of Google; the ticket of `BeginConnect` is in
//! its answer alone.

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::context::{RequestContext, ResponseStream, answer, split};
use super::pb::calendar_integration_server::CalendarIntegration;
use super::status::Refusal;
use super::{convert, pb, validate};
use crate::connection::{self, Audit, Consents, Error};
use crate::delivery::Delivery;
use crate::model::OrganisationId;

/// The service `CalendarIntegration`.
#[derive(Debug, Clone)]
pub(super) struct Integrations {
    pub(super) consents: Consents,
    pub(super) integrations: connection::Integrations,
    pub(super) delivery: Delivery,
    pub(super) audit: Audit,
    pub(super) drain: CancellationToken,
}

impl Integrations {
    async fn read_status(
        &self,
        context: &RequestContext,
        organisation: &OrganisationId,
    ) -> Result<pb::IntegrationStatus, Refusal> {
        Ok(convert::status(self.integrations.status(organisation).await?, context.language))
    }
}

#[tonic::async_trait]
impl CalendarIntegration for Integrations {
    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        answer(request, async |context, request| {
            let organisation = validate::organisation(&context, &request.organisation_id)?;
            Ok(pb::GetStatusResponse { status: Some(self.read_status(&context, &organisation).await?) })
        })
        .await
    }

    type WatchStatusStream = ResponseStream<pb::WatchStatusResponse>;

    async fn watch_status(
        &self,
        request: Request<pb::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let (context, request) = split(request);
        let organisation =
            validate::organisation(&context, &request.organisation_id).map_err(|refusal| context.refuse(refusal))?;
        let teller = context.clone();
        let watched = self.integrations.watch(&organisation).map_err(|error| context.refuse(error.into()))?;
        let told = watched.map(move |status| match status {
            Ok(status) => Ok(pb::WatchStatusResponse { status: Some(convert::status(status, teller.language)) }),
            Err(error) => Err(teller.refuse(error.into())),
        });
        Ok(Response::new(context.guarded(context.until_drained(told, &self.drain))))
    }

    async fn begin_connect(
        &self,
        request: Request<pb::BeginConnectRequest>,
    ) -> Result<Response<pb::BeginConnectResponse>, Status> {
        answer(request, async |context, request| {
            let validate::ConsentRequest { organisation, return_url, practice } =
                validate::begin_connect(&context, &request)?;
            Ok(convert::consent_start(self.consents.begin(&organisation, return_url.as_deref(), practice).await?))
        })
        .await
    }

    async fn confirm_account(
        &self,
        request: Request<pb::ConfirmAccountRequest>,
    ) -> Result<Response<pb::ConfirmAccountResponse>, Status> {
        answer(request, async |context, request| {
            let organisation = validate::organisation(&context, &request.organisation_id)?;
            self.consents.confirm_account(&organisation, request.accept).await?;
            Ok(pb::ConfirmAccountResponse { status: Some(self.read_status(&context, &organisation).await?) })
        })
        .await
    }

    async fn list_calendars(
        &self,
        request: Request<pb::ListCalendarsRequest>,
    ) -> Result<Response<pb::ListCalendarsResponse>, Status> {
        answer(request, async |context, request| {
            let organisation = validate::organisation(&context, &request.organisation_id)?;
            let list = self.integrations.calendars(&organisation).await?;
            Ok(pb::ListCalendarsResponse {
                calendars: list.calendars.into_iter().map(convert::offered_calendar).collect(),
                is_list_permitted: list.is_permitted,
            })
        })
        .await
    }

    async fn update_settings(
        &self,
        request: Request<pb::UpdateSettingsRequest>,
    ) -> Result<Response<pb::UpdateSettingsResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, change) = validate::update_settings(&context, &request)?;
            let status = self.integrations.change_settings(&organisation, change).await?;
            Ok(pb::UpdateSettingsResponse { status: Some(convert::status(status, context.language)) })
        })
        .await
    }

    async fn preview_event(
        &self,
        request: Request<pb::PreviewEventRequest>,
    ) -> Result<Response<pb::PreviewEventResponse>, Status> {
        answer(request, async |context, request| {
            let validate::Preview { organisation, appointment, privacy } = validate::preview_event(&context, &request)?;
            let event = self.delivery.preview(&organisation, appointment, privacy).await?;
            Ok(pb::PreviewEventResponse { event: event.map(convert::event) })
        })
        .await
    }

    async fn sync_now(&self, request: Request<pb::SyncNowRequest>) -> Result<Response<pb::SyncNowResponse>, Status> {
        answer(request, async |context, request| {
            let organisation = validate::organisation(&context, &request.organisation_id)?;
            let counted = match request.dry_run {
                true => convert::comparison(self.delivery.count_differences(&organisation).await?),
                false => {
                    let queued_count = self.delivery.sync_now(&organisation).await?;
                    pb::SyncNowResponse { queued_count, ..pb::SyncNowResponse::default() }
                }
            };
            Ok(pb::SyncNowResponse { status: Some(self.read_status(&context, &organisation).await?), ..counted })
        })
        .await
    }

    async fn disconnect(
        &self,
        request: Request<pb::DisconnectRequest>,
    ) -> Result<Response<pb::DisconnectResponse>, Status> {
        answer(request, async |context, request| {
            let (organisation, remote_events) = validate::disconnect(&context, &request)?;
            let disconnected = self.integrations.disconnect(&organisation, remote_events).await?;
            Ok(pb::DisconnectResponse {
                status: Some(self.read_status(&context, &organisation).await?),
                deleted_event_count: convert::count(disconnected.deleted_events),
                remaining_event_count: convert::count(disconnected.remaining_events),
                grant_end: convert::grant_end(disconnected.grant_end).into(),
                search: convert::search(disconnected.search).into(),
            })
        })
        .await
    }

    async fn list_integrations(
        &self,
        request: Request<pb::ListIntegrationsRequest>,
    ) -> Result<Response<pb::ListIntegrationsResponse>, Status> {
        answer(request, async |context, request| {
            let validate::ListIntegrations { filter, page, after } = validate::list_integrations(&context, &request)?;
            let mut listed =
                self.integrations.list(&filter, after.as_ref(), page.limit().into()).await.map_err(Error::Store)?;
            Ok(pb::ListIntegrationsResponse {
                next_page_token: page.cut(&mut listed, |it| it.organisation.to_string()),
                integrations: listed.into_iter().map(|it| convert::overview(it, context.language)).collect(),
            })
        })
        .await
    }

    async fn erase_organisation(
        &self,
        request: Request<pb::EraseOrganisationRequest>,
    ) -> Result<Response<pb::EraseOrganisationResponse>, Status> {
        answer(request, async |context, request| {
            let organisation = validate::organisation(&context, &request.organisation_id)?;
            let erasure = self.integrations.erase(&organisation, request.leave_events).await?;
            Ok(pb::EraseOrganisationResponse {
                is_done: erasure.is_done,
                remaining_event_count: convert::count(erasure.remaining_events),
                search: convert::search(erasure.search).into(),
            })
        })
        .await
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        answer(request, async |context, request| {
            let validate::ListAuditEvents { organisation, page, after } =
                validate::list_audit_events(&context, &request)?;
            let found = self.audit.events(organisation, context.visible(), after, page.limit().into()).await;
            let mut events = found.map_err(Error::Store)?;
            Ok(pb::ListAuditEventsResponse {
                next_page_token: page.cut(&mut events, validate::audit_key),
                events: events.into_iter().map(convert::audit_event).collect(),
            })
        })
        .await
    }

    type WatchProblemsStream = ResponseStream<pb::WatchProblemsResponse>;

    async fn watch_problems(
        &self,
        request: Request<pb::WatchProblemsRequest>,
    ) -> Result<Response<Self::WatchProblemsStream>, Status> {
        let (context, _) = split(request);
        let teller = context.clone();
        let watched = self.integrations.watch_problems(context.visible());
        let told = watched.map_err(|error| context.refuse(error.into()))?.map(move |notice| match notice {
            Ok(notice) => Ok(convert::problem_notice(notice, teller.language)),
            Err(error) => Err(teller.refuse(Error::Store(error).into())),
        });
        Ok(Response::new(context.guarded(context.until_drained(told, &self.drain))))
    }
}
