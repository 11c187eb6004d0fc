//! Retry, catch-up, counts, and what is erased in the end.

use cassius_calendar::model::{Reason, SyncStatus};
use cassius_calendar::store::{Acceptance, Counts, ErasedSnapshots, LinkError, Retry, SettingsChange, Settlement};

use super::harness::*;

/// One synced, one refused, one that waits for Google, one due.
async fn four_links(database: &Database) {
    database.is_connected("north").await;
    for (n, id) in ["a-synced", "b-refused", "c-later", "d-due"].into_iter().enumerate() {
        database.accept("north", id, 1, at(n as i64)).await;
    }
    for link in database.claim("north", 3, at(9)).await {
        let placement = written("agenda", link.appointment.as_str(), 1);
        let settlement = match link.appointment.as_str() {
            "a-synced" => synced(&link, &placement),
            "b-refused" => {
                Settlement::Refused { placement, error: LinkError { reason: Reason::EventRefused, detail: None } }
            }
            _ => {
                let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
                Settlement::Later { placement, next_attempt_at: at(9_000), error }
            }
        };
        assert!(database.store.settle(&link, &settlement, at(10)).await.unwrap().is_done());
    }
}

async fn pending(database: &Database) -> Vec<(String, i64)> {
    let links = database.store.links(&organisation("north"), Some(SyncStatus::Pending), None, 99).await.unwrap();
    links
        .into_iter()
        .map(|link| (link.appointment.to_string(), link.next_attempt_at.unwrap().as_second() - at(0).as_second()))
        .collect()
}

fn said(links: &[(&str, i64)]) -> Vec<(String, i64)> {
    links.iter().map(|(id, due)| ((*id).to_owned(), *due)).collect()
}

#[apply(both_backends)]
async fn all_that_is_refused_is_retried(database: &Database) {
    four_links(database).await;
    let north = organisation("north");
    assert_eq!(database.store.retry(&north, None, at(20)).await.unwrap(), Retry::Queued(1));
    assert_eq!(pending(database).await, said(&[("b-refused", 20), ("c-later", 9_000), ("d-due", 3)]));
    let link = database.the_link("north", "b-refused").await;
    assert_eq!((link.attempts, link.last_error), (0, None));
    assert_eq!(database.store.retry(&north, None, at(21)).await.unwrap(), Retry::Queued(0));
}

#[apply(both_backends)]
async fn named_ones_are_retried_if_refused_or_pending(database: &Database) {
    four_links(database).await;
    let north = organisation("north");
    let named = ["a-synced", "c-later", "b-refused"].map(appointment);
    assert_eq!(database.store.retry(&north, Some(&named), at(20)).await.unwrap(), Retry::Queued(2));
    assert_eq!(pending(database).await, said(&[("b-refused", 20), ("c-later", 20), ("d-due", 3)]));
    assert_eq!(database.the_link("north", "a-synced").await.sync_status, SyncStatus::Synced);
}

#[apply(both_backends)]
async fn an_unknown_one_among_those_named_queues_none(database: &Database) {
    four_links(database).await;
    let before = pending(database).await;
    let named = ["x", "b-refused", "y"].map(appointment);
    let answer = database.store.retry(&organisation("north"), Some(&named), at(20)).await.unwrap();
    assert_eq!(answer, Retry::Unknown(vec![appointment("x"), appointment("y")]));
    assert_eq!(pending(database).await, before);
}

#[apply(both_backends)]
async fn nothing_is_queued_where_nothing_is_connected(database: &Database) {
    let south = organisation("south");
    database.accept("south", "rdv", 1, at(1)).await;
    assert_eq!(database.store.retry(&south, Some(&[appointment("rdv")]), at(2)).await.unwrap(), Retry::Queued(0));
    assert_eq!(database.store.catch_up(&south, at(2)).await.unwrap(), 0);
    assert_eq!(database.the_link("south", "rdv").await.next_attempt_at, None);
}

#[apply(both_backends)]
async fn a_retry_during_an_attempt_is_not_lost(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let named = [appointment("rdv")];
    database.store.retry(&organisation("north"), Some(&named), at(3)).await.unwrap();
    let refused =
        Settlement::Refused { placement: absent(1), error: LinkError { reason: Reason::EventRefused, detail: None } };
    assert!(database.store.settle(&claimed, &refused, at(4)).await.unwrap().is_done());
    assert_eq!(pending(database).await, said(&[("rdv", 3)]));
}

