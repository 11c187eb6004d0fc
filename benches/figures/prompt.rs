//! How soon Google has an appointment that is synced while nothing else goes on.

use std::collections::HashMap;

use anyhow::Context as _;
use cassius_calendar::grpc::pb::SyncStatus;

use crate::Stage;
use crate::disk::Disk;
use crate::samples::{appointment, median_ms, request, since, spread, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "prompt";
const LATENCY_MS: u64 = 80;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(LATENCY_MS).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    stage.google.forget_calls().await?;
    let mut client = service.appointments.clone();
    let mut disk = Disk::new(&stage.clock)?;
    let (mut events, mut latencies, mut answers, mut fsyncs) = (times()?, times()?, times()?, times()?);
    let mut started = HashMap::new();
    let count = if stage.is_quick { 25 } else { 80 };
    for number in 0..count {
        for _ in 0..3 {
            fsyncs.record(disk.keep()?)?;
        }
        let id = format!("rdv-{number}");
        let mut request = request(ORGANISATION, appointment(&id, 1, "Camille Exemple"));
        request.wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
        let start = stage.clock.now();
        let link = client.sync_appointment(request).await?.into_inner().link.context("an answer without a link")?;
        answers.record(since(start, stage.clock.now()))?;
        anyhow::ensure!(link.sync_status() == SyncStatus::Synced, "{id} was not synced within its wait");
        started.insert(id, start);
    }
    for call in stage.google.calls().await? {
        let start = call.appointment().and_then(|id| started.get(id)).context("a call that nobody asked for")?;
        let end = call.ended_at.context("a call without an end")?;
        events.record(since(*start, end))?;
        latencies.record(since(call.started_at, end))?;
    }
    let limit = median_ms(&latencies) + 2.0 * median_ms(&fsyncs) + 5.0;
    table.row(
        "start of the RPC to Google's answer, idle, Google at 80 ms: p50",
        service.back_end,
        &format!("{}; fsync {}; answered with `wait`: {}", spread(&events), spread(&fsyncs), spread(&answers)),
        &format!("L + 2 × fsync + 5 ms = {limit:.1} ms, L being {:.1} ms as measured", median_ms(&latencies)),
        median_ms(&events) <= limit,
    );
    Ok(())
}
