//! Consents: one use, one ticket, one span of time.

use cassius_calendar::model::RemoteEvents;
use cassius_calendar::store::{Consent, NewConsent};

use super::harness::*;

fn consent(name: &str, ticket: &str) -> NewConsent {
    NewConsent {
        ticket_hash: ticket.into(),
        organisation: organisation(name),
        return_url: Some("https://cassius.example/settings".into()),
        expires_at: at(600),
    }
}

async fn start(database: &Database, ticket: &str, state: &str, now: i64) -> bool {
    let (state, verifier) = (state.into(), sealed(&format!("verifier of {state}")));
    database.store.start_consent(ticket.as_bytes(), state, verifier, "nonce".into(), at(now)).await.unwrap()
}

async fn take(database: &Database, state: &str, ticket: &str, now: i64) -> Option<Consent> {
    database.store.take_consent(state.as_bytes(), ticket.as_bytes(), at(now)).await.unwrap()
}

#[apply(both_backends)]
async fn a_consent_is_taken_once(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    assert_eq!(take(database, "state", "ticket", 1).await, None, "it has not begun");
    assert!(start(database, "ticket", "state", 1).await);
    let taken = take(database, "state", "ticket", 2).await.unwrap();
    assert_eq!(
        taken,
        Consent {
            organisation: organisation("north"),
            return_url: Some("https://cassius.example/settings".into()),
            verifier: sealed("verifier of state"),
            nonce: "nonce".into(),
            ticket_hash: b"ticket".to_vec(),
        }
    );
    assert_eq!(take(database, "state", "ticket", 3).await, None);
    assert!(!start(database, "ticket", "state", 3).await);
}

#[apply(both_backends)]
async fn two_that_take_at_once_get_it_once(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    assert!(start(database, "ticket", "state", 1).await);
    let takes: Vec<_> = (0..4)
        .map(|_| {
            let store = database.store.clone();
            tokio::spawn(async move { store.take_consent(b"state", b"ticket", at(2)).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for take in takes {
        taken += usize::from(take.await.unwrap().is_some());
    }
    assert_eq!(taken, 1);
}

#[apply(both_backends)]
async fn state_and_ticket_have_to_belong_together(database: &Database) {
    for ticket in ["one", "two"] {
        database.store.create_consent(consent("north", ticket), at(0)).await.unwrap();
        assert!(start(database, ticket, &format!("state of {ticket}"), 1).await);
    }
    assert_eq!(take(database, "state of one", "two", 2).await, None);
    assert_eq!(take(database, "another", "one", 2).await, None);
    assert!(take(database, "state of one", "one", 2).await.is_some());
}

#[apply(both_backends)]
async fn a_second_start_replaces_the_first(database: &Database) {
    database.store.create_consent(consent("north", "ticket"), at(0)).await.unwrap();
    assert!(start(database, "ticket", "first", 1).await);
    assert!(start(database, "ticket", "second", 2).await);
    assert_eq!(take(database, "first", "ticket", 3).await, None);
    let taken = take(database, "second", "ticket", 3).await.unwrap();
    assert_eq!(taken.verifier, sealed("verifier of second"));
}

#[apply(both_backends)]
async fn a_lapsed_consent_is_neither_begun_nor_taken(database: &Database) {
    for ticket in ["begun", "fresh"] {
        database.store.create_consent(consent("north", ticket), at(0)).await.unwrap();
    }
    assert!(start(database, "begun", "state", 599).await);
    assert!(!start(database, "fresh", "other", 600).await);
    assert_eq!(take(database, "state", "begun", 600).await, None);

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
        assert!(start(database, name, "state", 1).await);
    }
    database.store.begin_disconnect(&organisation("north"), RemoteEvents::Keep, at(2)).await.unwrap();
    assert_eq!(take(database, "state", "north", 2).await, None);
    assert!(take(database, "state", "south", 2).await.is_some());
}
