//! How soon Google has an appointment that is synced while nothing else goes on.

use crate::Stage;
use crate::disk::Disk;
use crate::edits::Edits;
use crate::samples::{median_ms, spread, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "prompt";
const LATENCY_MS: u64 = 80;

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(LATENCY_MS).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    service.rests_alone(stage).await?;
    let mut disk = Disk::new(&stage.clock)?;
    let mut fsyncs = times()?;
    let count = if stage.is_quick { 25 } else { 80 };
    let edits = Edits::one_by_one(stage, service, ORGANISATION, 0..count, || {
        for _ in 0..3 {
            fsyncs.record(disk.keep()?)?;
        }
        Ok(())
    })
    .await?;
    let limit = median_ms(&edits.latencies) + 2.0 * median_ms(&fsyncs) + 5.0;
    table.row(
        "start of the RPC to Google's answer, idle, Google at 80 ms: p50",
        service.back_end,
        &format!(
            "{}; fsync {}; answered with `wait`: {}",
            spread(&edits.events),
            spread(&fsyncs),
            spread(&edits.answers)
        ),
        &format!("L + 2 × fsync + 5 ms = {limit:.1} ms, L being {:.1} ms as measured", median_ms(&edits.latencies)),
        median_ms(&edits.events) <= limit,
    );
    Ok(())
}
