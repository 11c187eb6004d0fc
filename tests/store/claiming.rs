//! What is due, when, and who gets it.

use std::collections::HashSet;

use cassius_calendar::model::{CalendarId, GoogleUserId, Placement, Problem, Reason, RemoteEvents, TitlePrivacy};
use cassius_calendar::store::{
    DisconnectStep, GrantHolder, Lease, LinkError, OwedCause, Revocation, RevocationLease, SettingsChange, Settlement,
};
use jiff::SignedDuration;

use super::harness::*;

#[apply(both_backends)]
async fn what_lies_ahead_comes_nearer_where_the_clock_was_set_back_and_what_is_due_stays(database: &Database) {
    let epoch = database.is_connected("north").await.epoch;
    for id in ["a-leased", "b-later", "c-due"] {
        database.accept("north", id, 1, at(3_600)).await;
    }
    for link in database.claim("north", 2, at(3_601)).await {
        let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
        let later = Settlement::Later { placement: absent(1), next_attempt_at: at(7_200), error };
        if link.appointment.as_str() == "b-later" {
            assert!(database.store.settle(&link, &later, at(3_602)).await.unwrap().is_done());
        }
    }
    let problem = Problem { reason: Reason::GoogleThrottled, since_at: at(3_602), retry_at: Some(at(3_700)) };
    assert!(database.store.note_problem(&organisation("north"), epoch, &problem, at(3_602)).await.unwrap().is_done());

    // The clock is an hour back.
    let hour = SignedDuration::from_hours(1);
    database.store.bring_nearer(hour, MINUTE, at(5)).await.unwrap();
    let due = async |id| database.the_link("north", id).await.next_attempt_at;
    assert_eq!((due("b-later").await, due("c-due").await), (Some(at(3_600)), Some(at(0))));
    assert_eq!(database.the_integration("north").await.problem.unwrap().retry_at, Some(at(100)));
    assert_eq!(database.claim("north", 9, at(101)).await.len(), 2, "the lease has lapsed in its time");
    // A lease that was taken by the clock as it is stays.
    database.store.bring_nearer(hour, MINUTE, at(102)).await.unwrap();
    assert_eq!(database.claim("north", 9, at(103)).await.len(), 1, "the one that waited");
}

#[apply(both_backends)]
async fn every_lease_and_every_wait_of_an_integration_comes_nearer_where_the_clock_was_set_back(database: &Database) {
    let (north, south) = (organisation("north"), organisation("south"));
    let epoch = database.is_connected("north").await.epoch;
    let hour = SignedDuration::from_hours(1);
    let ahead = at(3_600) + MINUTE;
    let store = &database.store;
    assert!(store.lease_refresh(&north, epoch, token(), ahead, at(3_600)).await.unwrap().is_some());
    store.ask_comparison(&north, at(3_600)).await.unwrap();
    let lease = |until| Lease { token: token(), until };
    assert!(store.claim_comparison(lease(ahead), at(3_600)).await.unwrap().is_some());
    let (account, unkept) = (GoogleUserId::new("nobody's"), sealed("nobody's"));
    store.queue_unkept_grant(&north, &account, &unkept, at(3_600)).await.unwrap();
    let revocation = async |now| {
        let lease = RevocationLease { token: token(), until: now + MINUTE };
        let leaving = GrantHolder::Unkept { organisation: north.clone(), token: unkept.clone() };
        store.begin_revocation(&account, leaving, lease, now).await.unwrap()
    };
    assert_eq!(store.unkept_grants_due(None, at(0)).await.unwrap(), []);
    assert_eq!(revocation(at(3_600)).await, Revocation::Leased);
    database.is_connected("south").await;
    store.begin_disconnect(&south, RemoteEvents::Keep, at(3_600)).await.unwrap().unwrap();
    let step = async |now| store.advance_disconnect(&south, now + MINUTE, now).await.unwrap();
    assert!(matches!(step(at(3_600)).await, DisconnectStep::Finish(_)));

    // The clock is an hour back, and the processes that held all that are gone.
    store.bring_nearer(hour, MINUTE, at(0)).await.unwrap();
    let later = at(61);
    assert_eq!(store.unkept_grants_due(None, at(0)).await.unwrap().len(), 1);
    assert!(store.lease_refresh(&north, epoch, token(), later + MINUTE, later).await.unwrap().is_some());
    assert!(store.claim_comparison(lease(later + MINUTE), later).await.unwrap().is_some());
    assert_eq!(revocation(later).await, Revocation::Leased);
    let since_at = database.the_integration("south").await.disconnecting.unwrap().since_at;
    assert_eq!(since_at, at(0));
    assert!(matches!(step(later).await, DisconnectStep::Finish(_)));
}

