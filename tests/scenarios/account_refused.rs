//! Google refuses the account: as a whole, by its token endpoint, or by a token that it does not honour for a while.

use cassius_calendar::grpc::pb::{
    EraseAppointmentsRequest, ErrorReason, IntegrationState, ListCalendarsRequest, SyncStatus,
};
use serde_json::json;
use tonic::Code;

use super::{reason, with_plenty_of_quota};
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};

#[apply(both_backends)]
async fn a_refused_account_is_told_at_the_integration_probed_hourly_and_back_by_itself(app: &mut TestApp) {
    with_plenty_of_quota(app).await;
    app.connect("cabinet").await;
    for word in ["notACalendarUser", "accountDisabled", "somethingNew"] {
        let fault = json!({"kind": "error", "code": 403, "reason": word});
        app.google.control("faults", json!({"operation": "events.*", "account": ACCOUNT, "fault": fault})).await;
        for number in 0..3 {
            app.accept("cabinet", appointment(&format!("{word} {number}"), 1)).await;
        }
        let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::AccountUnavailable)).await;
        assert_eq!(status.state(), IntegrationState::Error, "{word}");
        assert!(status.problem.unwrap().retry_time.is_some(), "{word}: it is tried again");
        app.worker_looks().await;
        app.google.forget_journal().await;
        app.advance(3_000);
        app.worker_looks().await;
        assert_eq!(app.google.calls_of(ACCOUNT).await, [""; 0], "{word}: within the hour nothing is asked");
        app.advance(700);
        app.google.until(|calls| calls.iter().any(|call| call["account"] == ACCOUNT && call["status"] == 403)).await;
        app.worker_looks().await;
        let status = app.status("cabinet").await;
        assert_eq!(reason(&status), Some(ErrorReason::AccountUnavailable), "{word}");
        assert_eq!(status.counts.unwrap().error, 0, "{word}: never an error an appointment");

        app.google.no_more_faults().await;
        app.advance(3_700);
        let status = app.at_rest("cabinet").await;
        assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, None), "{word}");
    }
    assert_eq!(app.google.events(ACCOUNT).await.len(), 9);
}

#[apply(both_backends)]
async fn a_refused_account_is_well_again_once_what_was_owed_is_deleted(app: &mut TestApp) {
    app.connect("cabinet").await;
    let event = app.sync("cabinet", appointment("erased", 1)).await.external_event_id;
    let fault = json!({"kind": "error", "code": 403, "reason": "accountDisabled"});
    app.google.control("faults", json!({"operation": "events.*", "account": ACCOUNT, "fault": fault})).await;
    let request =
        EraseAppointmentsRequest { organisation_id: "cabinet".into(), appointment_ids: vec!["erased".to_owned()] };
    let mut appointments = app.appointments.clone();
    let erased = app.while_time_goes_on(appointments.erase_appointments(request)).await.unwrap().unwrap().into_inner();
    assert!(!erased.is_done);
    app.until("cabinet", |status| reason(status) == Some(ErrorReason::AccountUnavailable)).await;

    app.google.no_more_faults().await;
    app.advance(3_700);
    let status = app.until("cabinet", |status| status.problem.is_none()).await;
    assert_eq!(status.state(), IntegrationState::Connected);
    app.while_time_goes_on(app.google.until_deleted(&[event])).await.expect("it is deleted");
    assert_eq!(app.google.events(ACCOUNT).await.len(), 0);
}

#[apply(both_backends)]
async fn a_refresh_that_is_refused_in_any_word_asks_for_a_new_consent(app: &mut TestApp) {
    app.connect("cabinet").await;
    let words = ["access_denied", "admin_policy_enforced", "account_deleted", "invalid_scope", "something_new"];
    for (revision, word) in (1..).zip(words) {
        app.google.fault("token.refresh", 1, json!({"kind": "error", "code": 400, "reason": word})).await;
        app.google.expire_tokens(ACCOUNT).await;
        app.accept("cabinet", of_patient("rdv", revision, word)).await;
        let status = app.until("cabinet", |status| reason(status) == Some(ErrorReason::ReconnectRequired)).await;
        assert_eq!(status.state(), IntegrationState::Error, "{word}");
        app.connect("cabinet").await;
        app.at_rest("cabinet").await;
        assert_eq!(app.google.events(ACCOUNT).await[0]["summary"], format!("[Cassius] Implant — {word}"));
    }
}

#[apply(both_backends)]
async fn two_refused_tokens_in_a_row_are_waited_out_since_the_refresh_between_was_good(app: &mut TestApp) {
    app.connect("cabinet").await;
    let unauthorized = json!({"kind": "error", "code": 401, "reason": "authError"});
    app.google.fault("events.insert", 2, unauthorized.clone()).await;
    app.google.forget_journal().await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let status = app.until("cabinet", |status| status.problem.is_some()).await;
    assert_eq!((status.state(), reason(&status)), (IntegrationState::Connected, Some(ErrorReason::GoogleUnavailable)));
    let refreshes = app.google.journal().await.iter().filter(|call| call["operation"] == "token.refresh").count();
    assert_eq!(refreshes, 1);
    app.advance(60);
    app.at_rest("cabinet").await;
    assert_eq!(app.link("cabinet", "rdv").await.sync_status(), SyncStatus::Synced);
    assert_eq!(app.google.events(ACCOUNT).await.len(), 1);

    app.google.fault("calendarList.list", 2, unauthorized).await;
    let list = ListCalendarsRequest { organisation_id: "cabinet".into() };
    assert_eq!(app.integrations.list_calendars(list).await.unwrap_err().code(), Code::Unavailable);
}
