//! The streams of `AppointmentSync`.
//!
//! Owns how many requests of a stream are under way at once, and how a stream ends. When the service drains, the
//! streams take no further request, answer those they have taken, and end with a status that tells the caller to open
//! them again. Never decides what becomes of an appointment: `delivery` does. Invariant: a stream is read no faster
//! than it is answered, or stored, so that HTTP/2 holds the caller back.

use std::collections::HashSet;

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::delivery::{Delivery, Replacement};
use crate::grpc::context::{RequestContext, ResponseStream};
use crate::grpc::status::Refusal;
use crate::grpc::{convert, pb, validate};
use crate::model::{Appointment, AppointmentId, OrganisationId, Revision};
use crate::traces;

use pb::sync_appointments_response::Result as Outcome;

/// How many accepts are under way at once: enough for them to be committed together, few enough to hold in memory.
const IN_FLIGHT: usize = 256;
/// How many appointments one lookup compares.
const BATCH: usize = 500;

type Inbound<T> = Result<T, Status>;

/// Answers each request in order: with its link, or with why it was not accepted.
pub(super) fn sync(
    delivery: Delivery,
    drain: &CancellationToken,
    context: RequestContext,
    requests: impl Stream<Item = Inbound<pb::SyncAppointmentsRequest>> + Send + 'static,
) -> ResponseStream<pb::SyncAppointmentsResponse> {
    let accepting = context.clone().of_stream();
    // The requests of the stream are read once the call has been answered with it.
    let traced = traces::Span::current();
    let answers = taken(requests, drain, &context)
        .map(move |request| {
            let (delivery, context, traced) = (delivery.clone(), accepting.clone(), traced.clone());
            async move { traced.within(accept_one(delivery, context, request)).await }
        })
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
        let sent = appointment.revision;
        Ok((delivery.accept(&organisation, appointment, None).await?, sent))
    };
    let result = match accepted.await {
        Ok((link, sent)) => Outcome::Link(convert::accepted(link, sent, context.language)),
        Err(refusal) => {
            let refusal: Refusal = refusal;
            Outcome::Rejection(refusal.into_rejection(context.language).map_err(|refusal| context.refuse(refusal))?)
        }
    };
    Ok(pb::SyncAppointmentsResponse { result: Some(result) })
}

/// Answers the appointments that the service lacks or holds at another revision, a lookup for whatever has arrived.
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
        match delivery.differing(&organisation, &held).await {
            Ok(differing) => {
                answers.extend(differing.into_iter().map(|it| Ok(convert::differing(&organisation, &it))));
            }
            Err(error) => {
                answers.push(Err(context.refuse(error.into())));
                return answers;
            }
        }
    }
    answers.extend(fault.map(Err));
    answers
}

/// What a replacement has come to.
struct Replacing {
    delivery: Delivery,
    context: RequestContext,
    under_way: Option<(OrganisationId, Replacement)>,
    /// What was taken over: what is sent twice is one appointment.
    taken: HashSet<AppointmentId>,
}

/// Takes over the appointments of a whole organisation, and erases the others once the caller has said that these were all.
pub(super) async fn replace(
    delivery: Delivery,
    drain: &CancellationToken,
    context: RequestContext,
    requests: impl Stream<Item = Inbound<pb::ReplaceAppointmentsRequest>> + Send + 'static,
) -> Inbound<pb::ReplaceAppointmentsResponse> {
    let requests = taken(requests, drain, &context).ready_chunks(BATCH);
    let mut requests = std::pin::pin!(requests);
    let mut replacing = Replacing { delivery, context: context.clone(), under_way: None, taken: HashSet::new() };
    while let Some(batch) = requests.next().await {
        let ended = replacing.take(batch).await;
        if let Some(response) = ended.map_err(|failure| *failure)? {
            return Ok(response);
        }
    }
    Err(context.refuse(validate::replacement_without_end()))
}

impl Replacing {
    /// Checks a request; the first one begins the replacement.
    fn check(&mut self, request: Inbound<pb::ReplaceAppointmentsRequest>) -> Result<validate::Replaced, Box<Status>> {
        let before = self.under_way.as_ref().map(|(organisation, _)| organisation);
        let (organisation, part) =
            validate::replacement(&self.context, &request?, before).map_err(|it| self.refuse(it))?;
        if self.under_way.is_none() {
            let replacement = self.delivery.begin_replacement(&organisation);
            self.under_way = Some((organisation, replacement));
        }
        Ok(part)
    }

    /// Takes a batch over; answers once the end has come.
    async fn take(
        &mut self,
        batch: Vec<Inbound<pb::ReplaceAppointmentsRequest>>,
    ) -> Result<Option<pb::ReplaceAppointmentsResponse>, Box<Status>> {
        let mut appointments: Vec<Appointment> = Vec::with_capacity(batch.len());
        let (mut end, mut fault) = (None, None);
        for request in batch {
            match self.check(request) {
                Ok(validate::Replaced::Appointment(appointment)) => appointments.push(*appointment),
                Ok(validate::Replaced::End(count)) => {
                    end = Some(count);
                    break;
                }
                // What came before it is taken over all the same.
                Err(status) => {
                    fault = Some(status);
                    break;
                }
            }
        }
        self.taken.extend(appointments.iter().map(|appointment| appointment.id.clone()));
        if let Some((_, replacement)) = &self.under_way {
            let replaced = self.delivery.replace(replacement, &appointments).await;
            replaced.map_err(|error| self.refuse(error.into()))?;
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        let Some(count) = end else { return Ok(None) };
        if usize::try_from(count) != Ok(self.taken.len()) {
            return Err(self.refuse(validate::replacement_of_another_count()));
        }
        let Some((_, replacement)) = self.under_way.take() else { return Ok(None) };
        let erased = self.delivery.end_replacement(replacement).await.map_err(|error| self.refuse(error.into()))?;
        Ok(Some(pb::ReplaceAppointmentsResponse { appointment_count: count, erased_count: convert::count(erased) }))
    }

    fn refuse(&self, refusal: Refusal) -> Box<Status> {
        Box::new(self.context.refuse(refusal))
    }
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
