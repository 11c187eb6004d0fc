//! What is kept of the links of an organisation: counts, and when the next is due.

use cassius_calendar::model::{OrganisationId, Placement, Problem, Reason, RemoteEvents, TitlePrivacy};
use cassius_calendar::store::{
    Acceptance, Accepted, Claimed, Counts, Error, LinkError, Options, OwedCause, OwedClaim, OwedSettlement,
    SettingsChange, Settlement, Store,
};
use jiff::{SignedDuration, Timestamp};

use super::harness::*;

const NAMES: [&str; 3] = ["north", "south", "west"];

/// Random numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

impl Database {
    fn literal(&self, at: Timestamp) -> String {
        if self.is_postgres() { format!("TIMESTAMPTZ '{at}'") } else { at.as_microsecond().to_string() }
    }

    /// The counts, counted.
    async fn recounted(&self, name: &str, now: Timestamp) -> Counts {
        let now = self.literal(now);
        let conditions = [
            "sync_status = 'pending'".to_owned(),
            "sync_status = 'synced'".to_owned(),
            "sync_status = 'error'".to_owned(),
            format!("sync_status = 'none' AND wants_event AND snapshot IS NOT NULL AND ends_at > {now}"),
            format!("external_event_id IS NOT NULL AND ends_at > {now}"),
            "sync_status = 'pending' AND priority = 1".to_owned(),
            "sync_status = 'error' AND priority = 1".to_owned(),
        ];
        let counted = conditions.map(|it| format!("CAST(COUNT(*) FILTER (WHERE {it}) AS TEXT)")).join(" || ' ' || ");
        let select = format!("SELECT {counted} FROM appointment_external_links WHERE organisation_id = '{name}'");
        let numbers = self.texts(&select).await.concat();
        let numbers: Vec<i64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let [pending, synced, error, unsent, upcoming_events, catching_up, catch_up_failed] = numbers[..] else {
            panic!("{numbers:?}")
        };
        let (unavailable_until, unopened_until, unreached) = (None, None, 0);
        Counts {
            pending,
            synced,
            error,
            unsent,
            upcoming_events,
            catching_up,
            catch_up_failed,
            unreached,
            unavailable_until,
            unopened_until,
        }
    }

    /// Holds what is kept against what stands.
    pub(super) async fn is_kept_right(&self, now: Timestamp, after: &str) {
        for name in NAMES {
            let kept = self.store.counts(&organisation(name), now).await.unwrap();
            assert_eq!(
                Counts { unavailable_until: None, unreached: 0, ..kept },
                self.recounted(name, now).await,
                "{name} after {after}"
            );
        }
        let too_late = "SELECT COUNT(*) FROM appointment_external_links AS l JOIN link_queues AS q
            ON q.organisation_id = l.organisation_id AND q.provider = l.provider WHERE l.next_attempt_at IS NOT NULL
            AND (q.due_at IS NULL OR (q.due_at > l.next_attempt_at AND (l.lease_until IS NULL OR q.due_at > l.lease_until)))";
        // What is due already may stand at the end of the line.
        let not_past = format!("{too_late} AND (q.due_at IS NULL OR q.due_at > {})", self.literal(now));
        assert_eq!(self.number(&not_past).await, 0, "links due after {after}");
        let owed_too_late = format!(
            "SELECT COUNT(*) FROM owed_deletions AS o JOIN link_queues AS q USING (organisation_id, provider)
             JOIN calendar_integrations AS i USING (organisation_id, provider) WHERE o.next_attempt_at IS NOT NULL
             AND (i.is_enabled OR i.disconnecting_at IS NOT NULL OR o.cause = 'erasure') AND (i.finishing_until IS NULL OR i.finishing_until <= {now})
             AND (q.owed_due_at IS NULL OR (q.owed_due_at > o.next_attempt_at AND q.owed_due_at > {now}
                AND (o.lease_until IS NULL OR q.owed_due_at > o.lease_until) AND NOT EXISTS (
                    SELECT 1 FROM appointment_external_links AS l WHERE l.organisation_id = o.organisation_id
                    AND l.appointment_id = o.appointment_id AND l.lease_until >= q.owed_due_at)))",
            now = self.literal(now)
        );
        assert_eq!(self.number(&owed_too_late).await, 0, "deletions due after {after}");
    }
}

