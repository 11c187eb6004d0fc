//! The sweep of old snapshots beside what is owed, and beside an accept of the same appointment.

use cassius_calendar::model::RemoteEvents;
use cassius_calendar::store::OwedSettlement;

use super::harness::*;

#[apply(both_backends)]
async fn while_an_event_is_owed_its_appointment_is_not_swept(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(2)).await;
    let north = organisation("north");
    database.store.begin_disconnect(&north, RemoteEvents::DeleteUpcoming, at(3)).await.unwrap().unwrap();
    assert_eq!(database.store.erase_snapshots(at(60_000), at(70_000)).await.unwrap(), 0);
    let owed = database.store.claim_owed(&[north], token(), at(70_060), at(70_000)).await.unwrap();
    assert!(database.store.settle_owed(&owed[0], &OwedSettlement::Gone, at(70_001)).await.unwrap().is_done());
    assert_eq!(database.store.erase_snapshots(at(60_000), at(70_002)).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_accept_moves_to_later_during_the_sweep_is_kept_on_postgres() {
    let database = Database::on_postgres().await;
    database.accept("north", "rdv", 1, at(1)).await;
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let accept = client.transaction().await.unwrap();
    let moved = "UPDATE appointment_external_links
                 SET revision = 2, ends_at = ends_at + interval '1 year', sync_status = 'pending', next_attempt_at = now()";
    accept.batch_execute(moved).await.unwrap();

    let store = database.store.clone();
    let sweep = tokio::spawn(async move { store.erase_snapshots(at(60_000), at(70_000)).await });
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !sweep.is_finished() && database.number(waiting).await == 0 {}
    accept.commit().await.unwrap();

    assert_eq!(sweep.await.unwrap().unwrap(), 0);
    let kept = "SELECT COUNT(*) FROM appointment_external_links
                WHERE snapshot IS NOT NULL AND sync_status = 'pending' AND next_attempt_at IS NOT NULL";
    assert_eq!(database.number(kept).await, 1);
    drop(client);
    database.drop().await;
}
