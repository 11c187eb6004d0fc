//! What an attempt came to.

use cassius_calendar::model::{Placement, Problem, Reason, RemoteEvents, SyncStatus};
use cassius_calendar::store::{LinkError, SettledLink, Settlement, Settlements};

use super::harness::*;

fn error(reason: Reason) -> LinkError {
    LinkError { reason, detail: Some("backendError".into()) }
}

#[apply(both_backends)]
async fn a_synced_link_is_no_longer_due(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 7, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(3)).await;
    let link = database.the_link("north", "rdv").await;
    assert_eq!(link.sync_status, SyncStatus::Synced);
    assert_eq!(link.synced_revision, Some(revision(7)));
    assert_eq!(link.placement, written("agenda", "event", 1));
    assert_eq!(link.html_link.as_deref(), Some("https://calendar.example/event"));
    assert_eq!((link.last_synced_at, link.next_attempt_at, link.attempts), (Some(at(3)), None, 0));
    assert_eq!(database.store.live_leases(&organisation("north"), at(3)).await.unwrap(), 0);
    assert_eq!(database.the_integration("north").await.last_sync_at, Some(at(3)));
}

#[apply(both_backends)]
async fn a_deleted_event_leaves_no_page(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(2)).await;
    database.accept("north", "rdv", 2, at(3)).await;
    database.bring_in_step("north", &absent(2), at(4)).await;
    let link = database.the_link("north", "rdv").await;
    assert_eq!((link.sync_status, link.html_link, link.placement), (SyncStatus::Synced, None, absent(2)));
}

#[apply(both_backends)]
async fn a_newer_last_sync_stands(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "a", 1, at(1)).await;
    database.accept("north", "b", 1, at(1)).await;
    database.bring_in_step("north", &absent(1), at(9)).await;
    database.bring_in_step("north", &absent(1), at(4)).await;
    assert_eq!(database.the_integration("north").await.last_sync_at, Some(at(9)));
}

#[apply(both_backends)]
async fn a_failed_attempt_is_tried_again_later(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    for attempts in 1..=2 {
        let now = at(100 * attempts);
        let claimed = database.claim("north", 1, now).await.remove(0);
        assert_eq!(i64::from(claimed.attempts), attempts - 1);
        let later = Settlement::Later {
            placement: Placement::Reserved(place("agenda", "event", 1)),
            next_attempt_at: at(100 * attempts + 50),
            error: error(Reason::GoogleUnavailable),
        };
        assert!(database.store.settle(&claimed, &later, now).await.unwrap().is_done());
        let link = database.the_link("north", "rdv").await;
        assert_eq!(link.sync_status, SyncStatus::Pending);
        assert_eq!(link.next_attempt_at, Some(at(100 * attempts + 50)));
        assert_eq!(i64::from(link.attempts), attempts);
        assert_eq!(link.last_error, Some(error(Reason::GoogleUnavailable)));
        assert_eq!(database.claim("north", 1, at(100 * attempts + 49)).await, []);
    }
    database.bring_in_step("north", &written("agenda", "event", 1), at(300)).await;
    let link = database.the_link("north", "rdv").await;
    assert_eq!((link.attempts, link.last_error), (0, None));
}

#[apply(both_backends)]
async fn what_nobody_had_to_call_google_for_ends_no_problem(database: &Database) {
    let epoch = database.is_connected("north").await.epoch;
    let problem = Problem { reason: Reason::CalendarUnavailable, since_at: at(1), retry_at: Some(at(50)) };
    assert!(database.store.note_problem(&organisation("north"), epoch, &problem, at(1)).await.unwrap().is_done());
    for (number, was_called) in [(1, false), (2, true)] {
        let now = at(100 * number);
        database.accept("north", "rdv", number, now).await;
        let claimed = database.claim("north", 1, now).await.remove(0);
        let settlement =
            Settlement::Synced { placement: absent(1), html_link: None, revision: claimed.revision, was_called };
        assert!(database.store.settle(&claimed, &settlement, now).await.unwrap().is_done());
        let integration = database.the_integration("north").await;
        assert_eq!(integration.last_sync_at, Some(now), "it was brought in step all the same");
        assert_eq!(integration.problem, (!was_called).then(|| problem.clone()));
    }
}

