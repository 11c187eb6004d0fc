//! The README's path, pasted line by line.

use super::dev::{Dev, paste};
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};
use crate::house::readme::README;

/// The blocks that call the service, as they are shown.
fn blocks() -> Vec<&'static str> {
    let fenced = README.split("\n```").skip(1).step_by(2);
    let shell = fenced.filter_map(|block| block.strip_prefix("sh\n"));
    shell.filter(|block| block.contains("grpcurl ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grpcurl_line_of_the_readme_works_in_the_order_shown() {
    // What each block calls, what it prints, and how many events stand at Google afterwards.
    let path: [(&str, &[&str], usize); 12] = [
        ("BeginConnect", &["connectUrl", "connectCookie"], 0),
        ("GetStatus", &["INTEGRATION_STATE_CONNECTED", ACCOUNT], 0),
        ("ListCalendars", &["isPrimary", SECOND_CALENDAR], 0),
        ("UpdateSettings", &["Fauteuils et salles"], 0),
        ("SyncAppointment", &["SYNC_STATUS_SYNCED", "\"syncedRevision\": \"1\""], 1),
        ("SyncAppointment", &["SYNC_STATUS_SYNCED", "\"syncedRevision\": \"2\""], 1),
        ("GetAppointmentLink", &[SECOND_CALENDAR, "htmlLink"], 1),
        ("SyncAppointment", &["SYNC_STATUS_SYNCED", "\"syncedRevision\": \"3\""], 0),
        ("SyncNow", &["SYNC_STATUS_NONE", "INTEGRATION_STATE_CONNECTED"], 1),
        ("RetryAppointments", &["{"], 1),
        ("Disconnect", &["INTEGRATION_STATE_NOT_CONNECTED", "\"deletedEventCount\": 1"], 0),
        ("EraseAppointments", &["\"isDone\": true"], 0),
    ];
    let blocks = blocks();
    assert_eq!(blocks.len(), path.len(), "the README's blocks are those that are expected: {blocks:#?}");
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path());
    for (block, (method, printed, events)) in blocks.iter().zip(path) {
        assert!(block.contains(&format!("/{method}")), "{method} is not called by {block}");
        let calls = block.matches("grpcurl ").count();
        let lines = block.replace("127.0.0.1:50051", &dev.grpc);
        assert_eq!(lines.matches(&dev.grpc).count(), calls, "the address is the default one in {block}");
        let answer = paste(&lines);
        for text in printed {
            assert!(answer.contains(text), "{text} is not in what {block} printed: {answer}");
        }
        if method == "BeginConnect" {
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            assert!(dev.consent(answer["connectUrl"].as_str().unwrap()).await.contains("Google Calendar est connecté"));
        }
        if method == "SyncNow" {
            // Both answer at once; what was kept is at Google when the link says so.
            let link = r#"{"organisation_id": "cabinet-exemple", "wait": "5s", "appointment": {"appointment_id": "rdv-43",
                "revision": 1, "state": "APPOINTMENT_STATE_CANCELLED"}}"#;
            let settled = paste(&format!(
                "grpcurl -plaintext -d '{link}' {} cassius.calendar.v1.AppointmentSync/SyncAppointment",
                dev.grpc
            ));
            assert!(settled.contains("SYNC_STATUS_SYNCED"), "{settled}");
        }
        assert_eq!(dev.events().await.len(), events, "after {block}");
    }
    dev.interrupt();
}
