//! `dev`: what it prints, what it keeps, how it ends.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::process::{Process, Settings};
use crate::harness::browser::{Browser, EVENTS, LIST};
use crate::harness::google::{ACCOUNT, encode};

/// `dev` on free ports, with its state in this folder.
pub(crate) struct Dev {
    pub(crate) process: Process,
    pub(crate) grpc: String,
    pub(crate) google: String,
    pub(crate) browser: Browser,
    /// What it printed.
    pub(crate) welcome: Vec<String>,
}

impl Dev {
    pub(crate) fn start(folder: &Path) -> Self {
        // The test's own HTTP client wants a provider of TLS even where it speaks plain HTTP; a second call is no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = ["GRPC_ADDR", "HTTP_ADDR"].map(|name| (name.to_owned(), "127.0.0.1:0".to_owned()));
        let arguments = ["dev", "--emulator-addr", "127.0.0.1:0"];
        let mut process = Process::start(&arguments, &Settings::from(settings), folder);
        let (grpc, http) = process.addresses();
        process.output.wait_for("Ctrl-C");
        let welcome = process.output.so_far().to_vec();
        let google = welcome.iter().find_map(|line| line.trim().strip_prefix("Google ")).unwrap();
        let google = google.split_whitespace().next().unwrap().to_owned();
        Self { process, grpc: grpc.to_string(), google, browser: Browser::new(http), welcome }
    }

    /// Opens a link as a person would, allows everything as the first account, and reads the page at the end.
    pub(crate) async fn consent(&mut self, connect_url: &str) -> String {
        let page = self.browser.get(&self.browser.sidecar(connect_url)).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let callback = self.browser.decide(&page.location.unwrap(), ACCOUNT, &[EVENTS, LIST], "allow").await;
        let page = self.browser.get(&callback).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    /// The live events of the first account.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let url = format!("{}/emulator/accounts/{}/events", self.google, encode(ACCOUNT));
        let all: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let events = all.get("events").unwrap_or(&all).as_array().unwrap();
        events.iter().filter(|event| event["status"] != "cancelled").cloned().collect()
    }

    /// Ends it as a person does.
    pub(crate) fn interrupt(mut self) {
        self.process.signal("INT");
        assert_eq!(self.process.ended().0.code(), Some(0));
    }
}

/// Pastes lines into a shell, and answers what they print.
pub(crate) fn paste(lines: &str) -> String {
    let there = Command::new("grpcurl").arg("--version").output();
    assert!(there.is_ok(), "grpcurl is not on the PATH: `make test` brings it");
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", lines]).output().unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{lines}\n{printed}\n{errors}");
    printed.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_leads_through_the_whole_path_and_a_second_start_finds_the_state_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path());
    let link = dev.welcome.iter().find(|line| line.contains("/connect?ticket=")).unwrap().clone();
    assert!(dev.consent(&link).await.contains("Google Calendar est connecté"));
    let lines: Vec<_> = dev.welcome.iter().filter(|line| line.starts_with("grpcurl ")).cloned().collect();
    let (before, after) = lines.split_at(lines.iter().position(|line| line.contains("Disconnect")).unwrap());
    let mut answers = Vec::new();
    let mut counts = Vec::new();
    for line in before {
        answers.push(paste(line));
        counts.push(dev.events().await.len());
    }
    assert!(answers[0].contains("INTEGRATION_STATE_CONNECTED") && answers[0].contains(ACCOUNT), "{}", answers[0]);
    assert!(answers[2].contains("Fauteuils et salles"), "{}", answers[2]);
    // Created, edited, looked at, called off; switched off, one more. Switched on, it catches up by itself.
    assert_eq!(counts[..9], [0, 0, 0, 1, 1, 1, 0, 0, 0]);
    assert!(answers[8].contains("SYNC_STATUS_NONE"), "{}", answers[8]);
    // The catch-up is under way or over; the same revision again only waits for it.
    assert!(paste(&before[8]).contains("SYNC_STATUS_SYNCED"));
    assert_eq!(dev.events().await.len(), 1);
    dev.interrupt();

    let dev = Dev::start(folder.path());
    assert!(dev.welcome.iter().any(|line| line.contains(&format!("is connected as {ACCOUNT}"))), "{:?}", dev.welcome);
    assert_eq!(dev.events().await.len(), 1);
    let status = before[0].replace(address_of(&before[0]), &dev.grpc);
    assert!(paste(&status).contains("INTEGRATION_STATE_CONNECTED"));
    let [disconnect, begin] = after else { panic!("{after:?}") };
    let disconnected = paste(&disconnect.replace(address_of(disconnect), &dev.grpc));
    assert!(disconnected.contains("INTEGRATION_STATE_NOT_CONNECTED"), "{disconnected}");
    assert!(paste(&begin.replace(address_of(begin), &dev.grpc)).contains("/connect?ticket="));
    dev.interrupt();
}

/// The address that a line of grpcurl names.
fn address_of(line: &str) -> &str {
    line.split_whitespace().rev().nth(1).unwrap()
}

#[test]
fn what_is_made_up_is_kept_from_others_and_told_to_nobody() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path());
    let file = folder.path().join(".cassius-calendar-dev/encryption-keys");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let keys = std::fs::read_to_string(file).unwrap();
    assert!(!dev.welcome.iter().any(|line| line.contains(keys.trim())));
    let Dev { mut process, .. } = dev;
    process.signal("INT");
    assert_eq!(process.ended().0.code(), Some(0));
    assert!(!process.errors.all().iter().any(|line| line.contains(keys.trim())));
}

#[test]
fn an_address_that_is_taken_comes_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = super::process::run(&["dev", "--emulator-addr", &address], &Settings::new(), folder.path());
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    assert!(ended.errors.contains("--emulator-addr") && ended.errors.contains(&address), "{}", ended.errors);
}