#[apply(both_backends)]
async fn a_budget_that_was_spent_by_a_clock_which_was_set_back_since_comes_nearer(database: &Database) {
    let store = &database.store;
    let spent_until = async |until: Option<i64>| {
        let (tell, told) = tokio::sync::oneshot::channel();
        let spend = move |budgets: &mut std::collections::HashMap<String, i64>| {
            let found = budgets.get("project").copied();
            if let Some(until) = until {
                budgets.insert("project".into(), until);
            }
            tell.send(found).unwrap();
        };
        store.spend_quota(vec!["project".into()], spend).await.unwrap();
        told.await.unwrap().unwrap()
    };
    spent_until(Some(at(23).as_microsecond())).await;
    store.bring_nearer(SignedDuration::from_secs(20), MINUTE, at(0)).await.unwrap();
    assert_eq!(spent_until(None).await, at(3).as_microsecond());
}

#[apply(both_backends)]
async fn a_lease_of_any_kind_that_ends_later_than_a_day_from_now_is_ended(database: &Database) {
    let (north, south) = (organisation("north"), organisation("south"));
    let epoch = database.is_connected("north").await.epoch;
    database.is_connected("south").await;
    let store = &database.store;
    database.accept("north", "leased", 1, at(0)).await;
    let account = GoogleUserId::new("account of north");
    let events = [(appointment("owed"), place("elsewhere", "old", 1))];
    store.owe(&north, &account, &events, OwedCause::LeftBehind, at(0)).await.unwrap();
    store.ask_comparison(&north, at(0)).await.unwrap();
    store.begin_disconnect(&south, RemoteEvents::Keep, at(0)).await.unwrap().unwrap();
    let (nobodys, unkept) = (GoogleUserId::new("nobody's"), sealed("nobody's"));
    store.queue_unkept_grant(&north, &nobodys, &unkept, at(0)).await.unwrap();
    let take_all = async |now| {
        let until = now + MINUTE;
        assert_eq!(database.claim("north", 9, now).await.len(), 1);
        let wanted = [north.clone()];
        assert_eq!(store.claim_owed(&wanted, token(), until, now).await.unwrap().rows.len(), 1);
        assert!(store.lease_refresh(&north, epoch, token(), until, now).await.unwrap().is_some());
        assert!(store.claim_comparison(Lease { token: token(), until }, now).await.unwrap().is_some());
        let leaving = GrantHolder::Unkept { organisation: north.clone(), token: unkept.clone() };
        let lease = RevocationLease { token: token(), until };
        assert_eq!(store.begin_revocation(&nobodys, leaving, lease, now).await.unwrap(), Revocation::Leased);
        let step = store.advance_disconnect(&south, until, now).await.unwrap();
        assert!(matches!(step, DisconnectStep::Finish(_)), "{step:?}");
    };
    let leases = [
        ("appointment_external_links", "lease_until"),
        ("owed_deletions", "lease_until"),
        ("calendar_integrations", "refresh_lease_until"),
        ("calendar_integrations", "compare_lease_until"),
        ("calendar_integrations", "finishing_until"),
        ("google_accounts", "revoking_until"),
    ];
    let all_end = async |until: &str| {
        for (table, column) in leases {
            database.run(&format!("UPDATE {table} SET {column} = {until} WHERE {column} IS NOT NULL")).await;
        }
    };
    let in_hours = |hours: i64| {
        let second = (at(0) + SignedDuration::from_hours(hours)).as_second();
        if database.is_postgres() { format!("to_timestamp({second})") } else { format!("{second}000000") }
    };
    let never: &[&str] = if database.is_postgres() { &["'infinity'"] } else { &["9223372036854775807", "'soon'"] };
    take_all(at(0)).await;
    let far = never.iter().map(|until| (*until).to_owned()).chain([in_hours(48)]);
    for (second, until) in (1..).zip(far) {
        all_end(&until).await;
        assert_eq!(store.end_far_leases(at(second)).await.unwrap(), 6, "{until}");
        take_all(at(second)).await;
        assert_eq!(store.end_far_leases(at(second)).await.unwrap(), 0, "{until}");
    }
    all_end(&in_hours(23)).await;
    assert_eq!(store.end_far_leases(at(9)).await.unwrap(), 0, "a process may have taken them");
    assert_eq!(database.claim("north", 9, at(9)).await.len(), 0);
}

