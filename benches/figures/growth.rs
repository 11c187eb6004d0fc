//! What one edit takes as the links of its practice grow.

use crate::Stage;
use crate::database::{BackEnd, Database};
use crate::edits::Edits;
use crate::google::Quota;
use crate::made::Template;
use crate::samples::median_ms;
use crate::service::Service;
use crate::table::Table;

const ORGANISATION: &str = "growth";

/// What was measured at one size.
struct Size {
    links: u32,
    median_ms: f64,
    spent_ms: f64,
    resident_mib: f64,
}

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let (sizes, count): (&[u32], _) = match stage.is_quick {
        true => (&[1_000, 10_000, 100_000], 100),
        false => (&[1_000, 10_000, 100_000, 1_000_000], 400),
    };
    let mut service = Service::start_within(stage, back_end, Quota::BOUNDLESS).await?;
    stage.google.latency(0).await?;
    service.connect(&stage.google, ORGANISATION).await?;
    Edits::one_by_one(stage, &service, ORGANISATION, 0..1, || Ok(())).await?;
    let template = Template { organisation: ORGANISATION, appointment: "rdv-0" };
    let (mut measured, mut made, mut next) = (Vec::new(), 0, 1);
    for &links in sizes {
        let fill = async |database: &Database| template.links(database, made..links, stage.clock.now()).await;
        service = service.restart_after(stage, fill).await?;
        service.rests_alone(stage).await?;
        let edits = Edits::one_by_one(stage, &service, ORGANISATION, next..next + count, || Ok(())).await?;
        measured.push(Size {
            links,
            median_ms: median_ms(&edits.answers),
            spent_ms: edits.service_ms + edits.server_ms,
            resident_mib: service.resident_mib()?,
        });
        (made, next) = (links, next + count);
    }
    let all: Vec<_> = measured.iter().map(|size| size.links.to_string()).collect();
    let mut row = |what: &str, unit: &str, of: fn(&Size) -> f64| {
        let values: Vec<_> = measured.iter().map(of).collect();
        let (least, most) = values.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &v| (a.min(v), b.max(v)));
        let told: Vec<_> = values.iter().map(|value| format!("{value:.1}")).collect();
        table.row(
            &format!("one edit of a practice with {} links, Google at 0 ms: {what}", all.join(", ")),
            back_end,
            &format!("{} {unit}: × {:.2}", told.join(", "), most / least),
            "≤ × 1.2 between any two",
            most <= 1.2 * least,
        );
    };
    row("answered with `wait`, p50", "ms", |size| size.median_ms);
    row("time of a processor, the service and the database", "ms", |size| size.spent_ms);
    row("resident memory", "MiB", |size| size.resident_mib);
    service.stop().await
}
