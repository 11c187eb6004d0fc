//! What a thousand delivered events cost, beside a plain loop that does nothing else.

use crate::Stage;
use crate::database::BackEnd;
use crate::edits::hand_in;
use crate::floor;
use crate::google::Quota;
use crate::samples::since;
use crate::service::Service;
use crate::table::Table;

const ORGANISATIONS: usize = 50;
const LATENCY_MS: u64 = 80;
/// How many times what the plain loop costs: durability, leases, quota and the calls that bring the appointments are in it.
const DEAREST: f64 = 3.0;

pub(crate) async fn measure(stage: &Stage, back_end: BackEnd, table: &mut Table) -> anyhow::Result<()> {
    let (each, floor_events) = if stage.is_quick { (20, 50) } else { (60, 200) };
    let count = ORGANISATIONS * each;
    let thousands = count as f64 / 1_000.0;
    let service = Service::start_within(stage, back_end, Quota::BOUNDLESS).await?;
    stage.google.latency(0).await?;
    let organisations = service.connect_many(&stage.google, "deliver", ORGANISATIONS).await?;
    stage.google.latency(LATENCY_MS).await?;
    service.rests_alone(stage).await?;

    // Nobody sends what is accepted for organisations that are not connected.
    let strangers: Vec<_> = (0..ORGANISATIONS).map(|number| format!("stranger-{number}")).collect();
    let (before, commits_before) = (service.spent_seconds()?, commits(stage, &service).await?);
    hand_in(&service, &strangers, each).await?;
    let accepts = (service.spent_seconds()? - before) / thousands;
    service.rests(stage).await?;

    let commits_between = commits(stage, &service).await?;
    let of_accepts = commits_between.zip(commits_before).map(|(after, before)| after.since(before));
    stage.google.forget_calls().await?;
    let (spent, on_server) = (service.spent_seconds()?, service.database.spent_seconds()?);
    let start = stage.clock.now();
    hand_in(&service, &organisations, each).await?;
    let calls = stage.google.carried_out(&stage.clock, count).await?;
    let last = calls.iter().filter_map(|call| call.ended_at).max().unwrap_or(start);
    // The last results are being settled.
    service.rests(stage).await?;
    let spent = (service.spent_seconds()? - spent) / thousands;
    let on_server = (service.database.spent_seconds()? - on_server) / thousands;
    let committed = commits(stage, &service).await?.zip(commits_between).map(|(after, before)| after.since(before));
    let settling = settling(&service).await?;
    let seconds = since(start, last) as f64 / 1e6 / thousands;
    service.stop().await?;

    let floor = floor::run(stage, back_end, floor_events).await?;
    // Of a thousand events, milliseconds each are seconds.
    let (floor_spent, floor_took) = (floor.spent_ms, floor.took_ms);
    let figure = format!("1,000 events delivered ({ORGANISATIONS} practices × {each}), Google at {LATENCY_MS} ms");
    let beside = match back_end {
        BackEnd::Sqlite => String::new(),
        BackEnd::Postgres => format!("; the server of the database {on_server:.2} s"),
    };
    table.row(
        &format!("{figure}: time of a processor, from the RPC on"),
        back_end,
        &format!(
            "{spent:.2} s, of which accepts {accepts:.2} s; a plain loop {floor_spent:.2} s: × {:.1}{beside}",
            spent / floor_spent
        ),
        &format!("≤ × {DEAREST}"),
        spent <= DEAREST * floor_spent,
    );
    table.row(
        &format!("{figure}: time"),
        back_end,
        &format!("{seconds:.1} s; a plain loop, one after the other, {floor_took:.1} s: × {:.2}", seconds / floor_took),
        "≤ × 1",
        seconds <= floor_took,
    );
    if let Some(((all, of_accepts), settling)) = committed.zip(of_accepts).zip(settling) {
        let each = |number: i64| number as f64 / count as f64;
        let delivery = all.since(of_accepts);
        table.row(
            &format!("{figure}: transactions that settle, an event"),
            back_end,
            &format!(
                "{:.2}; with claims, quota and every look {:.2}, of which {:.2} write; accepts, which commit as callers come, {:.2}",
                each(settling),
                each(delivery.all),
                each(delivery.writing),
                each(of_accepts.all)
            ),
            "≤ 0.1",
            each(settling) <= 0.1,
        );
    }
    Ok(())
}

/// How many transactions of PostgreSQL have settled what was delivered: the last that wrote a link is the one that settled it.
async fn settling(service: &Service) -> anyhow::Result<Option<i64>> {
    match service.back_end {
        BackEnd::Sqlite => Ok(None),
        BackEnd::Postgres => {
            let sql =
                "SELECT count(DISTINCT xmin::text) FROM appointment_external_links WHERE last_synced_at IS NOT NULL";
            Ok(Some(service.database.number(sql).await?))
        }
    }
}

/// The transactions of a database.
#[derive(Debug, Clone, Copy)]
struct Commits {
    /// Those that were committed, reads among them.
    all: i64,
    /// Those that wrote, of all databases of the server.
    writing: i64,
}

impl Commits {
    fn since(self, before: Self) -> Self {
        Self { all: self.all - before.all, writing: self.writing - before.writing }
    }
}

/// Those of PostgreSQL so far.
async fn commits(stage: &Stage, service: &Service) -> anyhow::Result<Option<Commits>> {
    match service.back_end {
        BackEnd::Sqlite => Ok(None),
        BackEnd::Postgres => {
            let all = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
            let writing = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
            let all = service.database.counted(&stage.clock, all).await?;
            let writing = service.database.number(writing).await?;
            Ok(Some(Commits { all, writing }))
        }
    }
}
