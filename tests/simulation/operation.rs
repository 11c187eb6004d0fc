//! What can happen, and how often.

use cassius_calendar::clock::Entropy;
use cassius_calendar::grpc::pb::RemoteEvents;

use crate::harness::google::{ACCOUNT, OTHER_ACCOUNT, SECOND_CALENDAR};

pub(super) const ORGANISATIONS: [&str; 3] = ["lilas", "monnier", "tilleuls"];
pub(super) const APPOINTMENTS: u64 = 4;
/// A calendar that the first account owns and the second may write to, as at Google two people share one.
pub(super) const SHARED_CALENDAR: &str = "c_81d0c7a2f0ce4b5b9d1f6a3e2b4c5d22@group.calendar.google.com";
pub(super) const ACCOUNTS: [&str; 3] = [ACCOUNT, OTHER_ACCOUNT, "secretariat@tilleuls.example"];

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Cassius sends an appointment; `age`: how many revisions before the newest it is.
    Sync {
        organisation: usize,
        appointment: u64,
        is_scheduled: bool,
        starts_in_hours: i64,
        age: i64,
    },
    /// Cassius erases an appointment.
    Erase {
        organisation: usize,
        appointment: u64,
    },
    /// Cassius sends the whole of a practice as it is, but for one appointment.
    Replace {
        organisation: usize,
        without: u64,
    },
    /// A person goes to the consent page of a practice and allows it for an account.
    BeginConsent {
        organisation: usize,
        account: &'static str,
    },
    /// The browser comes back from the oldest consent that is under way; `confirms`: another account than the one before
    /// is taken at once.
    FinishConsent {
        confirms: bool,
    },
    Disconnect {
        organisation: usize,
        remote_events: RemoteEvents,
    },
    /// A person answers whether the other account that came back replaces the one before.
    Confirm {
        organisation: usize,
        accept: bool,
    },
    Enable {
        organisation: usize,
        is_enabled: bool,
    },
    ChooseCalendar {
        organisation: usize,
        calendar: &'static str,
    },
    ChoosePrivacy {
        organisation: usize,
        privacy: i32,
    },
    SyncNow {
        organisation: usize,
    },
    Retry {
        organisation: usize,
    },
    /// A person alters one of our events at Google.
    Alter {
        pick: u64,
        change: &'static str,
    },
    /// A person deletes one of our events at Google.
    Delete {
        pick: u64,
    },
    /// A person moves one of our events to another calendar.
    MoveAway {
        pick: u64,
        calendar: &'static str,
    },
    /// A person takes one of our events out of the bin.
    TakeOutOfBin {
        pick: u64,
    },
    Revoke {
        account: &'static str,
    },
    ExpireTokens {
        account: &'static str,
    },
    ChangeRole {
        account: &'static str,
        calendar: &'static str,
        role: &'static str,
    },
    HoldReadOnly {
        account: &'static str,
    },
    LetWrite {
        account: &'static str,
    },
    /// The next calls of a kind go wrong.
    Fault {
        operation: &'static str,
        skip: u64,
        times: u64,
        fault: &'static str,
    },
    /// Time passes.
    Advance {
        seconds: i64,
    },
    /// The system's clock is corrected.
    Correct {
        seconds: i64,
    },
    /// The process is killed.
    Crash,
    /// The service is stopped and started again.
    Restart,
}

/// How far the service gets before the next operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    Steps(u64),
    Settle,
}

