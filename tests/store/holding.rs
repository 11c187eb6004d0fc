//! Leases held, fenced, and given back.

use cassius_calendar::model::{Placement, RemoteEvents};
use cassius_calendar::store::{Options, Store};

use super::harness::*;

#[apply(both_backends)]
async fn a_lease_is_renewed(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    assert!(database.store.renew_lease(&claimed, at(200), at(50)).await.unwrap().is_done());
    assert_eq!(database.claim("north", 1, at(199)).await, []);
    assert_eq!(database.store.live_leases(&organisation("north"), at(199)).await.unwrap(), 1);
    assert_eq!(database.store.live_leases(&organisation("north"), at(200)).await.unwrap(), 0);
}

#[apply(both_backends)]
async fn a_lease_that_was_taken_over_is_neither_renewed_nor_written_under(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let first = database.claim("north", 1, at(2)).await.remove(0);
    let second = database.claim("north", 1, at(62)).await.remove(0);
    assert!(!database.store.renew_lease(&first, at(200), at(63)).await.unwrap().is_done());
    let reserved = Placement::Reserved(place("agenda", "late", 1));
    assert!(!database.store.reserve(&first, &reserved, at(200), at(63)).await.unwrap().is_done());
    assert_eq!(database.the_link("north", "rdv").await.placement, Placement::NEVER);
    assert!(database.store.reserve(&second, &reserved, at(200), at(63)).await.unwrap().is_done());
    assert_eq!(database.the_link("north", "rdv").await.placement, reserved);
}

#[apply(both_backends)]
async fn another_epoch_fences_a_lease_that_lives(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let epoch = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(3)).await.unwrap().unwrap().epoch;
    let reserved = Placement::Reserved(place("agenda", "late", 1));
    assert!(!database.store.renew_lease(&claimed, at(200), at(4)).await.unwrap().is_done());
    assert!(!database.store.reserve(&claimed, &reserved, at(200), at(4)).await.unwrap().is_done());
    assert_eq!(database.store.live_leases(&north, at(4)).await.unwrap(), 1, "it is still waited for");

    // The same account comes back: the epoch is another one all the same.
    assert!(database.store.finish_disconnect(&north, epoch, at(5)).await.unwrap().is_done());
    database.connect(grant("north"), at(5)).await;
    assert!(!database.store.renew_lease(&claimed, at(200), at(6)).await.unwrap().is_done());
    assert!(!database.store.reserve(&claimed, &reserved, at(200), at(6)).await.unwrap().is_done());
    assert_eq!(database.the_link("north", "rdv").await.placement, Placement::NEVER);
}

#[apply(both_backends)]
async fn leases_given_back_are_due_at_once_with_their_placements(database: &Database) {
    database.is_connected("north").await;
    for id in ["a", "b", "c"] {
        database.accept("north", id, 1, at(1)).await;
    }
    let claimed = database.claim("north", 3, at(2)).await;
    let reserved = Placement::Reserved(place("agenda", "event", 1));
    assert!(database.store.reserve(&claimed[0], &reserved, at(62), at(2)).await.unwrap().is_done());
    let tokens: Vec<_> = claimed[..2].iter().map(|link| link.lease.token).collect();
    assert_eq!(database.store.release(&tokens, at(3)).await.unwrap(), 2);
    assert_eq!(database.store.release(&tokens, at(3)).await.unwrap(), 0);
    let again = database.claim("north", 3, at(3)).await;
    assert_eq!(again.len(), 2, "the third is held still");
    let first = again.iter().find(|link| link.appointment == claimed[0].appointment).unwrap();
    assert_eq!(first.placement, reserved);
    assert_eq!(first.attempts, 0);
}

/// Whoever holds the queue takes the row that is owed and then its link: a renewal that took them the other way round
/// would stand in its way, and it in the renewal's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_renewal_of_a_deletion_waits_for_the_queue_before_it_takes_a_row_on_postgres() {
    let database = Database::on_postgres().await;
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "rdv", 1), at(2)).await;
    database.store.erase_appointments(&organisation("north"), &[appointment("rdv")], at(3)).await.unwrap();
    let owed =
        database.store.claim_owed(&[organisation("north")], token(), at(64), at(4)).await.unwrap().rows.remove(0);
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1 FROM link_queues FOR UPDATE").await.unwrap();
    transaction.batch_execute("UPDATE owed_deletions SET attempts = 1").await.unwrap();
    let store = database.store.clone();
    let renewing = tokio::spawn(async move { store.renew_owed_lease(&owed, at(200), at(5)).await });
    let locked =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !renewing.is_finished() && database.number(locked).await == 0 {}
    transaction.batch_execute("UPDATE appointment_external_links SET attempts = 1").await.unwrap();
    transaction.commit().await.unwrap();
    assert!(renewing.await.unwrap().unwrap().is_done());
    drop(client);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_within_a_transaction_gives_up_what_it_holds_on_postgres() {
    let database = Database::on_postgres().await;
    let other = Store::open(&database.url, &Options::default()).await.unwrap();
    let (enter, entered) = tokio::sync::oneshot::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let store = database.store.clone();
    let stands_still = tokio::spawn(async move {
        let stand_still = move |_: &mut std::collections::HashMap<String, i64>| {
            enter.send(()).unwrap();
            left.recv().unwrap();
        };
        store.spend_quota(vec!["project".into()], stand_still).await
    });
    entered.await.unwrap();
    let spend = async { while other.spend_quota(vec!["project".into()], |_| ()).await.is_err() {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), spend).await.expect("it is given up within seconds");
    leave.send(()).unwrap();
    assert!(stands_still.await.unwrap().is_err());
    drop(other);
    database.drop().await;
}
