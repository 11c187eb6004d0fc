//! How appointments are handed in: one after the other, or many at a time.
//!
//! Owns what is noted of those that go one after the other: when Google had each, and what that cost. Invariant: what is
//! asked besides, of the service or of its database, is asked before or after.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Context as _, ensure};
use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus};
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;

use crate::Stage;
use crate::samples::{appointment, request, since, times};
use crate::service::Service;

/// What came of appointments that were handed in one after the other.
pub(crate) struct Edits {
    /// From the start of the RPC to Google's answer.
    pub(crate) events: Histogram<u64>,
    /// From the start of the call to Google's answer.
    pub(crate) latencies: Histogram<u64>,
    /// From the start of the RPC to its answer, once Google has the event.
    pub(crate) answers: Histogram<u64>,
    /// What each cost the service, in milliseconds of a processor.
    pub(crate) service_ms: f64,
    /// What each cost the server of the database.
    pub(crate) server_ms: f64,
}

impl Edits {
    /// Hands in these appointments of `organisation`, each once Google has the one before, and `pause` before each.
    pub(crate) async fn one_by_one(
        stage: &Stage,
        service: &Service,
        organisation: &str,
        numbers: Range<u32>,
        mut pause: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        stage.google.forget_calls().await?;
        let mut client = service.appointments.clone();
        let (mut events, mut latencies, mut answers) = (times()?, times()?, times()?);
        let mut started = HashMap::new();
        let count = f64::from(numbers.end - numbers.start);
        let (by_service, by_server) = (service.spent_seconds()?, service.database.spent_seconds()?);
        for number in numbers {
            pause()?;
            let id = format!("rdv-{number}");
            let request = delivered(request(organisation, appointment(&id, 1, "Camille Exemple")));
            let start = stage.clock.now();
            let link = client.sync_appointment(request).await?.into_inner().link.context("an answer without a link")?;
            answers.record(since(start, stage.clock.now()))?;
            ensure!(link.sync_status() == SyncStatus::Synced, "{id} was not synced within its wait");
            started.insert(id, start);
        }
        let each_ms = |before: f64, after: f64| (after - before) * 1_000.0 / count;
        let service_ms = each_ms(by_service, service.spent_seconds()?);
        let server_ms = each_ms(by_server, service.database.spent_seconds()?);
        for call in stage.google.calls().await? {
            let start = call.appointment().and_then(|id| started.get(id)).context("a call that nobody asked for")?;
            let end = call.ended_at.context("a call without an end")?;
            events.record(since(*start, end))?;
            latencies.record(since(call.started_at, end))?;
        }
        Ok(Self { events, latencies, answers, service_ms, server_ms })
    }
}

/// Hands in so many appointments of each of these organisations, one of each at a time.
pub(crate) async fn hand_in(service: &Service, organisations: &[String], each: usize) -> anyhow::Result<()> {
    for number in 0..each {
        try_join_all(organisations.iter().map(|organisation| async move {
            let appointment = appointment(&format!("rdv-{number}"), 1, "Camille Exemple");
            service.appointments.clone().sync_appointment(request(organisation, appointment)).await
        }))
        .await?;
    }
    Ok(())
}

/// The same request, answered once nothing of the appointment is left to be sent.
pub(crate) fn delivered(mut request: SyncAppointmentRequest) -> SyncAppointmentRequest {
    request.wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    request
}
