//! Google beside the lives of the service: it outlives them, and is steered between two operations.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::emulator::{self, Emulator};
use cassius_calendar::google::{CALL_DEADLINE, InProcess};
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::life::steps;
use crate::harness::google::encode;

pub(super) struct Google {
    pub(super) base_url: String,
    clock: Clock,
    runtime: Runtime,
    door: InProcess,
    in_flight: Arc<Mutex<InFlight>>,
    emulator: Emulator,
}

/// The calls under way, as their caller sees it.
#[derive(Default)]
struct InFlight {
    total: usize,
    /// When each began that names an event, by that event, in steady time: a deadline is kept by no other.
    calls: BTreeMap<String, Vec<SignedDuration>>,
    overlapping: Vec<String>,
}

impl Google {
    pub(super) fn start(clock: &Clock, entropy: &Entropy) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let options = emulator::Options::loopback(clock.clone(), entropy.clone());
        let emulator = runtime.block_on(emulator::start(options)).unwrap();
        let (base_url, door) = (emulator.base_url(), emulator.in_process());
        Self { base_url, clock: clock.clone(), runtime, door, in_flight: Arc::default(), emulator }
    }

    /// The service's settings under which this is its Google.
    pub(super) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        self.emulator.settings().into_iter().map(|(name, value)| (name.to_owned(), value))
    }

    /// The emulator's own door: nothing of it is counted.
    pub(super) fn door(&self) -> InProcess {
        self.door.clone()
    }

    /// The sequence of the last call so far.
    pub(super) fn last_call(&self) -> u64 {
        self.runtime.block_on(last_call(self.door()))
    }

    /// The way to Google for a life of the service. A call takes a few steps there and back, as `entropy` draws them, so
    /// that other things happen meanwhile.
    pub(super) fn way(&self, entropy: &Entropy) -> InProcess {
        let (door, entropy, in_flight) = (self.door.clone(), entropy.clone(), self.in_flight.clone());
        let clock = self.clock.clone();
        BoxCloneSyncService::new(tower::service_fn(move |request: Request<Bytes>| {
            let door = door.clone();
            let (there, back) = (entropy.number() % 8, entropy.number() % 8);
            let call = UnderWay::begin(&in_flight, &request, clock.elapsed());
            async move {
                steps(there).await;
                let answer = door.oneshot(request).await;
                steps(back).await;
                drop(call);
                answer
            }
        }))
    }

    /// Whether a call is under way: time that passes counts against it.
    pub(super) fn is_called(&self) -> bool {
        self.in_flight.lock().total > 0
    }

    /// The events for which two calls were under way at once.
    pub(super) fn overlapping_calls(&self) -> Vec<String> {
        self.in_flight.lock().overlapping.clone()
    }

    fn send(&self, method: &str, path: &str, body: Bytes, content_type: &str) -> Response<Bytes> {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base_url) };
        let request =
            Request::builder().method(method).uri(uri).header("content-type", content_type).body(body).unwrap();
        self.runtime.block_on(self.door.clone().oneshot(request)).unwrap()
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let answer = self.send(method, &format!("/emulator/{path}"), body.to_string().into(), "application/json");
        (answer.status() != StatusCode::NOT_FOUND).then(|| {
            assert!(answer.status().is_success(), "{method} {path}: {:?}", answer.body());
            if answer.body().is_empty() { Value::Null } else { serde_json::from_slice(answer.body()).unwrap() }
        })
    }

    pub(super) fn read(&self, path: &str) -> Value {
        self.control("GET", path, &Value::Null).unwrap()
    }

    pub(super) fn post(&self, path: &str, body: &Value) {
        self.control("POST", path, body).unwrap();
    }

    pub(super) fn alter_event(&self, event: &Seen, change: &Value) {
        self.control("PATCH", &event_path(event), change).unwrap();
    }

    pub(super) fn delete_event(&self, event: &Seen) {
        self.control("DELETE", &event_path(event), &Value::Null).unwrap();
    }

    /// Nothing happens where its calendar is the other one.
    pub(super) fn move_event(&self, event: &Seen, calendar: &str) {
        if event.calendar != calendar {
            self.post(&format!("{}/move", event_path(event)), &json!({"destination": calendar}));
        }
    }

    pub(super) fn no_more_faults(&self) {
        self.control("DELETE", "faults", &Value::Null).unwrap();
    }

    /// A person decides on the consent page: where the browser is sent.
    pub(super) fn consent(&self, page: &str, account: &str) -> String {
        let scopes = [crate::harness::browser::EVENTS, crate::harness::browser::LIST];
        let form = format!(
            "account={}&decision=allow&scope={}&scope={}",
            encode(account),
            encode(scopes[0]),
            encode(scopes[1])
        );
        let answer = self.send("POST", page, form.into(), "application/x-www-form-urlencoded");
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Puts an event of somebody else's into a calendar.
    pub(super) fn add_foreign_event(&self, account: &str, calendar: &str, title: &str) {
        let grant = json!({"scopes": ["https://www.googleapis.com/auth/calendar.events"]});
        let path = format!("accounts/{}/grants", encode(account));
        let token = self.control("POST", &path, &grant).unwrap()["access_token"].as_str().unwrap().to_owned();
        let event = json!({"summary": title, "start": {"dateTime": "2026-03-20T10:00:00Z"}, "end": {"dateTime": "2026-03-20T11:00:00Z"}});
        let request = Request::post(format!("{}/calendar/v3/calendars/{}/events", self.base_url, encode(calendar)))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(event.to_string()));
        let answer = self.runtime.block_on(self.door.clone().oneshot(request.unwrap())).unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.body());
        self.post(&format!("accounts/{}/revoke", encode(account)), &Value::Null);
    }

    /// Every event in the calendars of an account, deleted ones too.
    pub(super) fn events(&self, account: &str) -> Vec<Value> {
        self.read(&format!("accounts/{}/events", encode(account)))["events"].as_array().unwrap().clone()
    }

    /// The events that an account sees, with whose they are.
    pub(super) fn live_events(&self, account: &str) -> Vec<Seen> {
        let is_live = |event: &&Value| event["status"] != "cancelled";
        self.events(account).iter().filter(is_live).map(Seen::from).collect()
    }

    pub(super) fn writable_calendars(&self, account: &str) -> Vec<String> {
        let calendars = self.read(&format!("accounts/{}/calendars", encode(account)));
        let all = calendars["calendars"].as_array().unwrap().iter();
        let writable = all.filter(|calendar| ["owner", "writer"].iter().any(|role| calendar["access_role"] == *role));
        writable.map(|calendar| calendar["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The events in an account's bin.
    pub(super) fn deleted_events(&self, account: &str) -> Vec<Seen> {
        let is_deleted = |event: &&Value| event["status"] == "cancelled" && event["moved_away"] != true;
        self.events(account).iter().filter(is_deleted).map(Seen::from).collect()
    }

    /// The events of others in the calendars of an account.
    pub(super) fn foreign_events(&self, account: &str) -> Vec<Seen> {
        self.live_events(account).into_iter().filter(|event| event.organisation.is_none()).collect()
    }

    pub(super) fn journal(&self) -> Vec<Value> {
        self.read("journal")["calls"].as_array().unwrap().clone()
    }
}

/// An event at Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) calendar: String,
    pub(super) id: String,
    pub(super) organisation: Option<String>,
    pub(super) appointment: Option<String>,
    pub(super) place: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) etag: String,
}

