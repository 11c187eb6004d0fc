//! What a thousand who watch cost those who do not.

use std::time::Duration;

use anyhow::Context as _;
use cassius_calendar::grpc::pb::WatchStatusRequest;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use hdrhistogram::Histogram;
use jiff::SignedDuration;
use tokio::task::JoinSet;

use crate::Stage;
use crate::database::BackEnd;
use crate::edits::delivered;
use crate::google::Quota;
use crate::samples::{appointment, median_ms, quantile_ms, request, since, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATIONS: usize = 10;
const CONNECTIONS: usize = 4;
const EDITS: usize = 200;
/// How long one who watches is waited for.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(60);

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let watchers = if stage.is_quick { 200 } else { 1_000 };
    let service = Service::start_within(stage, back_end, Quota::BOUNDLESS).await?;
    stage.google.latency(20).await?;
    let organisations = service.connect_many(&stage.google, "watch", ORGANISATIONS).await?;
    service.rests_alone(stage).await?;
    let (others_alone, reads_alone) = edit(stage, &service, &organisations, 0).await?;

    let mut streams = watch(&service, &organisations, watchers).await?;
    let (others, reads) = edit(stage, &service, &organisations, EDITS).await?;
    let mut told = 0;
    while let Some(stream) = streams.join_next().await {
        told += stream??;
    }
    let figure = format!("{watchers} `WatchStatus` of {ORGANISATIONS} organisations and {EDITS} edits");
    table.row(
        &format!("{figure}: another caller's `SyncAppointment`, p99"),
        back_end,
        &format!(
            "{:.1} ms (p50 {:.1}); without watchers {:.1} ms (p50 {:.1})",
            quantile_ms(&others, 0.99),
            median_ms(&others),
            quantile_ms(&others_alone, 0.99),
            median_ms(&others_alone)
        ),
        "≤ 100 ms",
        quantile_ms(&others, 0.99) <= 100.0,
    );
    if let Some((reads, reads_alone)) = reads.zip(reads_alone) {
        table.row(
            &format!("{figure}: reads of the status"),
            back_end,
            &format!("{reads}, and {told} messages; without watchers {reads_alone}"),
            // An edit is accepted, and delivered.
            &format!("≤ {}, two changes an edit", 2 * EDITS),
            reads <= i64::try_from(2 * EDITS)?,
        );
    }
    service.stop().await
}

/// Lets so many watch until they have been told of every edit: each ends with how many messages it got.
async fn watch(
    service: &Service,
    organisations: &[String],
    count: usize,
) -> anyhow::Result<JoinSet<anyhow::Result<u64>>> {
    let connections = service.connections(CONNECTIONS).await?;
    let all = i32::try_from(2 * EDITS / ORGANISATIONS)?;
    let mut streams = JoinSet::new();
    for number in 0..count {
        let organisation_id = organisations[number % organisations.len()].clone();
        let mut client = CalendarIntegrationClient::new(connections[number % CONNECTIONS].clone());
        let mut stream = client.watch_status(WatchStatusRequest { organisation_id }).await?.into_inner();
        stream.message().await?.context("a stream without a first message")?;
        streams.spawn(async move {
            let mut told = 0;
            loop {
                let message = tokio::time::timeout(MESSAGE_DEADLINE, stream.message()).await;
                let message = message.context("one who watches was not told of all edits")??;
                let status = message.context("a stream that ended")?.status.unwrap_or_default();
                told += 1;
                if status.counts.unwrap_or_default().synced == all {
                    return Ok(told);
                }
            }
        });
    }
    Ok(streams)
}

/// Makes all edits, one after the other: how long another caller, who hands in beside them, waits for each answer, and how
/// often a status was read meanwhile.
async fn edit(
    stage: &Stage,
    service: &Service,
    organisations: &[String],
    first: usize,
) -> anyhow::Result<(Histogram<u64>, Option<i64>)> {
    let before = reads(stage, service).await?;
    let mut client = service.appointments.clone();
    let edits = async {
        for number in first..first + EDITS {
            let appointment = appointment(&format!("rdv-{number}"), 1, "Camille Exemple");
            let request = delivered(request(&organisations[number % organisations.len()], appointment));
            client.sync_appointment(request).await?;
        }
        anyhow::Ok(())
    };
    let mut other = service.callers(1).await?.pop().context("no caller")?;
    let mut answers = times()?;
    let beside = async {
        for revision in 1.. {
            let appointment = appointment(&format!("rdv-{first}"), revision, "Camille Exemple");
            let start = stage.clock.now();
            other.sync_appointment(request("another", appointment)).await?;
            answers.record(since(start, stage.clock.now()))?;
            stage.clock.sleep(SignedDuration::from_millis(10)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = edits => done?,
        failed = beside => failed?,
    }
    let after = reads(stage, service).await?;
    Ok((answers, after.zip(before).map(|(after, before)| after - before)))
}

/// How often a status was read so far, by the server's own count: of all that is asked, it alone looks for an account that
/// waits to be confirmed, but for a sweep once a minute.
async fn reads(stage: &Stage, service: &Service) -> anyhow::Result<Option<i64>> {
    match service.back_end {
        BackEnd::Sqlite => Ok(None),
        BackEnd::Postgres => {
            let scans = "SELECT COALESCE(seq_scan, 0) + COALESCE(idx_scan, 0) FROM pg_stat_user_tables
                         WHERE relname = 'pending_grants'";
            Ok(Some(service.database.counted(&stage.clock, scans).await?))
        }
    }
}
