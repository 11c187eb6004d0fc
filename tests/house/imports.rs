//! Who may import whom.

use std::collections::BTreeMap;

use super::source::{self, Source};

/// Each room, its rank, and the rooms that it may import. Where a room stands in a path with `::`, it may import that
/// name of the room alone.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("error_chain", 0, &[]),
    ("clock", 0, &[]),
    ("language", 0, &[]),
    ("metrics", 0, &[]),
    ("traces", 0, &[]),
    ("config", 0, &["model"]),
    ("notifier", 0, &["model"]),
    ("sync", 1, &["model"]),
    ("crypto", 1, &["model", "clock"]),
    ("listener", 1, &["clock", "error_chain"]),
    ("roots", 1, &[]),
    ("quota", 1, &["model", "clock", "metrics"]),
    ("google", 2, &["model", "clock", "metrics", "traces", "sync", "roots", "crypto::Secret", "crypto::ExposeSecret"]),
    ("store", 2, &["model", "roots", "crypto::Sealed"]),
    ("resealing", 3, &["model", "clock", "crypto", "store"]),
    (
        "connection",
        3,
        &["error_chain", "model", "clock", "config", "notifier", "sync", "crypto", "quota", "google", "store"],
    ),
    (
        "delivery",
        4,
        &[
            "error_chain",
            "model",
            "clock",
            "traces",
            "metrics",
            "notifier",
            "sync",
            "crypto",
            "quota",
            "google",
            "store",
            "connection",
        ],
    ),
    (
        "grpc",
        5,
        &[
            "error_chain",
            "model",
            "clock",
            "language",
            "traces",
            "metrics",
            "listener",
            "crypto::ExposeSecret",
            "connection",
            "delivery",
        ],
    ),
    (
        "http",
        5,
        &[
            "error_chain",
            "model",
            "clock",
            "config",
            "language",
            "metrics",
            "listener",
            "crypto::Secret",
            "crypto::ExposeSecret",
            "connection",
        ],
    ),
    (
        "app",
        6,
        &[
            "traces",
            "notifier",
            "error_chain",
            "clock",
            "config",
            "connection",
            "crypto",
            "delivery",
            "google",
            "grpc",
            "http",
            "metrics",
            "model",
            "quota",
            "resealing",
            "roots",
            "store",
        ],
    ),
    // It is Google: it knows nothing of what calls it, and nothing but `dev` and the tests knows it.
    ("emulator", 6, &["clock", "config::CALLBACK_PATH"]),
    ("cli", 7, &["app", "clock", "config", "connection", "crypto", "emulator", "model", "resealing", "roots", "store"]),
    ("main", 7, &["cli"]),
];

/// What a file imports of other rooms, as paths that begin with the room.
fn imports(source: &Source) -> Vec<String> {
    let paths = source.anchored_paths();
    let of_rooms = paths.iter().filter(|names| matches!(names[0].as_str(), "crate" | "cassius_calendar"));
    let others = of_rooms.filter(|names| names.get(1) != Some(&source.room()));
    others.map(|names| names[1..].join("::")).collect()
}

fn is_allowed(path: &str, allowed: &[&str]) -> bool {
    allowed.iter().any(|allowed| {
        let of_path: Vec<_> = path.split("::").collect();
        let of_rule: Vec<_> = allowed.split("::").collect();
        of_path.starts_with(&of_rule)
    })
}

#[test]
fn every_room_imports_only_what_stands_below_it_in_the_table() {
    let rooms: BTreeMap<_, _> = ROOMS.iter().map(|(room, _, allowed)| (*room, *allowed)).collect();
    let mut faults = Vec::new();
    for source in source::all().iter().filter(|source| !source.is_tests() && source.room() != "lib") {
        let room = source.room();
        let Some(allowed) = rooms.get(room.as_str()) else {
            faults.push(format!("{}: the room is not in the table", source.path.display()));
            continue;
        };
        for path in imports(source) {
            if !is_allowed(&path, allowed) {
                faults.push(format!("{}: imports {path}", source.path.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_file_climbs_out_of_its_room_by_super() {
    let mut faults = Vec::new();
    for source in source::all().iter().filter(|source| !source.is_tests() && source.depth() > 0) {
        // Each table of diesel's macro is a module of its own.
        let depth = source.depth() + usize::from(source.code.contains("diesel::table!"));
        if source.code.contains(&"super::".repeat(depth)) {
            faults.push(source.path.clone());
        }
    }
    assert_eq!(faults, Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_table_names_every_room_once_and_no_room_imports_its_own_rank_or_above() {
    let ranks: BTreeMap<_, _> = ROOMS.iter().map(|(room, rank, _)| (*room, *rank)).collect();
    assert_eq!(ranks.len(), ROOMS.len(), "a room stands in the table once");
    let rooms: Vec<String> = source::all().iter().map(Source::room).collect();
    for (room, rank, allowed) in ROOMS {
        assert!(rooms.iter().any(|found| found == room), "{room} has a file");
        for import in *allowed {
            let import = import.split("::").next().unwrap();
            // The vocabulary is everybody's.
            let is_below = ranks[import] < *rank || import == "model" && *room != "model" || *room == "main";
            assert!(is_below, "{room} imports {import}, which does not stand below it");
        }
    }
}

#[test]
fn the_crates_own_documentation_shows_the_ranks_as_they_are() {
    const ROOT: &str = include_str!("../../src/lib.rs");
    let (_, table) = ROOT.split_once("//! | rank | rooms |\n//! |---|---|\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("//! | ")?.strip_suffix(" |")?.split_once(" | "));
    let shown = rows.flat_map(|(rank, rooms)| rooms.split(", ").map(move |room| (room.trim_matches('`'), rank)));
    let shown: BTreeMap<_, _> = shown.map(|(room, rank)| (room, rank.parse::<u8>().unwrap())).collect();
    assert_eq!(shown, ROOMS.iter().map(|(room, rank, _)| (*room, *rank)).collect());
}