/// One thing after the other, drawn by lot.
struct Lot<'a> {
    database: &'a Database,
    /// One that changes few links at once.
    store: Store,
    dice: Dice,
    now: i64,
    revision: i64,
    held: Vec<Claimed>,
    held_owed: Vec<OwedClaim>,
}

fn unavailable() -> LinkError {
    LinkError { reason: Reason::GoogleUnavailable, detail: None }
}

impl Lot<'_> {
    async fn draw(&mut self) -> &'static str {
        self.now += self.dice.pick(&[0, 1, 1, 5, 40, 4_000]);
        let (now, name) = (at(self.now), self.dice.pick(&NAMES));
        let (store, whose) = (self.store.clone(), organisation(name));
        if self.dice.below(2) == 0 {
            store.reach(&whose, now).await.unwrap();
        }
        match self.dice.below(20) {
            0..=4 => {
                self.accept(now).await;
                "an accept"
            }
            5..=7 => {
                self.claim(now, &whose).await;
                "a claim"
            }
            8..=11 if !self.held.is_empty() => {
                self.settle_one(now).await;
                "a settlement"
            }
            12 if !self.held.is_empty() => {
                store.release(&[self.held.swap_remove(0).lease.token], now).await.unwrap();
                "a release"
            }
            13 => {
                store.catch_up(&whose, now).await.unwrap();
                store.retry(&whose, None, now).await.unwrap();
                "a catch-up"
            }
            14 => {
                let change = SettingsChange {
                    is_enabled: Some(self.dice.below(3) > 0),
                    epoch: None,
                    title_privacy: Some(self.dice.pick(&[TitlePrivacy::Full, TitlePrivacy::Masked])),
                    calendar: (self.dice.below(4) == 0).then(|| calendar(self.dice.pick(&["agenda", "other"]))),
                };
                store.change_settings(&whose, change, now).await.unwrap();
                "a change of settings"
            }
            15 => {
                let Some(integration) = store.integration(&whose).await.unwrap() else { return "nothing" };
                let retry_at = (self.dice.below(3) > 0).then(|| now + SignedDuration::from_secs(30));
                let problem = Problem { reason: Reason::GoogleThrottled, since_at: now, retry_at };
                let _ = store.note_problem(&whose, integration.epoch, &problem, now).await.unwrap();
                "a problem"
            }
            16 => {
                let remote =
                    self.dice.pick(&[RemoteEvents::Keep, RemoteEvents::DeleteAll, RemoteEvents::DeleteUpcoming]);
                if let Some(integration) = store.begin_disconnect(&whose, remote, now).await.unwrap()
                    && self.dice.below(2) == 0
                {
                    let _ = store.finish_disconnect(&whose, integration.epoch, now).await.unwrap();
                }
                "a disconnect"
            }
            17 => {
                let is_under_way =
                    store.integration(&whose).await.unwrap().is_some_and(|it| it.disconnecting.is_some());
                if !is_under_way {
                    self.database.connect(grant(name), now).await;
                }
                "a connect"
            }
            18 => {
                self.claim_and_settle_owed(now).await;
                "a deletion"
            }
            _ => {
                store.erase_snapshots(now - SignedDuration::from_hours(1), now).await.unwrap();
                let events = [(appointment("x1"), place("agenda", "surplus", 1))];
                let account = cassius_calendar::model::GoogleUserId::new(format!("account of {name}"));
                store.owe(&whose, &account, &events, OwedCause::Comparison, now).await.unwrap();
                store.look(Timestamp::UNIX_EPOCH, 9, 1, now).await.unwrap();
                store.next_due_at(now, Timestamp::MAX).await.unwrap();
                "a sweep and a look"
            }
        }
    }

    async fn claim(&mut self, now: Timestamp, whose: &OrganisationId) {
        let wanted: Vec<_> =
            NAMES.iter().map(|name| organisation(name)).chain([whose.clone(), whose.clone()]).collect();
        let begin = move |claimed: &Claimed| {
            let id = format!("event of {}", claimed.appointment);
            (Some(Placement::Reserved(place("agenda", &id, 1))), ())
        };
        let claimed = self.store.claim(&wanted, token(), now + MINUTE, now, now, begin).await.unwrap().rows;
        self.held.extend(claimed.into_iter().map(|(link, ())| link));
    }

    async fn settle_one(&mut self, now: Timestamp) {
        let claimed = self.held.swap_remove(self.dice.below(self.held.len()));
        let placement = claimed.placement.clone();
        let settlement = match self.dice.below(5) {
            0 | 1 => synced(&claimed, &written("agenda", &format!("event of {}", claimed.appointment), 1)),
            2 => synced(&claimed, &absent(2)),
            3 => {
                let next_attempt_at = now + SignedDuration::from_secs(self.dice.pick(&[1, 20, 500]));
                Settlement::Later { placement, next_attempt_at, error: unavailable() }
            }
            _ => Settlement::Refused { placement, error: unavailable() },
        };
        let _ = self.store.settle(&claimed, &settlement, now).await.unwrap();
    }

    async fn claim_and_settle_owed(&mut self, now: Timestamp) {
        let wanted: Vec<_> = NAMES.iter().map(|name| organisation(name)).collect();
        self.held_owed.extend(self.store.claim_owed(&wanted, token(), now + MINUTE, now).await.unwrap().rows);
        if let Some(owed) = self.held_owed.pop() {
            let later = OwedSettlement::Later { next_attempt_at: now + MINUTE, error: unavailable() };
            let settlement = if self.dice.below(2) == 0 { OwedSettlement::Gone { was_deleted: true } } else { later };
            let _ = self.store.settle_owed(&owed, &settlement, now).await.unwrap();
        }
    }

    async fn accept(&mut self, now: Timestamp) {
        let mut batch: Vec<Acceptance> = Vec::new();
        for _ in 0..=self.dice.below(5) {
            let (name, id) = (self.dice.pick(&NAMES), format!("x{}", self.dice.below(6)));
            if batch.iter().any(|it| it.organisation == organisation(name) && it.appointment == appointment(&id)) {
                continue;
            }
            self.revision += 1;
            let ends_at = self.dice.pick(&[None, Some(-900), Some(900), Some(50_000), Some(90_000), Some(400_000)]);
            batch.push(Acceptance {
                traceparent: None,
                wants_event: self.dice.below(4) > 0,
                ends_at: ends_at.map(|seconds| now + SignedDuration::from_secs(seconds)),
                ..acceptance(name, &id, self.revision)
            });
        }
        self.database.store.accept(batch, now).await.unwrap();
    }
}

