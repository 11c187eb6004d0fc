//! `accept`, and what can be read afterwards.

use cassius_calendar::model::{Placement, Reason, RemoteEvents, SyncStatus};
use cassius_calendar::store::{
    Acceptance, Accepted, Claimed, Connect, LinkError, NewConsent, SettingsChange, Settlement,
};

use super::harness::*;

#[apply(both_backends)]
async fn a_new_revision_is_pending_and_due_where_an_integration_is_connected(database: &Database) {
    database.is_connected("north").await;
    let link = database.accept("north", "rdv", 7, at(1)).await;
    assert_eq!(link.sync_status, SyncStatus::Pending);
    assert_eq!(link.next_attempt_at, Some(at(1)));
    assert_eq!(link.revision, Some(revision(7)));
    assert_eq!(link.synced_revision, None);
    assert_eq!(link.placement, Placement::NEVER);
    assert_eq!(link.starts_at, Some(at(3_600)));
    assert_eq!(link.ends_at, Some(at(5_400)));
    assert_eq!(database.the_link("north", "rdv").await, link);
}

#[apply(both_backends)]
async fn nothing_is_due_where_no_integration_is_connected_or_enabled(database: &Database) {
    let link = database.accept("north", "rdv", 1, at(1)).await;
    assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::None, None));

    database.is_connected("north").await;
    let change = SettingsChange { is_enabled: Some(false), ..SettingsChange::default() };
    database.store.change_settings(&organisation("north"), change, at(2)).await.unwrap();
    let link = database.accept("north", "rdv", 2, at(3)).await;
    assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::None, None));
    assert_eq!(link.revision, Some(revision(2)));
}

#[apply(both_backends)]
async fn a_disconnect_under_way_makes_nothing_due(database: &Database) {
    database.is_connected("north").await;
    database.store.begin_disconnect(&organisation("north"), RemoteEvents::Keep, at(1)).await.unwrap().unwrap();
    assert_eq!(database.accept("north", "rdv", 1, at(2)).await.sync_status, SyncStatus::None);
}

#[apply(both_backends)]
async fn a_problem_of_the_integration_does_not_keep_a_link_from_being_due(database: &Database) {
    let epoch = database.is_connected("north").await.epoch;
    let problem =
        cassius_calendar::model::Problem { reason: Reason::ReconnectRequired, since_at: at(1), retry_at: None };
    assert!(database.store.note_problem(&organisation("north"), epoch, &problem, at(1)).await.unwrap().is_done());
    assert_eq!(database.accept("north", "rdv", 1, at(2)).await.next_attempt_at, Some(at(2)));
}

#[apply(both_backends)]
async fn an_older_or_equal_revision_changes_nothing(database: &Database) {
    database.is_connected("north").await;
    let before = database.accept("north", "rdv", 5, at(1)).await;
    let mut late = acceptance("north", "rdv", 5);
    late.ends_at = Some(at(9_999));
    for number in [5, 4] {
        late.revision = revision(number);
        let after = database.store.accept(vec![late.clone()], at(2)).await.unwrap();
        assert_eq!(after, std::slice::from_ref(&before));
    }
    let claimed = database.claim("north", 1, at(3)).await.remove(0);
    assert_eq!(claimed.snapshot, Some(sealed("snapshot 5")));
    assert_eq!(claimed.request_seq, 1);
}

#[apply(both_backends)]
async fn a_batch_answers_in_order_with_accepted_and_stale_ones_mixed(database: &Database) {
    database.is_connected("south").await;
    database.accept("north", "b", 9, at(1)).await;
    database.accept("south", "a", 9, at(1)).await;
    let batch = vec![
        acceptance("south", "z", 1),
        acceptance("north", "b", 3),
        acceptance("south", "a", 10),
        acceptance("north", "a", 2),
    ];
    let links = database.store.accept(batch, at(2)).await.unwrap();
    let said: Vec<_> = links
        .iter()
        .map(|link| {
            (link.organisation.as_str(), link.appointment.as_str(), link.revision.unwrap().number(), link.sync_status)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("south", "z", 1, SyncStatus::Pending),
            ("north", "b", 9, SyncStatus::None),
            ("south", "a", 10, SyncStatus::Pending),
            ("north", "a", 2, SyncStatus::None),
        ]
    );
}