#[apply(both_backends)]
async fn a_catch_up_queues_what_google_lacks(database: &Database) {
    let north = organisation("north");
    database.accept("north", "0-before", 1, at(0)).await;
    four_links(database).await;
    assert_eq!(database.store.catch_up(&north, at(20)).await.unwrap(), 3, "what is due already is not queued again");
    assert_eq!(pending(database).await, said(&[("0-before", 20), ("b-refused", 20), ("c-later", 20), ("d-due", 3)]));
    assert_eq!(database.the_link("north", "a-synced").await.sync_status, SyncStatus::Synced);
    let counts = database.store.counts(&north, at(20)).await.unwrap();
    assert_eq!((counts.pending, counts.catching_up), (4, 2), "what was pending before is no part of the run");
    assert_eq!(database.the_integration("north").await.catch_up, Some((2, at(20))));
}

#[apply(both_backends)]
async fn a_catch_up_asked_for_twice_is_one_run(database: &Database) {
    let north = organisation("north");
    database.accept("north", "rdv", 1, at(0)).await;
    database.is_connected("north").await;
    assert_eq!(database.store.catch_up(&north, at(20)).await.unwrap(), 1);
    assert_eq!(database.store.catch_up(&north, at(21)).await.unwrap(), 0);
    assert_eq!(database.the_integration("north").await.catch_up, Some((1, at(20))));
    assert_eq!(pending(database).await, said(&[("rdv", 20)]));

    database.bring_in_step("north", &written("agenda", "event", 1), at(22)).await;
    assert_eq!(database.store.catch_up(&north, at(23)).await.unwrap(), 0);
    assert_eq!(database.the_integration("north").await.catch_up, Some((0, at(23))));
}

#[apply(both_backends)]
async fn two_catch_ups_at_the_same_moment_are_one_run(database: &Database) {
    database.accept("north", "rdv", 1, at(0)).await;
    database.is_connected("north").await;
    let (one, two) = (database.store.clone(), database.store.clone());
    let (one, two) = tokio::join!(
        tokio::spawn(async move { one.catch_up(&organisation("north"), at(20)).await.unwrap() }),
        tokio::spawn(async move { two.catch_up(&organisation("north"), at(20)).await.unwrap() }),
    );
    let mut queued = [one.unwrap(), two.unwrap()];
    queued.sort_unstable();
    assert_eq!(queued, [0, 1]);
    assert_eq!(database.the_integration("north").await.catch_up, Some((1, at(20))));
}

#[apply(both_backends)]
async fn what_is_queued_during_a_catch_up_joins_it_and_nothing_done_is_undone(database: &Database) {
    let north = organisation("north");
    for id in ["a", "b", "c"] {
        database.accept("north", id, 1, at(0)).await;
    }
    database.is_connected("north").await;
    assert_eq!(database.store.catch_up(&north, at(20)).await.unwrap(), 3);
    let done = async |now| {
        let (total, _) = database.the_integration("north").await.catch_up.unwrap();
        let counts = database.store.counts(&north, at(now)).await.unwrap();
        (i64::from(total), i64::from(total) - counts.catching_up - counts.catch_up_failed)
    };
    for link in database.claim("north", 2, at(21)).await {
        let placement = written("agenda", link.appointment.as_str(), 1);
        let settlement = match link.appointment.as_str() {
            "a" => synced(&link, &placement),
            _ => Settlement::Refused { placement, error: LinkError { reason: Reason::EventRefused, detail: None } },
        };
        assert!(database.store.settle(&link, &settlement, at(22)).await.unwrap().is_done());
    }
    assert_eq!(done(22).await, (3, 1));

    // Stored while switched off: enabling is a catch-up too, and what was refused is tried again.
    let enable = |is_enabled| SettingsChange { is_enabled: Some(is_enabled), ..SettingsChange::default() };
    database.store.change_settings(&north, enable(false), at(30)).await.unwrap().unwrap();
    database.accept("north", "d", 1, at(31)).await;
    assert_eq!(done(31).await, (3, 1));
    database.store.change_settings(&north, enable(true), at(32)).await.unwrap().unwrap();
    assert_eq!(pending(database).await, said(&[("b", 32), ("c", 20), ("d", 32)]));
    assert_eq!(done(32).await, (4, 1));
    assert_eq!(database.the_integration("north").await.catch_up, Some((4, at(20))), "it is the same one");

    // What was done and is to be written anew is added: what is done never shrinks.
    let calendar = SettingsChange { calendar: Some(calendar("new")), ..SettingsChange::default() };
    database.store.change_settings(&north, calendar, at(33)).await.unwrap().unwrap();
    assert_eq!(done(33).await, (5, 1));
    assert_eq!(database.store.catch_up(&north, at(34)).await.unwrap(), 0);
    assert_eq!(done(34).await, (5, 1));
}

