//! Connect, settings, disconnect.

use cassius_calendar::model::{
    CalendarId, Epoch, GoogleUserId, Placement, Problem, Reason, RemoteEvents, SyncStatus, TitlePrivacy,
};
use cassius_calendar::store::{
    AsOf, Connect, Disconnecting, Grant, LinkError, RefreshedTokens, SettingsChange, Settlement,
};

use super::harness::*;

fn of_calendar(id: &str) -> SettingsChange {
    SettingsChange { calendar: Some(calendar(id)), ..SettingsChange::default() }
}

fn of_privacy(title_privacy: TitlePrivacy) -> SettingsChange {
    SettingsChange { title_privacy: Some(title_privacy), ..SettingsChange::default() }
}

#[apply(both_backends)]
async fn a_first_connect_is_enabled_and_shows_whole_names(database: &Database) {
    assert_eq!(database.store.integration(&organisation("north")).await.unwrap(), None);
    let integration = database.connect(grant("north"), at(7)).await;
    assert!(integration.is_connected() && integration.is_enabled);
    assert_eq!(integration.title_privacy, TitlePrivacy::Full);
    assert_eq!(integration.google_user_id, Some(GoogleUserId::new("account of north")));
    assert_eq!(integration.google_email.as_deref(), Some("north@example.com"));
    assert_eq!(integration.access_token, Some(sealed("access")));
    assert_eq!(integration.refresh_token, Some(sealed("refresh")));
    assert_eq!(integration.token_expires_at, Some(at(3_600)));
    assert_eq!(integration.granted_scopes, ["openid", "email"]);
    assert_eq!(integration.calendar, Some(calendar("agenda")));
    assert_eq!((integration.connected_at, integration.last_sync_at), (Some(at(7)), None));
    assert_eq!((integration.problem, integration.catch_up), (None, None));
    assert_eq!(database.store.integration(&organisation("south")).await.unwrap(), None);
}

#[apply(both_backends)]
async fn the_same_account_finds_its_settings_and_its_events_again(database: &Database) {
    let north = organisation("north");
    let first = database.is_connected("north").await;
    let change = SettingsChange {
        is_enabled: Some(false),
        calendar: Some(calendar("chosen")),
        epoch: Some(first.epoch),
        title_privacy: Some(TitlePrivacy::Initials),
    };
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(2)).await;
    database.store.change_settings(&north, change, at(3)).await.unwrap().unwrap();
    let problem = Problem { reason: Reason::ReconnectRequired, since_at: at(4), retry_at: None };
    assert!(database.store.note_problem(&north, first.epoch, &problem, at(4)).await.unwrap().is_done());

    let second = database.connect(grant("north"), at(5)).await;
    assert!(second.epoch > first.epoch);
    assert_eq!(second.problem, None);
    assert_eq!(second.calendar, Some(calendar("chosen")));
    assert_eq!((second.is_enabled, second.title_privacy), (false, TitlePrivacy::Initials));
    assert_eq!(database.the_link("north", "rdv").await.placement, written("agenda", "event", 1));
}

/// Another account may have been connected since Google was asked for the calendar.
#[apply(both_backends)]
async fn no_calendar_is_chosen_of_which_another_account_was_asked(database: &Database) {
    let north = organisation("north");
    let first = database.is_connected("north").await;
    let of_first = SettingsChange { epoch: Some(first.epoch), ..of_calendar("of the first") };
    let other =
        Grant { google_user_id: GoogleUserId::new("another"), calendar: calendar("of another"), ..grant("north") };
    let second = database.connect(other, at(5)).await;
    assert_eq!(database.store.change_settings(&north, of_first.clone(), at(6)).await.unwrap(), None);
    assert_eq!(database.the_integration("north").await.calendar, second.calendar);
    let of_second = SettingsChange { epoch: Some(second.epoch), ..of_first };
    let chosen = database.store.change_settings(&north, of_second, at(7)).await.unwrap().unwrap();
    assert_eq!(chosen.calendar, Some(calendar("of the first")));
}

