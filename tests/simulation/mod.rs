//! Random lives of several practices: edits, consents, disconnects, people at Google, faults and crashes, in one process
//! and simulated time. At rest the promises of the service hold, whatever happened.
//!
//! A seed draws everything, so a seed that fails fails again with the same trace. `SIMULATION_SEEDS` sets how many seeds
//! are run, `SIMULATION_FROM` the first of them; `SIMULATION_SEED` runs one and prints its trace.

mod calls;
mod checker;
mod google;
mod life;
mod model;
mod operation;
mod pairs;
mod rest;
mod template;
mod world;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use operation::Dice;
use world::World;

/// How many things happen in a run.
const OPERATIONS: usize = 50;
/// How many runs a test makes unless told otherwise.
const SEEDS: u64 = 500;
/// What is called of Google in one run or another.
const REACHED: [&str; 11] = [
    "events.insert",
    "events.patch",
    "events.delete",
    "events.move",
    "events.get",
    "events.list",
    "calendarList.get",
    "calendarList.list",
    "token.code",
    "token.refresh",
    "revoke",
];

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    seed: u64,
    /// What was broken.
    violations: Vec<String>,
    /// The operations of Google that were called.
    called: BTreeSet<String>,
    trace: Vec<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {:#?}", self.seed, self.violations)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Runs a seed; `mischief` is done at rest, before the promises are looked at.
fn run_with(seed: u64, mischief: impl FnOnce(&mut World)) -> Ended {
    // What is logged would be kept by the harness's recorder, for millions of calls.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let dice = Dice::seeded(seed);
    let mut world = World::new(seed);
    for _ in 0..OPERATIONS {
        let operation = dice.operation();
        world.carry_out(&operation, dice.then());
    }
    let mut violations = world.come_to_rest();
    if violations.is_empty() {
        mischief(&mut world);
        violations = world.violations();
    }
    let calls = world.google.journal();
    let called = calls.iter().map(|call| call["operation"].as_str().unwrap().to_owned()).collect();
    let mut trace = std::mem::take(&mut world.trace);
    trace.extend(calls.iter().map(checker::brief));
    Ended { seed, violations, called, trace }
}

fn run(seed: u64) -> Ended {
    run_with(seed, |_| {})
}

/// Runs seeds on both cores; those that break a promise, and what was called of Google in all of them.
fn run_all(seeds: std::ops::Range<u64>) -> (Vec<Ended>, BTreeSet<String>) {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let (mut failures, mut called) = (Vec::new(), BTreeSet::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return (failures, called);
            }
            let ended = run(seed);
            called.extend(ended.called.iter().cloned());
            if !ended.violations.is_empty() {
                // At once: whoever runs many seeds need not wait for the last one.
                println!("seed {seed}: {:#?}", ended.violations);
                failures.push(ended);
            }
        }
    };
    let (mut failures, mut called) = (Vec::new(), BTreeSet::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let its = thread.join().unwrap();
            failures.extend(its.0);
            called.extend(its.1);
        }
    });
    failures.sort_by_key(|failure: &Ended| failure.seed);
    (failures, called)
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
        let ended = run(seed);
        println!("{ended}");
        assert_eq!(ended.violations, Vec::<String>::new());
        return;
    }
    let first = number_in("SIMULATION_FROM").unwrap_or(0);
    let (failures, called) = run_all(first..first + number_in("SIMULATION_SEEDS").unwrap_or(SEEDS));
    if let Some(first) = failures.first() {
        println!("{first}");
    }
    assert_eq!(failures.len(), 0, "seeds that broke a promise");
    // Runs that reach nothing would prove nothing.
    for operation in REACHED {
        assert!(called.contains(operation), "no run calls {operation}");
    }
}

#[test]
fn a_seed_gives_the_same_trace_again() {
    for seed in 0..5 {
        let (one, other) = (run(seed).trace, run(seed).trace);
        let differing = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differing, None, "seed {seed}");
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
}

#[test]
fn a_seed_that_fails_tells_what_was_broken_and_how_it_came_to_that_and_fails_the_same_way_again() {
    let broken = || run_with(7, World::delete_a_foreign_event);
    let failure = broken();
    assert_eq!(failure.violations.len(), 1, "{failure}");
    assert!(failure.violations[0].starts_with("events of others were"), "{failure}");
    let told = failure.to_string();
    assert!(told.starts_with("seed 7: ") && told.contains(&failure.violations[0][..20]), "{told}");
    assert!(told.contains("from here on all goes well") && told.contains("events.insert"), "{told}");
    assert_eq!(broken(), failure);
}
