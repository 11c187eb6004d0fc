//! The state file.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::emulator::{self, Error, Options};
use reqwest::Method;
use serde_json::json;

use super::super::subject::ACCOUNT;
use super::stage::{Stage, event};

#[tokio::test]
async fn a_second_start_finds_accounts_calendars_events_and_grants() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = Options::loopback(Clock::system(), Entropy::system());
    options.state_file = Some(folder.path().join("google.json"));

    let stage = Stage::with(options.clone()).await;
    let code = stage.code(&[]).await;
    let tokens = stage.exchange(&code, &[]).await;
    let token = tokens.text("access_token");
    let before = stage.call(token, Method::POST, "calendars/primary/events", Some(&event("kept0"))).await;
    stage.call(token, Method::POST, "calendars/primary/events", Some(&event("gone0"))).await;
    stage.call(token, Method::DELETE, "calendars/primary/events/gone0", None).await;
    stage.control(Method::POST, "accounts", json!({"email": "new@example.org"})).await;
    // No shutdown first: what was answered is on disk already.
    let copy = std::fs::read(folder.path().join("google.json")).expect("the file is there");
    stage.emulator.shutdown().await;
    std::fs::write(folder.path().join("google.json"), copy).expect("the file is ours");

    let stage = Stage::with(options).await;
    let after = stage.call(token, Method::GET, "calendars/primary/events/kept0", None).await;
    assert_eq!((after.status, after.text("etag")), (200, before.text("etag")));
    let again = stage.call(token, Method::POST, "calendars/primary/events", Some(&event("gone0"))).await;
    assert_eq!(again.outcome(), (409, "duplicate"));
    assert_ne!(again.text("etag"), before.text("etag"));
    assert_eq!(stage.refresh(tokens.text("refresh_token")).await.status, 200);
    assert!(stage.read("accounts").await.to_string().contains("new@example.org"));
    assert!(stage.read(&format!("accounts/{ACCOUNT}/events")).await.to_string().contains("kept0"));
}

#[tokio::test]
async fn a_broken_state_file_stops_the_start_and_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("google.json");
    std::fs::write(&path, "{\"accounts\":").expect("the folder is ours");
    let mut options = Options::loopback(Clock::system(), Entropy::system());
    options.state_file = Some(path.clone());
    assert!(matches!(emulator::start(options).await, Err(Error::StateFile { .. })));
    assert_eq!(std::fs::read_to_string(&path).expect("the file is there"), "{\"accounts\":");
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let stage = Stage::new().await;
    let mut options = Options::loopback(Clock::system(), Entropy::system());
    options.listen = stage.emulator.base_url()["http://".len()..].parse().expect("an address");
    assert!(matches!(emulator::start(options).await, Err(Error::Listen { .. })));
}
