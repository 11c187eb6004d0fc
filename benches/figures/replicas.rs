//! Two replicas on one PostgreSQL: what one hears of the other, and the quota that they share.

use anyhow::{Context as _, ensure};
use cassius_calendar::grpc::pb::{SyncStatus, WatchStatusRequest};
use jiff::{SignedDuration, Timestamp};

use crate::Stage;
use crate::database::BackEnd;
use crate::edits::{delivered, hand_in};
use crate::google::{Call, Quota};
use crate::samples::{appointment, median_ms, quantile_ms, request, since, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "replicas";
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// What the project may spend a minute where its quota is measured.
const SMALL: Quota = Quota { project: 300, user: 300 };

pub(crate) async fn measure(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let service = Service::start_within(stage, BackEnd::Postgres, Quota::BOUNDLESS).await?;
    let other = service.replica(stage).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    service.rests(stage).await?;
    watch(stage, &service, &other, table).await?;
    wait(stage, &service, &other, table).await?;
    other.stop().await?;
    service.stop().await?;
    quota(stage, table).await
}

fn row(table: &mut Table, figure: &str, took: &hdrhistogram::Histogram<u64>) {
    let (median, worst) = (median_ms(took), quantile_ms(took, 1.0));
    let told = format!("{median:.0} ms (worst of {} {worst:.0})", took.len());
    table.row(figure, BackEnd::Postgres, &told, "≤ 300 ms, the worst too", worst <= 300.0);
}

/// From the start of an RPC of one replica until who watches at the other is told that it was delivered.
async fn watch(stage: &Stage, service: &Service, other: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(0).await?;
    let watched = WatchStatusRequest { organisation_id: ORGANISATION.into() };
    let mut stream = other.integrations.clone().watch_status(watched).await?.into_inner();
    stream.message().await?.context("a stream without a first message")?;
    let mut told = times()?;
    for number in 1..=if stage.is_quick { 10 } else { 60 } {
        let appointment = appointment(&format!("watched-{number}"), 1, "Camille Exemple");
        let start = stage.clock.now();
        service.appointments.clone().sync_appointment(request(ORGANISATION, appointment)).await?;
        loop {
            let status = stream.message().await?.context("a stream that ended")?.status.unwrap_or_default();
            if status.counts.unwrap_or_default().synced >= number {
                break;
            }
        }
        told.record(since(start, stage.clock.now()))?;
        // What follows at once is told together with it.
        stage.clock.sleep(SignedDuration::from_millis(300)).await;
    }
    row(
        table,
        "an appointment handed in at one replica, told as synced to who watches at another, Google at 0 ms",
        &told,
    );
    Ok(())
}

/// From Google's answer to one replica until who waits at the other is answered.
async fn wait(stage: &Stage, service: &Service, other: &Service, table: &mut Table) -> anyhow::Result<()> {
    stage.google.latency(300).await?;
    let mut waited = times()?;
    for number in 0..if stage.is_quick { 5 } else { 40 } {
        let id = format!("waited-{number}");
        let request = request(ORGANISATION, appointment(&id, 1, "Camille Exemple"));
        stage.google.forget_calls().await?;
        // So that it is not the other one that sends it.
        other.freeze()?;
        service.appointments.clone().sync_appointment(request.clone()).await?;
        stage.clock.sleep(SignedDuration::from_millis(100)).await;
        other.go_on()?;
        let answer = other.appointments.clone().sync_appointment(delivered(request)).await?.into_inner();
        let end = stage.clock.now();
        ensure!(answer.link.context("an answer without a link")?.sync_status() == SyncStatus::Synced, "{id} waits");
        let calls = stage.google.calls().await?;
        let [call] = &*calls else { anyhow::bail!("{} calls for {id}", calls.len()) };
        waited.record(since(call.ended_at.context("a call without an end")?, end))?;
    }
    row(table, "`wait` at one replica for what another sends: answered after Google's answer", &waited);
    Ok(())
}

/// What two replicas spend of a small quota, with work enough for each minute.
async fn quota(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let minutes = if stage.is_quick { 1 } else { 3 };
    let service = Service::start_within(stage, BackEnd::Postgres, SMALL).await?;
    let other = service.replica(stage).await?;
    let organisations = service.connect_many(&stage.google, "quota", 10).await?;
    // What the consents have spent is whole again then, by either count.
    stage.clock.sleep(MINUTE).await;
    stage.google.latency(20).await?;
    stage.google.forget_calls().await?;
    let start = stage.clock.now();
    let (one_half, another_half) = organisations.split_at(5);
    hand_in(&service, one_half, 35 * minutes).await?;
    hand_in(&other, another_half, 35 * minutes).await?;
    let end = start + MINUTE * i32::try_from(minutes)?;
    stage.clock.sleep(end.duration_since(stage.clock.now())).await;
    let calls = stage.google.all_calls().await?;
    let refused = calls.iter().filter(|call| matches!(call.status, Some(403 | 429))).count();
    let most = calls.iter().map(|call| spent(&calls, call.started_at)).max().unwrap_or(0);
    let each: Vec<_> = (0..minutes).map(|n| spent(&calls, start + MINUTE * i32::try_from(n).unwrap_or(0))).collect();
    let least = each.iter().copied().min().unwrap_or(0);
    let limit = u64::from(SMALL.project);
    table.row(
        &format!("two replicas, a project of {limit} units a minute, more to send than that: spent in any minute"),
        BackEnd::Postgres,
        &format!("{most}, {refused} refused; minute by minute {each:?}"),
        &format!("≤ {limit}, none refused, ≥ 95 % in each"),
        most <= limit && refused == 0 && least * 100 >= limit * 95,
    );
    other.stop().await?;
    service.stop().await
}

/// The units of the calls that were made within a minute from `start` on.
fn spent(calls: &[Call], start: Timestamp) -> u64 {
    let is_within = |call: &&Call| call.started_at >= start && call.started_at < start + MINUTE;
    calls.iter().filter(is_within).map(|call| call.units).sum()
}
