//! SQLite locked by somebody else: what has to write is told so within seconds, what only reads is served.

use cassius_calendar::grpc::pb::{
    BeginConnectRequest, GetAppointmentLinkRequest, SyncAppointmentRequest, SyncAppointmentsRequest,
};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use tonic::Code;

use super::refused::refused;
use crate::harness::app::TestApp;
use crate::harness::database::Database;
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_put_off_and_reads_are_served_while_another_holds_the_file() {
    let mut app = TestApp::start(Database::on_sqlite().await).await;
    app.connect("cabinet").await;
    app.sync("cabinet", appointment("rdv", 1)).await;

    let mut other = diesel::SqliteConnection::establish(&app.database.path()).unwrap();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let request = |id: &str, revision| SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(id, revision)),
        wait: None,
    };
    let (mut one, mut two, mut three) = (app.appointments.clone(), app.appointments.clone(), app.integrations.clone());
    let streamed =
        SyncAppointmentsRequest { organisation_id: "cabinet".into(), appointment: Some(appointment("absent", 1)) };
    let begin =
        BeginConnectRequest { organisation_id: "cabinet".into(), return_url: String::new(), ..Default::default() };
    let (accepted, answered, begun) = tokio::join!(
        one.sync_appointment(request("rdv", 2)),
        async {
            let answers = two.sync_appointments(tokio_stream::iter([streamed])).await;
            answers.unwrap().into_inner().message().await
        },
        three.begin_connect(begin),
    );
    refused(accepted, Code::Unavailable, "STORAGE_UNAVAILABLE");
    refused(answered, Code::Unavailable, "STORAGE_UNAVAILABLE");
    refused(begun, Code::Unavailable, "STORAGE_UNAVAILABLE");
    assert_eq!(app.link("cabinet", "rdv").await.revision, 1);
    assert_eq!(app.status("cabinet").await.google_email, ACCOUNT);

    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(app.accept("cabinet", appointment("rdv", 2)).await.revision, 2);
    let absent = GetAppointmentLinkRequest { organisation_id: "cabinet".into(), appointment_id: "absent".into() };
    refused(app.appointments.get_appointment_link(absent).await, Code::NotFound, "APPOINTMENT_NOT_FOUND");
    assert_eq!(app.at_rest("cabinet").await.counts.unwrap().synced, 1);
    app.end().await;
}