#[apply(both_backends)]
async fn a_claim_brings_what_a_worker_needs(database: &Database) {
    let integration = database.is_connected("north").await;
    database.accept("north", "rdv", 7, at(1)).await;
    let claimed = database.claim("north", 5, at(2)).await;
    assert_eq!(claimed.len(), 1);
    let claimed = &claimed[0];
    assert_eq!(claimed.appointment, appointment("rdv"));
    assert_eq!(claimed.revision, revision(7));
    assert_eq!(claimed.snapshot, Some(sealed("snapshot 7")));
    assert_eq!(claimed.placement, Placement::NEVER);
    assert_eq!(claimed.epoch, integration.epoch);
    assert_eq!(claimed.target, CalendarId::new("agenda"));
    assert_eq!(claimed.title_privacy, TitlePrivacy::Full);
    assert_eq!((claimed.attempts, claimed.request_seq), (0, 1));
    assert_eq!(claimed.lease.until, at(62));
}

#[apply(both_backends)]
async fn what_is_claimed_is_not_claimed_again_until_the_lease_lapses(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let first = database.claim("north", 5, at(2)).await;
    assert_eq!(database.claim("north", 5, at(61)).await, []);
    assert_eq!(database.due_organisations(at(61)).await, []);
    let second = database.claim("north", 5, at(62)).await;
    assert_eq!(second.len(), 1);
    assert_ne!(first[0].lease.token, second[0].lease.token);
}

#[apply(both_backends)]
async fn a_placement_chosen_during_the_claim_is_stored_with_the_lease(database: &Database) {
    database.is_connected("north").await;
    for id in ["a", "b"] {
        database.accept("north", id, 1, at(1)).await;
    }
    let wanted = vec![organisation("north"); 5];
    let reserved = Placement::Reserved(place("agenda", "chosen", 1));
    let chosen = reserved.clone();
    let claimed = database
        .store
        .claim(&wanted, token(), at(62), at(2), at(2), move |link| {
            ((link.appointment.as_str() == "a").then(|| chosen.clone()), link.appointment.clone())
        })
        .await
        .unwrap()
        .rows;
    assert!(claimed.iter().all(|(link, begun)| link.appointment == *begun), "each has what was begun for it");
    let placements: Vec<_> = claimed.iter().map(|(link, _)| (link.appointment.as_str(), &link.placement)).collect();
    assert!(placements.contains(&("a", &reserved)) && placements.contains(&("b", &Placement::NEVER)));
    assert_eq!(database.the_link("north", "a").await.placement, reserved);
    assert_eq!(database.the_link("north", "b").await.placement, Placement::NEVER);
}

#[apply(both_backends)]
async fn every_placement_is_read_as_it_was_written(database: &Database) {
    database.is_connected("north").await;
    let unconfirmed = match written("agenda", "event", 4) {
        Placement::Written { place, etag, .. } => Placement::Written { place, etag, fingerprint: None },
        other => other,
    };
    let placements = [
        absent(7),
        Placement::Reserved(place("agenda", "event", 3)),
        written("agenda", "event", 4),
        unconfirmed,
        Placement::Moving { place: place("new", "event", 4), from: place("agenda", "event", 1).into() },
        Placement::Moving { place: place("new", "event", 5), from: place("agenda", "first", 1).into() },
    ];
    for (n, placement) in placements.iter().enumerate() {
        let id = format!("rdv-{n}");
        database.accept("north", &id, 1, at(1)).await;
        let claimed = database.claim("north", 1, at(2)).await.remove(0);
        assert!(database.store.reserve(&claimed, placement, at(62), at(2)).await.unwrap().is_done());
        assert_eq!(&database.the_link("north", &id).await.placement, placement);
    }
}

