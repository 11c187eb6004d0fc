//! How a backlog of many organisations drains.

use futures_util::future::try_join_all;
use jiff::SignedDuration;

use crate::Stage;
use crate::samples::{appointment, request, since};
use crate::service::Service;
use crate::table::Table;

const ORGANISATIONS: usize = 100;
/// What Google gives a project in a minute: the default of the service and of the emulated Google alike.
const UNITS_PER_MINUTE: f64 = 10_000.0;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(0).await?;
    let organisations: Vec<_> = (0..ORGANISATIONS).map(|number| format!("drain-{number}")).collect();
    for organisation in &organisations {
        service.connect(&stage.google, organisation).await?;
    }
    stage.google.latency(80).await?;
    stage.google.forget_calls().await?;

    let each = if stage.is_quick { 25 } else { 100 };
    let spent_before = service.spent_seconds()?;
    for number in 0..each {
        try_join_all(organisations.iter().map(|organisation| async move {
            let appointment = appointment(&format!("rdv-{number}"), 1, "Camille Exemple");
            service.appointments.clone().sync_appointment(request(organisation, appointment)).await
        }))
        .await?;
    }
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
    let by_quota = units as f64 / UNITS_PER_MINUTE * 60.0;
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
