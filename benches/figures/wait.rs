//! Whether those who wait for Google hold each other up.

use std::ops::Range;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::Stage;
use crate::database::BackEnd;
use crate::edits::delivered;
use crate::google::Quota;
use crate::samples::{appointment, request, since, spread, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATIONS: usize = 50;
const CONNECTIONS: usize = 4;
const LATENCY_MS: u64 = 20;

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let count = if stage.is_quick { 200 } else { 1_000 };
    let service = Service::start_within(stage, back_end, Quota::BOUNDLESS).await?;
    stage.google.latency(LATENCY_MS).await?;
    let organisations = service.connect_many(&stage.google, "wait", ORGANISATIONS).await?;
    service.rests_alone(stage).await?;
    let (without, _) = at_once(stage, &service, &organisations, 0..count, false).await?;
    service.rests(stage).await?;
    let (with, answers) = at_once(stage, &service, &organisations, count..2 * count, true).await?;
    table.row(
        &format!("{count} `SyncAppointment` with `wait` at once, Google at {LATENCY_MS} ms: all delivered after"),
        back_end,
        &format!("{with:.2} s, each answered after {}; {count} without `wait`: {without:.2} s", spread(&answers)),
        "≤ 1.2 × without",
        with <= 1.2 * without,
    );
    service.stop().await
}

/// Hands all of these in at once: after how many seconds Google had the last, and how long each caller waited.
async fn at_once(
    stage: &Stage,
    service: &Service,
    organisations: &[String],
    numbers: Range<usize>,
    is_waited_for: bool,
) -> anyhow::Result<(f64, Histogram<u64>)> {
    stage.google.forget_calls().await?;
    let callers = service.callers(CONNECTIONS).await?;
    let count = numbers.len();
    let start = stage.clock.now();
    let mut calls = JoinSet::new();
    for number in numbers {
        let (mut client, clock) = (callers[number % CONNECTIONS].clone(), stage.clock.clone());
        let appointment = appointment(&format!("rdv-{number}"), 1, "Camille Exemple");
        let request = request(&organisations[number % organisations.len()], appointment);
        let request = if is_waited_for { delivered(request) } else { request };
        calls.spawn(async move {
            client.sync_appointment(request).await?;
            anyhow::Ok(since(start, clock.now()))
        });
    }
    let mut answers = times()?;
    while let Some(answer) = calls.join_next().await {
        answers.record(answer??)?;
    }
    let carried_out = stage.google.carried_out(&stage.clock, count).await?;
    let last = carried_out.iter().filter_map(|call| call.ended_at).max().unwrap_or(start);
    Ok((since(start, last) as f64 / 1e6, answers))
}
