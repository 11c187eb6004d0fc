//! What a status is made of is of one moment.

use cassius_calendar::model::{Problem, Reason};

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

#[apply(both_backends)]
async fn what_google_delays_is_counted_as_connected(database: &Database) {
    for (name, reason) in [("north", Reason::GoogleThrottled), ("south", Reason::ReconnectRequired)] {
        let integration = database.is_connected(name).await;
        let problem = Problem { reason, since_at: at(1), retry_at: None };
        assert!(
            database
                .store
                .note_problem(&organisation(name), integration.epoch, &problem, at(1))
                .await
                .unwrap()
                .is_done()
        );
    }
    database.is_connected("west").await;
    let counts = database.store.integration_counts().await.unwrap();
    let mut counts: Vec<_> = counts.iter().map(|it| (it.state.as_str(), it.reason.as_str(), it.count)).collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [("connected", "", 1), ("connected", "google_throttled", 1), ("error", "reconnect_required", 1)]
    );
}
