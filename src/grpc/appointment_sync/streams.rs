//! The two streams of `AppointmentSync`.
//!
//! Both read no faster than they answer, so that HTTP/2 holds the caller back. When the service drains they take no
//! further request, answer those they have taken, and end with a status that tells the caller to open them again.

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::delivery::Delivery;
use crate::grpc::context::{RequestContext, ResponseStream};
use crate::grpc::status::Refusal;
use crate::grpc::{convert, pb, validate};
use crate::model::{AppointmentId, OrganisationId, Revision};

use pb::sync_appointments_response::Result as Outcome;

/// How many accepts are under way at once: enough for them to be committed together, few enough to hold in memory.
const IN_FLIGHT: usize = 256;
/// How many appointments one lookup compares.
const BATCH: usize = 500;

type Inbound<T> = Result<T, Status>;

/// ResponseStream each request in order: with its link, or with why it was not accepted.
pub(super) fn sync(
    delivery: Delivery,
    drain: &CancellationToken,
    context: RequestContext,
    requests: impl Stream<Item = Inbound<pb::SyncAppointmentsRequest>> + Send + 'static,
) -> ResponseStream<pb::SyncAppointmentsResponse> {
    let accepting = context.clone().of_stream();
    let answers = taken(requests, drain, &context)
        .map(move |request| accept_one(delivery.clone(), accepting.clone(), request))
        .buffered(IN_FLIGHT);
    context.guarded(answers)
}

async fn accept_one(
    delivery: Delivery,
    context: RequestContext,
    request: Inbound<pb::SyncAppointmentsRequest>,
) -> Inbound<pb::SyncAppointmentsResponse> {
    let pb::SyncAppointmentsRequest { organisation_id, appointment } = request?;
    let request = pb::SyncAppointmentRequest { organisation_id, appointment, wait: None };
    let accepted = async {
        let (organisation, appointment, _) = validate::sync_appointment(&context, &request)?;
        Ok(delivery.accept(&organisation, appointment, None).await?)
    };
    let result = match accepted.await {
        Ok(link) => Outcome::Link(convert::link(link, context.language)),
        Err(refusal) => {
            let refusal: Refusal = refusal;
            Outcome::Rejection(refusal.into_rejection(context.language).map_err(|refusal| context.refuse(refusal))?)
        }
    };
    Ok(pb::SyncAppointmentsResponse { result: Some(result) })
}

/// ResponseStream the appointments that the service lacks or holds older, a lookup for whatever has arrived.
pub(super) fn reconcile(
    delivery: Delivery,
    drain: &CancellationToken,
    context: RequestContext,
    requests: impl Stream<Item = Inbound<pb::ReconcileAppointmentsRequest>> + Send + 'static,
) -> ResponseStream<pb::ReconcileAppointmentsResponse> {
    let comparing = context.clone().of_stream();
    let answers = taken(requests, drain, &context)
        .ready_chunks(BATCH)
        .then(move |batch| compare(delivery.clone(), comparing.clone(), batch))
        .flat_map(stream::iter);
    context.guarded(answers)
}

/// What a batch lacks, and the status that ends the stream if one of its messages is at fault: those before it are
/// answered all the same.
async fn compare(
    delivery: Delivery,
    context: RequestContext,
    batch: Vec<Inbound<pb::ReconcileAppointmentsRequest>>,
) -> Vec<Inbound<pb::ReconcileAppointmentsResponse>> {
    let mut asked: Vec<(OrganisationId, Vec<(AppointmentId, Revision)>)> = Vec::new();
    let mut fault = None;
    for request in batch {
        let checked =
            request.and_then(|request| validate::reconcile(&context, &request).map_err(|r| context.refuse(r)));
        match checked {
            Ok((organisation, appointment, revision)) => match asked.last_mut() {
                Some((last, held)) if *last == organisation => held.push((appointment, revision)),
                _ => asked.push((organisation, vec![(appointment, revision)])),
            },
            Err(status) => {
                fault = Some(status);
                break;
            }
        }
    }
    let mut answers = Vec::new();
    for (organisation, held) in asked {
        match delivery.missing_or_stale(&organisation, &held).await {
            Ok(missing_or_stale) => answers.extend(missing_or_stale.into_iter().map(|(appointment, held)| {
                Ok(pb::ReconcileAppointmentsResponse {
                    organisation_id: organisation.to_string(),
                    appointment_id: appointment.to_string(),
                    held_revision: held.map(Revision::number).unwrap_or_default(),
                })
            })),
            Err(error) => {
                answers.push(Err(context.refuse(error.into())));
                return answers;
            }
        }
    }
    answers.extend(fault.map(Err));
    answers
}

/// The requests until the service drains, then the status that says so.
fn taken<T: Send + 'static>(
    requests: impl Stream<Item = Inbound<T>> + Send + 'static,
    drain: &CancellationToken,
    context: &RequestContext,
) -> impl Stream<Item = Inbound<T>> + Send + 'static {
    let reader = context.clone();
    let requests = requests.map(move |request| request.map_err(|status| reader.unreadable(status)));
    context.until_drained(requests, drain)
}