impl Seen {
    /// Whether it is over, as far as it ends at an hour: what has begun and goes on is compared like what is to come, and
    /// stands where an appointment has not ended.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.end.parse::<Timestamp>().is_ok_and(|end_at| end_at <= now)
    }
}

impl From<&Value> for Seen {
    fn from(event: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let private = |name: &str| event["extendedProperties"]["private"][name].as_str().map(str::to_owned);
        Self {
            calendar: text(&event["calendar_id"]),
            id: text(&event["id"]),
            organisation: private("cassiusOrganisationId"),
            appointment: private("cassiusAppointmentId"),
            place: text(&event["location"]),
            start: text(&event["start"]["dateTime"]),
            end: text(&event["end"]["dateTime"]),
            etag: text(&event["etag"]),
        }
    }
}

/// The sequence of the last call so far.
pub(super) async fn last_call(door: InProcess) -> u64 {
    let request = Request::get(format!("http://127.0.0.1/emulator/journal?since={}", u64::MAX)).body(Bytes::new());
    let answer = door.oneshot(request.unwrap()).await.unwrap();
    serde_json::from_slice::<Value>(answer.body()).unwrap()["last"].as_u64().unwrap_or(0)
}

fn event_path(event: &Seen) -> String {
    format!("calendars/{}/events/{}", encode(&event.calendar), encode(&event.id))
}

/// Counts a call as under way until it is dropped.
struct UnderWay {
    in_flight: Arc<Mutex<InFlight>>,
    event: Option<String>,
    began_at: SignedDuration,
}

impl UnderWay {
    /// A call that has outlived its deadline is given up, though its task may not have had its turn yet: where the clock
    /// jumps, that is where a process was frozen.
    fn begin(in_flight: &Arc<Mutex<InFlight>>, request: &Request<Bytes>, now: SignedDuration) -> Self {
        let event = event_of(request);
        in_flight.lock().total += 1;
        if let Some(event) = &event {
            let mut in_flight = in_flight.lock();
            let calls = in_flight.calls.entry(event.clone()).or_default();
            let is_overlapping = calls.iter().any(|began_at| (now - *began_at).unsigned_abs() < CALL_DEADLINE);
            calls.push(now);
            if is_overlapping {
                in_flight.overlapping.push(event.clone());
            }
        }
        Self { in_flight: in_flight.clone(), event, began_at: now }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut in_flight = self.in_flight.lock();
        in_flight.total -= 1;
        if let Some(event) = &self.event {
            let calls = in_flight.calls.entry(event.clone()).or_default();
            if let Some(place) = calls.iter().position(|began_at| *began_at == self.began_at) {
                calls.remove(place);
            }
        }
    }
}

/// The event that a request names, in its path or as an insert does in its body.
fn event_of(request: &Request<Bytes>) -> Option<String> {
    let mut parts = request.uri().path().split("/events").skip(1);
    match parts.next()?.trim_start_matches('/').split('/').next()? {
        "" => serde_json::from_slice::<Value>(request.body()).ok()?["id"].as_str().map(str::to_owned),
        event => Some(event.to_owned()),
    }
}
