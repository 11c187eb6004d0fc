//! Where foreign types stop: each library of a border is named in the room behind it, and nowhere else.

use super::source;

/// A crate or a name, and the paths under `src/` that may speak of it.
const BORDERS: &[(&str, &[&str])] = &[
    ("diesel", &["store"]),
    ("diesel_async", &["store"]),
    ("diesel_migrations", &["store"]),
    ("tokio_postgres", &["store"]),
    ("tokio_postgres_rustls", &["store"]),
    ("oauth2", &["google"]),
    ("hyper_rustls", &["google", "app/traces.rs"]),
    // Google's side, and the servers that are served by hand.
    ("hyper", &["google", "http/listen.rs", "grpc/server", "grpc/arrival", "grpc/departure.rs", "emulator"]),
    ("hyper_util", &["google", "http/listen.rs", "grpc/server", "emulator", "cli/healthcheck.rs", "app/traces.rs"]),
    ("axum", &["http", "emulator"]),
    ("maud", &["emulator"]),
    ("ring", &["emulator"]),
    ("aes_gcm_siv", &["crypto"]),
    ("prost_types", &["grpc"]),
    ("tonic_types", &["grpc"]),
    ("tonic_reflection", &["grpc"]),
    ("tonic_health", &["grpc", "cli/healthcheck.rs"]),
    ("tonic", &["grpc", "app", "cli/healthcheck.rs"]),
    ("pb", &["grpc"]),
    ("opentelemetry", &["traces.rs"]),
    ("opentelemetry_otlp", &["app"]),
    ("metrics_exporter_prometheus", &["metrics.rs"]),
    ("rand", &["clock.rs"]),
    ("clap", &["main.rs", "cli"]),
    ("anyhow", &["main.rs", "cli"]),
];

#[test]
fn a_library_of_a_border_is_named_behind_it_alone() {
    let mut faults = Vec::new();
    let sources = source::all();
    for (name, rooms) in BORDERS {
        let speakers: Vec<_> =
            sources.iter().filter(|source| !source.is_tests() && source.paths_of(name).next().is_some()).collect();
        assert!(!speakers.is_empty(), "nobody speaks of {name}: the rule is out of date");
        for source in speakers {
            if !rooms.iter().any(|room| source.path.starts_with(room)) {
                faults.push(format!("{}: speaks of {name}", source.path.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn grpc_codes_are_named_in_one_file() {
    let names_a_code = |code: &str| {
        let has = |text: &str| code.contains(text);
        has("tonic::Code") || has("tonic::{Code") || has(" Code::Internal") || has("Status::new(")
    };
    let sources = source::all();
    let naming = sources.iter().filter(|source| !source.is_tests() && names_a_code(&source.code));
    let naming: Vec<_> = naming.map(|source| source.path.display().to_string()).collect();
    assert_eq!(naming, ["grpc/status/mod.rs"]);
}

/// SQLite plans a statement with a bare `LIMIT ?` anew whenever it is run: `Fragment::limit` writes it otherwise.
#[test]
fn no_text_of_a_statement_ends_with_a_bare_limit() {
    let sources = source::all();
    let bare = sources.iter().filter(|source| source.path.starts_with("store") && source.code.contains("LIMIT \""));
    let bare: Vec<_> = bare.map(|source| source.path.display().to_string()).collect();
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn nothing_but_dev_knows_the_emulator() {
    for source in source::all() {
        let is_apart = source.path.starts_with("emulator") || source.path.starts_with("cli/dev");
        let names_it = source.code.contains("emulator::") || source.code.contains("mod emulator");
        assert!(is_apart || source.room() == "lib" || !names_it, "{}", source.path.display());
        assert!(source.room() != "lib" || source.code.contains("#[cfg(feature = \"dev\")]\npub mod emulator;"));
    }
}
