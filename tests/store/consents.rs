//! Consents: one use, one ticket, one span of time.

use cassius_calendar::model::{Epoch, RemoteEvents};
use cassius_calendar::store::{Consent, NewConsent};

use super::harness::*;

fn consent(name: &str, ticket: &str) -> NewConsent {
    NewConsent {
        practice: None,
        ticket_hash: ticket.into(),
        organisation: organisation(name),
        return_url: Some("https://cassius.example/settings".into()),
        expires_at: at(600),
    }
}

async fn start(database: &Database, ticket: &str, state: &str, now: i64) -> bool {
    let (state, verifier) = (state.into(), sealed(&format!("verifier of {state}")));
    database.store.start_consent(ticket.as_bytes(), state, verifier, "nonce".into(), at(now)).await.unwrap().is_some()
}

async fn take(database: &Database, state: &str) -> Option<Consent> {
    database.store.take_consent(state.as_bytes()).await.unwrap()
}

#[apply(both_backends)]
async fn a_consent_is_taken_once(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    assert_eq!(take(database, "state").await, None, "it has not begun");
    assert!(start(database, "ticket", "state", 1).await);
    let taken = take(database, "state").await.unwrap();
    assert_eq!(
        taken,
        Consent {
            practice: None,
            organisation: organisation("north"),
            return_url: Some("https://cassius.example/settings".into()),
            verifier: sealed("verifier of state"),
            nonce: "nonce".into(),
            expires_at: at(600),
            ticket_hash: b"ticket".to_vec(),
            epoch: Epoch(0),
        }
    );
    assert_eq!(take(database, "state").await, None);
    assert!(!start(database, "ticket", "state", 3).await);
}

