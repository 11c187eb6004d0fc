//! That what operators copy is true: the examples under `deploy/`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use cassius_calendar::config::SETTINGS;
use cassius_calendar::grpc::pb::ErrorReason;
use cassius_calendar::metrics::METRICS;

fn files() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The words of a text that begin so.
fn words<'a>(text: &'a str, beginning: &'a str) -> impl Iterator<Item = &'a str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(move |word| word.starts_with(beginning))
}

#[test]
fn dashboards_and_alerts_speak_of_metrics_that_are_served_and_of_each() {
    let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    let files = files();
    for (path, text) in &files {
        for word in words(text, "cassius_calendar_") {
            assert!(names.contains(&word.trim_end_matches("_bucket")), "{}: {word}", path.display());
        }
        for reason in text.split("reason=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let is_served = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", reason.to_uppercase())).is_some();
            assert!(is_served, "{}: {reason}", path.display());
        }
    }
    let shown = |name: &&&str| {
        files.iter().any(|(path, text)| path.ends_with("grafana-dashboard.json") && text.contains(**name))
    };
    assert_eq!(names.iter().find(|name| !shown(name)), None, "the dashboard shows every metric");
}

#[test]
fn the_settings_that_the_examples_set_are_settings() {
    let is_setting = |name: &str| {
        SETTINGS.iter().any(|it| it.name == name || it.secret && name.strip_suffix("_FILE") == Some(it.name))
    };
    let mut seen = 0;
    for (path, text) in files() {
        let of_unit = text.lines().filter_map(|line| line.strip_prefix("Environment=")?.split('=').next());
        let of_pod = text.lines().filter_map(|line| line.trim().strip_prefix("- { name: ")?.split(',').next());
        let of_pod = of_pod.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        for name in of_unit.chain(of_pod) {
            assert!(is_setting(name), "{}: {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "the test reads what is there");
}

#[test]
fn the_container_runs_one_program_as_nobody_and_probes_it() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/Containerfile")).unwrap();
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    assert!(last.starts_with("scratch\n"), "nothing but the program is in it");
    for line in ["USER 65532:65532", "ENTRYPOINT [\"/cassius-calendar\"]", "CMD [\"serve\"]"] {
        assert!(last.lines().any(|it| it == line), "{line}");
    }
    assert!(last.contains("CMD [\"/cassius-calendar\", \"healthcheck\"]"));
    assert!(text.contains("--no-default-features"), "the emulator stays out");
}

/// Not everybody who runs the tests has systemd: where it is not, this says so and proves nothing.
#[test]
fn the_unit_is_hardened_as_far_as_systemd_can_tell() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/cassius-calendar.service");
    // Exposure goes from 0 to 100: most services stand at 96, what has the network and a folder of its own at some 15.
    let analyze = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    match Command::new("systemd-analyze").args(analyze).arg(unit).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => eprintln!("systemd-analyze is not there: not verified"),
        told => {
            let told = told.unwrap();
            let text = String::from_utf8_lossy(&told.stdout);
            assert!(told.status.success() && text.contains("exposure level"), "{text}{told:?}");
        }
    }
}
