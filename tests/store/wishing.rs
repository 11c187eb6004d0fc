//! Changes that concern every link of an organisation: in parts.

use cassius_calendar::model::{Reason, RemoteEvents, SyncStatus, TitlePrivacy};
use cassius_calendar::store::{
    Acceptance, DisconnectStep, LinkError, Options, OwedSettlement, Reach, Retry, SettingsChange, Settlement, Store,
};

use super::harness::*;

/// A store that changes so many links at once.
async fn by(database: &Database, links_at_once: usize) -> Store {
    Store::open(&database.url, &Options { links_at_once, pool_size: 4, ..Options::default() }).await.unwrap()
}

fn shown(title_privacy: TitlePrivacy) -> SettingsChange {
    SettingsChange { title_privacy: Some(title_privacy), ..SettingsChange::default() }
}

fn switched(is_enabled: bool) -> SettingsChange {
    SettingsChange { is_enabled: Some(is_enabled), ..SettingsChange::default() }
}

async fn change(store: &Store, change: SettingsChange, now: i64) {
    store.change_settings(&organisation("north"), change, at(now)).await.unwrap().unwrap();
}

/// Goes on until nothing is wanted; answers how many links each part changed.
async fn reach_all(store: &Store, now: i64) -> Vec<i32> {
    let mut parts = Vec::new();
    while let Reach::Part { changed } = store.reach(&organisation("north"), at(now)).await.unwrap() {
        parts.push(changed);
    }
    assert!(store.organisations_with_wishes().await.unwrap().is_empty());
    parts
}

/// The links that stand so, by their last letters.
async fn that_are(database: &Database, status: SyncStatus) -> String {
    let links = database.store.links(&organisation("north"), Some(status), None, 99).await.unwrap();
    links.iter().map(|link| link.appointment.as_str()).collect()
}

/// Links a to j of which each has its event.
async fn ten_links(database: &Database) {
    database.is_connected("north").await;
    for id in "abcdefghij".chars() {
        database.accept("north", &id.to_string(), 1, at(1)).await;
        database.bring_in_step("north", &written("agenda", &format!("event-{id}"), 1), at(2)).await;
    }
}

/// What a catch-up tells: of how many it consists, how many wait, and how many it has not reached.
async fn progress(database: &Database, now: i64) -> (i64, i64, i64) {
    let counts = database.store.counts(&organisation("north"), at(now)).await.unwrap();
    let (total, _) = database.the_integration("north").await.catch_up.unwrap();
    (i64::from(total), counts.catching_up, counts.unreached)
}

#[apply(both_backends)]
async fn a_change_of_twenty_thousand_links_is_made_a_thousand_at_a_time(database: &Database) {
    const PENDING: &str = "SELECT COUNT(*) FROM appointment_external_links WHERE sync_status = 'pending'";
    for name in ["north", "south"] {
        database.is_connected(name).await;
    }
    database.make_links("north", 20_000, at(1)).await;
    change(&database.store, shown(TitlePrivacy::Initials), 10).await;
    for part in 1..20_i64 {
        assert_eq!(database.number(PENDING).await, part * 1_000);
        assert_eq!(progress(database, 10).await, (part * 1_000, part * 1_000, (20 - part) * 1_000));
        let north = database.store.organisations_with_wishes().await.unwrap();
        assert_eq!(database.store.reach(&north[0], at(11)).await.unwrap(), Reach::Part { changed: 1_000 });
    }
    assert_eq!(database.number(PENDING).await, 20_000);
    assert_eq!(progress(database, 11).await, (20_000, 20_000, 0));
    assert_eq!(database.store.reach(&organisation("north"), at(11)).await.unwrap(), Reach::Nothing);
    database.is_kept_right(at(11), "the last part").await;
}

#[apply(both_backends)]
async fn whoever_comes_next_goes_on_and_each_part_is_applied_once(database: &Database) {
    database.is_connected("north").await;
    database.make_links("north", 500, at(1)).await;
    // The one that begins is gone at once.
    change(&by(database, 7).await, shown(TitlePrivacy::Masked), 10).await;
    let (one, other) = (by(database, 7).await, by(database, 7).await);
    let go_on = |store: Store| {
        tokio::spawn(async move {
            let mut parts = 0;
            while !store.organisations_with_wishes().await.unwrap().is_empty() {
                let reach = store.reach(&organisation("north"), at(11)).await.unwrap();
                parts += usize::from(matches!(reach, Reach::Part { .. }));
            }
            parts
        })
    };
    let (one, other) = tokio::join!(go_on(one), go_on(other));
    assert_eq!(one.unwrap() + other.unwrap() + 1, 500_usize.div_ceil(7));
    let asked = "SELECT COUNT(DISTINCT request_seq) FROM appointment_external_links";
    assert_eq!(database.number(asked).await, 1, "one as often as the other");
    let pending = "SELECT COUNT(*) FROM appointment_external_links WHERE sync_status = 'pending'";
    assert_eq!(database.number(pending).await, 500);
}

