//! What is logged, and in which form.

use serde_json::Value;

use cassius_calendar::grpc::pb::BeginConnectRequest;

use super::process::{Process, settings, with};
use crate::harness::app::clients_at;
use crate::harness::database::Database;

fn logged(format: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let settings = with(&settings(), &[("LOG_FORMAT", format), ("LOG", "debug")]);
    let mut process = Process::start(&["serve"], &settings, folder.path());
    process.addresses();
    process.signal("TERM");
    assert_eq!(process.ended().0.code(), Some(0));
    assert_eq!(process.output.all(), [""; 0], "standard output is not for logs");
    let lines = process.errors.all().to_vec();
    let secrets = ["canary-client-secret", settings["ENCRYPTION_KEYS"].as_str()];
    assert!(!lines.iter().any(|line| secrets.iter().any(|secret| line.contains(secret))), "{lines:?}");
    lines
}

#[test]
fn text_has_no_colours_where_no_person_reads() {
    let lines = logged("text");
    assert!(lines.iter().any(|line| line.contains(" INFO ") && line.contains("serving")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains('\u{1b}')), "{lines:?}");
}

#[test]
fn json_is_one_object_a_line() {
    let lines: Vec<Value> = logged("json").iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let serving = lines.iter().find(|line| line["message"] == "serving").unwrap();
    assert_eq!(serving["level"], "INFO");
    assert!(serving["grpc.address"].as_str().unwrap().starts_with("127.0.0.1:"), "{serving}");
    assert!(lines.iter().any(|line| line["message"] == "stopped"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_the_database_is_not_logged_at_any_level() {
    let database = Database::on_postgres().await;
    for level in ["trace", "info,tokio_postgres=trace", "info,tokio_postgres::query=debug"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = with(
            &settings(),
            &[("DATABASE_URL", &*database.url), ("LOG", level), ("CASSIUS_APP_URL", "http://127.0.0.1:3000")],
        );
        let mut process = Process::start(&["serve"], &settings, folder.path());
        let begin = BeginConnectRequest {
            organisation_id: "cabinet-canari".into(),
            return_url: String::new(),
            organisation_name: "Cabinet Canari".into(),
        };
        let (mut integrations, _) = clients_at(process.addresses().0).await;
        integrations.begin_connect(begin).await.unwrap();
        process.signal("TERM");
        assert_eq!(process.ended().0.code(), Some(0));
        let lines = process.errors.all();
        assert!(!lines.iter().any(|line| line.contains("tokio_postgres::query")), "{level}");
    }
    database.drop().await;
}
