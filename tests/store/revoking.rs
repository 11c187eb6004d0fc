//! One Google account: storing a grant of it and revoking take their turns.

use cassius_calendar::model::{GoogleUserId, GrantEnd, RemoteEvents};
use cassius_calendar::store::{AsOf, Connect, Grant, GrantHolder, Revocation, RevocationLease};
use jiff::Timestamp;

use super::harness::*;

fn account() -> GoogleUserId {
    GoogleUserId::new("both")
}

fn of(name: &str) -> Grant {
    Grant { google_user_id: account(), ..grant(name) }
}

fn lease(now: i64) -> RevocationLease {
    RevocationLease { token: token(), until: at(now + 30) }
}

/// Begins the disconnect of an integration, and answers how it leaves its account.
async fn leaving(database: &Database, name: &str, now: Timestamp) -> GrantHolder {
    let epoch =
        database.store.begin_disconnect(&organisation(name), RemoteEvents::Keep, now).await.unwrap().unwrap().epoch;
    GrantHolder::Integration { organisation: organisation(name), epoch }
}

async fn begin(database: &Database, leaving: &GrantHolder, lease: RevocationLease, now: i64) -> Revocation {
    database.store.begin_revocation(&account(), leaving.clone(), lease, at(now)).await.unwrap()
}

async fn has_tokens(database: &Database, name: &str) -> bool {
    database.the_integration(name).await.refresh_token.is_some()
}

#[apply(both_backends)]
async fn of_two_that_disconnect_at_once_the_second_revokes(database: &Database) {
    for name in ["north", "south"] {
        database.connect(of(name), at(1)).await;
    }
    let (north, south) = (leaving(database, "north", at(2)).await, leaving(database, "south", at(2)).await);
    assert_eq!(begin(database, &north, lease(3), 3).await, Revocation::Shared);
    assert_eq!((has_tokens(database, "north").await, has_tokens(database, "south").await), (false, true));
    let ours = lease(4);
    assert_eq!(begin(database, &south, ours, 4).await, Revocation::Leased);
    assert!(has_tokens(database, "south").await, "what revokes it is kept until it is revoked");
    assert_eq!(begin(database, &south, lease(5), 5).await, Revocation::UnderWay);
    database.store.finish_revocation(&account(), south.clone(), ours, GrantEnd::Revoked, at(6), at(6)).await.unwrap();
    assert!(!has_tokens(database, "south").await);
    assert_eq!(begin(database, &south, lease(7), 7).await, Revocation::Ended);
}

#[apply(both_backends)]
async fn a_grant_that_was_asked_for_before_a_revocation_ended_is_not_stored(database: &Database) {
    let east = organisation("east");
    database.connect(of("north"), at(1)).await;
    let before = database.as_of(&east).await;
    let connect =
        async |as_of: AsOf, now| database.store.connect(of("east"), as_of, at(now + 1), at(now)).await.unwrap();
    let north = leaving(database, "north", at(2)).await;
    let ours = lease(3);
    assert_eq!(begin(database, &north, ours, 3).await, Revocation::Leased);
    let during = database.as_of(&east).await;
    assert_eq!(connect(during, 4).await, Connect::Revoked, "it is being revoked");
    database.store.finish_revocation(&account(), north, ours, GrantEnd::Revoked, at(5), at(5)).await.unwrap();
    for as_of in [before, during] {
        assert_eq!(connect(as_of, 6).await, Connect::Revoked);
    }
    // Another account's revocations do not matter to it.
    let as_of = database.as_of(&east).await;
    let other = GoogleUserId::new("another");
    let (theirs, token) = (lease(7), sealed("nobody's"));
    database.store.queue_unkept_grant(&east, &other, &token, at(7)).await.unwrap();
    let unkept = GrantHolder::Unkept { organisation: east.clone(), token };
    let revocation = database.store.begin_revocation(&other, unkept, theirs, at(7)).await.unwrap();
    assert_eq!(revocation, Revocation::Leased);
    assert_eq!(connect(as_of, 8).await, Connect::Stored);
}

#[apply(both_backends)]
async fn a_revocation_whose_end_nobody_told_counts_as_ended_when_its_lease_has_lapsed(database: &Database) {
    database.connect(of("north"), at(1)).await;
    let north = leaving(database, "north", at(2)).await;
    assert_eq!(begin(database, &north, lease(3), 3).await, Revocation::Leased);
    let during = database.as_of(&organisation("east")).await;
    let east = async |as_of| database.store.connect(of("east"), as_of, at(60), at(40)).await.unwrap();
    assert_eq!(east(during).await, Connect::Revoked, "it may have been obtained before the call was made");
    let after = database.as_of(&organisation("east")).await;
    assert_eq!(east(after).await, Connect::Stored);
    // The disconnect goes on, and leaves an account that is used again.
    assert_eq!(begin(database, &north, lease(41), 41).await, Revocation::Shared);
}

#[apply(both_backends)]
async fn an_account_that_waits_to_be_confirmed_is_in_use(database: &Database) {
    let south = organisation("south");
    database.connect(of("north"), at(1)).await;
    database.connect(grant("south"), at(1)).await;
    let as_of = database.as_of(&south).await;
    let kept = database.store.connect(of("south"), as_of, at(900), at(2)).await.unwrap();
    assert_eq!(kept, Connect::KeptAside);
    let asked = async |now| database.store.status_parts(&south, at(now)).await.unwrap().pending_account;
    assert_eq!(asked(3).await.unwrap().google_email, "south@example.com");
    let north = leaving(database, "north", at(3)).await;
    assert_eq!(begin(database, &north, lease(4), 4).await, Revocation::Shared);
    let unkept = async |now| {
        database.store.queue_lapsed_grants(at(now)).await.unwrap();
        database.store.unkept_grants_due(None, at(now)).await.unwrap()
    };
    assert_eq!(unkept(899).await, []);

    assert_eq!(asked(900).await, None);
    let lapsed = unkept(900).await.remove(0);
    assert_eq!((&lapsed.organisation, &lapsed.google_user_id, lapsed.attempts), (&south, &account(), 0));
    assert!(!database.store.confirm_account(&south, at(900)).await.unwrap());
    let (leaving, ours) = (GrantHolder::Unkept { organisation: south.clone(), token: lapsed.token }, lease(901));
    assert_eq!(begin(database, &leaving, ours, 901).await, Revocation::Leased);
    let finish = async |end, retry_at, now| {
        database.store.finish_revocation(&account(), leaving.clone(), ours, end, at(retry_at), at(now)).await.unwrap();
    };
    finish(GrantEnd::Pending, 960, 902).await;
    assert_eq!(unkept(959).await, [], "it is put off");
    assert_eq!(unkept(960).await[0].attempts, 1);
    finish(GrantEnd::Revoked, 960, 960).await;
    assert_eq!(unkept(9_999).await, []);
    assert_eq!(database.the_integration("south").await.google_user_id, Some(GoogleUserId::new("account of south")));
}
