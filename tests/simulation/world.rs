//! The service, Google, the clock and the model, and how an operation is carried out on them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::Keyring;
use cassius_calendar::grpc::pb::{IntegrationSettings, IntegrationState};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::json;

use super::google::{Google, Seen};
use super::life::Life;
use super::model::Model;
use super::operation::{ACCOUNTS, Operation, Then};
use crate::harness::app::START;
use crate::harness::google::encode;

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) google: Google,
    pub(super) model: Model,
    pub(super) trace: Vec<String>,
    /// What others had in their calendars at the beginning, by account.
    pub(super) foreign_events: [Vec<Seen>; ACCOUNTS.len()],
    /// The ids of the events that a person moved, or took out of the bin.
    pub(super) moved: BTreeSet<String>,
    /// The calendars that an account could not write to at one time or another.
    pub(super) out_of_reach: BTreeSet<&'static str>,
    /// `None`: between two lives.
    life: Option<Life>,
    /// Draws for the service and its way to Google, over all lives.
    entropy: Entropy,
    settings: HashMap<String, String>,
    under_way: Vec<UnderWay>,
    pub(super) consents: Vec<Consent>,
    _folder: tempfile::TempDir,
}

/// A call whose answer has not been looked at.
struct UnderWay {
    label: String,
    answer: Arc<Mutex<Option<Answer>>>,
}

/// What a call came to, as far as the model or the trace wants it.
pub(super) enum Answer {
    /// An appointment was sent: an OK says that the service holds at least this revision.
    Sent { organisation: usize, appointment: u64, revision: i64, erasures: Option<u32>, outcome: Result<(), String> },
    /// An appointment is being erased, or is.
    Erased { organisation: usize, appointment: u64, sent: u32, outcome: Result<String, String> },
    /// All of a practice was sent, and the one that was not is erased.
    Replaced { organisation: usize, rows: Vec<Row>, without: Option<(u64, Option<u32>)>, outcome: Result<(), String> },
    /// The consent page, and where the browser is sent once the person has allowed it.
    Consent(Consent),
    /// The account is disconnected: how many consents and changes of a person there had been before; whether events were
    /// to be deleted, and the whole account was searched, and none remains; how many do; and the last call of Google by
    /// then.
    Disconnected { organisation: usize, before: (u32, u32), is_clean: bool, remaining: i32, last_call: u64 },
    /// Something to read.
    Told(String),
}

/// An appointment of a replacement: its number, its revision, and by which erasure an OK is to be believed.
pub(super) type Row = (u64, i64, Option<u32>);

