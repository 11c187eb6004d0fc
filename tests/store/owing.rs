//! Deletions that are owed: where they come from, who gets them, how they end.

use cassius_calendar::model::{
    AccountSearch, AppointmentId, CalendarId, EventId, Generation, GoogleUserId, Place, Placement, Problem, Reason,
    RemoteEvents, SyncStatus,
};
use cassius_calendar::store::{
    DisconnectStep, Grant, Lease, LinkError, OwedCause, OwedClaim, OwedLeft, OwedSettlement, SearchEnd, Searched,
    SettingsChange, Settlement,
};
use jiff::Timestamp;

use super::harness::*;

impl Database {
    /// An appointment whose event stands in this calendar.
    async fn has_event(&self, id: &str, calendar: &str, generation: i32) {
        self.accept("north", id, 1, at(1)).await;
        self.bring_in_step("north", &written(calendar, id, generation), at(2)).await;
    }

    async fn begin(&self, remote_events: RemoteEvents, now: Timestamp) {
        self.store.begin_disconnect(&organisation("north"), remote_events, now).await.unwrap().unwrap();
    }

    async fn advance_disconnect(&self, now: Timestamp) -> DisconnectStep {
        self.store.advance_disconnect(&organisation("north"), now + MINUTE, now).await.unwrap()
    }

    /// The account is searched, as a disconnect asks for once nothing is known any more that is to be deleted.
    async fn is_searched(&self, found: &[(AppointmentId, Place)], now: Timestamp) {
        assert_eq!(self.advance_disconnect(now).await, DisconnectStep::ToSearch);
        assert_eq!(self.advance_disconnect(now).await, DisconnectStep::Waiting, "it is asked for once");
        let lease = Lease { token: token(), until: now + MINUTE };
        let claim = self.store.claim_search(lease, now).await.unwrap().unwrap();
        assert_eq!(self.store.claim_search(Lease { token: token(), ..lease }, now).await.unwrap(), None);
        assert_eq!(self.advance_disconnect(now).await, DisconnectStep::Waiting, "a call may be under way");
        let disconnect = self.the_integration("north").await.disconnecting.unwrap().remote_events;
        let end = SearchEnd::Over(AccountSearch::Whole);
        let searched = Searched { disconnect, erased: Vec::new(), found: found.to_vec(), end };
        let account = GoogleUserId::new("account of north");
        assert!(self.store.end_search(&claim, &account, searched, now).await.unwrap().is_done());
    }

    async fn claim_owed(&self, count: usize, now: Timestamp) -> Vec<OwedClaim> {
        let wanted = vec![organisation("north"); count];
        self.store.claim_owed(&wanted, token(), now + MINUTE, now).await.unwrap().rows
    }

    async fn is_gone(&self, claimed: &OwedClaim, now: Timestamp) {
        assert!(
            self.store.settle_owed(claimed, &OwedSettlement::Gone { was_deleted: true }, now).await.unwrap().is_done()
        );
    }

    async fn owed_left(&self) -> (i64, i64) {
        let OwedLeft { events, parked, .. } = self.store.owed_left(&organisation("north")).await.unwrap();
        (events, parked)
    }
}

fn error() -> LinkError {
    LinkError { reason: Reason::GoogleUnavailable, detail: None }
}

fn of_account(account: &str) -> Grant {
    Grant { google_user_id: GoogleUserId::new(account), ..grant("north") }
}