#[apply(both_backends)]
async fn live_edits_go_first_and_then_the_longest_due(database: &Database) {
    database.is_connected("north").await;
    // What is pending keeps the priority of its edit: what is in step is caught up.
    database.accept("north", "old", 1, at(1)).await;
    database.bring_in_step("north", &written("agenda", "old", 1), at(1)).await;
    let change = SettingsChange { title_privacy: Some(TitlePrivacy::Masked), ..SettingsChange::default() };
    database.store.change_settings(&organisation("north"), change, at(2)).await.unwrap().unwrap();
    database.accept("north", "second", 1, at(5)).await;
    database.accept("north", "first", 1, at(4)).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        let link = database.claim("north", 1, at(6)).await.remove(0);
        order.push(link.appointment.to_string());
    }
    assert_eq!(order, ["first", "second", "old"]);
    let caught_up = "SELECT COUNT(*) FROM appointment_external_links WHERE priority = 1";
    assert_eq!(database.number(caught_up).await, 1);
    assert_eq!(database.number(&format!("{caught_up} AND appointment_id = 'old'")).await, 1);
}

#[apply(both_backends)]
async fn each_organisation_gets_no_more_than_it_has_room_for(database: &Database) {
    for name in ["north", "south", "west"] {
        database.is_connected(name).await;
        let many = (0..5).map(|n| acceptance(name, &format!("rdv-{n}"), 1)).collect();
        database.store.accept(many, at(1)).await.unwrap();
    }
    let wanted: Vec<_> = [("north", 2), ("south", 3), ("west", 0), ("north", 1), ("nowhere", 4)]
        .into_iter()
        .flat_map(|(name, count)| vec![organisation(name); count])
        .collect();
    let claimed = database.store.claim(&wanted, token(), at(62), at(2), at(2), |_| (None, ())).await.unwrap().rows;
    let of = |name| claimed.iter().filter(|(link, ())| link.organisation == organisation(name)).count();
    assert_eq!((of("north"), of("south"), of("west")), (3, 3, 0));
    let tokens: HashSet<_> = claimed.iter().map(|(link, ())| link.lease.token).collect();
    assert_eq!(tokens.len(), 6, "each link has a token of its own");
}

#[apply(both_backends)]
async fn more_organisations_than_one_statement_takes_are_claimed_from(database: &Database) {
    let names: Vec<String> = (0..70).map(|n| format!("organisation-{n:02}")).collect();
    for name in &names {
        database.is_connected(name).await;
    }
    let all = names.iter().map(|name| acceptance(name, "rdv", 1)).collect();
    database.store.accept(all, at(1)).await.unwrap();
    assert_eq!(database.due_organisations(at(2)).await.len(), 70);
    let wanted: Vec<_> = names.iter().flat_map(|name| vec![organisation(name); 2]).collect();
    let claimed = database.store.claim(&wanted, token(), at(62), at(2), at(2), |_| (None, ())).await.unwrap().rows;
    assert_eq!(claimed.len(), 70);
}

#[apply(both_backends)]
async fn no_two_claims_take_the_same_row(database: &Database) {
    database.is_connected("north").await;
    let many = (0..300).map(|n| acceptance("north", &format!("rdv-{n}"), 1)).collect();
    database.store.accept(many, at(1)).await.unwrap();
    let mut workers = Vec::new();
    for _ in 0..6 {
        let store = database.store.clone();
        workers.push(tokio::spawn(async move {
            let wanted = vec![organisation("north"); 7];
            let mut mine = Vec::new();
            loop {
                let claimed = store.claim(&wanted, token(), at(62), at(2), at(2), |_| (None, ())).await.unwrap().rows;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|(link, ())| link.appointment));
            }
        }));
    }
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    // A claimer that finds every row held by another may stop early, so that some may be left.
    taken.extend(database.claim("north", 300, at(2)).await.into_iter().map(|link| link.appointment));
    assert_eq!(taken.len(), 300);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 300);
}