#[apply(both_backends)]
async fn every_connection_but_the_first_catches_up(database: &Database) {
    let north = organisation("north");
    database.accept("north", "rdv", 1, at(0)).await;
    let epoch = database.is_connected("north").await.epoch;
    assert_eq!(pending(database).await, said(&[]), "it waits for the person's word");
    assert_eq!(database.store.counts(&north, at(1)).await.unwrap().unsent, 1);
    database.connect(grant("north"), at(2)).await;
    assert_eq!(pending(database).await, said(&[("rdv", 2)]));
    assert_eq!(database.the_integration("north").await.catch_up, Some((1, at(2))));
    assert!(database.the_integration("north").await.epoch > epoch);

    // Switched off, it waits for being switched on.
    let off = SettingsChange { is_enabled: Some(false), ..SettingsChange::default() };
    database.store.change_settings(&north, off, at(3)).await.unwrap().unwrap();
    database.accept("north", "rdv", 2, at(4)).await;
    database.connect(grant("north"), at(5)).await;
    assert_eq!(pending(database).await, said(&[]));
}

#[apply(both_backends)]
async fn unsent_is_what_takes_place_and_was_never_sent(database: &Database) {
    for (id, wants_event, ends_at) in [("a", true, 5_000), ("called-off", false, 5_000), ("over", true, 10)] {
        let one = Acceptance { wants_event, ends_at: Some(at(ends_at)), ..acceptance("north", id, 1) };
        database.store.accept(vec![one], at(1)).await.unwrap();
    }
    database.accept("south", "b", 1, at(1)).await;
    let unsent = async |now| database.store.counts(&organisation("north"), at(now)).await.unwrap().unsent;
    assert_eq!((unsent(20).await, unsent(5_000).await), (1, 0));
    let called_off = Acceptance { wants_event: false, ..acceptance("north", "a", 2) };
    database.store.accept(vec![called_off], at(21)).await.unwrap();
    assert_eq!(unsent(22).await, 0);
}

#[apply(both_backends)]
async fn what_was_called_off_before_it_was_sent_is_in_step_and_no_part_of_a_catch_up(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.accept("north", "stands", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(1)).await;
    let enable = |is_enabled| SettingsChange { is_enabled: Some(is_enabled), ..SettingsChange::default() };
    database.store.change_settings(&north, enable(false), at(2)).await.unwrap().unwrap();
    for (id, wants_event) in [("a", true), ("called-off", false), ("stands", false)] {
        let one = Acceptance { wants_event, ..acceptance("north", id, 2) };
        database.store.accept(vec![one], at(2)).await.unwrap();
    }
    let before = database.store.counts(&north, at(3)).await.unwrap();
    assert_eq!((before.unsent, before.pending), (1, 0));

    database.store.change_settings(&north, enable(true), at(4)).await.unwrap().unwrap();
    assert_eq!(pending(database).await, said(&[("a", 4), ("stands", 4)]));
    assert_eq!(database.the_integration("north").await.catch_up, Some((2, at(4))));
    let link = database.the_link("north", "called-off").await;
    assert_eq!((link.sync_status, link.synced_revision), (SyncStatus::Synced, Some(revision(2))));
    assert_eq!(database.store.catch_up(&north, at(5)).await.unwrap(), 0);
    database.is_kept_right(at(5), "the catch-up").await;
}

#[apply(both_backends)]
async fn a_catch_up_moves_upcoming_events_of_another_calendar(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    for (id, ends_at, calendar) in [("over", 50, "old"), ("elsewhere", 5_000, "old"), ("here", 5_000, "agenda")] {
        let one = Acceptance { ends_at: Some(at(ends_at)), ..acceptance("north", id, 1) };
        database.store.accept(vec![one], at(1)).await.unwrap();
        database.bring_in_step("north", &written(calendar, id, 1), at(2)).await;
    }
    assert_eq!(database.store.catch_up(&north, at(100)).await.unwrap(), 1);
    assert_eq!(pending(database).await, said(&[("elsewhere", 100)]));
}