#[apply(both_backends)]
async fn a_disconnect_that_deletes_owes_what_is_upcoming_and_ends_when_it_is_gone(database: &Database) {
    let epoch = database.is_connected("north").await.epoch;
    database.has_event("one", "agenda", 3).await;
    database.has_event("two", "agenda", 1).await;
    let over = cassius_calendar::store::Acceptance { ends_at: Some(at(5)), ..acceptance("north", "over", 1) };
    database.store.accept(vec![over], at(3)).await.unwrap();
    database.bring_in_step("north", &written("agenda", "over", 1), at(4)).await;

    database.begin(RemoteEvents::DeleteUpcoming, at(10)).await;
    assert_eq!((database.the_integration("north").await.disconnect_total, database.owed_left().await), (2, (2, 0)));
    assert_eq!(database.the_link("north", "one").await.placement, absent(3));
    assert_eq!(database.the_link("north", "one").await.sync_status, SyncStatus::None);
    assert_eq!(database.the_link("north", "over").await.placement, written("agenda", "over", 1));
    assert_eq!(database.due_organisations(at(10)).await.len(), 1);
    assert_eq!(database.claim("north", 9, at(10)).await, [], "no link is served");

    let claimed = database.claim_owed(9, at(11)).await;
    assert_eq!(claimed.len(), 2);
    let one = claimed.iter().find(|owed| owed.appointment == appointment("one")).unwrap();
    assert_eq!((one.place.clone(), one.cause), (place("agenda", "one", 3), OwedCause::Disconnect));
    assert_eq!((&one.google_user_id, &one.connected), (&GoogleUserId::new("account of north"), &one.google_user_id));
    assert!(one.epoch > epoch && one.attempts == 0);
    assert_eq!(database.claim_owed(9, at(12)).await, [], "they are leased");
    assert!(database.due_organisations(at(12)).await.is_empty());
    assert_eq!(database.store.live_leases(&organisation("north"), at(12)).await.unwrap(), 2);
    assert_eq!(database.advance_disconnect(at(12)).await, DisconnectStep::Waiting);

    for owed in &claimed {
        database.is_gone(owed, at(13)).await;
    }
    assert_eq!(database.owed_left().await, (0, 0));
    assert_eq!(database.the_link("north", "one").await.placement, absent(4), "an id is never free again");
    // One that a person moved; and one that a link stands at is none.
    let moved = [(appointment("one"), place("elsewhere", "one", 1)), (appointment("over"), place("agenda", "over", 1))];
    database.is_searched(&moved, at(13)).await;
    assert_eq!((database.the_integration("north").await.disconnect_total, database.owed_left().await), (3, (1, 0)));
    let owed = database.claim_owed(9, at(13)).await.remove(0);
    assert_eq!((owed.place.clone(), owed.cause), (place("elsewhere", "one", 1), OwedCause::Disconnect));
    database.is_gone(&owed, at(14)).await;
    let DisconnectStep::Finish(integration) = database.advance_disconnect(at(14)).await else {
        panic!("nothing is to be waited for");
    };
    assert_eq!(database.advance_disconnect(at(15)).await, DisconnectStep::Waiting, "one alone ends it");
    let north = organisation("north");
    assert!(database.store.finish_disconnect(&north, integration.epoch, at(16)).await.unwrap().is_done());
    assert_eq!(database.advance_disconnect(at(17)).await, DisconnectStep::Ended);
    assert_eq!(database.the_integration("north").await.last_search, Some(AccountSearch::Whole));
}

#[apply(both_backends)]
async fn what_is_owed_while_the_grant_is_revoked_is_not_called_for_unless_nobody_ends_that(database: &Database) {
    database.is_connected("north").await;
    let over = cassius_calendar::store::Acceptance { ends_at: Some(at(5)), ..acceptance("north", "over", 1) };
    database.store.accept(vec![over], at(3)).await.unwrap();
    database.bring_in_step("north", &written("agenda", "over", 1), at(4)).await;
    database.begin(RemoteEvents::DeleteUpcoming, at(10)).await;
    database.is_searched(&[], at(11)).await;
    assert!(matches!(database.advance_disconnect(at(11)).await, DisconnectStep::Finish(_)));
    database.store.erase_appointments(&organisation("north"), &[appointment("over")], at(12)).await.unwrap();
    assert_eq!((database.the_integration("north").await.disconnect_total, database.owed_left().await), (1, (1, 0)));
    assert_eq!(database.claim_owed(9, at(13)).await, []);
    assert!(database.due_organisations(at(13)).await.is_empty());
    assert_eq!(database.next_due_at(at(13)).await, Some(at(11) + MINUTE));
    assert_eq!(database.claim_owed(9, at(11) + MINUTE).await.len(), 1, "whoever was to end it is gone");
}

