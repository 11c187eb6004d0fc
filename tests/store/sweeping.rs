//! The sweep of old snapshots: what it never takes, and beside an accept of the same appointment.

use cassius_calendar::model::{GoogleUserId, Reason};
use cassius_calendar::store::{ErasedSnapshots, LinkError, OwedCause, OwedSettlement};
use jiff::Timestamp;

use super::harness::*;

#[apply(both_backends)]
async fn an_appointment_is_kept_as_long_as_a_deletion_is_owed_of_it_parked_or_not(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &absent(2), at(2)).await;
    let (north, account) = (organisation("north"), GoogleUserId::new("account of north"));
    let events = [(appointment("rdv"), place("elsewhere", "old", 1))];
    database.store.owe(&north, &account, &events, OwedCause::LeftBehind, at(3)).await.unwrap();
    let attempt = async |settlement: OwedSettlement, now: Timestamp| {
        let wanted = [north.clone()];
        let claimed = database.store.claim_owed(&wanted, token(), now + MINUTE, now).await.unwrap().rows.remove(0);
        assert!(database.store.settle_owed(&claimed, &settlement, now).await.unwrap().is_done());
    };
    // A month later.
    let swept = async |now: i64| database.store.erase_snapshots(at(2_600_000), at(now)).await.unwrap().count;
    assert_eq!(swept(2_700_000).await, 0, "it is due");
    let error = LinkError { reason: Reason::EventRefused, detail: None };
    attempt(OwedSettlement::Refused { error }, at(2_700_001)).await;
    assert_eq!(swept(2_700_002).await, 0, "it is parked");
    database.store.catch_up(&north, at(2_700_003)).await.unwrap();
    attempt(OwedSettlement::Gone { was_deleted: true }, at(2_700_004)).await;
    assert_eq!(swept(2_700_005).await, 1, "nothing is owed any more");
}

#[apply(both_backends)]
async fn what_was_cancelled_by_a_version_that_kept_its_patient_is_erased_by_the_migration(database: &Database) {
    database.is_connected("north").await;
    for (id, wants_event) in [("cancelled", false), ("later", false), ("scheduled", true)] {
        let one = cassius_calendar::store::Acceptance { wants_event, ..acceptance("north", id, 1) };
        database.store.accept(vec![one], at(1)).await.unwrap();
        database.bring_in_step("north", &absent(1), at(2)).await;
    }
    database.run("UPDATE appointment_external_links SET accepted_at = NULL WHERE appointment_id <> 'later'").await;
    database.run(include_str!("../../migrations/sqlite/2026-11-28-008300_cancelled_snapshots/up.sql")).await;
    let kept = "SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NOT NULL";
    assert_eq!(database.number(kept).await, 2);
    let erased =
        "SELECT COUNT(*) FROM appointment_external_links WHERE snapshot IS NULL AND appointment_id = 'cancelled'";
    assert_eq!(database.number(erased).await, 1);
    database.accept("north", "cancelled", 2, at(3)).await;
    assert_eq!(database.claim("north", 9, at(4)).await.len(), 1, "it can be revived");
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

    let erased = sweep.await.unwrap().unwrap();
    assert_eq!(erased, ErasedSnapshots { count: 0, is_any_held: true });
    let erased = database.store.erase_snapshots(at(60_000), at(70_001)).await.unwrap();
    assert_eq!(erased, ErasedSnapshots { count: 0, is_any_held: false });
    let kept = "SELECT COUNT(*) FROM appointment_external_links
                WHERE snapshot IS NOT NULL AND sync_status = 'pending' AND next_attempt_at IS NOT NULL";
    assert_eq!(database.number(kept).await, 1);
    drop(client);
    database.drop().await;
}
