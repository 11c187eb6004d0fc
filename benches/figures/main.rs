//! The figures of the README, measured.
//!
//! Owns what is measured and against which target. It starts the real binary on each back end, speaks gRPC to it as
//! Cassius would, and is itself the Google that it calls. It never looks into the service: what it knows comes from the
//! answers, the journal of Google, what the system says of the process, and what the database counts. Invariant: each time
//! is compared with what was measured in the same run: the disk as it was in the same seconds, the same edit alone, a loop
//! that does nothing else.

mod accept;
mod attacks;
mod beside;
mod crowd;
mod database;
mod deliver;
mod disk;
mod drain;
mod edits;
mod floor;
mod google;
mod growth;
mod machine;
mod made;
mod process;
mod prompt;
mod replicas;
mod samples;
mod service;
mod table;
mod thrift;
mod wait;
mod watch;

use cassius_calendar::clock::Clock;

use database::BackEnd;
use google::Google;
use service::Service;
use table::Table;

/// What can be measured, by the word that asks for it.
const FIGURES: [&str; 12] = [
    "prompt", "thrift", "accept", "crowd", "drain", "beside", "deliver", "wait", "watch", "replicas", "growth",
    "attacks",
];

const BACK_ENDS: [&str; 2] = ["sqlite", "postgres"];

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

    /// Refuses a word that asks for nothing.
    fn is_known(&self) -> anyhow::Result<()> {
        let known = |word: &&String| FIGURES.contains(&word.as_str()) || BACK_ENDS.contains(&word.as_str());
        match self.0.iter().find(|word| !known(word)) {
            Some(word) => anyhow::bail!("{word} is none of {FIGURES:?} and {BACK_ENDS:?}"),
            None => Ok(()),
        }
    }

    fn back_end(&self, name: &str) -> bool {
        self.has(name, &BACK_ENDS)
    }

    fn figure(&self, name: &str) -> bool {
        self.has(name, &FIGURES)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let wanted = Wanted(words);
    wanted.is_known()?;
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
    if wanted.figure("beside") {
        beside::measure(stage, back_end, table).await?;
    }
    if wanted.figure("deliver") {
        deliver::measure(stage, back_end, table).await?;
    }
    if wanted.figure("wait") {
        wait::measure(stage, back_end, table).await?;
    }
    if wanted.figure("watch") {
        watch::measure(stage, back_end, table).await?;
    }
    if wanted.figure("replicas") && back_end == BackEnd::Postgres {
        replicas::measure(stage, table).await?;
    }
    if wanted.figure("growth") {
        growth::measure(stage, back_end, table).await?;
    }
    if wanted.figure("attacks") {
        attacks::measure(stage, back_end, table).await?;
    }
    Ok(())
}