#[apply(both_backends)]
async fn what_happens_on_either_side_of_what_is_reached_comes_right(database: &Database) {
    ten_links(database).await;
    let store = by(database, 3).await;
    // On both sides, one whose call is under way as it was before the change.
    for id in ["b", "h"] {
        database.accept("north", id, 2, at(3)).await;
    }
    let under_way = database.claim("north", 2, at(4)).await;
    change(&store, shown(TitlePrivacy::Initials), 10).await;
    assert_eq!(that_are(database, SyncStatus::Pending).await, "abch");
    for claimed in &under_way {
        let placement = written("agenda", &format!("event-{}", claimed.appointment), 1);
        assert!(database.store.settle(claimed, &synced(claimed, &placement), at(11)).await.unwrap().is_done());
    }
    assert_eq!(that_are(database, SyncStatus::Pending).await, "abc", "what was reached is asked for since");

    // Not reached: one that is edited and claimed, and one whose event is deleted.
    database.accept("north", "i", 2, at(12)).await;
    let called_off = Acceptance { wants_event: false, ..acceptance("north", "j", 2) };
    database.store.accept(vec![called_off], at(12)).await.unwrap();
    let claimed = database.claim("north", 3, at(13)).await;
    let ids: String = claimed.iter().map(|it| it.appointment.as_str()).collect();
    assert_eq!(ids, "bij", "live edits go first");
    assert!(claimed.iter().all(|it| it.title_privacy == TitlePrivacy::Initials));
    for (claimed, placement) in [(&claimed[0], written("agenda", "event-b", 1)), (&claimed[2], absent(1))] {
        assert!(database.store.settle(claimed, &synced(claimed, &placement), at(14)).await.unwrap().is_done());
    }
    // Reached: one that is edited.
    database.accept("north", "c", 2, at(15)).await;

    assert_eq!(reach_all(&store, 16).await, [3, 3, 0]);
    let settled = written("agenda", "event-i", 1);
    assert!(database.store.settle(&claimed[1], &synced(&claimed[1], &settled), at(17)).await.unwrap().is_done());
    assert_eq!(that_are(database, SyncStatus::Pending).await, "acdefghi");
    assert_eq!(that_are(database, SyncStatus::Synced).await, "bj", "no part of it: done since, or called off");
    database.is_kept_right(at(17), "the last part").await;
}

#[apply(both_backends)]
async fn what_is_wished_again_meanwhile_reaches_all_links_once_more(database: &Database) {
    ten_links(database).await;
    let store = by(database, 4).await;
    change(&store, shown(TitlePrivacy::Masked), 10).await;
    let claimed = database.claim("north", 1, at(11)).await.remove(0);
    let again = synced(&claimed, &written("agenda", "event-a", 1));
    assert!(database.store.settle(&claimed, &again, at(11)).await.unwrap().is_done());
    assert_eq!(progress(database, 11).await, (4, 3, 6), "one is done");
    // The other way and back: two kinds of change, and one of them twice.
    change(&store, shown(TitlePrivacy::Full), 12).await;
    assert_eq!(progress(database, 12).await, (5, 4, 6), "the same links are told once");
    change(&store, shown(TitlePrivacy::Masked), 13).await;
    reach_all(&store, 14).await;
    assert_eq!(that_are(database, SyncStatus::Pending).await, "abcdefghij");
    assert_eq!(progress(database, 14).await, (11, 10, 0), "one was done, and is to be done again");
    database.is_kept_right(at(14), "all parts").await;
}

#[apply(both_backends)]
async fn a_disconnect_meanwhile_lets_what_is_not_reached_rest(database: &Database) {
    ten_links(database).await;
    let (store, north) = (by(database, 3).await, organisation("north"));
    change(&store, shown(TitlePrivacy::Masked), 10).await;
    let begun = store.begin_disconnect(&north, RemoteEvents::Keep, at(11)).await.unwrap().unwrap();
    assert!(store.finish_disconnect(&north, begun.epoch, at(13)).await.unwrap().is_done());
    // The disconnect and what was asked before go on side by side.
    assert_eq!(reach_all(&store, 14).await.iter().sum::<i32>(), 7);
    assert_eq!(that_are(database, SyncStatus::None).await, "abcdefghij", "no event shows what it should");

    let as_of = database.as_of(&north).await;
    store.connect(grant("north"), as_of, at(99), at(20)).await.unwrap();
    assert_eq!(that_are(database, SyncStatus::Pending).await, "abc");
    assert_eq!(progress(database, 20).await, (3, 3, 7));
    assert_eq!(reach_all(&store, 21).await, [3, 3, 1]);
    assert_eq!(that_are(database, SyncStatus::Pending).await, "abcdefghij");
}