#[apply(both_backends)]
async fn counts_and_due_instants_are_kept_whatever_happens(database: &Database) {
    for name in ["north", "south"] {
        database.is_connected(name).await;
    }
    let store = Store::open(&database.url, &Options { links_at_once: 2, ..Options::default() }).await.unwrap();
    let dice = Dice(0x9e37_79b9);
    let mut lot = Lot { database, store, dice, now: 1, revision: 0, held: Vec::new(), held_owed: Vec::new() };
    let mut done = std::collections::BTreeMap::new();
    for step in 0..160 {
        let what = lot.draw().await;
        *done.entry(what).or_insert(0) += 1;
        if step % 4 == 3 || what == "a disconnect" {
            database.is_kept_right(at(lot.now), what).await;
        }
    }
    assert!(done.len() >= 10, "{done:?}");
}

/// What a store answers that is asked again where it gave up: of two processes that write to one file of SQLite, a busy
/// machine may let one wait for longer than a caller does.
macro_rules! asked_again {
    ($ask:expr) => {
        loop {
            match $ask.await {
                Err(Error::Unavailable(_)) => {}
                answer => break answer.unwrap(),
            }
        }
    };
}

#[apply(both_backends)]
async fn two_processes_that_change_the_same_organisations_never_block_each_other_for_good(database: &Database) {
    for name in NAMES {
        database.is_connected(name).await;
    }
    let other = Store::open(&database.url, &Options { pool_size: 4, ..Options::default() }).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..4_u64 {
        let store = if n % 2 == 0 { database.store.clone() } else { other.clone() };
        tasks.push(tokio::spawn(async move {
            let mut dice = Dice(n + 7);
            for revision in 1..=30 {
                let now = at(revision);
                let ids: Vec<_> = (0..3).map(|_| (dice.pick(&NAMES), dice.below(9))).collect();
                let mut batch: Vec<_> =
                    ids.iter().map(|(name, id)| acceptance(name, &format!("x{id}"), revision * 9 + n as i64)).collect();
                batch.dedup_by(|a, b| a.organisation == b.organisation && a.appointment == b.appointment);
                let mut keys = std::collections::HashSet::new();
                batch.retain(|it| keys.insert((it.organisation.clone(), it.appointment.clone())));
                asked_again!(store.accept(batch.clone(), now));
                let wanted: Vec<OrganisationId> = NAMES.iter().map(|name| organisation(name)).collect();
                let begin = |claimed: &Claimed| {
                    (Some(Placement::Reserved(place("agenda", claimed.appointment.as_str(), 1))), ())
                };
                let claimed = asked_again!(store.claim(&wanted, token(), now + MINUTE, now, now, begin)).rows;
                for (link, ()) in &claimed {
                    let settlement = match dice.below(3) {
                        0 => Settlement::Unchanged { placement: link.placement.clone() },
                        _ => synced(link, &written("agenda", link.appointment.as_str(), 1)),
                    };
                    let _ = asked_again!(store.settle(link, &settlement, now));
                }
                if revision % 10 == 5 {
                    let whose = organisation(dice.pick(&NAMES));
                    asked_again!(store.catch_up(&whose, now));
                    asked_again!(store.look(Timestamp::UNIX_EPOCH, 9, 1, now));
                    asked_again!(store.next_due_at(now, Timestamp::MAX));
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    database.is_kept_right(at(40), "all of it").await;
}

#[apply(both_backends)]
async fn who_came_due_first_is_served_first_and_goes_to_the_end_of_the_line(database: &Database) {
    for (name, seconds) in [("west", 1), ("south", 2), ("north", 3)] {
        database.is_connected(name).await;
        for id in ["a", "b"] {
            database.accept(name, id, 1, at(seconds)).await;
        }
    }
    let line = async |now| -> Vec<String> {
        let due = database.due_organisations(at(now)).await;
        due.into_iter().map(|due| due.organisation.to_string()).collect()
    };
    assert_eq!(line(4).await, ["west", "south", "north"]);
    assert_eq!(database.claim("west", 1, at(4)).await.len(), 1);
    assert_eq!(line(5).await, ["south", "north", "west"]);
    assert_eq!(database.claim("west", 1, at(5)).await.len(), 1);
    assert_eq!(line(6).await, ["south", "north"]);
    let look = database.store.look(Timestamp::UNIX_EPOCH, 1, 1, at(6)).await.unwrap();
    assert!(look.due.len() == 1 && !look.is_whole);
    assert_eq!(database.store.look(at(3), 9, 1, at(6)).await.unwrap().due.len(), 1, "what was seen before is left out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_that_somebody_holds_holds_up_no_other_on_postgres() {
    let database = Database::on_postgres().await;
    for name in ["north", "south"] {
        database.is_connected(name).await;
        database.accept(name, "rdv", 1, at(1)).await;
    }
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for held in ["calendar_integrations", "link_queues"] {
        let transaction = client.transaction().await.unwrap();
        let hold = format!("SELECT 1 FROM {held} WHERE organisation_id = 'north' FOR UPDATE");
        transaction.batch_execute(&hold).await.unwrap();

        let batch = ["north", "south"].map(|name| acceptance(name, held, 1)).to_vec();
        let accepted = database.store.accept_free(batch, at(2)).await.unwrap();
        assert_eq!(accepted[0], Accepted::Locked);
        assert!(matches!(&accepted[1], Accepted::Stored(link) if link.next_attempt_at == Some(at(2))));
        let wanted = ["north", "south"].map(organisation);
        let claimed = database.store.claim(&wanted, token(), at(62), at(3), at(3), |_| (None, ())).await.unwrap().rows;
        let of: Vec<_> = claimed.iter().map(|(link, ())| link.organisation.as_str()).collect();
        assert_eq!(of, ["south"]);

        let store = database.store.clone();
        let waiting = tokio::spawn(async move { store.accept(vec![acceptance("north", held, 1)], at(2)).await });
        let locked = "SELECT COUNT(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while !waiting.is_finished() && database.number(locked).await == 0 {}
        transaction.commit().await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap()[0].next_attempt_at, Some(at(2)));
    }
    drop(client);
    database.drop().await;
}

/// « rdv » is sent again while somebody holds its organisation, and once nobody does.
async fn is_stored_once_it_is_free(database: Database) {
    let (mut client, connection) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1 FROM link_queues FOR UPDATE").await.unwrap();
    let again = || vec![acceptance("north", "rdv", 20)];
    assert_eq!(database.store.accept_free(again(), at(4)).await.unwrap(), [Accepted::Locked]);
    transaction.commit().await.unwrap();
    let accepted = database.store.accept_free(again(), at(4)).await.unwrap();
    assert!(matches!(&accepted[..], [Accepted::Stored(link)] if link.revision == Some(revision(20))));
    drop(client);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_again_while_it_is_being_erased_and_held_is_not_told_as_stored_on_postgres() {
    let database = Database::on_postgres().await;
    database.is_connected("north").await;
    database.accept("north", "rdv", 10, at(1)).await;
    // Somebody is at it: its link stays until that has ended.
    assert_eq!(database.claim("north", 1, at(2)).await.len(), 1);
    database.store.erase_appointments(&organisation("north"), &[appointment("rdv")], at(3)).await.unwrap();
    is_stored_once_it_is_free(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_again_while_its_revision_does_not_read_and_is_held_is_not_told_as_stored_on_postgres() {
    let database = Database::on_postgres().await;
    database.is_connected("north").await;
    database.accept("north", "rdv", 10, at(1)).await;
    database.run("UPDATE appointment_external_links SET revision = 0, sync_status = 'error'").await;
    is_stored_once_it_is_free(database).await;
}

#[apply(both_backends)]
async fn counts_that_are_wrong_are_set_right_once_a_day(database: &Database) {
    for name in ["north", "south"] {
        database.is_connected(name).await;
        database.accept(name, "rdv", 1, at(1)).await;
        database.bring_in_step(name, &written("agenda", "event", 1), at(2)).await;
        database.accept(name, "unsent", 1, at(1)).await;
    }
    let recount = async |now: i64| {
        let day = SignedDuration::from_hours(24);
        let recount = database.store.recount(at(now) - day, at(now)).await.unwrap();
        recount.map(|it| (it.organisation, it.was_right))
    };
    assert_eq!(recount(10).await, Some(("north".to_owned(), true)));
    database
        .run("UPDATE link_queues SET pending = 7, catching_up = 3; UPDATE upcoming_link_counts SET events = 9")
        .await;
    database.run("INSERT INTO upcoming_link_counts VALUES ('south', 'google', 99999, 1, 1)").await;
    assert_eq!(recount(10).await, Some(("south".to_owned(), false)));
    assert_eq!(recount(10).await, None, "once a day");
    assert_eq!(recount(90_000).await, Some(("north".to_owned(), false)));
    database.is_kept_right(at(10), "the recount").await;
    assert_eq!(recount(90_000).await, Some(("south".to_owned(), true)));
}
