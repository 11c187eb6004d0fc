//! The emulated Google, watched and steered over HTTP.

use std::collections::HashMap;

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::emulator::{self, Emulator};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::app::BOUND;

/// The first sample account, whose primary calendar has the same id.
pub(crate) const ACCOUNT: &str = "accueil@cabinet-des-lilas.example";
/// The second sample account.
pub(crate) const OTHER_ACCOUNT: &str = "dr.monnier@gmail.com";
/// A second calendar that the first account owns.
pub(crate) const SECOND_CALENDAR: &str = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";

pub(crate) struct Google {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Google {
    pub(crate) async fn start(clock: &Clock) -> Self {
        let options = emulator::Options::loopback(clock.clone(), Entropy::system());
        let emulator = emulator::start(options).await.unwrap();
        Self { emulator, http: super::http::client().build().unwrap() }
    }

    /// The settings of a service before this Google.
    pub(crate) fn service_settings(&self) -> [(&'static str, String); 7] {
        self.emulator.settings()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "the emulator answered {status}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        self.send(self.http.get(self.url(&format!("/emulator/{path}")))).await
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        self.send(self.http.post(self.url(&format!("/emulator/{path}"))).json(&body)).await
    }

    pub(crate) async fn remove(&self, path: &str) -> Value {
        self.send(self.http.delete(self.url(&format!("/emulator/{path}")))).await
    }

    /// Makes the next `times` calls of an operation (`events.insert`, `events.*`, `token.refresh`, …) fail.
    pub(crate) async fn fault(&self, operation: &str, times: u32, fault: Value) {
        self.control("faults", json!({"operation": operation, "times": times, "fault": fault})).await;
    }

    /// Makes the next call of an operation hang until [`Google::let_go`]; with `carry_out` it is done before it hangs.
    pub(crate) async fn hang(&self, operation: &str, carry_out: bool) -> u64 {
        let fault = json!({"kind": "hang", "carry_out": carry_out});
        let set = self.control("faults", json!({"operation": operation, "times": 1, "fault": fault})).await;
        set["id"].as_u64().unwrap()
    }

    /// Lets the calls go on that hang by a fault.
    pub(crate) async fn let_go(&self, fault: u64) {
        self.remove(&format!("faults/{fault}")).await;
    }

    /// Reads the journal until it is as wanted. Each look is a call of its own, so what is waited for goes on meanwhile.
    pub(crate) async fn until(&self, is_wanted: impl Fn(&[Value]) -> bool) {
        let look = async { while !is_wanted(&self.journal().await) {} };
        // A bound for a test that would hang; none that a passing test comes near.
        if tokio::time::timeout(BOUND, look).await.is_err() {
            panic!("the journal never became what was wanted: {:#?}", self.journal().await);
        }
    }

    /// Waits until an operation has been called so often, whether it was answered or not.
    pub(crate) async fn until_called(&self, operation: &str, times: usize) {
        self.until(|calls| calls.iter().filter(|call| call["operation"] == operation).count() >= times).await;
    }

    /// Waits until these events were deleted by a call that the journal holds.
    pub(crate) async fn until_deleted(&self, events: &[String]) {
        let is_gone = |calls: &[Value], event: &str| {
            calls
                .iter()
                .any(|call| call["operation"] == "events.delete" && call["event_id"] == *event && call["status"] == 204)
        };
        self.until(|calls| events.iter().all(|event| is_gone(calls, event))).await;
    }

    /// Waits until no call is under way: what was given up is gone from Google's side as well.
    pub(crate) async fn until_idle(&self) {
        self.until(|calls| calls.iter().all(|call| !call["ended_at"].is_null())).await;
    }

    pub(crate) async fn no_more_faults(&self) {
        self.remove("faults").await;
    }

    pub(crate) async fn settings(&self, settings: Value) {
        self.control("settings", settings).await;
    }

    /// Every call since the start, or since the journal was forgotten.
    pub(crate) async fn journal(&self) -> Vec<Value> {
        self.read("journal").await["calls"].as_array().unwrap().clone()
    }

    pub(crate) async fn forget_journal(&self) {
        self.remove("journal").await;
    }

    /// The names of the calls of events, in order; a comparison's lists aside, which come when they come.
    pub(crate) async fn event_calls(&self) -> Vec<String> {
        let mut calls = self.journal().await;
        calls.retain(|call| call["private_property"].is_null());
        let names = calls.iter().map(|call| call["operation"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("events.")).collect()
    }

    /// The calls of an account's calendars, in order; a comparison's lists aside.
    pub(crate) async fn calls_of(&self, email: &str) -> Vec<String> {
        let calls = self.journal().await;
        let its = calls.iter().filter(|call| call["account"] == email && call["private_property"].is_null());
        its.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// The live events that Cassius wrote for an account, over all its calendars.
    pub(crate) async fn events(&self, email: &str) -> Vec<Value> {
        let all = self.read(&format!("accounts/{}/events", encode(email))).await;
        let events = all.get("events").unwrap_or(&all).as_array().unwrap();
        events.iter().filter(|event| event["status"] != "cancelled").cloned().collect()
    }

    /// The live events of one appointment, over all calendars of an account.
    pub(crate) async fn events_of(&self, email: &str, appointment: &str) -> Vec<Value> {
        let mut events = self.events(email).await;
        events.retain(|event| event["extendedProperties"]["private"]["cassiusAppointmentId"] == appointment);
        events
    }

    /// The user deletes an event; `answer` is how Google speaks of it then: `cancelled`, `not_found` or `gone`.
    pub(crate) async fn delete_event(&self, calendar: &str, event: &str, answer: &str) {
        self.remove(&format!("calendars/{}/events/{}?answer={answer}", encode(calendar), encode(event))).await;
    }

    /// Somebody else than the service writes an event.
    pub(crate) async fn add_event(&self, calendar: &str, event: Value) {
        self.control(&format!("calendars/{}/events", encode(calendar)), event).await;
    }

    /// The user alters an event.
    pub(crate) async fn alter_event(&self, calendar: &str, event: &str, change: Value) {
        let path = self.url(&format!("/emulator/calendars/{}/events/{}", encode(calendar), encode(event)));
        self.send(self.http.patch(path).json(&change)).await;
    }

    /// The user moves an event to another calendar.
    pub(crate) async fn move_event(&self, calendar: &str, event: &str, destination: &str) {
        let path = format!("calendars/{}/events/{}/move", encode(calendar), encode(event));
        self.control(&path, json!({"destination": destination})).await;
    }

    pub(crate) async fn delete_calendar(&self, calendar: &str) {
        self.remove(&format!("calendars/{}", encode(calendar))).await;
    }

    /// Gives an account another role in a calendar: `owner`, `writer`, `reader`, `freeBusyReader`.
    pub(crate) async fn change_role(&self, email: &str, calendar: &str, role: &str) {
        let path = format!("accounts/{}/calendars/{}", encode(email), encode(calendar));
        self.control(&path, json!({"access_role": role})).await;
    }

    /// Holds an account read-only, as Google does after too many writes, or lets it go.
    pub(crate) async fn read_only(&self, email: &str, read_only: bool) {
        self.control(&format!("accounts/{}", encode(email)), json!({"read_only": read_only})).await;
    }

    pub(crate) async fn revoke(&self, email: &str) {
        self.control(&format!("accounts/{}/revoke", encode(email)), json!({})).await;
    }

    pub(crate) async fn expire_tokens(&self, email: &str) {
        self.control(&format!("accounts/{}/expire", encode(email)), json!({})).await;
    }

    /// Nobody is invited to an event, and nobody is notified of one.
    pub(crate) async fn no_write_invites_or_notifies(&self) {
        for call in self.journal().await {
            let operation = call["operation"].as_str().unwrap();
            if matches!(operation, "events.insert" | "events.patch" | "events.delete" | "events.move") {
                assert_eq!(call["send_updates_none"], true, "{call}");
                assert_eq!(call["has_attendees"], false, "{call}");
            }
        }
    }

    /// An appointment has one live event at most, over all calendars of the accounts that are still connected, and over
    /// those of each other account.
    pub(crate) async fn no_event_is_doubled(&self) {
        let accounts = self.read("accounts").await;
        let mut live = HashMap::new();
        for account in accounts["accounts"].as_array().unwrap() {
            let email = account["email"].as_str().unwrap();
            let scope = if account["has_grant"] == true { "" } else { email };
            for event in self.events(email).await {
                let properties = &event["extendedProperties"]["private"];
                let (organisation, appointment) =
                    (&properties["cassiusOrganisationId"], &properties["cassiusAppointmentId"]);
                if appointment.is_null() {
                    continue;
                }
                let place = (event["calendar_id"].to_string(), event["id"].to_string());
                let key = (scope.to_owned(), organisation.to_string(), appointment.to_string());
                // A calendar that two accounts share is seen twice.
                let standing = live.entry(key).or_insert_with(|| place.clone());
                assert_eq!(*standing, place, "{appointment} of {organisation} has two live events");
            }
        }
    }

    /// Never two calls in flight for one event.
    pub(crate) async fn no_two_calls_for_one_event_at_a_time(&self) {
        for call in self.journal().await {
            assert!(call["max_in_flight"].as_u64().unwrap_or(1) <= 1, "{call}");
        }
    }
}

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
