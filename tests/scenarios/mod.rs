//! What the service must survive.

use cassius_calendar::grpc::pb::{
    Appointment, ErrorReason, IntegrationSettings, IntegrationStatus, UpdateSettingsRequest,
};
use prost_types::FieldMask;
use serde_json::json;

use crate::harness::app::TestApp;

mod acceptance_path;
mod access_tokens;
mod account_order;
mod account_refused;
mod bursts;
mod canaries;
mod cancelling;
mod catching_up;
mod changed_calendar;
pub(crate) mod comparison;
mod copied_events;
mod corrected_clock;
mod dead_grant;
mod disconnecting;
mod displaced_events;
mod erasing;
mod exchanged_account;
mod forbidden_event;
mod hanging;
mod held_organisation;
mod instants;
mod keyring;
mod logged;
mod lost_answers;
mod many_links;
mod moved_events;
mod old_appointments;
mod one_among_many;
mod order_of_edits;
mod other_account;
mod owed_before;
mod privacy;
mod refused_appointment;
mod remote_events;
mod something_between;
mod throttling;
mod unavailable_calendar;
mod unkept_grants;
mod unreadable;
mod vanished_events;

/// Why an integration stands still or waits; `None`: nothing is wrong.
fn reason(status: &IntegrationStatus) -> Option<ErrorReason> {
    status.problem.as_ref().map(|problem| problem.reason())
}

/// Reads the database until a query of one number answers `wanted`.
pub(crate) async fn until_number(app: &TestApp, sql: &str, wanted: i64) {
    let look = async { while app.database.number(sql).await != wanted {} };
    app.while_time_goes_on(look).await.expect("the database never holds what was wanted");
}

/// Lets a test make many calls though the clock stands still: neither the service nor Google counts them.
async fn with_plenty_of_quota(app: &mut TestApp) {
    app.google.settings(json!({"user_units_per_minute": 1_000_000, "project_units_per_minute": 1_000_000})).await;
    for setting in ["QUOTA_USER_PER_MINUTE", "QUOTA_PROJECT_PER_MINUTE"] {
        app.settings.insert(setting.into(), "1000000".into());
    }
    app.restart().await;
}

/// Chooses the target calendar of « cabinet ».
async fn choose_calendar(app: &mut TestApp, calendar: &str) -> Result<IntegrationStatus, tonic::Status> {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(IntegrationSettings { calendar_id: calendar.into(), ..IntegrationSettings::default() }),
        update_mask: Some(FieldMask { paths: vec!["calendar_id".into()] }),
    };
    Ok(app.integrations.update_settings(request).await?.into_inner().status.unwrap())
}

/// Turns the sending of « cabinet » on or off.
async fn enable(app: &mut TestApp, is_enabled: bool) {
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(IntegrationSettings { is_enabled, ..IntegrationSettings::default() }),
        update_mask: Some(FieldMask { paths: vec!["is_enabled".into()] }),
    };
    app.integrations.update_settings(request).await.unwrap();
}

/// The same appointment, some hours later: another content.
fn moved(appointment: &Appointment, hours: i64) -> Appointment {
    let later = |time: Option<prost_types::Timestamp>| {
        time.map(|time| prost_types::Timestamp { seconds: time.seconds + hours * 3_600, ..time })
    };
    Appointment {
        start_time: later(appointment.start_time),
        end_time: later(appointment.end_time),
        ..appointment.clone()
    }
}