#[apply(both_backends)]
async fn a_failure_in_a_catch_up_is_counted_until_the_next(database: &Database) {
    let north = organisation("north");
    database.accept("north", "rdv", 1, at(0)).await;
    database.is_connected("north").await;
    database.store.catch_up(&north, at(20)).await.unwrap();
    let refuse = async |now| {
        let claimed = database.claim("north", 1, at(now)).await.remove(0);
        let error = LinkError { reason: Reason::EventRefused, detail: None };
        let refused = Settlement::Refused { placement: absent(1), error };
        assert!(database.store.settle(&claimed, &refused, at(now)).await.unwrap().is_done());
        database.store.counts(&north, at(now)).await.unwrap()
    };
    let counts = refuse(21).await;
    assert_eq!((counts.error, counts.catching_up, counts.catch_up_failed), (1, 0, 1));
    database.accept("north", "rdv", 2, at(22)).await;
    let counts = refuse(23).await;
    assert_eq!((counts.error, counts.catching_up, counts.catch_up_failed), (1, 0, 0), "a live edit failed");
    assert_eq!(database.store.catch_up(&north, at(24)).await.unwrap(), 1);
    assert_eq!(database.store.counts(&north, at(24)).await.unwrap().catching_up, 1);
}

#[apply(both_backends)]
async fn counts_say_how_many_stand_how(database: &Database) {
    four_links(database).await;
    database.accept("south", "rdv", 1, at(0)).await;
    let expected = Counts {
        pending: 2,
        synced: 1,
        error: 1,
        unsent: 0,
        upcoming_events: 3,
        catching_up: 0,
        catch_up_failed: 0,
        unreached: 0,
        unavailable_until: Some(at(9_000)),
        unopened_until: None,
    };
    assert_eq!(database.store.counts(&organisation("north"), at(20)).await.unwrap(), expected);
    let over = database.store.counts(&organisation("north"), at(5_400)).await.unwrap();
    assert_eq!(over.upcoming_events, 0);
    let none = database.store.counts(&organisation("nowhere"), at(20)).await.unwrap();
    assert_eq!(none, Counts::default());
}

#[apply(both_backends)]
async fn snapshots_are_erased_once_the_appointment_is_long_over(database: &Database) {
    let north = organisation("north");
    four_links(database).await;
    let nameless = Acceptance { starts_at: None, ends_at: None, ..acceptance("north", "e-cancelled", 1) };
    database.store.accept(vec![nameless], at(11)).await.unwrap();
    let late = Acceptance { ends_at: Some(at(80_000)), ..acceptance("north", "f-late", 1) };
    database.store.accept(vec![late], at(12)).await.unwrap();
    assert_eq!(database.store.erase_snapshots(at(11), at(20)).await.unwrap().count, 0);

    // What waits is never touched, whoever holds it.
    let held = database.claim("north", 1, at(70_000)).await.remove(0);
    let erased = database.store.erase_snapshots(at(60_000), at(70_001)).await.unwrap();
    assert_eq!(erased, ErasedSnapshots { count: 2, is_any_held: false });
    let parked = Settlement::Unchanged { placement: absent(1) };
    assert!(database.store.settle(&held, &parked, at(70_002)).await.unwrap().is_done());
    assert_eq!(database.store.erase_snapshots(at(60_000), at(70_003)).await.unwrap().count, 0);
    let waiting = [("c-later", 9_000), ("d-due", 3), ("e-cancelled", 11), ("f-late", 12)];
    assert_eq!(pending(database).await, said(&waiting));
    assert_eq!(database.the_link("north", "a-synced").await.sync_status, SyncStatus::Synced);
    let refused = database.the_link("north", "b-refused").await;
    assert_eq!((refused.sync_status, refused.last_error), (SyncStatus::None, None), "it cannot be sent any more");
    let claimed = database.claim("north", 9, at(70_005)).await;
    assert_eq!(claimed.len(), 4);
    assert!(claimed.iter().all(|link| link.snapshot == Some(sealed("snapshot 1"))));

    // What is erased cannot be sent again by itself.
    let privacy = Some(cassius_calendar::model::TitlePrivacy::Masked);
    let change = SettingsChange { title_privacy: privacy, ..SettingsChange::default() };
    database.store.change_settings(&north, change, at(70_006)).await.unwrap().unwrap();
    assert_eq!(database.store.retry(&north, None, at(70_007)).await.unwrap(), Retry::Queued(0));
    assert_eq!(database.store.catch_up(&north, at(70_008)).await.unwrap(), 0);
    let waiting = [("c-later", 70_006), ("d-due", 3), ("e-cancelled", 11), ("f-late", 70_006)];
    assert_eq!(pending(database).await, said(&waiting));
}
