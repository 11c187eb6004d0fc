//! Something between answers in Google's place: a proxy, a portal.

use cassius_calendar::grpc::pb::{ErrorReason, IntegrationState};
use serde_json::json;

use super::{reason, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, cancelled, of_patient};

/// A page answers the next call of an operation; the appointment waits, and is sent when the way is free again.
async fn waits_and_comes_through(app: &mut TestApp, what: &str) {
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    let expected = (IntegrationState::Connected, Some(ErrorReason::GoogleUnavailable));
    assert_eq!((status.state(), reason(&status)), expected, "{what}");
    app.advance(3_600);
    let status = app.at_rest("cabinet").await;
    assert_eq!((reason(&status), status.counts.unwrap().error), (None, 0), "{what}");
}

#[apply(both_backends)]
async fn its_pages_say_nothing_about_an_event_a_token_or_a_calendar(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for code in [400, 401, 403, 404, 405, 407, 409, 410, 412, 413, 429] {
        let id = format!("rdv {code}");
        let page = json!({"kind": "page", "code": code});
        app.google.fault("events.insert", 1, page.clone()).await;
        app.accept("cabinet", appointment(&id, 1)).await;
        waits_and_comes_through(app, &format!("insert, {code}")).await;
        let event = app.link("cabinet", &id).await.external_event_id;
        app.google.fault("events.patch", 1, page.clone()).await;
        app.accept("cabinet", of_patient(&id, 2, "Dominique Essai")).await;
        waits_and_comes_through(app, &format!("patch, {code}")).await;
        let events = app.google.events_of(ACCOUNT, &id).await;
        assert_eq!((events.len(), &events[0]["id"]), (1, &json!(event)), "{code}");
        assert_eq!(events[0]["summary"], "[Cassius] Implant — Dominique Essai", "{code}");
        app.google.fault("events.delete", 1, page).await;
        app.accept("cabinet", cancelled(&id, 3)).await;
        waits_and_comes_through(app, &format!("delete, {code}")).await;
        assert!(app.google.events_of(ACCOUNT, &id).await.is_empty(), "{code}");
    }
}
