use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::*;

fn quota(project: u32, account: u32) -> (Quota, Clock) {
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    (quota_by(&clock, project, account), clock)
}

fn quota_by(clock: &Clock, project: u32, account: u32) -> Quota {
    Quota::new(NonZeroU32::new(project).unwrap(), NonZeroU32::new(account).unwrap(), clock.clone(), None)
}

/// Takes as much as there is for `seconds`, ten milliseconds at a time, and answers when each unit was taken.
fn drain(quota: &Quota, clock: &Clock, accounts: &[GoogleUserId], seconds: i64, units: u32) -> Vec<Timestamp> {
    let mut taken = Vec::new();
    for _ in 0..seconds * 100 {
        for account in accounts {
            while quota.try_take(account, units).is_ok() {
                taken.extend((0..units).map(|_| clock.now()));
            }
        }
        clock.advance(SignedDuration::from_millis(10));
    }
    taken
}

fn most_in_a_minute(taken: &[Timestamp]) -> usize {
    let minute = SignedDuration::from_mins(1);
    (0..taken.len())
        .map(|first| taken[first..].partition_point(|at| at.duration_since(taken[first]) < minute))
        .max()
        .unwrap_or(0)
}

#[test]
fn no_minute_holds_more_than_the_account_may_call_and_most_of_it_is_used() {
    for units in [1, 3] {
        let (quota, clock) = quota(10_000, 600);
        let most = most_in_a_minute(&drain(&quota, &clock, &[GoogleUserId::new("a")], 180, units));
        assert!((540..=600).contains(&most), "{most}");
    }
}

#[test]
fn no_minute_holds_more_than_the_smallest_limits_either() {
    for limit in [10, 11, 12, 19, 20, 21, 29, 30, 60, 61] {
        for (units, project) in [(1, 10_000), (3, 10_000), (1, limit), (3, limit)] {
            let (quota, clock) = quota(project, limit);
            let most = most_in_a_minute(&drain(&quota, &clock, &[GoogleUserId::new("a")], 180, units));
            assert!(most > 0 && most <= limit as usize, "{most} of {limit}");
        }
    }
}

#[test]
fn no_minute_holds_more_than_either_may_call_though_the_process_is_killed_again_and_again() {
    for (project, account, accounts) in [(600, 600, 5), (10_000, 600, 1), (10_000, 30, 1), (30, 600, 2)] {
        let accounts: Vec<_> = (0..accounts).map(|number| GoogleUserId::new(number.to_string())).collect();
        let (mut taken, mut now) = (Vec::new(), Timestamp::UNIX_EPOCH);
        for seconds in [61, 2, 1, 9, 1, 1, 11, 60] {
            let clock = Clock::manual_made_before(now, SignedDuration::ZERO);
            let quota = quota_by(&clock, project, account);
            taken.extend(drain(&quota, &clock, &accounts, seconds, 1));
            now = clock.now();
        }
        let limit = project.min(account) as usize;
        let most = most_in_a_minute(&taken);
        assert!((limit * 8 / 10..=limit).contains(&most), "{most} of {limit}");
    }
}

#[test]
fn no_minute_holds_more_than_the_project_may_call() {
    let (quota, clock) = quota(1_000, 600);
    let accounts: Vec<_> = (0..5).map(|number| GoogleUserId::new(number.to_string())).collect();
    let most = most_in_a_minute(&drain(&quota, &clock, &accounts, 180, 1));
    assert!((950..=1_000).contains(&most), "{most}");
}

