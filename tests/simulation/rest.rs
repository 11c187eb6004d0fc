//! The way to rest: what was broken is mended, what a person has to do is done, and time passes until nothing is due.

use cassius_calendar::grpc::pb::{
    ErrorReason, GetStatusRequest, IntegrationSettings, IntegrationState, IntegrationStatus,
};
use cassius_calendar::model::OrganisationId;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::google::Google;
use super::operation::{ACCOUNTS, ORGANISATIONS, Operation, SHARED_CALENDAR, Then};
use super::world::World;
use crate::harness::google::{ACCOUNT, SECOND_CALENDAR, encode};

/// How many times the clock may be moved before all is at rest.
const MOST_MOVES: usize = 3_000;
/// How often a person looks after every practice.
const REPAIRS: usize = 3;

impl World {
    /// Brings everything to rest; answers what is broken then.
    pub(super) fn come_to_rest(&mut self) -> Vec<String> {
        self.rest().unwrap_or_else(|restless| vec![restless])
    }

    fn rest(&mut self) -> Result<Vec<String>, String> {
        self.note("from here on all goes well");
        self.google.mend();
        self.wait_until_nothing_is_due()?;
        // Again and again: a catch-up may be the first to find a dead grant, and a new grant the first to find a calendar.
        for _ in 0..REPAIRS {
            for organisation in 0..ORGANISATIONS.len() {
                self.repair(organisation);
            }
            self.wait_until_nothing_is_due()?;
            // What was settled at this very moment is not compared, and a token that was refreshed within a minute is not
            // refreshed again.
            self.clock.advance(SignedDuration::from_secs(61));
            for organisation in 0..ORGANISATIONS.len() {
                let has_nothing = self.model.0[organisation].appointments.is_empty();
                if !has_nothing && self.status(organisation).state() == IntegrationState::Connected {
                    self.carry_out(&Operation::SyncNow { organisation }, Then::Settle);
                    self.carry_out(&Operation::Retry { organisation }, Then::Settle);
                }
            }
            self.wait_until_nothing_is_due()?;
            if self.violations().is_empty() {
                return Ok(Vec::new());
            }
        }
        Ok(self.violations())
    }

    /// Does what the status asks a person to do.
    fn repair(&mut self, organisation: usize) {
        let status = self.status(organisation);
        let Some(problem) = &status.problem else { return };
        self.note(format!("    {}: {:?}", ORGANISATIONS[organisation], problem.reason()));
        match problem.reason() {
            ErrorReason::ReconnectRequired => {
                let account = ACCOUNTS.into_iter().find(|account| *account == status.google_email);
                let account = account.expect("the status names the account to connect again");
                self.carry_out(&Operation::BeginConsent { organisation, account }, Then::Settle);
                self.finish_all_consents();
            }
            ErrorReason::CalendarUnavailable => {
                let settings = IntegrationSettings { calendar_id: status.google_email, ..Default::default() };
                self.change_settings(organisation, "calendar_id", settings);
                self.life().settle();
                self.look();
            }
            ErrorReason::AccountUnavailable | ErrorReason::GoogleThrottled | ErrorReason::GoogleUnavailable => {
                // Where nothing waits to be sent, a comparison finds that it is over.
                self.clock.advance(SignedDuration::from_mins(90));
                self.life().settle();
                self.look();
            }
            _ => {}
        }
    }

    /// Lets time pass until no call is under way and nothing is due, now or later.
    fn wait_until_nothing_is_due(&mut self) -> Result<(), String> {
        for moves in 0..MOST_MOVES {
            self.life().settle();
            self.look();
            let now = self.clock.now();
            self.life().run(self.life().store.look(Timestamp::UNIX_EPOCH, 100, 1, now)).unwrap();
            let next = self.life().run(self.life().store.next_due_at(now, Timestamp::MAX)).unwrap();
            let is_any_to_be_reached =
                !self.life().run(self.life().store.organisations_with_wishes()).unwrap().is_empty();
            let is_disconnecting = !self.life().run(self.life().store.unfinished_disconnects()).unwrap().is_empty();
            let is_searching = (0..ORGANISATIONS.len()).any(|organisation| self.is_searching(organisation));
            let is_waiting = is_disconnecting || is_searching || is_any_to_be_reached;
            if next.is_none() && !self.is_anything_under_way() && !is_waiting {
                return Ok(());
            }
            // Short steps where time counts against a call, at first.
            let is_waited_for = self.google.is_called() || self.is_anything_under_way();
            let longest = match is_waited_for && moves < 200 {
                true => SignedDuration::from_secs(5),
                false if is_disconnecting || is_searching => SignedDuration::from_mins(10),
                false => SignedDuration::from_hours(24),
            };
            let wait = next.map_or(SignedDuration::from_mins(10), |next| next.duration_since(now));
            self.clock.advance(wait.min(longest));
        }
        Err("it never comes to rest".to_owned())
    }

    /// Whether an erasure waits for the account to be searched, which nothing stands in the way of.
    fn is_searching(&self, organisation: usize) -> bool {
        let name = OrganisationId::parse(ORGANISATIONS[organisation]).unwrap();
        let left = self.life().run(self.life().store.erasure_left(&name, None)).unwrap();
        let is_served = |status: IntegrationStatus| {
            status.state() == IntegrationState::Connected && status.is_enabled && status.problem.is_none()
        };
        left.unsearched > 0 && is_served(self.status(organisation))
    }

    pub(super) fn status(&self, organisation: usize) -> IntegrationStatus {
        let request = GetStatusRequest { organisation_id: ORGANISATIONS[organisation].into() };
        let mut client = self.life().integrations.clone();
        let answer = self.life().run(client.get_status(request));
        answer.unwrap().into_inner().status.unwrap()
    }
}

impl Google {
    /// Takes away every fault, and gives every account its rights again.
    fn mend(&self) {
        self.no_more_faults();
        for account in ACCOUNTS {
            self.post(&format!("accounts/{}", encode(account)), &json!({"read_only": false}));
        }
        for (calendar, role) in [(SECOND_CALENDAR, "owner"), (SHARED_CALENDAR, "writer")] {
            let path = format!("accounts/{}/calendars/{}", encode(ACCOUNT), encode(calendar));
            self.post(&path, &json!({"access_role": role}));
        }
    }
}