#[apply(both_backends)]
async fn five_hundred_are_accepted_at_once_and_none_without_any(database: &Database) {
    database.is_connected("north").await;
    let many = (0..500).map(|n| acceptance("north", &format!("rdv-{n:03}"), 1)).collect();
    assert_eq!(database.store.accept(many, at(1)).await.unwrap().len(), 500);
    assert_eq!(database.store.counts(&organisation("north"), at(1)).await.unwrap().pending, 500);
    assert_eq!(database.store.accept(Vec::new(), at(1)).await.unwrap(), []);
}

#[apply(both_backends)]
async fn a_newer_revision_starts_afresh_after_a_failure(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let error = LinkError { reason: Reason::EventRefused, detail: Some("timeRangeEmpty".into()) };
    let refused = Settlement::Refused { placement: absent(1), error };
    assert!(database.store.settle(&claimed, &refused, at(3)).await.unwrap().is_done());
    let link = database.accept("north", "rdv", 2, at(4)).await;
    assert_eq!((link.sync_status, link.attempts, link.last_error), (SyncStatus::Pending, 0, None));
    assert_eq!(link.next_attempt_at, Some(at(4)));
}

#[apply(both_backends)]
async fn the_end_that_stands_is_kept_where_a_cancelled_one_does_not_say(database: &Database) {
    database.accept("north", "rdv", 1, at(1)).await;
    let cancelled = Acceptance { starts_at: None, ends_at: None, ..acceptance("north", "rdv", 2) };
    let link = database.store.accept(vec![cancelled], at(2)).await.unwrap().remove(0);
    assert_eq!(link.ends_at, Some(at(5_400)));
    assert_eq!(link.revision, Some(revision(2)));
}

#[apply(both_backends)]
async fn links_are_paged_by_id_and_filtered_by_status(database: &Database) {
    database.is_connected("north").await;
    for id in ["d", "B", "a", "é"] {
        database.accept("north", id, 1, at(1)).await;
    }
    database.accept("south", "a", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(2)).await;

    let ids = |links: Vec<cassius_calendar::store::Link>| -> Vec<String> {
        links.iter().map(|link| link.appointment.to_string()).collect()
    };
    let north = organisation("north");
    assert_eq!(ids(database.store.links(&north, None, None, 10).await.unwrap()), ["B", "a", "d", "é"]);
    let next = database.store.links(&north, None, Some(&appointment("B")), 2).await.unwrap();
    assert_eq!(ids(next), ["a", "d"]);
    let synced = database.store.links(&north, Some(SyncStatus::Synced), None, 10).await.unwrap();
    let pending = database.store.links(&north, Some(SyncStatus::Pending), None, 10).await.unwrap();
    assert_eq!((synced.len(), pending.len()), (1, 3));
}

#[apply(both_backends)]
async fn revisions_are_answered_for_what_is_known(database: &Database) {
    database.accept("north", "a", 3, at(1)).await;
    database.accept("south", "b", 4, at(1)).await;
    let asked = [appointment("a"), appointment("b")];
    let known = database.store.revisions(&organisation("north"), &asked).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(appointment("a"), revision(3))]);
}

