//! What a file looks like.

use super::source;

/// At this many lines a file is to be thought about again; it is printed.
const THINK: usize = 300;
/// More than this no file has.
const MAX_LINES: usize = 400;
/// The same for unit tests in a file of their own.
const MAX_TEST_LINES: usize = 600;

#[test]
fn no_file_is_too_long() {
    let mut faults = Vec::new();
    for source in source::all() {
        let lines = source.text.lines().count();
        let max = if source.is_tests() { MAX_TEST_LINES } else { MAX_LINES };
        if lines > max {
            faults.push(format!("{}: {lines} lines", source.path.display()));
        } else if lines > THINK && !source.is_tests() {
            println!("{} has {lines} lines: think again above {THINK}", source.path.display());
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_module_opens_with_what_it_owns_never_does_and_what_always_holds() {
    let mut faults = Vec::new();
    // A module of unit tests is named after what it tests, which says enough.
    for source in source::all().iter().filter(|source| !source.is_tests()) {
        let opening = source.text.lines().map_while(|line| line.strip_prefix("//!"));
        let words: Vec<_> = opening.flat_map(str::split_whitespace).collect();
        let says = |word: &str| {
            words.iter().any(|it| it.trim_matches(|c: char| !c.is_alphabetic()).eq_ignore_ascii_case(word))
        };
        for word in ["owns", "never", "invariant"].into_iter().filter(|word| !says(word)) {
            faults.push(format!("{}: opens without a sentence of what it {word} …", source.path.display()));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn names_that_say_nothing_are_not_used() {
    const EMPTY: [&str; 8] = ["Manager", "Helper", "Util", "Handler", "Processor", "Info", "Impl", "Common"];
    // What libraries and Google's error model call things, and what a dentist does.
    const FOREIGN: [&str; 10] = [
        "ErrorInfo",
        "RetryInfo",
        "ResourceInfo",
        "BrokenTransactionManager",
        "AnsiTransactionManager",
        "TransactionManager",
        "AsyncDieselConnectionManager",
        "ManagerConfig",
        "Implant",
        "Implantologie",
    ];
    let mut faults = Vec::new();
    for source in source::all() {
        let words = source.code.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with(char::is_uppercase) && !FOREIGN.contains(word)) {
            if EMPTY.iter().any(|empty| word.starts_with(empty) || word.ends_with(empty)) {
                faults.push(format!("{}: {word}", source.path.display()));
            }
        }
        // The calls of the wire are named on the wire.
        let is_named_elsewhere = source.room() == "grpc";
        // A trait of diesel-async asks for this name.
        let code = source.code.replace("fn get_runtime(", "");
        if !is_named_elsewhere && code.contains("fn get_") || code.contains("fn do_") {
            faults.push(format!("{}: a function's name begins with get_ or do_", source.path.display()));
        }
    }
    faults.dedup();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn what_a_simulation_runs_chooses_nothing_by_chance() {
    const ROOMS: [&str; 4] = ["connection", "delivery", "notifier", "quota"];
    let mut faults = Vec::new();
    for source in source::all().iter().filter(|source| ROOMS.contains(&source.room().as_str())) {
        for (at, select) in source.code.match_indices("select! {") {
            if !source.code[at + select.len()..].trim_start().starts_with("biased;") {
                faults.push(format!("{}: {}", source.path.display(), source.code[at..].lines().nth(1).unwrap_or("")));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new(), "a branch is taken at random where several are ready");
}