#[apply(both_backends)]
async fn another_account_starts_with_no_placements_and_sends_all_again(database: &Database) {
    database.is_connected("north").await;
    for id in ["a-synced", "b-pending", "c-refused", "d-held"] {
        database.accept("north", id, 1, at(1)).await;
    }
    for link in database.claim("north", 4, at(2)).await {
        let placement = written("agenda", link.appointment.as_str(), 3);
        let error = LinkError { reason: Reason::EventRefused, detail: None };
        let settlement = match link.appointment.as_str() {
            "a-synced" => synced(&link, &placement),
            "b-pending" => Settlement::Later { placement, next_attempt_at: at(9_000), error },
            "c-refused" => Settlement::Refused { placement, error },
            _ => continue,
        };
        assert!(database.store.settle(&link, &settlement, at(3)).await.unwrap().is_done());
    }
    let held = database.claim("north", 1, at(70)).await.remove(0);
    assert!(
        database
            .store
            .reserve(&held, &Placement::Reserved(place("agenda", "x", 1)), at(130), at(70))
            .await
            .unwrap()
            .is_done()
    );

    let other =
        Grant { google_user_id: GoogleUserId::new("another"), calendar: calendar("of another"), ..grant("north") };
    let integration = database.connect(other, at(80)).await;
    assert_eq!(integration.calendar, Some(calendar("of another")));
    assert_eq!(integration.last_sync_at, None);
    let links = database.store.links(&organisation("north"), None, None, 9).await.unwrap();
    let said: Vec<_> = links.iter().map(|link| (link.sync_status, link.next_attempt_at)).collect();
    assert_eq!(
        said,
        [
            (SyncStatus::Pending, Some(at(80))),
            (SyncStatus::Pending, Some(at(80))),
            (SyncStatus::Pending, Some(at(80))),
            (SyncStatus::Pending, Some(at(80))),
        ]
    );
    assert_eq!(database.the_integration("north").await.catch_up, Some((2, at(80))), "the others waited already");
    // Nothing was deleted: the generations stay.
    let placements: Vec<_> = links.iter().map(|link| link.placement.clone()).collect();
    assert_eq!(placements, [absent(3), absent(3), absent(3), absent(1)]);
    assert!(links.iter().all(|link| link.html_link.is_none() && link.synced_revision.is_none()));

    // Whoever worked for the account before has nothing to say any more.
    assert!(!database.store.settle(&held, &synced(&held, &written("agenda", "x", 1)), at(81)).await.unwrap().is_done());
    assert_eq!(database.claim("north", 9, at(81)).await.len(), 3, "its call may be under way still");
    assert_eq!(database.claim("north", 9, at(130)).await.len(), 1);
    let owed =
        "SELECT COUNT(*) FROM owed_deletions WHERE cause = 'account_exchanged' AND google_user_id = 'account of north'";
    assert_eq!(database.number(owed).await, 4);
}

#[apply(both_backends)]
async fn tokens_are_saved_in_their_own_epoch_alone(database: &Database) {
    let north = organisation("north");
    let old = database.is_connected("north").await.epoch;
    let save = async |epoch, refresh| {
        let tokens = RefreshedTokens { access_token: sealed("new"), expires_at: at(7_200), refresh_token: refresh };
        database.store.save_tokens(&north, epoch, tokens, at(1)).await.unwrap().is_done()
    };
    assert!(save(old, None).await);
    let integration = database.the_integration("north").await;
    assert_eq!(integration.access_token, Some(sealed("new")));
    assert_eq!(integration.refresh_token, Some(sealed("refresh")), "the old one stays");
    assert_eq!(integration.token_expires_at, Some(at(7_200)));
    assert!(save(old, Some(sealed("rotated"))).await);
    assert_eq!(database.the_integration("north").await.refresh_token, Some(sealed("rotated")));

    let epoch = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(2)).await.unwrap().unwrap().epoch;
    assert!(!save(old, None).await);
    assert!(database.store.finish_disconnect(&north, epoch, at(3)).await.unwrap().is_done());
    assert!(!save(epoch, Some(sealed("late"))).await, "what a disconnect erased stays erased");
    assert_eq!(database.the_integration("north").await.refresh_token, None);
}

#[apply(both_backends)]
async fn a_problem_keeps_its_beginning_while_it_lasts(database: &Database) {
    let north = organisation("north");
    let epoch = database.is_connected("north").await.epoch;
    let note = async |reason, second| {
        let problem = Problem { reason, since_at: at(second), retry_at: Some(at(second + 60)) };
        assert!(database.store.note_problem(&north, epoch, &problem, at(second)).await.unwrap().is_done());
        let noted = database.the_integration("north").await.problem.unwrap();
        assert_eq!((noted.reason, noted.retry_at), (reason, Some(at(second + 60))));
        noted.since_at
    };
    assert_eq!(note(Reason::GoogleThrottled, 10).await, at(10));
    assert_eq!(note(Reason::GoogleThrottled, 20).await, at(10));
    assert_eq!(note(Reason::CalendarUnavailable, 30).await, at(30));
    let same = SettingsChange { calendar: Some(calendar("agenda")), ..SettingsChange::default() };
    database.store.change_settings(&north, same, at(40)).await.unwrap().unwrap();
    assert_eq!(database.the_integration("north").await.problem, None);

    database.is_connected("north").await;
    let problem = Problem { reason: Reason::ReconnectRequired, since_at: at(50), retry_at: None };
    assert!(!database.store.note_problem(&north, epoch, &problem, at(50)).await.unwrap().is_done());
    assert_eq!(database.the_integration("north").await.problem, None);
}