#[apply(both_backends)]
async fn two_that_take_at_once_get_it_once(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    assert!(start(database, "ticket", "state", 1).await);
    let takes: Vec<_> = (0..4)
        .map(|_| {
            let store = database.store.clone();
            tokio::spawn(async move { store.take_consent(b"state").await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for take in takes {
        taken += usize::from(take.await.unwrap().is_some());
    }
    assert_eq!(taken, 1);
}

#[apply(both_backends)]
async fn tabs_that_start_with_one_ticket_in_one_instant_have_a_consent_each(database: &Database) {
    for round in 0..8 {
        let ticket = format!("ticket {round}");
        database.store.create_consent(consent("north", &ticket), at(0)).await.unwrap();
        let start = |tab: u32| {
            let (store, ticket) = (database.store.clone(), ticket.clone());
            tokio::spawn(async move {
                let state = format!("{ticket}, tab {tab}");
                let started =
                    store.start_consent(ticket.as_bytes(), state.into(), sealed("verifier"), "nonce".into(), at(1));
                assert!(started.await.unwrap().is_some());
            })
        };
        let starts: Vec<_> = (0..6).map(start).collect();
        for started in starts {
            started.await.unwrap();
        }
        for tab in 0..6 {
            assert!(take(database, &format!("{ticket}, tab {tab}")).await.is_some(), "{ticket}, tab {tab}");
        }
    }
}

#[apply(both_backends)]
async fn a_state_takes_its_own_consent_and_no_other(database: &Database) {
    for ticket in ["one", "two"] {
        database.store.create_consent(consent(ticket, ticket), at(0)).await.unwrap();
        assert!(start(database, ticket, &format!("state of {ticket}"), 1).await);
    }
    assert_eq!(take(database, "another").await, None);
    assert_eq!(take(database, "state of one").await.unwrap().organisation, organisation("one"));
    assert_eq!(take(database, "state of two").await.unwrap().organisation, organisation("two"));
}

#[apply(both_backends)]
async fn a_ticket_that_starts_twice_has_two_consents_and_no_state_is_a_ticket(database: &Database) {
    let ticket = "a ticket's digest has 32 bytes..";
    database.store.create_consent(consent("north", ticket), at(0)).await.unwrap();
    assert!(start(database, ticket, "first", 1).await);
    assert!(start(database, ticket, "second", 2).await);
    for state in ["first", "second"] {
        assert!(!start(database, state, "third", 3).await, "{state}");
    }
    for state in ["second", "first"] {
        let taken = take(database, state).await.unwrap();
        assert_eq!(taken.verifier, sealed(&format!("verifier of {state}")));
        assert_eq!((taken.ticket_hash, taken.expires_at), (ticket.into(), at(600)));
    }
    assert!(!start(database, ticket, "late", 4).await, "the ticket went with its first consent");
}

#[apply(both_backends)]
async fn a_ticket_that_starts_again_and_again_takes_bounded_room(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    for number in 0..40 {
        assert!(start(database, "ticket", &format!("state {number}"), 1).await);
    }
    let mut held = 0;
    for number in 0..40 {
        held += usize::from(take(database, &format!("state {number}")).await.is_some());
    }
    assert_eq!(held, 16);
}

#[apply(both_backends)]
async fn whoever_begins_again_and_again_takes_bounded_room_and_the_latest_serves(database: &Database) {
    let ticket = |number| format!("{number:032}");
    for number in 0..70 {
        database.store.create_consent(consent("cabinet", &ticket(number)), at(number)).await.unwrap();
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM oauth_consents").await, 64);
    assert!(!start(database, &ticket(0), "a state", 71).await);
    assert!(start(database, &ticket(69), "a state", 71).await);
}

#[apply(both_backends)]
async fn a_lapsed_consent_is_not_begun_and_tells_that_it_lapsed(database: &Database) {
    for ticket in ["begun", "fresh"] {
        database.store.create_consent(consent("north", ticket), at(0)).await.unwrap();
    }
    assert!(start(database, "begun", "state", 599).await);
    assert!(!start(database, "fresh", "other", 600).await);
    assert_eq!(take(database, "state").await.unwrap().expires_at, at(600));

    // A new one sweeps out what has lapsed.
    let later = NewConsent { expires_at: at(1_200), ..consent("north", "later") };
    database.store.create_consent(later, at(601)).await.unwrap();
    assert!(!start(database, "fresh", "other", 1).await, "it is gone, whatever the time");
    assert!(start(database, "later", "other", 602).await);
}

#[apply(both_backends)]
async fn a_disconnect_cancels_those_of_its_organisation(database: &Database) {
    for name in ["north", "south"] {
        database.store.create_consent(consent(name, name), at(0)).await.unwrap();
        assert!(start(database, name, &format!("state of {name}"), 1).await);
        assert!(start(database, name, &format!("state of {name} again"), 1).await);
    }
    database.store.begin_disconnect(&organisation("north"), RemoteEvents::Keep, at(2)).await.unwrap();
    assert_eq!(take(database, "state of north").await, None);
    assert_eq!(take(database, "state of north again").await, None);
    assert!(take(database, "state of south").await.is_some());
}

/// A consent that begins sweeps out what has lapsed, of its own organisation too; a disconnect ends the same with the queue
/// held. Whoever held the lapsed ones and then waited for the queue would stand in its way, and it in theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_begins_holds_no_lapsed_one_while_it_waits_for_the_queue_on_postgres() {
    let database = Database::on_postgres().await;
    database.is_connected("north").await;
    database.store.create_consent(consent("north", "lapsed"), at(0)).await.unwrap();
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1 FROM link_queues FOR UPDATE").await.unwrap();
    let store = database.store.clone();
    let later = NewConsent { expires_at: at(1_200), ..consent("north", "later") };
    let beginning = tokio::spawn(async move { store.create_consent(later, at(601)).await });
    let locked =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !beginning.is_finished() && database.number(locked).await == 0 {}
    transaction.batch_execute("DELETE FROM oauth_consents WHERE organisation_id = 'north'").await.unwrap();
    transaction.commit().await.unwrap();
    beginning.await.unwrap().unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM oauth_consents").await, 1);
    drop(client);
    database.drop().await;
}
