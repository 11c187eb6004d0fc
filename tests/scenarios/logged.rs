//! A line in the log says by itself whose it is.

use cassius_calendar::grpc::pb::{DisconnectRequest, GetStatusRequest};
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};
use crate::harness::logs;
use crate::harness::samples::appointment;
use crate::wire::callers::{as_guest, bare, invite_guest};

/// The lines under a span of this organisation that hold `text`.
fn of(organisation: &str, text: &str) -> Vec<String> {
    let its = format!("organisation.id={organisation}");
    logs::lines_with(text).into_iter().filter(|line| line.contains(&its)).collect()
}

#[apply(both_backends)]
async fn a_line_of_an_attempt_names_organisation_and_appointment(app: &mut TestApp) {
    app.connect("cabinet-of-the-attempt").await;
    app.google.fault("events.insert", 1, json!({"kind": "error", "code": 400, "reason": "badRequest"})).await;
    app.sync("cabinet-of-the-attempt", appointment("named-in-the-log", 1)).await;
    let refused = of("cabinet-of-the-attempt", "refuses an event for good");
    assert!(!refused.is_empty(), "no line of the refusal");
    for line in refused {
        assert!(line.contains("attempt{") && line.contains("appointment.id=named-in-the-log"), "{line}");
    }
}

#[apply(both_backends)]
async fn a_line_of_a_call_names_method_caller_and_organisation(app: &mut TestApp) {
    invite_guest(app).await;
    let request = GetStatusRequest { organisation_id: "cabinet-of-the-call".into() };
    bare(app).await.integrations.get_status(as_guest(request)).await.unwrap_err();
    let lines = of("cabinet-of-the-call", "that it does not stand for");
    assert!(!lines.is_empty(), "no line of the refusal");
    for line in lines {
        assert!(line.contains("rpc{") && line.contains("CalendarIntegration/GetStatus"), "{line}");
        assert!(line.contains("caller.name="), "{line}");
    }
}

#[apply(both_backends)]
async fn a_line_of_a_disconnect_names_the_organisation(app: &mut TestApp) {
    app.connect("cabinet-of-the-disconnect").await;
    let request = DisconnectRequest { organisation_id: "cabinet-of-the-disconnect".into(), ..Default::default() };
    app.integrations.disconnect(request).await.unwrap();
    assert!(!of("cabinet-of-the-disconnect", "disconnect{").is_empty(), "no line below the disconnect");
}

#[apply(both_backends)]
async fn what_was_attempted_for_an_organisation_is_one_line_a_batch(app: &mut TestApp) {
    app.connect("cabinet-of-the-batch").await;
    app.sync("cabinet-of-the-batch", appointment("one-of-the-batch", 1)).await;
    app.stop().await;
    let lines = of("cabinet-of-the-batch", "settled what was attempted");
    assert!(lines[0].contains("INFO") && lines[0].contains("done=1 later=0 refused=0 unchanged=0"), "{lines:?}");
}