/// What a disconnect is to delete: what is owed, what it has not taken over, and its total.
async fn to_delete(database: &Database) -> (i64, i64, i32) {
    let left = database.store.owed_left(&organisation("north")).await.unwrap();
    (left.events, left.untaken, database.the_integration("north").await.disconnect_total)
}

#[apply(both_backends)]
async fn a_disconnect_that_deletes_takes_over_in_parts_and_does_not_end_before_the_last(database: &Database) {
    ten_links(database).await;
    database.accept("north", "k", 1, at(3)).await;
    let (store, north) = (by(database, 3).await, organisation("north"));
    store.begin_disconnect(&north, RemoteEvents::DeleteAll, at(10)).await.unwrap().unwrap();
    assert_eq!(to_delete(database).await, (3, 7, 3));
    // Nothing is owed for a moment.
    let three = vec![north.clone(); 3];
    for owed in store.claim_owed(&three, token(), at(99), at(11)).await.unwrap().rows {
        assert!(store.settle_owed(&owed, &OwedSettlement::Gone { was_deleted: true }, at(11)).await.unwrap().is_done());
    }
    assert_eq!(store.advance_disconnect(&north, at(99), at(12)).await.unwrap(), DisconnectStep::Waiting);
    assert_eq!(to_delete(database).await, (0, 7, 3));
    assert_eq!(reach_all(&store, 13).await, [3, 3, 1]);
    assert_eq!(to_delete(database).await, (7, 0, 10));
    assert_eq!(that_are(database, SyncStatus::None).await, "abcdefghijk", "what waited rests");
    database.is_kept_right(at(13), "the last part").await;
}

#[apply(both_backends)]
async fn what_is_to_be_kept_after_all_is_given_back_and_taken_over_no_more(database: &Database) {
    ten_links(database).await;
    let (store, north) = (by(database, 3).await, organisation("north"));
    store.begin_disconnect(&north, RemoteEvents::DeleteAll, at(10)).await.unwrap().unwrap();
    assert_eq!(store.reach(&north, at(11)).await.unwrap(), Reach::Part { changed: 3 });
    assert_eq!(to_delete(database).await, (6, 4, 6));
    store.begin_disconnect(&north, RemoteEvents::Keep, at(12)).await.unwrap().unwrap();
    assert_eq!(to_delete(database).await, (0, 0, 0));
    assert!(reach_all(&store, 13).await.iter().all(|changed| *changed == 0));
    let placed = "SELECT COUNT(*) FROM appointment_external_links WHERE external_event_id IS NOT NULL";
    assert_eq!(database.number(placed).await, 10);
    let step = store.advance_disconnect(&north, at(99), at(14)).await.unwrap();
    assert!(matches!(step, DisconnectStep::Finish(_)), "{step:?}");
}

#[apply(both_backends)]
async fn a_catch_up_tells_of_all_that_it_queues_and_ends_where_nothing_is_sent(database: &Database) {
    let (store, north) = (by(database, 3).await, organisation("north"));
    for id in "abcdefghij".chars() {
        database.accept("north", &id.to_string(), 1, at(1)).await;
    }
    database.is_connected("north").await;
    assert_eq!(store.catch_up(&north, at(10)).await.unwrap(), 10);
    assert_eq!(store.catch_up(&north, at(10)).await.unwrap(), 0, "it is under way");
    assert_eq!(progress(database, 10).await, (3, 3, 7));
    // Switched off: whoever switches on catches up.
    change(&store, switched(false), 11).await;
    assert_eq!(reach_all(&store, 12).await, [0]);
    assert_eq!(that_are(database, SyncStatus::None).await, "defghij");
    change(&store, switched(true), 13).await;
    assert_eq!(progress(database, 13).await, (3, 3, 7));
    reach_all(&store, 14).await;
    assert_eq!(progress(database, 14).await, (10, 10, 0));

    for link in database.claim("north", 10, at(15)).await {
        let error = LinkError { reason: Reason::EventRefused, detail: None };
        let refused = Settlement::Refused { placement: absent(1), error };
        assert!(database.store.settle(&link, &refused, at(15)).await.unwrap().is_done());
    }
    assert_eq!(store.catch_up(&north, at(20)).await.unwrap(), 10);
    reach_all(&store, 21).await;
    assert_eq!(progress(database, 21).await, (10, 10, 0), "what the run before has left in error is its own");
    for link in database.claim("north", 10, at(22)).await {
        let error = LinkError { reason: Reason::EventRefused, detail: None };
        let refused = Settlement::Refused { placement: absent(1), error };
        assert!(database.store.settle(&link, &refused, at(22)).await.unwrap().is_done());
    }
    assert_eq!(store.retry(&north, None, at(30)).await.unwrap(), Retry::Queued(10));
    assert_eq!(reach_all(&store, 31).await, [3, 3, 1]);
    database.is_kept_right(at(31), "a retry").await;
}