#[apply(both_backends)]
async fn an_accept_that_races_with_others_of_the_same_key_leaves_the_highest_revision(database: &Database) {
    database.is_connected("north").await;
    let mut tasks = Vec::new();
    for number in 1..=40 {
        let store = database.store.clone();
        tasks.push(tokio::spawn(async move {
            let batch = vec![acceptance("north", "x", 1 + number % 37), acceptance("north", "y", 41 - number)];
            store.accept(batch, at(1)).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(database.the_link("north", "x").await.revision, Some(revision(37)));
    assert_eq!(database.the_link("north", "y").await.revision, Some(revision(40)));
}

#[apply(both_backends)]
async fn an_edit_right_after_a_write_waits_a_moment_unless_it_calls_off(database: &Database) {
    database.is_connected("north").await;
    let north = [organisation("north")];
    let attempt = async |placement: Option<Placement>, now| {
        let begin = move |_: &Claimed| (placement.clone(), ());
        let claim = database.store.claim(&north, token(), at(now) + MINUTE, at(now + 5), at(now), begin);
        let (claimed, ()) = claim.await.unwrap().rows.remove(0);
        let settlement = synced(&claimed, &claimed.placement);
        assert!(database.store.settle(&claimed, &settlement, at(now)).await.unwrap().is_done());
    };
    let due = async |number, now| database.accept("north", "rdv", number, at(now)).await.next_attempt_at;
    assert_eq!(due(1, 10).await, Some(at(10)));
    attempt(Some(Placement::Reserved(place("agenda", "event", 1))), 11).await;
    assert_eq!(due(2, 12).await, Some(at(16)));
    assert_eq!(due(3, 13).await, Some(at(16)), "the moment does not grow");
    let called_off = Acceptance { wants_event: false, ..acceptance("north", "rdv", 4) };
    let link = database.store.accept(vec![called_off], at(14)).await.unwrap().remove(0);
    assert_eq!(link.next_attempt_at, Some(at(14)));
    assert_eq!(due(5, 20).await, Some(at(20)), "a lone edit waits for nothing");

    // An attempt that makes no call writes nothing.
    attempt(None, 21).await;
    assert_eq!(due(6, 22).await, Some(at(22)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_connect_waits_for_an_accept_that_is_in_its_statement_on_postgres() {
    let database = Database::on_postgres().await;
    let north = organisation("north");
    let consent = NewConsent {
        ticket_hash: vec![1; 32],
        organisation: north.clone(),
        practice: None,
        return_url: None,
        expires_at: at(900),
    };
    database.store.create_consent(consent, at(0)).await.unwrap();
    database.accept("north", "rdv", 1, at(1)).await;
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let hold = client.transaction().await.unwrap();
    hold.batch_execute("SELECT * FROM appointment_external_links FOR UPDATE").await.unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";

    let store = database.store.clone();
    let accept = tokio::spawn(async move { store.accept(vec![acceptance("north", "rdv", 2)], at(2)).await });
    while database.number(waiting).await < 1 {}
    let (store, as_of) = (database.store.clone(), database.as_of(&north).await);
    let connect = tokio::spawn(async move { store.connect(grant("north"), as_of, at(62), at(3)).await });
    while database.number(waiting).await < 2 && !connect.is_finished() {}
    assert!(!connect.is_finished(), "what it finds would not be what is kept");
    hold.commit().await.unwrap();

    assert_eq!(accept.await.unwrap().unwrap()[0].sync_status, SyncStatus::None);
    assert_eq!(connect.await.unwrap().unwrap(), Connect::Stored);
    assert_eq!(database.store.catch_up(&north, at(4)).await.unwrap(), 1);
    assert_eq!(database.the_link("north", "rdv").await.sync_status, SyncStatus::Pending);
    drop(client);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accept_whose_statement_began_before_the_first_connect_is_sent_on_postgres() {
    let database = Database::on_postgres().await;
    let north = organisation("north");
    let consent = NewConsent {
        ticket_hash: vec![1; 32],
        organisation: north.clone(),
        return_url: None,
        practice: None,
        expires_at: at(900),
    };
    database.store.create_consent(consent, at(0)).await.unwrap();
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    // The statement has its snapshot and waits before it reads or holds anything.
    let pause = "CREATE FUNCTION pause() RETURNS TRIGGER LANGUAGE plpgsql AS
                    'BEGIN WHILE NOT pg_try_advisory_xact_lock(1) LOOP PERFORM pg_sleep(0.005); END LOOP; RETURN NULL; END';
                 CREATE TRIGGER pause BEFORE INSERT ON appointment_external_links EXECUTE FUNCTION pause()";
    client.batch_execute(pause).await.unwrap();
    let hold = client.transaction().await.unwrap();
    hold.batch_execute("SELECT pg_advisory_xact_lock(1)").await.unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event = 'PgSleep'";

    let store = database.store.clone();
    let accept = tokio::spawn(async move { store.accept_free(vec![acceptance("north", "rdv", 1)], at(2)).await });
    while database.number(waiting).await < 1 {}
    let as_of = database.as_of(&north).await;
    assert_eq!(database.store.connect(grant("north"), as_of, at(62), at(3)).await.unwrap(), Connect::Stored);
    hold.commit().await.unwrap();

    let accepted = accept.await.unwrap().unwrap().remove(0);
    let Accepted::Stored(link) = accepted else { panic!("{accepted:?}") };
    assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::Pending, Some(at(2))));
    drop(client);
    database.drop().await;
}
