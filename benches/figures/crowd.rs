//! What the service bears: memory at rest, accepts from 64 callers, memory with what they left pending.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hdrhistogram::Histogram;
use jiff::SignedDuration;
use tokio::task::JoinSet;

use crate::Stage;
use crate::samples::{appointment, request, since, spread, times};
use crate::service::Service;
use crate::table::Table;

const CALLERS: usize = 64;
const CONNECTIONS: usize = 4;
const ORGANISATIONS: usize = 10;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(80).await?;
    let organisations = service.connect_many(&stage.google, "crowd", ORGANISATIONS).await?;
    memory_at_rest(stage, service, table).await?;

    let count = if stage.is_quick { 20_000 } else { 100_000 };
    let spent_before = service.spent_seconds()?;
    let start = stage.clock.now();
    let answers = accept(stage, service, &organisations, 0..count).await?;
    let seconds = since(start, stage.clock.now()) as f64 / 1e6;
    let rate = count as f64 / seconds;
    let spent = service.spent_seconds()? - spent_before;
    table.row(
        "`SyncAppointment`, durable, 64 callers, while the worker sends: throughput",
        service.back_end,
        &format!("{rate:.0}/s over {seconds:.0} s; each {}; {spent:.1} s of a core", spread(&answers)),
        "≥ 4,000/s",
        rate >= 4_000.0,
    );

    // As many again as were sent meanwhile, and will be until the end.
    let sent = count - usize::try_from(service.counts(&organisations).await?.pending)?;
    accept(stage, service, &organisations, count..count + sent + 2_000).await?;
    stage.clock.sleep(SignedDuration::from_secs(5)).await;
    let resident = service.resident_mib()?;
    let pending = service.counts(&organisations).await?.pending;
    anyhow::ensure!(pending >= i32::try_from(count)?, "only {pending} are pending");
    table.row(
        "resident memory with so many pending, five seconds after the last accept",
        service.back_end,
        &format!("{resident:.1} MiB with {pending} pending (peak {:.1})", service.peak_mib()?),
        "≤ 40 MiB",
        resident <= 40.0,
    );
    Ok(())
}

async fn memory_at_rest(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    const SECONDS: i64 = 10;
    let before = service.spent_seconds()?;
    stage.clock.sleep(SignedDuration::from_secs(SECONDS)).await;
    let spent_ms = (service.spent_seconds()? - before) * 1_000.0 / SECONDS as f64;
    let resident = service.resident_mib()?;
    table.row(
        "resident memory at rest, ten organisations connected",
        service.back_end,
        &format!("{resident:.1} MiB; {spent_ms:.1} ms of a core a second"),
        "≤ 20 MiB",
        resident <= 20.0,
    );
    Ok(())
}

/// Lets 64 callers accept these appointments: how long each waited.
async fn accept(
    stage: &Stage,
    service: &Service,
    organisations: &[String],
    numbers: Range<usize>,
) -> anyhow::Result<Histogram<u64>> {
    let connections = service.callers(CONNECTIONS).await?;
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mut client = connections[caller % CONNECTIONS].clone();
        let (next, clock, organisations) = (next.clone(), stage.clock.clone(), organisations.to_vec());
        callers.spawn(async move {
            let mut answers = times()?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return anyhow::Ok(answers);
                }
                let organisation = &organisations[number % organisations.len()];
                let appointment = appointment(&format!("rdv-{number}"), 1, "Camille Exemple");
                let start = clock.now();
                client.sync_appointment(request(organisation, appointment)).await?;
                answers.record(since(start, clock.now()))?;
            }
        });
    }
    let mut all = times()?;
    while let Some(answers) = callers.join_next().await {
        all.add(answers??)?;
    }
    Ok(all)
}