#[apply(both_backends)]
async fn all_events_are_owed_where_all_are_to_be_deleted(database: &Database) {
    database.is_connected("north").await;
    let over = cassius_calendar::store::Acceptance { ends_at: Some(at(5)), ..acceptance("north", "over", 1) };
    database.store.accept(vec![over], at(3)).await.unwrap();
    database.bring_in_step("north", &written("agenda", "over", 1), at(4)).await;
    database.begin(RemoteEvents::DeleteAll, at(10)).await;
    assert_eq!(database.claim_owed(9, at(11)).await.len(), 1);
}

#[apply(both_backends)]
async fn what_a_call_is_under_way_for_is_owed_once_that_has_ended(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    let reserved = Placement::Reserved(place("agenda", "event", 1));
    assert!(database.store.reserve(&claimed, &reserved, at(62), at(2)).await.unwrap().is_done());
    database.begin(RemoteEvents::DeleteUpcoming, at(3)).await;
    assert_eq!(database.owed_left().await, (0, 0));
    assert_eq!(database.advance_disconnect(at(4)).await, DisconnectStep::Waiting);
    // The call ends late, and what it wrote is known.
    assert!(
        database
            .store
            .settle(&claimed, &synced(&claimed, &written("agenda", "event", 1)), at(5))
            .await
            .unwrap()
            .is_done()
    );
    assert_eq!(database.advance_disconnect(at(6)).await, DisconnectStep::MoreOwed);
    assert_eq!(database.owed_left().await, (1, 0));
    let owed = database.claim_owed(1, at(7)).await.remove(0);
    database.is_gone(&owed, at(8)).await;
    database.is_searched(&[], at(9)).await;
    assert!(matches!(database.advance_disconnect(at(9)).await, DisconnectStep::Finish(_)));
}

#[apply(both_backends)]
async fn both_ends_of_an_unfinished_move_are_owed(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let moving = Placement::Moving { place: place("new", "event", 1), from: place("old", "event", 1).into() };
    database.bring_in_step("north", &moving, at(2)).await;
    database.begin(RemoteEvents::DeleteUpcoming, at(3)).await;
    let first = database.claim_owed(9, at(4)).await;
    assert_eq!(first.len(), 1, "one call of an appointment at a time");
    database.is_gone(&first[0], at(5)).await;
    let second = database.claim_owed(9, at(6)).await.remove(0);
    let mut calendars = [first[0].place.calendar.as_str(), second.place.calendar.as_str()];
    calendars.sort_unstable();
    assert_eq!(calendars, ["new", "old"]);
    assert_eq!(database.owed_left().await, (1, 0), "it is one event");
}

#[apply(both_backends)]
async fn keeping_meanwhile_gives_back_what_is_not_gone(database: &Database) {
    database.is_connected("north").await;
    for id in ["a", "b", "c"] {
        database.has_event(id, "agenda", 1).await;
    }
    database.begin(RemoteEvents::DeleteUpcoming, at(10)).await;
    let claimed = database.claim_owed(2, at(11)).await;
    database.is_gone(&claimed[0], at(12)).await;
    database.begin(RemoteEvents::Keep, at(13)).await;
    assert_eq!(database.claim_owed(9, at(14)).await, []);
    assert_eq!(database.owed_left().await, (1, 0), "a call is under way for it");
    let later = OwedSettlement::Later { next_attempt_at: at(20), error: error() };
    assert!(database.store.settle_owed(&claimed[1], &later, at(15)).await.unwrap().is_done());
    assert!(matches!(database.advance_disconnect(at(16)).await, DisconnectStep::Finish(_)));
    assert_eq!((database.owed_left().await, database.the_integration("north").await.disconnect_total), ((0, 0), 1));
    let links = database.store.links(&organisation("north"), None, None, 9).await.unwrap();
    let placed: Vec<_> = links.iter().filter(|link| link.placement.place().is_some()).collect();
    assert_eq!(placed.len(), 2);
    assert!(
        placed.iter().all(|link| link.placement == Placement::Reserved(place("agenda", link.appointment.as_str(), 1)))
    );
}

