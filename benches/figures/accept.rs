//! How long one caller waits for a durable answer.

use crate::Stage;
use crate::disk::Disk;
use crate::samples::{appointment, median_ms, request, since, spread, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "accept";

pub(crate) async fn measure(stage: &Stage, service: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(80).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    let mut client = service.appointments.clone();
    let mut disk = Disk::new(&stage.clock)?;
    let (mut answers, mut fsyncs) = (times()?, times()?);
    let count = if stage.is_quick { 100 } else { 400 };
    for number in 0..count {
        // The disk in turn with the service, so that both meet the same neighbours.
        fsyncs.record(disk.keep()?)?;
        let request = request(ORGANISATION, appointment(&format!("rdv-{number}"), 1, "Camille Exemple"));
        let start = stage.clock.now();
        client.sync_appointment(request).await?;
        answers.record(since(start, stage.clock.now()))?;
    }
    let limit = 1.5 * median_ms(&fsyncs) + 1.0;
    table.row(
        "`SyncAppointment`, durable, one caller: p50",
        service.back_end,
        &format!("{}; fsync {}", spread(&answers), spread(&fsyncs)),
        &format!("1.5 × fsync + 1 ms = {limit:.1} ms"),
        median_ms(&answers) <= limit,
    );
    Ok(())
}