#[apply(both_backends)]
async fn a_trace_goes_with_its_request_until_that_is_sent(database: &Database) {
    database.is_connected("north").await;
    let traced = |number: i64, trace: Option<&str>| cassius_calendar::store::Acceptance {
        traceparent: trace.map(str::to_owned),
        ..acceptance("north", "rdv", number)
    };
    let accept = async |number, trace, now| database.store.accept(vec![traced(number, trace)], now).await.unwrap();
    accept(1, Some("first"), at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    assert_eq!(claimed.traceparent.as_deref(), Some("first"));
    let later =
        Settlement::Later { placement: absent(1), next_attempt_at: at(3), error: error(Reason::GoogleUnavailable) };
    assert!(database.store.settle(&claimed, &later, at(2)).await.unwrap().is_done());
    let again = database.claim("north", 1, at(4)).await.remove(0);
    assert_eq!(again.traceparent.as_deref(), Some("first"), "until it is sent");
    accept(2, Some("second"), at(5)).await;
    let synced = Settlement::Synced { placement: absent(1), html_link: None, revision: revision(1), was_called: true };
    assert!(database.store.settle(&again, &synced, at(6)).await.unwrap().is_done());
    let newer = database.claim("north", 1, at(7)).await.remove(0);
    assert_eq!(newer.traceparent.as_deref(), Some("second"), "what came meanwhile keeps its own");
    let synced = Settlement::Synced { placement: absent(1), html_link: None, revision: revision(2), was_called: true };
    assert!(database.store.settle(&newer, &synced, at(8)).await.unwrap().is_done());
    assert_eq!(
        database.number("SELECT COUNT(*) FROM appointment_external_links WHERE traceparent IS NOT NULL").await,
        0
    );
}

#[apply(both_backends)]
async fn a_refused_link_rests_in_error(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let refused = Settlement::Refused { placement: absent(3), error: error(Reason::EventRefused) };
    assert!(database.store.settle(&claimed, &refused, at(3)).await.unwrap().is_done());
    let link = database.the_link("north", "rdv").await;
    assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::Error, None));
    assert_eq!(link.last_error, Some(error(Reason::EventRefused)));
    assert_eq!(link.placement, absent(3));
    assert_eq!(database.claim("north", 1, at(999)).await, []);
}

#[apply(both_backends)]
async fn a_parked_link_stays_as_due_as_it_was(database: &Database) {
    database.is_connected("north").await;
    let before = database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let moving = Placement::Moving { place: place("new", "event", 1), from: place("old", "event", 1).into() };
    let parked = Settlement::Unchanged { placement: moving.clone() };
    assert!(database.store.settle(&claimed, &parked, at(3)).await.unwrap().is_done());
    let after = database.the_link("north", "rdv").await;
    assert_eq!(after, cassius_calendar::store::Link { placement: moving, ..before });
    assert_eq!(database.claim("north", 1, at(3)).await.len(), 1);
}

#[apply(both_backends)]
async fn a_link_asked_for_again_during_its_attempt_stays_due(database: &Database) {
    database.is_connected("north").await;
    let settlements: [fn(&cassius_calendar::store::Claimed) -> Settlement; 4] = [
        |claimed| synced(claimed, &written("agenda", "event", 1)),
        |_| Settlement::Later {
            placement: written("agenda", "event", 1),
            next_attempt_at: at(9_000),
            error: error(Reason::GoogleUnavailable),
        },
        |_| Settlement::Refused { placement: written("agenda", "event", 1), error: error(Reason::EventRefused) },
        |_| Settlement::Unchanged { placement: written("agenda", "event", 1) },
    ];
    for (n, settlement) in settlements.into_iter().enumerate() {
        let id = format!("rdv-{n}");
        database.accept("north", &id, 1, at(1)).await;
        let claimed = database.claim("north", 1, at(2)).await.remove(0);
        let edited = database.accept("north", &id, 2, at(3)).await;
        assert_eq!(database.claim("north", 1, at(4)).await, [], "the lease lives through an edit");
        assert!(database.store.settle(&claimed, &settlement(&claimed), at(5)).await.unwrap().is_done());

        let link = database.the_link("north", &id).await;
        assert_eq!(link.sync_status, SyncStatus::Pending);
        assert_eq!((link.next_attempt_at, link.attempts), (edited.next_attempt_at, 0));
        assert_eq!(link.last_error, None);
        assert_eq!(link.placement, written("agenda", "event", 1));
        assert_eq!(link.synced_revision, (n == 0).then(|| revision(1)));
        assert_eq!(link.last_synced_at, (n == 0).then(|| at(5)));
        let again = database.claim("north", 1, at(6)).await.remove(0);
        assert_eq!((again.revision, again.request_seq), (revision(2), 2));
        assert!(database.store.settle(&again, &synced(&again, &absent(1)), at(7)).await.unwrap().is_done());
        assert_eq!(database.the_link("north", &id).await.sync_status, SyncStatus::Synced);
    }
}

#[apply(both_backends)]
async fn a_settlement_after_the_lease_was_taken_over_changes_nothing(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let first = database.claim("north", 1, at(2)).await.remove(0);
    let second = database.claim("north", 1, at(62)).await.remove(0);
    let before = database.the_link("north", "rdv").await;
    let late = written("agenda", "late", 1);
    for settlement in [
        synced(&first, &late),
        Settlement::Later { placement: late.clone(), next_attempt_at: at(99), error: error(Reason::GoogleThrottled) },
        Settlement::Refused { placement: late.clone(), error: error(Reason::EventRefused) },
        Settlement::Unchanged { placement: late.clone() },
    ] {
        assert!(!database.store.settle(&first, &settlement, at(63)).await.unwrap().is_done());
    }
    assert_eq!(database.the_link("north", "rdv").await, before);
    assert_eq!(database.the_integration("north").await.last_sync_at, None);
    assert!(database.store.settle(&second, &synced(&second, &late), at(64)).await.unwrap().is_done());
}

