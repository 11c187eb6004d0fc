//! What one edit costs beside ten thousand practices and a million links, as a multiple of what it costs alone.

use anyhow::ensure;
use cassius_calendar::grpc::pb::IntegrationState;

use crate::Stage;
use crate::database::{BackEnd, Database};
use crate::edits::Edits;
use crate::google::Quota;
use crate::made::Template;
use crate::samples::{median_ms, quantile_ms, since, spread, times};
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "beside";
const LINKS_EACH: u32 = 100;
/// How many edits are made before those that count.
const WARM_UP: u32 = 30;
/// The practice whose status is asked for, and how many links of its own it has.
const LARGE: &str = "large";
const ITS_LINKS: u32 = 20_000;

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let (practices, count) = if stage.is_quick { (1_000, 40) } else { (10_000, 200) };
    let service = Service::start_within(stage, back_end, Quota::BOUNDLESS).await?;
    stage.google.latency(80).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    let edits = async |service: &Service, first: u32| {
        service.rests_alone(stage).await?;
        // A server plans each statement of a session anew for its first few times, in both alike.
        Edits::one_by_one(stage, service, ORGANISATION, first..first + WARM_UP, || Ok(())).await?;
        let measured = first + WARM_UP..first + WARM_UP + count;
        Edits::one_by_one(stage, service, ORGANISATION, measured, || Ok(())).await
    };
    let alone = edits(&service, 0).await?;
    let template = Template { organisation: ORGANISATION, appointment: "rdv-0" };
    let fill = async |database: &Database| template.practices(database, practices, LINKS_EACH, stage.clock.now()).await;
    let service = service.restart_after(stage, fill).await?;
    is_in_order(&service, &format!("practice-{}", practices / 2), LINKS_EACH).await?;
    let beside = edits(&service, WARM_UP + count).await?;

    let among = format!("alone → beside {practices} practices with {} links", practices * LINKS_EACH);
    let ratio = median_ms(&beside.events) / median_ms(&alone.events);
    let told =
        |edits: &Edits| format!("{:.1} ms (p97 {:.1})", median_ms(&edits.events), quantile_ms(&edits.events, 0.97));
    table.row(
        &format!("start of the RPC to Google's answer, Google at 80 ms, {among}: p50"),
        back_end,
        &format!("{} → {}: × {ratio:.2}", told(&alone), told(&beside)),
        "≤ × 1.1",
        ratio <= 1.1,
    );
    let mut cost = |whose: &str, alone: f64, beside: f64| {
        let ratio = beside / alone;
        table.row(
            &format!("time of a processor for one edit, {among}: {whose}"),
            back_end,
            &format!("{alone:.1} → {beside:.1} ms: × {ratio:.2}"),
            "≤ × 1.2",
            ratio <= 1.2,
        );
    };
    cost("the service", alone.service_ms, beside.service_ms);
    match back_end {
        BackEnd::Sqlite => {}
        BackEnd::Postgres => cost("the server of the database", alone.server_ms, beside.server_ms),
    }
    status(stage, service, table).await
}

/// How long `GetStatus` takes of a practice with many links of its own, beside the others.
async fn status(stage: &Stage, service: Service, table: &mut Table) -> anyhow::Result<()> {
    const CALLS: u32 = 300;
    service.connect(&stage.google, LARGE).await?;
    Edits::one_by_one(stage, &service, LARGE, 0..1, || Ok(())).await?;
    let template = Template { organisation: LARGE, appointment: "rdv-0" };
    let fill = async |database: &Database| template.links(database, 0..ITS_LINKS - 1, stage.clock.now()).await;
    let service = service.restart_after(stage, fill).await?;
    is_in_order(&service, LARGE, ITS_LINKS).await?;
    service.rests(stage).await?;
    let mut answers = times()?;
    for _ in 0..CALLS {
        let start = stage.clock.now();
        service.status(LARGE).await?;
        answers.record(since(start, stage.clock.now()))?;
    }
    table.row(
        &format!("`GetStatus` of a practice with {ITS_LINKS} upcoming links of its own, beside the others: p50"),
        service.back_end,
        &spread(&answers),
        "≤ 3 ms",
        median_ms(&answers) <= 3.0,
    );
    service.stop().await
}

/// Makes sure that the service finds what SQL has made as if it had made it itself.
async fn is_in_order(service: &Service, organisation: &str, links: u32) -> anyhow::Result<()> {
    let status = service.status(organisation).await?;
    ensure!(status.state() == IntegrationState::Connected, "{organisation} is not connected: {status:?}");
    let counts = status.counts.unwrap_or_default();
    let links = i32::try_from(links)?;
    ensure!((counts.pending, counts.synced) == (0, links), "{organisation} has other counts: {counts:?}");
    // Those of today may be over meanwhile.
    ensure!(counts.upcoming_events > links - links / 100 - 2, "{organisation} has other counts: {counts:?}");
    Ok(())
}