#[apply(both_backends)]
async fn what_cannot_be_deleted_is_told_and_comes_back_with_its_account(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.has_event("refused", "agenda", 2).await;
    database.has_event("away", "agenda", 2).await;
    database.begin(RemoteEvents::DeleteUpcoming, at(10)).await;
    let mut epoch = None;
    for owed in database.claim_owed(9, at(11)).await {
        let settlement = match owed.appointment.as_str() {
            "refused" => OwedSettlement::Refused { error: error() },
            _ => OwedSettlement::Later { next_attempt_at: at(500), error: error() },
        };
        assert!(database.store.settle_owed(&owed, &settlement, at(12)).await.unwrap().is_done());
        epoch = Some(owed.epoch);
    }
    let epoch = epoch.unwrap();
    assert_eq!(database.owed_left().await, (2, 1));
    assert_eq!(database.next_due_at(at(13)).await, Some(at(500)));
    assert_eq!(database.claim_owed(9, at(499)).await, []);
    assert_eq!(database.advance_disconnect(at(13)).await, DisconnectStep::Waiting);
    // A dead grant deletes nothing any more, and neither does a day.
    assert!(matches!(database.advance_disconnect(at(10 + 86_400)).await, DisconnectStep::Finish(_)));
    let dead = Problem { reason: Reason::ReconnectRequired, since_at: at(14), retry_at: None };
    assert!(database.store.note_problem(&north, epoch, &dead, at(14)).await.unwrap().is_done());
    assert!(database.store.finish_disconnect(&north, epoch, at(15)).await.unwrap().is_done());
    assert_eq!(database.owed_left().await, (2, 2));
    assert_eq!(database.store.begin_disconnect(&north, RemoteEvents::DeleteAll, at(16)).await.unwrap(), None);

    database.connect(grant("north"), at(20)).await;
    assert_eq!(database.owed_left().await, (0, 0));
    for id in ["refused", "away"] {
        let link = database.the_link("north", id).await;
        assert_eq!(link.placement, Placement::Reserved(place("agenda", id, 2)));
        assert_eq!((link.sync_status, link.next_attempt_at), (SyncStatus::Pending, Some(at(20))));
    }
}

#[apply(both_backends)]
async fn an_account_that_comes_back_finds_its_events_and_the_other_ones_stay_owed(database: &Database) {
    database.is_connected("north").await;
    database.has_event("rdv", "agenda", 2).await;
    database.connect(of_account("other"), at(10)).await;
    database.bring_in_step("north", &written("agenda of other", "its", 2), at(11)).await;
    let integration = database.connect(grant("north"), at(20)).await;
    assert_eq!(integration.catch_up.map(|(total, _)| total), Some(1));
    let link = database.the_link("north", "rdv").await;
    assert_eq!(
        (link.placement, link.sync_status),
        (Placement::Reserved(place("agenda", "rdv", 2)), SyncStatus::Pending)
    );
    database.bring_in_step("north", &written("agenda", "rdv", 2), at(21)).await;
    let owed = database.claim_owed(9, at(22)).await.remove(0);
    assert_eq!((&owed.google_user_id, owed.place.event.clone()), (&GoogleUserId::new("other"), EventId::new("its")));
    assert_ne!(owed.google_user_id, owed.connected);
    // It is out of reach: that is no problem of the integration, and all of that calendar waits for an account.
    let north = organisation("north");
    database.store.park_calendar(&north, owed.epoch, &owed.place.calendar, at(23)).await.unwrap();
    assert!(database.store.settle_owed(&owed, &OwedSettlement::Unchanged, at(23)).await.unwrap().is_done());
    assert_eq!(database.claim_owed(9, at(99_999)).await, []);
    database.store.catch_up(&north, at(30)).await.unwrap();
    assert_eq!(database.claim_owed(9, at(30)).await, [], "nobody has seen its calendar yet");
    database.store.try_owed_again(&north, &[owed.place.calendar], at(31)).await.unwrap();
    assert_eq!(database.claim_owed(9, at(31)).await.len(), 1, "a comparison has listed its calendar");
}

