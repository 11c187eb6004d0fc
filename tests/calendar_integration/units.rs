//! Every request to the Calendar API takes a unit of its account, and one of the project.

use cassius_calendar::grpc::pb::{ListCalendarsRequest, SyncNowRequest};
use serde_json::json;
use tonic_types::StatusExt as _;

use super::update_settings::choose;
use crate::harness::app::TestApp;
use crate::harness::browser::{EVENTS, outcome};
use crate::harness::database::Database;
use crate::harness::google::ACCOUNT;

/// Whose units are few: three come at once, and seven a minute flow, too slow for a caller to wait for one.
const SCARCE: [(&str, &str); 2] = [("QUOTA_USER_PER_MINUTE", "10"), ("QUOTA_PROJECT_PER_MINUTE", "10")];
const BURST: usize = 3;
/// In which nothing may be written.
const HOLIDAYS: &str = "fr.french#holiday@group.v.calendar.google.com";

/// The requests to the Calendar API since the journal was forgotten.
async fn requests(app: &TestApp) -> usize {
    let journal = app.google.journal().await;
    let is_of_api = |name: &str| name.starts_with("calendarList.") || name.starts_with("events.");
    journal.iter().filter(|call| is_of_api(call["operation"].as_str().unwrap())).count()
}

/// All units are there again, and none was spent since.
async fn begin(app: &TestApp) {
    app.advance(60);
    app.google.forget_journal().await;
}

/// Asks Google on until there is no unit left; asserts that each request up to then took one.
async fn each_took_a_unit(app: &mut TestApp, what: &str) {
    let asked = requests(app).await;
    assert!((1..=BURST).contains(&asked), "{what}: {asked} requests");
    loop {
        let refused = choose(app, HOLIDAYS).await.unwrap_err();
        match &*refused.get_details_error_info().unwrap().reason {
            "CALENDAR_UNAVAILABLE" => assert!(requests(app).await <= BURST, "{what}"),
            "GOOGLE_UNAVAILABLE" => break,
            other => panic!("{what}: {other}"),
        }
    }
    assert_eq!(requests(app).await, BURST, "{what}, after {asked} requests");
}

async fn list(app: &mut TestApp) -> usize {
    let request = ListCalendarsRequest { organisation_id: "cabinet".into() };
    app.integrations.list_calendars(request).await.unwrap().into_inner().calendars.len()
}

async fn connect_without_the_list(app: &mut TestApp) {
    let consent = app.browser.go_to_google(&mut app.integrations, "cabinet").await;
    let callback = app.browser.decide(&consent, ACCOUNT, &[EVENTS], "allow").await;
    assert_eq!(outcome(&app.browser.get(&callback).await), "connected");
}

async fn every_request_takes_a_unit(database: Database, scarce: (&str, &str)) {
    let mut app = TestApp::start_with(database, &[scarce]).await;
    begin(&app).await;
    app.connect("cabinet").await;
    each_took_a_unit(&mut app, "a consent").await;

    begin(&app).await;
    list(&mut app).await;
    each_took_a_unit(&mut app, "a list").await;

    begin(&app).await;
    app.google.expire_tokens(ACCOUNT).await;
    choose(&mut app, HOLIDAYS).await.unwrap_err();
    assert_eq!(requests(&app).await, 2);
    each_took_a_unit(&mut app, "a calendar that is chosen, with a token that is refused and a newer one").await;

    for number in 0..260 {
        let calendar = json!({"id": format!("c{number}"), "summary": format!("Agenda {number:03}")});
        app.google.control(&format!("accounts/{ACCOUNT}/calendars"), calendar).await;
    }
    begin(&app).await;
    assert!(list(&mut app).await > 260);
    assert_eq!(requests(&app).await, 2);
    each_took_a_unit(&mut app, "a list of two pages").await;

    begin(&app).await;
    connect_without_the_list(&mut app).await;
    assert_eq!(requests(&app).await, 2);
    each_took_a_unit(&mut app, "a consent without the list").await;

    begin(&app).await;
    let request = SyncNowRequest { organisation_id: "cabinet".into(), dry_run: true };
    app.integrations.sync_now(request).await.unwrap();
    each_took_a_unit(&mut app, "a comparison").await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_takes_a_unit_of_its_account_and_one_of_the_project_on_sqlite() {
    for scarce in SCARCE {
        every_request_takes_a_unit(Database::on_sqlite().await, scarce).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_takes_a_unit_of_its_account_and_one_of_the_project_on_postgres() {
    for scarce in SCARCE {
        every_request_takes_a_unit(Database::on_postgres().await, scarce).await;
    }
}
