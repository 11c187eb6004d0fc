//! Random lives of several practices: edits, consents, disconnects, people at Google, faults and crashes, in one process
//! and simulated time. At rest the promises of the service hold, whatever happened.
//!
//! A seed draws everything, so a seed that fails fails again with the same trace. `SIMULATION_SEEDS` sets how many seeds
//! are run, `SIMULATION_SEED` runs one and prints its trace; with `SIMULATION_ALL` they also draw what the service does not
//! keep its promises under yet (see `operation::Scope`).

mod calls;
mod checker;
mod google;
mod life;
mod model;
mod operation;
mod rest;
mod template;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use operation::{Dice, Scope};
use world::World;

/// How many things happen in a run.
const OPERATIONS: usize = 50;
/// How many runs a test makes unless told otherwise.
const SEEDS: u64 = 500;

/// A run that broke a promise.
struct Failure {
    seed: u64,
    violations: Vec<String>,
    trace: Vec<String>,
}

/// Runs a seed: what was broken, and the trace.
fn run(seed: u64) -> (Vec<String>, Vec<String>) {
    // What is logged would be kept by the harness's recorder, for millions of calls.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let scope = if std::env::var_os("SIMULATION_ALL").is_some() { Scope::All } else { Scope::Promised };
    let dice = Dice::seeded(seed, scope);
    let mut world = World::new(seed);
    for _ in 0..OPERATIONS {
        let operation = dice.operation();
        world.carry_out(&operation, dice.then());
    }
    let violations = match world.come_to_rest() {
        Ok(()) => world.violations(),
        Err(restless) => vec![restless],
    };
    let calls: Vec<_> = world.google.journal().iter().map(checker::brief).collect();
    let mut trace = std::mem::take(&mut world.trace);
    trace.extend(calls);
    (violations, trace)
}

/// Runs seeds on both cores; those that break a promise.
fn run_all(seeds: std::ops::Range<u64>) -> Vec<Failure> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return failures;
            }
            let (violations, trace) = run(seed);
            if !violations.is_empty() {
                failures.push(Failure { seed, violations, trace });
            }
        }
    };
    let mut failures: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    failures.sort_by_key(|failure: &Failure| failure.seed);
    failures
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

/// A folder that is no disk, where there is one: what is proved here is not about disks.
fn memory_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn whatever_happens_the_promises_hold_at_rest() {
    if let Some(seed) = number_in("SIMULATION_SEED") {
        let (violations, trace) = run(seed);
        println!("{}", trace.join("\n"));
        assert_eq!(violations, Vec::<String>::new());
        return;
    }
    let failures = run_all(0..number_in("SIMULATION_SEEDS").unwrap_or(SEEDS));
    for failure in &failures {
        println!("seed {}: {:#?}", failure.seed, failure.violations);
    }
    if let Some(first) = failures.first() {
        println!("the trace of seed {}:\n{}", first.seed, first.trace.join("\n"));
    }
    assert_eq!(failures.len(), 0, "seeds that broke a promise");
}

#[test]
fn a_seed_gives_the_same_trace_again() {
    for seed in 0..5 {
        let (one, other) = (run(seed).1, run(seed).1);
        let differing = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differing, None, "seed {seed}");
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
}