#[apply(both_backends)]
async fn the_only_event_of_an_old_appointment_waits_for_its_account_until_it_is_called_off(database: &Database) {
    let (north, listed) = (organisation("north"), [CalendarId::new("shared")]);
    database.is_connected("north").await;
    database.has_event("rdv", "shared", 1).await;
    assert_eq!(database.store.erase_snapshots(at(60_000), at(70_000)).await.unwrap().count, 1);
    database.connect(of_account("another"), at(70_001)).await;
    database.store.try_owed_again(&north, &listed, at(70_002)).await.unwrap();
    assert_eq!(database.claim_owed(9, at(70_002)).await, [], "nobody could write it anew");

    let called_off = cassius_calendar::store::Acceptance { wants_event: false, ..acceptance("north", "rdv", 2) };
    database.store.accept(vec![called_off], at(70_003)).await.unwrap();
    database.bring_in_step("north", &absent(1), at(70_004)).await;
    database.store.try_owed_again(&north, &listed, at(70_005)).await.unwrap();
    let owed = database.claim_owed(9, at(70_005)).await;
    assert_eq!(owed.into_iter().map(|owed| owed.place).collect::<Vec<_>>(), [place("shared", "rdv", 1)]);
}

#[apply(both_backends)]
async fn a_link_that_stands_at_the_event_ends_what_is_owed(database: &Database) {
    database.is_connected("north").await;
    database.has_event("rdv", "shared", 1).await;
    let account = GoogleUserId::new("account of north");
    let events = [
        (appointment("rdv"), place("shared", "rdv", 1)),
        // A copy keeps the id: in another calendar it is another event.
        (appointment("rdv"), place("before", "rdv", 1)),
        // It has no link, and is deleted all the same.
        (appointment("unknown"), place("shared", "x", 1)),
    ];
    let north = organisation("north");
    database.store.owe(&north, &account, &events, OwedCause::Comparison, at(3)).await.unwrap();
    let claimed = database.claim_owed(9, at(4)).await;
    let mut places: Vec<_> = claimed.iter().map(|owed| owed.place.clone()).collect();
    places.sort_unstable_by_key(|place| place.calendar.to_string());
    assert_eq!(places, [place("before", "rdv", 1), place("shared", "x", 1)]);
    for owed in &claimed {
        database.is_gone(owed, at(5)).await;
    }
    assert_eq!(database.claim_owed(9, at(6)).await, []);
    assert_eq!(database.number("SELECT COUNT(*) FROM owed_deletions").await, 0);
    assert_eq!(database.the_link("north", "rdv").await.placement, written("shared", "rdv", 1));
}

#[apply(both_backends)]
async fn a_deletion_that_failed_is_tried_again_later_and_says_how_often(database: &Database) {
    database.is_connected("north").await;
    let (north, account) = (organisation("north"), GoogleUserId::new("account of north"));
    let events = [(appointment("rdv"), place("agenda", "old", 7))];
    database.store.owe(&north, &account, &events, OwedCause::LeftBehind, at(1)).await.unwrap();
    for attempts in 0..3 {
        let now = i64::from(attempts) * 100 + 2;
        let owed = database.claim_owed(1, at(now)).await.remove(0);
        assert_eq!(owed.attempts, attempts);
        let later = OwedSettlement::Later { next_attempt_at: at(now + 50), error: error() };
        assert!(database.store.settle_owed(&owed, &later, at(now)).await.unwrap().is_done());
        assert_eq!(database.claim_owed(1, at(now + 49)).await, []);
    }
}