#[apply(both_backends)]
async fn another_calendar_or_privacy_queues_what_is_upcoming(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    for id in ["placed", "over", "pending", "absent"] {
        let mut one = acceptance("north", id, 1);
        if id == "over" {
            one.ends_at = Some(at(50));
        }
        database.store.accept(vec![one], at(1)).await.unwrap();
        match id {
            "pending" => {}
            "absent" => database.bring_in_step("north", &absent(2), at(2)).await,
            // `pending` is not there yet, so that this claims the one just accepted.
            _ => database.bring_in_step("north", &written("agenda", id, 1), at(2)).await,
        }
        if id == "pending" {
            let claimed = database.claim("north", 1, at(2)).await.remove(0);
            let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
            let later = Settlement::Later { placement: absent(1), next_attempt_at: at(9_000), error };
            assert!(database.store.settle(&claimed, &later, at(3)).await.unwrap().is_done());
        }
    }
    // What waits already stays in its turn, and goes first. A tighter level is written over what is over, too.
    let changes = [
        (of_calendar("new"), 100, vec!["pending", "placed"]),
        (of_privacy(TitlePrivacy::Masked), 200, vec!["over", "pending", "placed"]),
    ];
    for (change, now, waiting) in changes {
        let integration = database.store.change_settings(&north, change, at(now)).await.unwrap().unwrap();
        let asked_for = waiting.len() as i64 - 1;
        let catch_up = integration.catch_up.map(|(total, since)| (i64::from(total), since));
        assert_eq!(catch_up, Some((asked_for, at(100))), "the second joins the first");
        let queued = database.store.links(&north, Some(SyncStatus::Pending), None, 9).await.unwrap();
        let mut said: Vec<_> = queued
            .iter()
            .map(|link| (link.appointment.as_str(), link.next_attempt_at, link.attempts, &link.last_error))
            .collect();
        said.sort_by_key(|link| link.0);
        let expected: Vec<_> = waiting.iter().map(|id| (*id, Some(at(now)), 0, &None)).collect();
        assert_eq!(said, expected);
        let counts = database.store.counts(&north, at(now)).await.unwrap();
        assert_eq!((counts.pending, counts.catching_up, counts.upcoming_events), (asked_for + 1, asked_for, 1));
    }
    assert_eq!(database.the_integration("north").await.calendar, Some(calendar("new")));
    let claimed = database.claim("north", 1, at(201)).await.remove(0);
    assert_eq!((claimed.target, claimed.title_privacy), (CalendarId::new("new"), TitlePrivacy::Masked));
}

#[apply(both_backends)]
async fn settings_that_stay_the_same_queue_nothing(database: &Database) {
    let north = organisation("north");
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "event", 1), at(2)).await;
    let same = SettingsChange {
        is_enabled: Some(true),
        calendar: Some(calendar("agenda")),
        epoch: None,
        title_privacy: Some(TitlePrivacy::Full),
    };
    for change in [same, SettingsChange::default()] {
        let integration = database.store.change_settings(&north, change, at(3)).await.unwrap().unwrap();
        assert_eq!(integration.catch_up, None);
    }
    assert_eq!(database.the_link("north", "rdv").await.sync_status, SyncStatus::Synced);
    assert_eq!(database.store.change_settings(&organisation("south"), of_calendar("x"), at(3)).await.unwrap(), None);
}

#[apply(both_backends)]
async fn another_calendar_mends_only_the_calendar(database: &Database) {
    let north = organisation("north");
    let epoch = database.is_connected("north").await.epoch;
    for (reason, is_mended) in [(Reason::CalendarUnavailable, true), (Reason::ReconnectRequired, false)] {
        let problem = Problem { reason, since_at: at(1), retry_at: None };
        assert!(database.store.note_problem(&north, epoch, &problem, at(1)).await.unwrap().is_done());
        let change = of_calendar(if is_mended { "one" } else { "two" });
        let integration = database.store.change_settings(&north, change, at(2)).await.unwrap().unwrap();
        assert_eq!(integration.problem.is_none(), is_mended);
    }
}

