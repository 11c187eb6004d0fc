//! One appointment that the database does not take, among many that are stored or settled together.

use cassius_calendar::grpc::pb::{SyncAppointmentRequest, SyncStatus};
use futures_util::future::join_all;
use tonic::Code;

use super::until_number;
use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::database::Database;
use crate::harness::google::ACCOUNT;
use crate::harness::samples::appointment;

/// Has the database refuse what is done to a link of which this is true.
async fn refuse(database: &Database, what_is_done: &str, is_refused: &str) {
    let trigger = format!("CREATE TRIGGER refuse BEFORE {what_is_done} ON appointment_external_links FOR EACH ROW");
    let sql = if database.is_postgres() {
        format!(
            "CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION ''not this one''; END';
             {trigger} WHEN ({is_refused}) EXECUTE FUNCTION refuse()"
        )
    } else {
        format!("{trigger} WHEN {is_refused} BEGIN SELECT RAISE(ABORT, 'not this one'); END")
    };
    database.run(&sql).await;
}

/// Hands one in; answers its id, and the code where it is refused.
fn accept(app: &TestApp, id: String) -> impl Future<Output = (String, Option<Code>)> + Send + use<> {
    let mut appointments = app.appointments.clone();
    let request = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment(&id, 1)),
        wait: None,
    };
    async move { (id, appointments.sync_appointment(request).await.err().map(|refused| refused.code())) }
}

/// The appointment that is refused stands in the middle of them.
fn ids() -> Vec<String> {
    let good = |number: i32| format!("rdv-{number}");
    (0..20).map(good).chain(["bad".to_owned()]).chain((20..40).map(good)).collect()
}

#[apply(both_backends)]
async fn an_appointment_that_cannot_be_stored_is_refused_alone(app: &mut TestApp) {
    app.connect("cabinet").await;
    refuse(&app.database, "INSERT", "NEW.appointment_id = 'bad'").await;
    let accepts = ids().into_iter().map(|id| accept(app, id));
    let refused: Vec<_> = join_all(accepts).await.into_iter().filter(|(_, code)| code.is_some()).collect();
    assert_eq!(refused, [("bad".to_owned(), Some(Code::Internal))]);
    app.at_rest("cabinet").await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_line_of_a_practice_that_is_held_it_is_refused_alone_too_on_postgres() {
    let mut app = TestApp::start(Database::on_postgres().await).await;
    app.connect("cabinet").await;
    refuse(&app.database, "INSERT", "NEW.appointment_id = 'bad'").await;
    let (mut client, connection) = tokio_postgres::connect(&app.database.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let hold = client.transaction().await.unwrap();
    hold.batch_execute("SELECT 1 FROM calendar_integrations FOR UPDATE").await.unwrap();
    let accepts: Vec<_> = ids().into_iter().map(|id| tokio::spawn(accept(&app, id))).collect();
    // Each of them waits for the one that holds the practice.
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until_number(&app, waiting, 1).await;
    hold.commit().await.unwrap();
    let mut refused = Vec::new();
    for accepted in accepts {
        refused.extend(Some(accepted.await.unwrap()).filter(|(_, code)| code.is_some()));
    }
    assert_eq!(refused, [("bad".to_owned(), Some(Code::Internal))]);
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}

#[apply(both_backends)]
async fn what_cannot_be_settled_keeps_none_of_the_others_from_it(app: &mut TestApp) {
    // The clock stands still, and no quota grows again.
    for quota in ["QUOTA_USER_PER_MINUTE", "QUOTA_PROJECT_PER_MINUTE"] {
        app.settings.insert(quota.into(), "100000".into());
    }
    app.restart().await;
    app.connect("cabinet").await;
    refuse(&app.database, "UPDATE", "NEW.appointment_id = 'bad' AND NEW.sync_status = 'synced'").await;
    for id in ids() {
        app.accept("cabinet", appointment(&id, 1)).await;
    }
    let began_at = app.clock.now();
    let settled = async {
        while app.status("cabinet").await.counts.unwrap().synced < 40 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, settled).await.expect("all others are settled");
    assert_eq!(app.clock.now(), began_at, "at the first attempt");
    let bad = app.link("cabinet", "bad").await;
    assert_eq!((bad.sync_status(), app.google.events(ACCOUNT).await.len()), (SyncStatus::Pending, 41));

    // It stays under its lease until that lapses; then it is found as it stands at Google.
    let of_table = if app.database.is_postgres() { " ON appointment_external_links" } else { "" };
    app.database.run(&format!("DROP TRIGGER refuse{of_table}")).await;
    app.advance(60);
    app.until_link("cabinet", "bad", |link| link.sync_status() == SyncStatus::Synced).await;
    assert_eq!(app.google.events(ACCOUNT).await.len(), 41);
}
