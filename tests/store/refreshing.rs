//! The right to refresh, and what is noted against an integration.

use cassius_calendar::model::{Epoch, Problem, Reason};
use cassius_calendar::store::RefreshedTokens;

use super::harness::*;

#[apply(both_backends)]
async fn one_alone_may_refresh_until_it_has_done_so_or_its_time_is_up(database: &Database) {
    let north = organisation("north");
    let epoch = database.is_connected("north").await.epoch;
    let (one, other) = (token(), token());
    let lease = async |token, until, now| {
        database.store.lease_refresh(&north, epoch, token, at(until), at(now)).await.unwrap().is_some()
    };
    assert!(lease(one, 31, 1).await);
    assert!(!lease(other, 32, 2).await);
    assert!(lease(other, 61, 31).await, "its time is up");
    assert!(!database.store.release_refresh(&north, one).await.unwrap().is_done());
    assert!(database.store.release_refresh(&north, other).await.unwrap().is_done());
    assert!(lease(one, 62, 32).await);
    let tokens = RefreshedTokens { access_token: sealed("new"), expires_at: at(7_200), refresh_token: None };
    assert!(database.store.save_tokens(&north, epoch, tokens, at(33)).await.unwrap().is_done());
    assert_eq!(database.the_integration("north").await.refreshed_at, Some(at(33)));
    let integration = database.store.lease_refresh(&north, epoch, other, at(64), at(34)).await.unwrap().unwrap();
    assert_eq!(integration.access_token, Some(sealed("new")), "whoever is next finds what the one before brought");

    let later = database.connect(grant("north"), at(35)).await;
    assert_eq!(later.refreshed_at, None);
    assert!(!lease(one, 66, 36).await, "in another epoch");
    assert!(database.store.lease_refresh(&north, later.epoch, one, at(66), at(36)).await.unwrap().is_some());
}

#[apply(both_backends)]
async fn the_graver_problem_stands(database: &Database) {
    let north = organisation("north");
    let epoch = database.is_connected("north").await.epoch;
    let note = async |epoch: Epoch, reason, retry_at: Option<i64>, now| {
        let problem = Problem { reason, since_at: at(now), retry_at: retry_at.map(at) };
        database.store.note_problem(&north, epoch, &problem, at(now)).await.unwrap().is_done()
    };
    let noted = async || {
        let problem = database.the_integration("north").await.problem.unwrap();
        (problem.reason, problem.since_at, problem.retry_at)
    };
    assert!(note(epoch, Reason::GoogleThrottled, Some(600), 1).await);
    assert!(!note(epoch, Reason::GoogleThrottled, Some(30), 2).await, "a shorter pause");
    assert_eq!(noted().await, (Reason::GoogleThrottled, at(1), Some(at(600))));
    assert!(note(epoch, Reason::GoogleThrottled, Some(900), 3).await, "a longer one");
    assert_eq!(noted().await, (Reason::GoogleThrottled, at(1), Some(at(900))));
    assert!(note(epoch, Reason::ReconnectRequired, None, 4).await);
    assert!(!note(epoch, Reason::GoogleThrottled, Some(9_000), 5).await, "a late throttle");
    assert!(!note(epoch, Reason::CalendarUnavailable, None, 6).await);
    assert_eq!(noted().await, (Reason::ReconnectRequired, at(4), None));
    assert!(!note(Epoch(epoch.0 + 1), Reason::ReconnectRequired, None, 7).await);
}