#[apply(both_backends)]
async fn a_disconnect_runs_in_one_epoch_and_erases_the_grant(database: &Database) {
    let north = organisation("north");
    assert_eq!(database.store.begin_disconnect(&north, RemoteEvents::Keep, at(1)).await.unwrap(), None);
    let connected = database.is_connected("north").await;
    for id in ["a-synced", "b-refused", "c-pending"] {
        database.accept("north", id, 1, at(1)).await;
    }
    for link in database.claim("north", 2, at(2)).await {
        let error = LinkError { reason: Reason::EventRefused, detail: None };
        let placement = written("agenda", link.appointment.as_str(), 1);
        let settlement = match link.appointment.as_str() {
            "a-synced" => synced(&link, &placement),
            _ => Settlement::Refused { placement, error },
        };
        assert!(database.store.settle(&link, &settlement, at(3)).await.unwrap().is_done());
    }

    let begun = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(4)).await.unwrap().unwrap();
    assert!(begun.epoch > connected.epoch && !begun.is_connected());
    let disconnecting = Disconnecting { since_at: at(4), remote_events: Some(RemoteEvents::Keep) };
    assert_eq!((begun.refresh_token.as_ref(), begun.disconnecting), (Some(&sealed("refresh")), Some(disconnecting)));
    assert_eq!(database.store.begin_disconnect(&north, RemoteEvents::Keep, at(5)).await.unwrap(), Some(begun.clone()));
    assert_eq!(database.store.unfinished_disconnects().await.unwrap(), std::slice::from_ref(&north));

    assert!(!database.store.finish_disconnect(&north, connected.epoch, at(6)).await.unwrap().is_done());
    assert!(database.store.finish_disconnect(&north, begun.epoch, at(6)).await.unwrap().is_done());
    assert!(!database.store.finish_disconnect(&north, begun.epoch, at(7)).await.unwrap().is_done());
    let ended = database.the_integration("north").await;
    assert_eq!((ended.access_token.as_ref(), ended.refresh_token.as_ref()), (None, None));
    assert_eq!((ended.google_email.as_ref(), ended.token_expires_at, ended.connected_at), (None, None, None));
    assert_eq!((ended.granted_scopes.len(), ended.disconnecting, ended.catch_up), (0, None, None));
    assert_eq!(ended.google_user_id, connected.google_user_id);
    assert_eq!(ended.calendar, connected.calendar);
    assert_eq!(database.store.unfinished_disconnects().await.unwrap(), []);
    assert_eq!(database.store.begin_disconnect(&north, RemoteEvents::Keep, at(8)).await.unwrap(), None);

    let links = database.store.links(&north, None, None, 9).await.unwrap();
    let said: Vec<_> = links.iter().map(|link| (link.sync_status, link.next_attempt_at)).collect();
    assert_eq!(said, [(SyncStatus::Synced, None), (SyncStatus::None, None), (SyncStatus::None, None)]);
    assert_eq!(links[1].placement, written("agenda", "b-refused", 1));
}

#[apply(both_backends)]
async fn a_disconnect_fences_whatever_began_before_it_and_lets_nobody_connect(database: &Database) {
    let north = organisation("north");
    let old = database.is_connected("north").await.epoch;
    let begun = database.store.begin_disconnect(&north, RemoteEvents::Keep, at(1)).await.unwrap().unwrap();
    let as_of = AsOf { epoch: old, revocation_seq: 0 };
    let refused = database.store.connect(grant("north"), as_of, at(3), at(2)).await.unwrap();
    assert_eq!(refused, Connect::Fenced);
    assert_eq!(database.the_integration("north").await, begun);
    assert!(database.store.finish_disconnect(&north, begun.epoch, at(3)).await.unwrap().is_done());
    // Nothing is connected any more, and the epoch grows all the same: no consent from before may connect.
    assert_eq!(database.store.begin_disconnect(&north, RemoteEvents::Keep, at(4)).await.unwrap(), None);
    let fenced = database.the_integration("north").await.epoch;
    assert!(old < begun.epoch && begun.epoch < fenced);
}

#[apply(both_backends)]
async fn two_first_connects_at_once_leave_one_integration(database: &Database) {
    let as_of = AsOf { epoch: Epoch(0), revocation_seq: 0 };
    let connects = (0..4).map(|_| {
        let store = database.store.clone();
        tokio::spawn(async move { store.connect(grant("north"), as_of, at(2), at(1)).await.unwrap() })
    });
    let mut stored = 0;
    for connect in connects.collect::<Vec<_>>() {
        match connect.await.unwrap() {
            Connect::Stored => stored += 1,
            other => assert_eq!(other, Connect::AlreadyConnected, "it began in the epoch before"),
        }
    }
    assert_eq!((stored, database.the_integration("north").await.epoch), (1, Epoch(1)));
}