#[apply(both_backends)]
async fn a_late_failure_does_not_make_due_what_a_disconnect_let_rest(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let epoch = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(3)).await.unwrap().unwrap().epoch;
    assert!(database.store.finish_disconnect(&north, epoch, at(4)).await.unwrap().is_done());
    let placement = Placement::Reserved(place("agenda", "event", 1));
    let later = Settlement::Later {
        placement: placement.clone(),
        next_attempt_at: at(99),
        error: error(Reason::GoogleUnavailable),
    };
    assert!(database.store.settle(&claimed, &later, at(5)).await.unwrap().is_done());
    let link = database.the_link("north", "rdv").await;
    assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::None, None));
    assert_eq!(link.placement, placement, "what may stand at Google is known all the same");
}

#[apply(both_backends)]
async fn what_is_settled_together_is_settled_each_for_itself(database: &Database) {
    for organisation in ["north", "south"] {
        database.is_connected(organisation).await;
        for id in ["a", "b", "c"] {
            database.accept(organisation, id, 1, at(1)).await;
        }
    }
    let mut north = database.claim("north", 3, at(2)).await;
    let lost = database.claim("south", 1, at(2)).await.remove(0);
    let south = database.claim("south", 3, at(62)).await.into_iter().find(|it| it.appointment != lost.appointment);
    let (place, reason) = (written("agenda", "event", 1), error(Reason::EventRefused));
    let later =
        Settlement::Later { placement: place.clone(), next_attempt_at: at(99), error: error(Reason::GoogleThrottled) };
    let [first, second, third] = [north.remove(0), north.remove(0), north.remove(0)];
    let (a, b) = (synced(&first, &place), Settlement::Refused { placement: place.clone(), error: reason });
    let (c, d) = (Settlement::Unchanged { placement: place.clone() }, synced(&lost, &place));
    let links = [(first, a), (second, b), (third, c), (lost, d), (south.unwrap(), later)];
    let links = links.map(|(claimed, settlement)| (claimed, settlement, Vec::new())).into();
    let settled = database.store.settle_together(Settlements { links, owed: Vec::new() }, at(63)).await.unwrap();
    let links: Vec<_> = settled
        .links
        .into_iter()
        .map(|settled| match settled {
            SettledLink::Done(link) => Some(*link),
            SettledLink::Fenced => None,
        })
        .collect();
    let stands: Vec<_> = links.iter().map(|link| link.as_ref().map(|link| link.sync_status)).collect();
    let (synced, error, pending) = (SyncStatus::Synced, SyncStatus::Error, SyncStatus::Pending);
    assert_eq!(stands, [Some(synced), Some(error), Some(pending), None, Some(pending)]);
    for link in links.into_iter().flatten() {
        assert_eq!(database.the_link(link.organisation.as_str(), link.appointment.as_str()).await, link);
    }
    assert_eq!(database.the_integration("north").await.last_sync_at, Some(at(63)));
    assert_eq!(database.the_integration("south").await.last_sync_at, None, "nothing of it was brought in step");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_that_another_transaction_holds_is_passed_by_and_waited_for_by_itself_on_postgres() {
    let database = Database::on_postgres().await;
    let mut settlements = Settlements::default();
    for organisation in ["north", "south"] {
        database.is_connected(organisation).await;
        database.accept(organisation, "rdv", 1, at(1)).await;
        let claimed = database.claim(organisation, 1, at(2)).await.remove(0);
        let settlement = synced(&claimed, &written("agenda", "event", 1));
        settlements.links.push((claimed, settlement, Vec::new()));
    }
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for table in ["link_queues", "calendar_integrations"] {
        let hold = client.transaction().await.unwrap();
        let held = format!("SELECT 1 FROM {table} WHERE organisation_id = 'south' FOR UPDATE");
        hold.batch_execute(&held).await.unwrap();
        let settled = database.store.settle_free(settlements.clone(), at(3)).await.unwrap();
        assert_eq!(settled.locked_out, [organisation("south")].into(), "{table}");
        assert_eq!(settled.rows.links.len(), 1, "{table}");
        assert_eq!(database.the_link("south", "rdv").await.sync_status, SyncStatus::Pending);
        hold.commit().await.unwrap();
    }
    assert_eq!(database.the_link("north", "rdv").await.sync_status, SyncStatus::Synced);
    let settled = database.store.settle_free(settlements, at(4)).await.unwrap();
    assert!(settled.locked_out.is_empty());
    assert!(matches!(&settled.rows.links[..], [SettledLink::Fenced, SettledLink::Done(_)]), "{settled:?}");
    assert_eq!(database.the_link("south", "rdv").await.sync_status, SyncStatus::Synced);
    drop(client);
    database.drop().await;
}