#[tokio::test]
async fn what_nobody_waits_for_takes_a_tenth_of_the_project_at_most() {
    let (quota, clock) = quota(1_000, 600);
    let accounts: Vec<_> = (0..20).map(|number| GoogleUserId::new(number.to_string())).collect();
    let taken = Mutex::new(Vec::new());
    let take = async {
        for account in accounts.iter().cycle().take(300) {
            let _ = quota.take_in_background(account).await;
            taken.lock().push(clock.now());
        }
    };
    let time = async {
        while taken.lock().len() < 300 {
            clock.advance(SignedDuration::from_millis(10));
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(take, time);
    let most = most_in_a_minute(&taken.into_inner());
    assert!((80..=100).contains(&most), "{most}");
}

#[test]
fn a_refusal_tells_whose_budget_is_spent() {
    let (quota, _) = quota(1_000, 100);
    let account = |name: &str| GoogleUserId::new(name);
    while quota.try_take(&account("a"), 1).is_ok() {}
    assert_eq!(quota.try_take(&account("a"), 1).unwrap_err().scope, Scope::Account);
    for name in ["b", "c"] {
        while quota.try_take(&account(name), 1).is_ok() {}
    }
    assert_eq!(quota.try_take(&account("d"), 1).unwrap_err().scope, Scope::Project);
}

#[tokio::test]
async fn a_permit_counts_for_the_call_that_it_was_taken_for() {
    let (quota, _) = quota(1_000, 60);
    let account = GoogleUserId::new("a");
    let mut permit = Some(quota.try_take(&account, 1).unwrap());
    // The burst is three units: one was taken, a patch lacks two, and then there is none left.
    assert_eq!(quota.top_up(&mut permit, &account, 3, SignedDuration::ZERO).await, Ok(()));
    assert_eq!(quota.top_up(&mut permit, &account, 3, SignedDuration::ZERO).await, Ok(()));
    assert_eq!(quota.top_up(&mut None, &account, 1, SignedDuration::ZERO).await.unwrap_err().scope, Scope::Account);
    let other = GoogleUserId::new("b");
    assert_eq!(quota.top_up(&mut permit, &other, 3, SignedDuration::ZERO).await, Ok(()));
    assert_eq!(quota.top_up(&mut None, &other, 1, SignedDuration::ZERO).await.unwrap_err().scope, Scope::Account);
}

#[tokio::test]
async fn what_was_taken_for_a_call_that_was_not_made_is_not_spent_a_minute_later() {
    let (quota, clock) = quota(10_000, 60);
    let account = GoogleUserId::new("a");
    let mut unused = Vec::new();
    for _ in 0..60 {
        unused.extend(quota.try_take(&account, 1));
        clock.advance(SignedDuration::from_secs(1));
    }
    assert!(unused.len() > 50, "{}", unused.len());
    let mut called = Vec::new();
    for _ in 0..60 {
        for permit in unused.drain(..) {
            if quota.top_up(&mut Some(permit), &account, 1, SignedDuration::ZERO).await.is_ok() {
                called.push(clock.now());
            }
        }
        called.extend(quota.try_take(&account, 1).map(|_| clock.now()));
        clock.advance(SignedDuration::from_secs(1));
    }
    let most = most_in_a_minute(&called);
    assert!((50..=60).contains(&most), "{most}");
}

#[test]
fn budgets_grow_and_pauses_end_whatever_the_wall_clock_says() {
    for correction in [-1, 1].map(SignedDuration::from_hours) {
        let (quota, clock) = quota(10_000, 600);
        let account = GoogleUserId::new("a");
        while quota.try_take(&account, 1).is_ok() {}
        clock.correct(correction);
        assert!(quota.try_take(&account, 1).is_err(), "no time has passed");
        clock.advance(SignedDuration::from_secs(1));
        assert!(quota.try_take(&account, 1).is_ok());
        quota.pause(SignedDuration::from_secs(30));
        clock.correct(correction);
        assert_eq!(quota.try_take(&account, 1).unwrap_err().scope, Scope::Project);
        clock.advance(SignedDuration::from_secs(30));
        assert!(quota.try_take(&account, 1).is_ok());
    }
}

#[test]
fn a_pause_of_the_project_holds_everybody() {
    let (quota, clock) = quota(10_000, 600);
    quota.pause(SignedDuration::from_secs(30));
    let wait = Wait { until: clock.after(SignedDuration::from_secs(30)), scope: Scope::Project };
    assert_eq!(quota.try_take(&GoogleUserId::new("a"), 1), Err(wait));
    clock.advance(SignedDuration::from_secs(30));
    assert!(quota.try_take(&GoogleUserId::new("a"), 1).is_ok());
}

#[test]
fn an_account_is_not_charged_where_the_project_refuses() {
    let (quota, clock) = quota(60, 600);
    let account = |name: &str| GoogleUserId::new(name);
    while quota.try_take(&account("a"), 1).is_ok() {}
    for _ in 0..100 {
        assert_eq!(quota.try_take(&account("b"), 1).unwrap_err().scope, Scope::Project);
    }
    clock.advance(SignedDuration::from_mins(1));
    // Its whole burst is there, as far as the project's goes.
    assert!((0..3).all(|_| quota.try_take(&account("b"), 1).is_ok()));
}

/// What two replicas share, without a database; and how often they have asked.
#[derive(Debug, Default, Clone)]
struct Shared(Arc<Mutex<HashMap<String, i64>>>, Arc<AtomicU32>);

impl Ledger for Shared {
    fn spend(&self, _: Vec<String>, spend: Spend) -> BoxFuture<'static, bool> {
        self.1.fetch_add(1, Ordering::Relaxed);
        spend(&mut self.0.lock());
        Box::pin(std::future::ready(true))
    }
}

#[tokio::test]
async fn replicas_keep_one_quota_and_use_it_though_one_dies() {
    let (clock, ledger) = (Clock::manual(Timestamp::UNIX_EPOCH), Shared::default());
    let limit = |limit| NonZeroU32::new(limit).unwrap();
    let replica = || {
        let quota = Quota::new(limit(300), limit(600), clock.clone(), Some(Arc::new(ledger.clone())));
        quota.share_for(SignedDuration::from_hours(1));
        quota
    };
    let replicas = [replica(), replica(), replica()];
    let accounts: Vec<_> = (0..5).map(|number| GoogleUserId::new(number.to_string())).collect();
    let mut taken = Vec::new();
    for turn in 0..180 * 20 {
        // What it held when it died comes back by itself.
        let living = if turn < 61 * 20 { 3 } else { 2 };
        for quota in &replicas[..living] {
            quota.prepare(accounts.clone()).await;
            taken.extend(accounts.iter().filter_map(|it| quota.try_take(it, 1).ok()).map(|_| clock.now()));
        }
        clock.advance(SignedDuration::from_millis(50));
    }
    let most = most_in_a_minute(&taken);
    assert!((285..=300).contains(&most), "{most}");
    // Each minute for itself, the first one with the burst.
    assert!(taken.len() >= 3 * 285, "{}", taken.len());
}

#[tokio::test]
async fn one_look_into_the_ledger_serves_the_changes_of_a_second_or_two() {
    let (clock, ledger) = (Clock::manual(Timestamp::UNIX_EPOCH), Shared::default());
    let limit = |limit| NonZeroU32::new(limit).unwrap();
    let quota = Quota::new(limit(10_000), limit(600), clock.clone(), Some(Arc::new(ledger.clone())));
    quota.share_for(SignedDuration::from_hours(1));
    clock.advance(SignedDuration::from_mins(1));
    let account = GoogleUserId::new("a");
    for _ in 0..12 {
        quota.prepare(vec![account.clone()]).await;
        let mut permit = Some(quota.try_take(&account, 1).unwrap());
        quota.top_up(&mut permit, &account, 3, SignedDuration::ZERO).await.unwrap();
        clock.advance(SignedDuration::from_millis(600));
    }
    let asked = ledger.1.load(Ordering::Relaxed);
    assert!(asked <= 5, "{asked} times for 12 changes in 7 seconds");
}

#[tokio::test]
async fn what_is_held_is_lost_after_two_seconds_and_given_out_in_no_pause() {
    let (clock, ledger) = (Clock::manual(Timestamp::UNIX_EPOCH), Shared::default());
    let limit = |limit| NonZeroU32::new(limit).unwrap();
    let quota = Quota::new(limit(10_000), limit(600), clock.clone(), Some(Arc::new(ledger.clone())));
    quota.share_for(SignedDuration::from_hours(1));
    clock.advance(SignedDuration::from_mins(1));
    let account = GoogleUserId::new("a");
    quota.prepare(vec![account.clone()]).await;
    for _ in 0..2 {
        assert!(quota.try_take(&account, 1).is_ok());
    }
    quota.pause(SignedDuration::from_secs(1));
    assert_eq!(quota.try_take(&account, 1).unwrap_err().scope, Scope::Project);
    let refused = quota.top_up(&mut None, &account, 1, SignedDuration::ZERO).await;
    assert_eq!(refused.unwrap_err().scope, Scope::Project);
    clock.advance(SignedDuration::from_secs(1));
    assert!(quota.try_take(&account, 1).is_ok());
    clock.advance(SignedDuration::from_secs(1));
    assert!(quota.try_take(&account, 1).is_err());
}

#[tokio::test]
async fn no_minute_holds_more_while_a_replica_comes_and_goes() {
    let (clock, ledger) = (Clock::manual(Timestamp::UNIX_EPOCH), Shared::default());
    let limit = |limit| NonZeroU32::new(limit).unwrap();
    let replica = |clock: &Clock| Quota::new(limit(10_000), limit(600), clock.clone(), Some(Arc::new(ledger.clone())));
    let account = GoogleUserId::new("a");
    let first = replica(&clock);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.extend(drain(&first, &clock, std::slice::from_ref(&account), 30, 1));
        // Its clock is of its own: it has just been started.
        let its_clock = Clock::manual_made_before(clock.now(), SignedDuration::ZERO);
        let second = replica(&its_clock);
        for quota in [&first, &second] {
            quota.share_for(SignedDuration::from_secs(10));
        }
        for _ in 0..10 * 100 {
            for quota in [&first, &second] {
                loop {
                    quota.prepare(vec![account.clone()]).await;
                    if quota.try_take(&account, 1).is_err() {
                        break;
                    }
                    taken.push(clock.now());
                }
            }
            for clock in [&clock, &its_clock] {
                clock.advance(SignedDuration::from_millis(10));
            }
        }
    }
    let most = most_in_a_minute(&taken);
    assert!((530..=600).contains(&most), "{most}");
}

#[tokio::test]
async fn one_that_is_alone_asks_nobody() {
    struct Nobody;
    impl Ledger for Nobody {
        fn spend(&self, _: Vec<String>, _: Spend) -> BoxFuture<'static, bool> {
            panic!("it is asked")
        }
    }
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let limit = |limit| NonZeroU32::new(limit).unwrap();
    let quota = Quota::new(limit(300), limit(600), clock.clone(), Some(Arc::new(Nobody)));
    let account = GoogleUserId::new("a");
    quota.prepare(vec![account.clone()]).await;
    assert!(quota.try_take(&account, 1).is_ok());
}
