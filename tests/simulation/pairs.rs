//! Every ordered pair of the things that happen to a practice: the second once the first is done, and while it is under
//! way; by the same practice, and by another one on the same account and calendar. The promises hold at rest.

use cassius_calendar::grpc::pb::{IntegrationState, RemoteEvents, TitlePrivacy};

use super::operation::{ACCOUNTS, ORGANISATIONS, Operation, SHARED_CALENDAR, Then};
use super::world::World;
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR};

/// How far the first has come when the second begins: about one call of Google.
const UNDER_WAY: Then = Then::Steps(25);

type Act = (&'static str, fn(usize) -> Vec<Operation>);

/// What happens, and how a practice does it.
const ACTS: [Act; 19] = [
    ("connects the same account", |organisation| connects(organisation, ACCOUNT, true)),
    ("connects another account", |organisation| connects(organisation, ACCOUNTS[2], true)),
    ("is asked about another account", |organisation| connects(organisation, ACCOUNTS[2], false)),
    ("takes the other account", |organisation| vec![Operation::Confirm { organisation, accept: true }]),
    ("disconnects, and keeps all", |organisation| disconnects(organisation, RemoteEvents::Keep)),
    ("disconnects, and deletes what is upcoming", |organisation| {
        disconnects(organisation, RemoteEvents::DeleteUpcoming)
    }),
    ("disconnects, and deletes all", |organisation| disconnects(organisation, RemoteEvents::DeleteAll)),
    ("chooses its second calendar", |organisation| chooses(organisation, SECOND_CALENDAR)),
    ("chooses a calendar that others share", |organisation| chooses(organisation, SHARED_CALENDAR)),
    ("chooses the strictest privacy", |organisation| {
        vec![Operation::ChoosePrivacy { organisation, privacy: TitlePrivacy::Masked.into() }]
    }),
    ("turns it off", |organisation| vec![Operation::Enable { organisation, is_enabled: false }]),
    ("turns it on", |organisation| vec![Operation::Enable { organisation, is_enabled: true }]),
    ("syncs now", |organisation| vec![Operation::SyncNow { organisation }]),
    ("edits and calls off", |organisation| vec![edits(organisation, 0, true, 48), edits(organisation, 1, false, 24)]),
    ("erases one", |organisation| vec![Operation::Erase { organisation, appointment: 0 }]),
    ("is replaced but for one", |organisation| vec![Operation::Replace { organisation, without: 1 }]),
    // What is over is swept.
    ("lets a day pass", |_| vec![Operation::Advance { seconds: 90_000 }]),
    ("is restarted", |_| vec![Operation::Restart]),
    ("crashes", |_| vec![Operation::Crash]),
];

fn connects(organisation: usize, account: &'static str, confirms: bool) -> Vec<Operation> {
    vec![Operation::BeginConsent { organisation, account }, Operation::FinishConsent { confirms }]
}

fn disconnects(organisation: usize, remote_events: RemoteEvents) -> Vec<Operation> {
    vec![Operation::Disconnect { organisation, remote_events }]
}

fn chooses(organisation: usize, calendar: &'static str) -> Vec<Operation> {
    vec![Operation::ChooseCalendar { organisation, calendar }]
}

fn edits(organisation: usize, appointment: u64, is_scheduled: bool, starts_in_hours: i64) -> Operation {
    Operation::Sync { organisation, appointment, is_scheduled, starts_in_hours, age: 0 }
}

impl World {
    /// Everything of an act; `then` is how far its last step gets.
    fn act(&mut self, (what, operations): Act, organisation: usize, then: Then) {
        self.note(format!("{} {what}", ORGANISATIONS[organisation]));
        let operations = operations(organisation);
        let last = operations.len() - 1;
        for (n, operation) in operations.iter().enumerate() {
            self.carry_out(operation, if n == last { then } else { Then::Settle });
        }
    }

    /// A practice as it is on an ordinary day: connected, with an event to come, one that is over, and one that a person
    /// has changed.
    fn begin_the_day(&mut self, organisation: usize) {
        let status = self.status(organisation);
        if status.state() != IntegrationState::Connected || status.google_email != ACCOUNT {
            self.act(ACTS[0], organisation, Then::Settle);
        }
        for operation in [
            Operation::Enable { organisation, is_enabled: true },
            Operation::ChooseCalendar { organisation, calendar: ACCOUNT },
            Operation::ChoosePrivacy { organisation, privacy: TitlePrivacy::Full.into() },
            edits(organisation, 0, true, 30),
            edits(organisation, 1, true, 20),
            edits(organisation, 2, true, -2),
            Operation::Advance { seconds: 2 },
        ] {
            self.carry_out(&operation, Then::Settle);
        }
        let changed = self.google.live_events(ACCOUNT).into_iter().find(|event| {
            event.organisation.as_deref() == Some(ORGANISATIONS[organisation])
                && event.appointment.as_deref() == Some("rdv-0")
        });
        if let Some(event) = changed {
            self.google.alter_event(&event, &serde_json::json!({"location": "Ailleurs"}));
            self.model.touched(ORGANISATIONS[organisation], "rdv-0");
        }
    }
}

/// Whose the second act is, and how far the first has come by then.
const WAYS: [(usize, Then); 3] = [(0, UNDER_WAY), (1, UNDER_WAY), (0, Then::Settle)];

/// Runs a first act against each second one: each pair in one of the ways, so that `way` has its turn with every pair.
/// Answers what was broken.
fn pairs_of(seed: usize, way: usize) -> Vec<String> {
    let first = ACTS[seed];
    let mut broken = Vec::new();
    let mut world = World::new(seed as u64);
    for (n, second) in ACTS.into_iter().enumerate() {
        let (whose, then) = WAYS[(seed + n + way) % WAYS.len()];
        let since = world.trace.len();
        world.begin_the_day(0);
        if whose != 0 {
            world.begin_the_day(whose);
        }
        world.act(first, 0, then);
        world.act(second, whose, UNDER_WAY);
        world.finish_all_consents();
        let violations = world.come_to_rest();
        if !violations.is_empty() {
            let trace = world.trace[since..].join("\n");
            broken.push(format!("{}, then {} ({whose}, {then:?}): {violations:#?}\n{trace}", first.0, second.0));
            // What is broken would be found again after each other pair.
            world = World::new(seed as u64);
        }
    }
    broken
}

/// Each pair once; where there is more time, in all ways.
#[test]
#[ignore = "it takes minutes: make soak runs it"]
fn whatever_follows_upon_whatever_the_promises_hold() {
    // What is logged would be kept by the harness's recorder.
    let ways = if super::number_in("SIMULATION_SEEDS").is_some() { WAYS.len() } else { 1 };
    let work = |half: usize| {
        let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
        let mut broken = Vec::new();
        for seed in (0..ACTS.len()).filter(|seed| seed % 2 == half) {
            (0..ways).for_each(|way| broken.extend(pairs_of(seed, way)));
        }
        broken
    };
    let broken: Vec<_> = std::thread::scope(|scope| {
        let halves: Vec<_> = (0..2).map(|half| scope.spawn(move || work(half))).collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(broken.is_empty(), "{} pairs break a promise:\n{}", broken.len(), broken.join("\n\n"));
}
