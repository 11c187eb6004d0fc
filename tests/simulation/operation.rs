//! What can happen, and how often.

use cassius_calendar::clock::Entropy;

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
    /// A person goes to the consent page of a practice and allows it for an account.
    BeginConsent {
        organisation: usize,
        account: &'static str,
    },
    /// The browser comes back from the oldest consent that is under way.
    FinishConsent,
    Disconnect {
        organisation: usize,
        deletes: bool,
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
        account: &'static str,
        pick: u64,
        change: &'static str,
    },
    /// A person deletes one of our events at Google.
    Delete {
        account: &'static str,
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

const FAULTS: [&str; 13] = [
    r#"{"kind":"lose_answer"}"#,
    r#"{"kind":"lose_answer"}"#,
    r#"{"kind":"reset"}"#,
    r#"{"kind":"hang","carry_out":true}"#,
    r#"{"kind":"hang","carry_out":false}"#,
    r#"{"kind":"error","code":500,"reason":"backendError"}"#,
    r#"{"kind":"error","code":503,"reason":"backendError"}"#,
    r#"{"kind":"error","code":429,"reason":"rateLimitExceeded","retry_after_seconds":7}"#,
    r#"{"kind":"error","code":403,"reason":"userRateLimitExceeded"}"#,
    r#"{"kind":"error","code":403,"reason":"rateLimitExceeded"}"#,
    r#"{"kind":"error","code":401,"reason":"authError"}"#,
    r#"{"kind":"error","code":403,"reason":"forbidden"}"#,
    r#"{"kind":"error","code":400,"reason":"invalid"}"#,
];
/// Answers about an event that are not so.
const LIES: [&str; 2] =
    [r#"{"kind":"error","code":404,"reason":"notFound"}"#, r#"{"kind":"error","code":410,"reason":"deleted"}"#];
const CALLS: [&str; 9] = [
    "events.insert",
    "events.insert",
    "events.patch",
    "events.patch",
    "events.delete",
    "events.move",
    "events.get",
    "events.*",
    "token.refresh",
];
/// What the token endpoint may be hit by: its own words for a refusal are another matter.
const TOKEN_FAULTS: usize = 7;
const CHANGES: [&str; 3] = [
    r#"{"summary":"Personne"}"#,
    r#"{"colorId":"7"}"#,
    r#"{"start":{"dateTime":"2026-05-04T08:00:00Z"},"end":{"dateTime":"2026-05-04T09:00:00Z"}}"#,
];
const CALENDARS: [&str; 5] = [ACCOUNT, SECOND_CALENDAR, SHARED_CALENDAR, OTHER_ACCOUNT, ACCOUNTS[2]];

/// Draws what happens: the same seed draws the same.
pub(super) struct Dice {
    entropy: Entropy,
    scope: Scope,
}

/// How much of what can happen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// What the service keeps its promises under.
    Promised,
    /// Also exchanged accounts, disconnects that delete, calendars that become read-only, and a Google that says of an event
    /// that it is gone when it is not: what the service leaves behind then is not cleared away yet.
    All,
}

impl Dice {
    pub(super) fn seeded(seed: u64, scope: Scope) -> Self {
        Self { entropy: Entropy::seeded(seed), scope }
    }

    fn below(&self, end: u64) -> u64 {
        self.entropy.number() % end
    }

    fn of<T: Copy>(&self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn organisation(&self) -> usize {
        usize::try_from(self.below(ORGANISATIONS.len() as u64)).unwrap()
    }

    /// The account of a practice, more often than another.
    fn account_for(&self, organisation: usize) -> &'static str {
        let is_another = self.scope == Scope::All && self.below(4) == 0;
        if is_another { self.of(&ACCOUNTS) } else { ACCOUNTS[organisation] }
    }

    pub(super) fn then(&self) -> Then {
        if self.below(2) == 0 { Then::Settle } else { Then::Steps(self.below(120)) }
    }

    pub(super) fn operation(&self) -> Operation {
        let organisation = self.organisation();
        match self.below(100) {
            0..36 => Operation::Sync {
                organisation,
                appointment: self.below(APPOINTMENTS),
                is_scheduled: self.below(4) != 0,
                starts_in_hours: i64::try_from(self.below(2_000)).unwrap() - 100,
                age: if self.below(8) == 0 { 1 } else { 0 },
            },
            36..43 => Operation::BeginConsent { organisation, account: self.account_for(organisation) },
            43..49 => Operation::FinishConsent,
            49..53 => Operation::Disconnect { organisation, deletes: self.scope == Scope::All && self.below(2) == 0 },
            53..55 => Operation::Enable { organisation, is_enabled: self.below(3) != 0 },
            55..58 => Operation::ChooseCalendar { organisation, calendar: self.of(&CALENDARS) },
            58..59 => Operation::ChoosePrivacy { organisation, privacy: self.of(&[1, 2, 3]) },
            59..61 => Operation::SyncNow { organisation },
            61..62 => Operation::Retry { organisation },
            62..65 => {
                Operation::Alter { account: self.of(&ACCOUNTS), pick: self.entropy.number(), change: self.of(&CHANGES) }
            }
            65..68 => Operation::Delete { account: self.of(&ACCOUNTS), pick: self.entropy.number() },
            68..69 => Operation::Revoke { account: self.of(&ACCOUNTS) },
            69..70 => Operation::ExpireTokens { account: self.of(&ACCOUNTS) },
            70..71 if self.scope == Scope::All => Operation::ChangeRole {
                account: ACCOUNT,
                calendar: self.of(&[SECOND_CALENDAR, SHARED_CALENDAR]),
                role: self.of(&["reader", "writer"]),
            },
            70..72 => Operation::HoldReadOnly { account: self.of(&ACCOUNTS) },
            72..73 => Operation::LetWrite { account: self.of(&ACCOUNTS) },
            73..82 => self.fault(),
            82..94 => Operation::Advance { seconds: self.of(&[1, 1, 2, 5, 20, 31, 61, 600, 3_600, 90_000]) },
            94..98 => Operation::Crash,
            _ => Operation::Restart,
        }
    }

    fn fault(&self) -> Operation {
        let operation = self.of(&CALLS);
        let faults = if operation.starts_with("token") { &FAULTS[..TOKEN_FAULTS] } else { &FAULTS[..] };
        let is_lie = self.scope == Scope::All && operation.starts_with("events") && self.below(7) == 0;
        let fault = if is_lie { self.of(&LIES) } else { self.of(faults) };
        Operation::Fault { operation, skip: self.below(3), times: 1 + self.below(3), fault }
    }
}
