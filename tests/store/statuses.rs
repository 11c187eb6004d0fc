//! What a status is made of is of one moment.

use super::harness::*;

#[apply(both_backends)]
async fn what_a_commit_changes_together_is_never_seen_half(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let write = async {
        for n in 1..=200 {
            let both = format!(
                "BEGIN; UPDATE calendar_integrations SET behind_count = {n}; UPDATE link_queues SET error = {n}; COMMIT"
            );
            database.run(&both).await;
            tokio::task::yield_now().await;
        }
    };
    let read = async {
        loop {
            let parts = database.store.status_parts(&north, at(2)).await.unwrap();
            assert_eq!(i64::from(parts.integration.unwrap().behind_count), parts.counts.error);
        }
    };
    tokio::select! {
        () = write => {}
        () = read => unreachable!("it reads for ever"),
    }
    assert_eq!(database.store.status_parts(&north, at(2)).await.unwrap().counts.error, 200);
}
