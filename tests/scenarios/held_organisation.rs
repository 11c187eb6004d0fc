//! An organisation whose rows somebody holds: it waits, and nobody waits with it.

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus};

use crate::harness::app::TestApp;
use crate::harness::database::Database;
use crate::harness::samples::appointment;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accepts_and_deliveries_of_others_go_on_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.google.control("accounts", serde_json::json!({"email": "held@example.com"})).await;
    app.connect_as("held", "held@example.com").await;
    app.connect("cabinet").await;
    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    let hold = "SELECT 1 FROM calendar_integrations WHERE organisation_id = 'held' FOR UPDATE";
    transaction.batch_execute(hold).await.unwrap();

    let waiting: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|id| {
            let mut appointments = app.appointments.clone();
            let request = SyncAppointmentRequest {
                organisation_id: "held".into(),
                appointment: Some(appointment(id, 1)),
                wait: None,
            };
            tokio::spawn(async move { appointments.sync_appointment(request).await })
        })
        .collect();
    for revision in 1..=3 {
        let link = app.sync("cabinet", appointment("rdv", revision)).await;
        assert_eq!((link.sync_status(), link.synced_revision), (SyncStatus::Synced, revision));
    }
    assert!(waiting.iter().all(|task| !task.is_finished()));

    transaction.commit().await.unwrap();
    for task in waiting {
        let link = task.await.unwrap().unwrap().into_inner().link.unwrap();
        assert_eq!(link.revision, 1);
    }
    app.at_rest("held").await;
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}