/// A consent that is under way in a browser.
pub(super) struct Consent {
    pub(super) organisation: usize,
    pub(super) account: &'static str,
    /// The browser's, as it sends them.
    pub(super) cookies: String,
    pub(super) page: String,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let clock = Clock::manual(START.parse::<Timestamp>().unwrap());
        let entropy = Entropy::seeded(seed);
        let google = Google::start(&clock, &Entropy::seeded(!seed));
        for account in ACCOUNTS
            .iter()
            .filter(|account| !["accueil@cabinet-des-lilas.example", "dr.monnier@gmail.com"].contains(account))
        {
            google.post("accounts", &json!({"email": account}));
        }
        // Of every fourth world Google moves no event: it is copied.
        if seed % 4 == 3 {
            google.post("settings", &json!({"move_supported": false}));
        }
        for account in ACCOUNTS {
            google.add_foreign_event(account, account, "Déjeuner");
        }
        let foreign_events = ACCOUNTS.map(|account| google.foreign_events(account));
        let folder = super::memory_folder();
        let mut settings: HashMap<String, String> = [
            ("DATABASE_URL", format!("sqlite:{}", super::template::copy_into(folder.path()))),
            ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
            ("HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("CASSIUS_APP_URL", "http://127.0.0.1:3000".to_owned()),
            // In days: what is over is swept while a run lasts.
            ("SNAPSHOT_RETENTION", "1".to_owned()),
            ("ENCRYPTION_KEYS", Keyring::generate(&entropy)),
            ("GOOGLE_CA", super::template::authorities_in(folder.path())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        settings.extend(google.settings());
        let mut world = Self {
            clock,
            google,
            model: Model::new(),
            trace: Vec::new(),
            foreign_events,
            moved: BTreeSet::new(),
            out_of_reach: BTreeSet::new(),
            life: None,
            entropy,
            settings,
            under_way: Vec::new(),
            consents: Vec::new(),
            _folder: folder,
        };
        world.begin_life();
        for (organisation, account) in ACCOUNTS.into_iter().enumerate() {
            world.carry_out(&Operation::BeginConsent { organisation, account }, Then::Settle);
            world.carry_out(&Operation::FinishConsent { confirms: true }, Then::Settle);
            // A world in which nothing is connected would keep every promise.
            assert_eq!(world.status(organisation).state(), IntegrationState::Connected, "{:#?}", world.trace);
        }
        world
    }

    fn begin_life(&mut self) {
        let way = self.google.way(&self.entropy);
        self.life = Some(Life::begin(&self.settings, &self.clock, &self.entropy, way));
    }

    pub(super) fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    pub(super) fn note(&mut self, line: impl Into<String>) {
        let elapsed = self.clock.now().duration_since(START.parse().unwrap());
        self.trace.push(format!("{elapsed:>14?}  {}", line.into()));
    }

    /// Carries out an operation and lets the service go on for a while.
    pub(super) fn carry_out(&mut self, operation: &Operation, then: Then) {
        self.note(format!("{operation:?} {then:?}"));
        self.begin(operation);
        match then {
            Then::Steps(count) => self.life().steps(count),
            Then::Settle => self.life().settle(),
        }
        self.look();
    }

    fn begin(&mut self, operation: &Operation) {
        match *operation {
            Operation::Sync { organisation, appointment, is_scheduled, starts_in_hours, age } => {
                self.sync(organisation, appointment, is_scheduled, starts_in_hours, age);
            }
            Operation::Erase { organisation, appointment } => self.erase(organisation, appointment),
            Operation::Replace { organisation, without } => self.replace(organisation, without),
            Operation::BeginConsent { organisation, account } => self.begin_consent(organisation, account),
            Operation::FinishConsent { confirms } => self.finish_consent(confirms),
            Operation::Disconnect { organisation, remote_events } => self.disconnect(organisation, remote_events),
            Operation::Confirm { organisation, accept } => self.confirm(organisation, accept),
            Operation::Enable { organisation, is_enabled } => {
                self.change_settings(
                    organisation,
                    "is_enabled",
                    IntegrationSettings { is_enabled, ..Default::default() },
                );
            }
            Operation::ChooseCalendar { organisation, calendar } => {
                let settings = IntegrationSettings { calendar_id: calendar.into(), ..Default::default() };
                self.change_settings(organisation, "calendar_id", settings);
            }
            Operation::ChoosePrivacy { organisation, privacy } => {
                let settings = IntegrationSettings { title_privacy: privacy, ..Default::default() };
                self.change_settings(organisation, "title_privacy", settings);
            }
            Operation::SyncNow { organisation } => self.sync_now(organisation),
            Operation::Retry { organisation } => self.retry(organisation),
            Operation::Alter { pick, change } => {
                let change = serde_json::from_str(change).unwrap();
                self.person_changes(pick, Google::live_events, |google, event| {
                    google.alter_event(event, &change);
                });
            }
            Operation::Delete { pick } => {
                self.person_changes(pick, Google::live_events, Google::delete_event);
            }
            Operation::MoveAway { pick, calendar } => {
                let mut moved = None;
                self.person_changes(pick, Google::live_events, |google, event| {
                    google.move_event(event, calendar);
                    moved = Some(event.id.clone());
                });
                self.moved.extend(moved);
            }
            Operation::TakeOutOfBin { pick } => {
                let mut taken = None;
                self.person_changes(pick, Google::deleted_events, |google, event| {
                    google.alter_event(event, &json!({"status": "confirmed"}));
                    taken = Some(event.id.clone());
                });
                self.moved.extend(taken);
            }
            Operation::Revoke { account } => self.google.post(&account_path(account, "/revoke"), &json!({})),
            Operation::ExpireTokens { account } => self.google.post(&account_path(account, "/expire"), &json!({})),
            Operation::ChangeRole { account, calendar, role } => {
                self.out_of_reach.insert(calendar);
                let path = account_path(account, &format!("/calendars/{}", encode(calendar)));
                self.google.post(&path, &json!({"access_role": role}));
            }
            Operation::HoldReadOnly { account } => {
                self.google.post(&account_path(account, ""), &json!({"read_only": true}))
            }
            Operation::LetWrite { account } => {
                self.google.post(&account_path(account, ""), &json!({"read_only": false}))
            }
            Operation::Fault { operation, skip, times, fault } => {
                let fault: serde_json::Value = serde_json::from_str(fault).unwrap();
                let body = json!({"operation": operation, "skip": skip, "times": times, "fault": fault});
                self.google.post("faults", &body);
            }
            Operation::Advance { seconds } => self.clock.advance(SignedDuration::from_secs(seconds)),
            // What was accepted before a replacement is told by its instant.
            Operation::Correct { .. } if self.model.0.iter().any(|practice| practice.is_replaced) => {}
            Operation::Correct { seconds } => self.clock.correct(SignedDuration::from_secs(seconds)),
            Operation::Crash => self.crash(),
            Operation::Restart => {
                self.life().settle();
                self.look();
                self.life.take().unwrap().stop(&self.clock);
                self.forget_calls();
                self.begin_life();
            }
        }
    }

    /// Ends the process where it stands: whatever it held in memory is gone, and every call of its callers with it.
    fn crash(&mut self) {
        self.look();
        drop(self.life.take());
        self.forget_calls();
        self.begin_life();
    }

    /// The answers that were not given are never given.
    fn forget_calls(&mut self) {
        let lost: Vec<_> = self.under_way.drain(..).map(|call| call.label).collect();
        let now = self.clock.now();
        self.model.0.iter_mut().for_each(|practice| practice.forget_calls(now));
        if !lost.is_empty() {
            self.note(format!("never answered: {}", lost.join(", ")));
        }
    }

    /// Begins a call; its answer is looked at when it is there.
    pub(super) fn call(&mut self, label: String, call: impl Future<Output = Answer> + Send + 'static) {
        let answer = Arc::new(Mutex::new(None));
        self.under_way.push(UnderWay { label, answer: answer.clone() });
        self.life().spawn(async move {
            let told = call.await;
            *answer.lock() = Some(told);
        });
    }

    pub(super) fn is_anything_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Looks at the answers that have come.
    pub(super) fn look(&mut self) {
        for call in std::mem::take(&mut self.under_way) {
            let Some(answer) = call.answer.lock().take() else {
                self.under_way.push(call);
                continue;
            };
            let told = match answer {
                Answer::Sent { organisation, appointment, revision, erasures, outcome } => {
                    let now = self.clock.now();
                    let practice = &mut self.model.0[organisation];
                    practice.sending -= 1;
                    practice.accepted_by(now);
                    let wish = practice.appointments.entry(appointment).or_default();
                    outcome.map_or_else(
                        |told| told,
                        |()| {
                            wish.is_accepted(revision, erasures);
                            "accepted".to_owned()
                        },
                    )
                }
                Answer::Erased { organisation, appointment, sent, outcome } => {
                    let wish = self.model.0[organisation].appointments.entry(appointment).or_default();
                    wish.erasure_ends(outcome.is_ok().then_some(sent));
                    outcome.unwrap_or_else(|told| told)
                }
                Answer::Replaced { organisation, rows, without, outcome } => {
                    let now = self.clock.now();
                    let practice = &mut self.model.0[organisation];
                    practice.is_replaced = false;
                    practice.accepted_by(now);
                    if let Some((number, sent)) = without {
                        let wish = practice.appointments.entry(number).or_default();
                        wish.erasure_ends(sent.filter(|_| outcome.is_ok()));
                    }
                    for (number, revision, erasures) in rows.into_iter().filter(|_| outcome.is_ok()) {
                        practice.appointments.entry(number).or_default().is_accepted(revision, erasures);
                    }
                    outcome.map_or_else(|told| told, |()| "replaced".to_owned())
                }
                Answer::Consent(consent) => {
                    self.consents.push(consent);
                    "at the consent page".to_owned()
                }
                Answer::Disconnected { organisation, before, is_clean, remaining, last_call } => {
                    self.model.0[organisation].disconnected(last_call, before, is_clean);
                    format!("disconnected, {remaining} remain")
                }
                Answer::Told(what) => what,
            };
            self.note(format!("    {}: {told}", call.label));
        }
    }

    /// A person changes one of our events: of those that `which` answers, the one that `pick` falls on.
    fn person_changes(
        &mut self,
        pick: u64,
        which: impl Fn(&Google, &str) -> Vec<Seen>,
        change: impl FnOnce(&Google, &Seen),
    ) {
        let mut ours: Vec<_> = ACCOUNTS.iter().flat_map(|account| which(&self.google, account)).collect();
        ours.retain(|event| event.organisation.is_some());
        if ours.is_empty() {
            return;
        }
        let event = ours.swap_remove(usize::try_from(pick % ours.len() as u64).unwrap());
        change(&self.google, &event);
        let (organisation, appointment) = (event.organisation.unwrap(), event.appointment.unwrap());
        self.note(format!("    a person changes the event of {organisation} {appointment}"));
        self.model.touched(&organisation, &appointment);
    }

    /// Breaks a promise: an event that Cassius did not write is gone.
    pub(super) fn delete_a_foreign_event(&mut self) {
        self.google.delete_event(&self.foreign_events[0][0]);
    }
}

fn account_path(account: &str, rest: &str) -> String {
    format!("accounts/{}{rest}", encode(account))
}
