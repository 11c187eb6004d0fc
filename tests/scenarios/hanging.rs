//! Google hangs for many practices: nobody else waits for that.

use cassius_calendar::grpc::pb::SyncStatus;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::with_plenty_of_quota;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

const HANGING: &str = "hanging@example.com";

/// As many practices hang as there are attempts under way at a time.
#[apply(both_backends)]
async fn an_edit_waits_a_second_at_most_for_those_whose_google_hangs(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.google.control("accounts", json!({"email": HANGING})).await;
    let hanging: Vec<_> = (0..64).map(|number| format!("hanging-{number}")).collect();
    for organisation in &hanging {
        app.connect_as(organisation, HANGING).await;
    }
    app.connect("cabinet").await;
    let fault = json!({"operation": "events.insert", "account": HANGING, "fault": {"kind": "hang"}});
    app.google.control("faults", fault).await;
    for organisation in &hanging {
        app.accept(organisation, appointment("rdv", 1)).await;
    }
    // What becomes due beside many others is gathered for a moment.
    let all_hang = async {
        let inserts = |calls: Vec<Value>| calls.iter().filter(|call| call["operation"] == "events.insert").count();
        while inserts(app.google.journal().await) < hanging.len() {
            app.clock.advance(SignedDuration::from_millis(1));
        }
    };
    tokio::time::timeout(BOUND, all_hang).await.expect("each of them has a place");

    app.accept("cabinet", appointment("rdv", 1)).await;
    let began_at = app.clock.now();
    app.clock.advance(SignedDuration::from_secs(1));
    let delivered = async { while app.link("cabinet", "rdv").await.sync_status() != SyncStatus::Synced {} };
    tokio::time::timeout(BOUND, delivered).await.expect("it waits for those that hang");
    assert_eq!(app.clock.now().duration_since(began_at), SignedDuration::from_secs(1));
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);

    // What hung is carried out once it is let go, and is written once.
    app.google.no_more_faults().await;
    for organisation in &hanging {
        app.at_rest(organisation).await;
    }
    assert_eq!(app.google.events(HANGING).await.len(), hanging.len());
}