#[apply(both_backends)]
async fn a_link_and_what_is_owed_of_it_are_never_both_claimed(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let account = GoogleUserId::new("account of north");
    let events = [(appointment("rdv"), place("agenda", "old", 7))];
    let north = organisation("north");
    database.store.owe(&north, &account, &events, OwedCause::LeftBehind, at(1)).await.unwrap();
    let link = database.claim("north", 1, at(2)).await.remove(0);
    assert_eq!(database.claim_owed(1, at(3)).await, []);
    assert!(
        database.store.settle(&link, &Settlement::Unchanged { placement: absent(1) }, at(4)).await.unwrap().is_done()
    );
    let owed = database.claim_owed(1, at(5)).await.remove(0);
    assert_eq!(database.claim("north", 1, at(6)).await, []);
    assert!(database.store.renew_owed_lease(&owed, at(200), at(7)).await.unwrap().is_done());
    assert_eq!(database.claim("north", 1, at(199)).await, [], "both are renewed");
    assert_eq!(database.store.release(&[owed.lease.token], at(199)).await.unwrap(), 1);
    assert_eq!(database.claim_owed(1, at(199)).await.len(), 1);
    assert!(
        !database
            .store
            .settle_owed(&owed, &OwedSettlement::Gone { was_deleted: true }, at(200))
            .await
            .unwrap()
            .is_done(),
        "taken over"
    );
    assert_eq!(database.the_link("north", "rdv").await.placement, Placement::Absent { generation: Generation(1) });
}

#[apply(both_backends)]
async fn another_epoch_fences_a_deletion(database: &Database) {
    database.is_connected("north").await;
    let events = [(appointment("rdv"), place("agenda", "old", 7))];
    let north = organisation("north");
    let account = GoogleUserId::new("account of north");
    database.store.owe(&north, &account, &events, OwedCause::LeftBehind, at(1)).await.unwrap();
    let owed = database.claim_owed(1, at(2)).await.remove(0);
    database.begin(RemoteEvents::DeleteUpcoming, at(3)).await;
    assert!(!database.store.renew_owed_lease(&owed, at(200), at(4)).await.unwrap().is_done());
    assert_eq!(database.store.live_leases(&north, at(5)).await.unwrap(), 1, "it is still waited for");
}

// With a calendar out of reach its links are served neither on nor off: what is owed is looked at again all the same.
#[apply(both_backends)]
async fn while_the_sync_is_off_what_was_erased_alone_is_claimed(database: &Database) {
    let epoch = database.is_connected("north").await.epoch;
    let (north, account) = (organisation("north"), GoogleUserId::new("account of north"));
    let problem = Problem { reason: Reason::CalendarUnavailable, since_at: at(1), retry_at: None };
    assert!(database.store.note_problem(&north, epoch, &problem, at(1)).await.unwrap().is_done());
    let switch = async |is_enabled, now| {
        let change = SettingsChange { is_enabled: Some(is_enabled), ..SettingsChange::default() };
        database.store.change_settings(&north, change, now).await.unwrap().unwrap();
    };
    switch(false, at(2)).await;
    for (id, cause) in [("erased", OwedCause::Erasure), ("left", OwedCause::LeftBehind)] {
        let events = [(appointment(id), place("elsewhere", id, 1))];
        database.store.owe(&north, &account, &events, cause, at(3)).await.unwrap();
    }
    let due: Vec<_> = database.due_organisations(at(4)).await.into_iter().map(|due| (due.owes, due.count)).collect();
    assert_eq!(due, [(true, 1)]);
    let claimed = database.claim_owed(9, at(4)).await;
    assert_eq!(claimed.iter().map(|owed| owed.cause).collect::<Vec<_>>(), [OwedCause::Erasure]);
    database.is_gone(&claimed[0], at(5)).await;
    assert!(database.due_organisations(at(5)).await.is_empty());
    assert_eq!(database.claim_owed(9, at(90)).await, []);
    assert_eq!(database.number("SELECT count(*) FROM link_queues WHERE owed_due_at IS NULL").await, 1, "nobody looks");
    switch(true, at(100)).await;
    let due: Vec<_> = database.due_organisations(at(101)).await.into_iter().map(|due| (due.owes, due.count)).collect();
    assert_eq!(due, [(true, 1)]);
    assert_eq!(database.claim_owed(9, at(101)).await[0].cause, OwedCause::LeftBehind);
}
