//! How a backlog of many organisations drains.

use jiff::SignedDuration;

use crate::Stage;
use crate::edits::hand_in;
use crate::google::Quota;
use crate::samples::since;
use crate::service::Service;
use crate::table::Table;

const ORGANISATIONS: usize = 100;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(0).await?;
    let organisations = service.connect_many(&stage.google, "drain", ORGANISATIONS).await?;
    stage.google.latency(80).await?;
    stage.google.forget_calls().await?;

    let each = if stage.is_quick { 25 } else { 100 };
    let spent_before = service.spent_seconds()?;
    hand_in(service, &organisations, each).await?;
    let mut pending = i32::MAX;
    while pending > 0 {
        stage.clock.sleep(SignedDuration::from_millis(500)).await;
        pending = service.counts(&organisations).await?.pending;
    }

    let calls = stage.google.calls().await?;
    let units: u64 = calls.iter().map(|call| call.units).sum();
    let refused = calls.iter().filter(|call| matches!(call.status, Some(403 | 429))).count();
    let first = calls.iter().map(|call| call.started_at).min().unwrap_or_default();
    let last = calls.iter().filter_map(|call| call.ended_at).max().unwrap_or_default();
    let seconds = since(first, last) as f64 / 1e6;
    let by_quota = units as f64 / f64::from(Quota::GIVEN.project) * 60.0;
    let appointments = each * ORGANISATIONS;
    let spent = service.spent_seconds()? - spent_before;
    let figure = format!("draining {appointments} pending of {ORGANISATIONS} organisations, Google at 80 ms");
    table.row(
        &format!("{figure}: time"),
        service.back_end,
        &format!("{seconds:.1} s for {units} units, {} calls; {spent:.1} s of a core", calls.len()),
        &format!("1.1 × {by_quota:.1} s, what the quota takes"),
        seconds <= 1.1 * by_quota,
    );
    table.row(&format!("{figure}: rate-limit refusals"), service.back_end, &refused.to_string(), "0", refused == 0);
    Ok(())
}