#[apply(both_backends)]
async fn only_a_connected_enabled_integration_without_a_problem_is_served(database: &Database) {
    let north = organisation("north");
    let epoch = database.is_connected("north").await.epoch;
    database.accept("north", "rdv", 1, at(1)).await;
    let is_served = async |now| {
        let due = database.due_organisations(now).await;
        let wanted = vec![north.clone(); 1];
        let claimed = database.store.claim(&wanted, token(), now, now, now, |_| (None, ())).await.unwrap().rows;
        assert_eq!(due.len(), claimed.len(), "both see it alike");
        !due.is_empty()
    };
    assert!(is_served(at(2)).await);

    let problem = Problem { reason: Reason::GoogleThrottled, since_at: at(2), retry_at: Some(at(100)) };
    assert!(database.store.note_problem(&north, epoch, &problem, at(2)).await.unwrap().is_done());
    assert!(!is_served(at(99)).await);
    assert!(is_served(at(100)).await);
    let problem = Problem { reason: Reason::ReconnectRequired, since_at: at(2), retry_at: None };
    assert!(database.store.note_problem(&north, epoch, &problem, at(2)).await.unwrap().is_done());
    assert!(!is_served(at(200)).await);
    database.is_connected("north").await;
    assert!(is_served(at(200)).await);

    let switch = |is_enabled| SettingsChange { is_enabled: Some(is_enabled), ..SettingsChange::default() };
    database.store.change_settings(&north, switch(false), at(201)).await.unwrap().unwrap();
    assert!(!is_served(at(202)).await);
    database.store.change_settings(&north, switch(true), at(203)).await.unwrap().unwrap();
    assert!(is_served(at(204)).await);

    database.store.begin_disconnect(&north, RemoteEvents::Keep, at(205)).await.unwrap().unwrap();
    assert!(!is_served(at(206)).await);
}

#[apply(both_backends)]
async fn the_next_due_instant_is_that_of_an_attempt_a_lease_or_a_problem(database: &Database) {
    let north = organisation("north");
    assert_eq!(database.next_due_at(at(0)).await, None);
    let epoch = database.is_connected("north").await.epoch;
    database.accept("north", "later", 1, at(1)).await;
    assert_eq!(database.next_due_at(at(0)).await, Some(at(1)));
    assert_eq!(database.next_due_at(at(1)).await, None, "what is due already is not awaited");

    let claimed = database.claim("north", 1, at(2)).await.remove(0);
    assert_eq!(database.next_due_at(at(2)).await, Some(at(62)), "the lease lapses");
    let error = LinkError { reason: Reason::GoogleUnavailable, detail: None };
    let later = Settlement::Later { placement: absent(1), next_attempt_at: at(500), error };
    assert!(database.store.settle(&claimed, &later, at(3)).await.unwrap().is_done());
    assert_eq!(database.next_due_at(at(3)).await, Some(at(500)));

    let problem = Problem { reason: Reason::GoogleThrottled, since_at: at(2), retry_at: Some(at(100)) };
    assert!(database.store.note_problem(&north, epoch, &problem, at(3)).await.unwrap().is_done());
    assert_eq!(database.next_due_at(at(3)).await, Some(at(500)), "its link waits for longer");
    let problem = Problem { retry_at: Some(at(600)), ..problem };
    assert!(database.store.note_problem(&north, epoch, &problem, at(3)).await.unwrap().is_done());
    assert_eq!(database.next_due_at(at(3)).await, Some(at(600)));
    let problem = Problem { reason: Reason::ReconnectRequired, since_at: at(2), retry_at: None };
    assert!(database.store.note_problem(&north, epoch, &problem, at(3)).await.unwrap().is_done());
    assert_eq!(database.next_due_at(at(3)).await, None);
}

#[apply(both_backends)]
async fn the_next_due_instant_sees_the_catch_up_too(database: &Database) {
    database.is_connected("north").await;
    database.accept("north", "rdv", 1, at(1)).await;
    let change = SettingsChange { title_privacy: Some(TitlePrivacy::Masked), ..SettingsChange::default() };
    database.store.change_settings(&organisation("north"), change, at(9)).await.unwrap().unwrap();
    assert_eq!(database.next_due_at(at(8)).await, Some(at(9)));
}