const FAULTS: [&str; 19] = [
    r#"{"kind":"lose_answer"}"#,
    r#"{"kind":"lose_answer"}"#,
    r#"{"kind":"lose_answer"}"#,
    r#"{"kind":"reset"}"#,
    r#"{"kind":"hang","carry_out":true}"#,
    r#"{"kind":"hang","carry_out":false}"#,
    r#"{"kind":"error","code":500,"reason":"backendError"}"#,
    r#"{"kind":"error","code":503,"reason":"backendError"}"#,
    r#"{"kind":"error","code":429,"reason":"rateLimitExceeded","retry_after_seconds":7}"#,
    r#"{"kind":"page","code":502}"#,
    r#"{"kind":"page","code":404}"#,
    // From here on: what the token endpoint does not say.
    r#"{"kind":"page","code":410}"#,
    r#"{"kind":"error","code":403,"reason":"userRateLimitExceeded"}"#,
    r#"{"kind":"error","code":403,"reason":"rateLimitExceeded"}"#,
    r#"{"kind":"error","code":401,"reason":"authError"}"#,
    r#"{"kind":"error","code":403,"reason":"forbidden"}"#,
    r#"{"kind":"error","code":403,"reason":"accountDisabled"}"#,
    r#"{"kind":"error","code":400,"reason":"invalid"}"#,
    r#"{"kind":"error","code":412,"reason":"conditionNotMet"}"#,
];
/// Answers about an event that are not so.
const LIES: [&str; 2] =
    [r#"{"kind":"error","code":404,"reason":"notFound"}"#, r#"{"kind":"error","code":410,"reason":"deleted"}"#];
/// How many of the faults hit the token endpoint: its words for a refusal are its own.
const TOKEN_FAULTS: usize = 11;
const REFUSALS: [&str; 3] = [
    r#"{"kind":"error","code":400,"reason":"invalid_grant"}"#,
    r#"{"kind":"error","code":403,"reason":"access_denied"}"#,
    r#"{"kind":"error","code":400,"reason":"temporarily_unavailable"}"#,
];
const CALLS: [&str; 14] = [
    "events.insert",
    "events.insert",
    "events.patch",
    "events.patch",
    "events.delete",
    "events.move",
    "events.get",
    "events.list",
    "events.*",
    "calendarList.*",
    "token.refresh",
    "token.refresh",
    "token.code",
    "revoke",
];
const CHANGES: [&str; 5] = [
    r#"{"summary":"Personne"}"#,
    r#"{"colorId":"7"}"#,
    r#"{"start":{"date":"2026-05-04","dateTime":null,"timeZone":null},"end":{"date":"2026-05-05","dateTime":null,"timeZone":null}}"#,
    r#"{"location":"Ailleurs","description":null}"#,
    r#"{"start":{"date":null,"dateTime":"2026-05-04T08:00:00Z"},"end":{"date":null,"dateTime":"2026-05-04T09:00:00Z"}}"#,
];
const CALENDARS: [&str; 5] = [ACCOUNT, SECOND_CALENDAR, SHARED_CALENDAR, OTHER_ACCOUNT, ACCOUNTS[2]];

const DISPOSALS: [RemoteEvents; 4] =
    [RemoteEvents::Keep, RemoteEvents::Keep, RemoteEvents::DeleteUpcoming, RemoteEvents::DeleteAll];

/// Draws what happens: the same seed draws the same.
pub(super) struct Dice(Entropy);

impl Dice {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Entropy::seeded(seed))
    }

    fn below(&self, end: u64) -> u64 {
        self.0.number() % end
    }

    fn of<T: Copy>(&self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn organisation(&self) -> usize {
        usize::try_from(self.below(ORGANISATIONS.len() as u64)).unwrap()
    }

    /// The account of a practice, more often than another.
    fn account_for(&self, organisation: usize) -> &'static str {
        if self.below(4) == 0 { self.of(&ACCOUNTS) } else { ACCOUNTS[organisation] }
    }

    pub(super) fn then(&self) -> Then {
        if self.below(2) == 0 { Then::Settle } else { Then::Steps(self.below(120)) }
    }

    pub(super) fn operation(&self) -> Operation {
        let organisation = self.organisation();
        match self.below(100) {
            0..31 => Operation::Sync {
                organisation,
                appointment: self.below(APPOINTMENTS),
                is_scheduled: self.below(4) != 0,
                starts_in_hours: self.starts_in_hours(),
                age: if self.below(8) == 0 { 1 } else { 0 },
            },
            31..33 => Operation::Erase { organisation, appointment: self.below(APPOINTMENTS) },
            33..34 => Operation::Replace { organisation, without: self.below(APPOINTMENTS) },
            34..41 => Operation::BeginConsent { organisation, account: self.account_for(organisation) },
            41..47 => Operation::FinishConsent { confirms: self.below(4) != 0 },
            47..50 => Operation::Disconnect { organisation, remote_events: self.of(&DISPOSALS) },
            50..51 => Operation::Confirm { organisation, accept: self.below(3) != 0 },
            51..53 => Operation::Enable { organisation, is_enabled: self.below(3) != 0 },
            53..56 => Operation::ChooseCalendar { organisation, calendar: self.of(&CALENDARS) },
            56..57 => Operation::ChoosePrivacy { organisation, privacy: self.of(&[1, 2, 3]) },
            57..59 => Operation::SyncNow { organisation },
            59..60 => Operation::Retry { organisation },
            60..66 => self.persons_change(),
            66..67 => Operation::Revoke { account: self.of(&ACCOUNTS) },
            67..68 => Operation::ExpireTokens { account: self.of(&ACCOUNTS) },
            68..69 => Operation::ChangeRole {
                account: ACCOUNT,
                calendar: self.of(&[SECOND_CALENDAR, SHARED_CALENDAR]),
                role: self.of(&["reader", "writer"]),
            },
            69..70 => Operation::HoldReadOnly { account: self.of(&ACCOUNTS) },
            70..71 => Operation::LetWrite { account: self.of(&ACCOUNTS) },
            71..81 => self.fault(),
            81..93 => Operation::Advance { seconds: self.of(&[1, 1, 2, 5, 20, 31, 61, 600, 3_600, 90_000, 270_000]) },
            93..94 => Operation::Correct { seconds: self.of(&[-3_600, -60, 60, 3_600]) },
            94..98 => Operation::Crash,
            _ => Operation::Restart,
        }
    }

    /// Mostly ahead; some appointments are over already, or soon.
    fn starts_in_hours(&self) -> i64 {
        i64::try_from(if self.below(5) == 0 { self.below(150) } else { self.below(2_000) }).unwrap() - 100
    }

    fn persons_change(&self) -> Operation {
        let pick = self.0.number();
        match self.below(8) {
            0..2 => Operation::Alter { pick, change: self.of(&CHANGES) },
            2..4 => Operation::Delete { pick },
            4..7 => Operation::MoveAway { pick, calendar: self.of(&CALENDARS) },
            _ => Operation::TakeOutOfBin { pick },
        }
    }

    fn fault(&self) -> Operation {
        let operation = self.of(&CALLS);
        if operation.starts_with("events") && self.below(8) == 0 {
            // One at a time: what is said twice is believed.
            return Operation::Fault { operation, skip: self.below(3), times: 1, fault: self.of(&LIES) };
        }
        let fault = match operation {
            "token.refresh" if self.below(5) == 0 => self.of(&REFUSALS),
            "token.refresh" | "token.code" | "revoke" => self.of(&FAULTS[..TOKEN_FAULTS]),
            _ => self.of(&FAULTS),
        };
        Operation::Fault { operation, skip: self.below(3), times: 1 + self.below(3), fault }
    }
}
