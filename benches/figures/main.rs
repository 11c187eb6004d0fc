//! The figures of the README, measured.
//!
//! Owns what is measured and against which target. It starts the real binary on each back end, speaks gRPC to it as
//! Cassius would, and is itself the Google that it calls. It never looks into the service: what it knows comes from the
//! answers, the journal of Google, and what the system says of the process. Invariant: each time is compared with the
//! disk as it was in the same seconds.

mod accept;
mod crowd;
mod disk;
mod drain;
mod google;
mod machine;
mod prompt;
mod samples;
mod service;
mod table;
mod thrift;

use cassius_calendar::clock::Clock;

use google::Google;
use service::{BackEnd, Service};
use table::Table;

/// What every measurement is handed.
struct Stage {
    clock: Clock,
    google: Google,
    /// Smaller numbers, for a first look.
    is_quick: bool,
}

/// What is to be measured; nothing named means all of it.
struct Wanted(Vec<String>);

impl Wanted {
    fn has(&self, name: &str, among: &[&str]) -> bool {
        let mut named = self.0.iter().filter(|wanted| among.contains(&wanted.as_str())).peekable();
        named.peek().is_none() || named.any(|wanted| wanted == name)
    }

    fn back_end(&self, name: &str) -> bool {
        self.has(name, &["sqlite", "postgres"])
    }

    fn figure(&self, name: &str) -> bool {
        self.has(name, &["accept", "prompt", "thrift", "crowd", "drain"])
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let wanted = Wanted(words);
    let clock = Clock::system();
    let stage = Stage {
        google: Google::start(&clock).await?,
        is_quick: flags.iter().any(|flag| flag == "--quick"),
        clock: clock.clone(),
    };
    let mut table = Table::default();
    let about = machine::describe(&clock);
    println!("{about}");
    for back_end in [BackEnd::Sqlite, BackEnd::Postgres] {
        if wanted.back_end(back_end.name()) {
            measure(&stage, back_end, &wanted, &mut table).await?;
        }
    }
    println!("\n{about}\n\n{table}");
    Ok(())
}

async fn measure(stage: &Stage, back_end: BackEnd, wanted: &Wanted, table: &mut Table) -> anyhow::Result<()> {
    if ["prompt", "thrift", "accept"].iter().any(|figure| wanted.figure(figure)) {
        let service = Service::start(stage, back_end).await?;
        if wanted.figure("prompt") {
            prompt::measure(stage, &service, table).await?;
        }
        if wanted.figure("thrift") {
            thrift::measure(stage, &service, table).await?;
        }
        // Last, since it leaves a backlog.
        if wanted.figure("accept") {
            accept::measure(stage, &service, table).await?;
        }
        service.stop().await?;
    }
    if wanted.figure("crowd") {
        let service = Service::start(stage, back_end).await?;
        crowd::measure(stage, &service, table).await?;
        service.stop().await?;
    }
    if wanted.figure("drain") {
        let service = Service::start(stage, back_end).await?;
        drain::measure(stage, &service, table).await?;
        service.stop().await?;
    }
    Ok(())
}
