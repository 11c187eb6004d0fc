//! An emulator, and the client under test that speaks to it.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::Secret;
use cassius_calendar::emulator::{self, Emulator, Options};
use cassius_calendar::google::{CalendarAccess, CalendarError, Endpoints, Google, in_order, pkce_verifier};
use cassius_calendar::model::{AppointmentId, CalendarId, EventId, Generation, OrganisationId, Place, Revision};
use cassius_calendar::sync::Event;
use reqwest::{Client, Method};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

pub(crate) const ACCOUNT: &str = "accueil@cabinet-des-lilas.example";
pub(crate) const OTHER_ACCOUNT: &str = "dr.monnier@gmail.com";
/// A second calendar of the account's own.
pub(crate) const ROOMS: &str = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";
/// One that it may only read.
pub(crate) const HOLIDAYS: &str = "fr.french#holiday@group.v.calendar.google.com";
pub(crate) const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
pub(crate) const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
pub(crate) const NONCE: &str = "nonce-of-the-test";

pub(crate) struct Stage {
    pub(crate) google: Google,
    pub(crate) clock: Clock,
    pub(crate) base: String,
    http: Client,
    _emulator: Emulator,
}

const REDIRECT: &str = "http://127.0.0.1:9/callback";

pub(crate) struct Consent {
    pub(crate) code: String,
    pub(crate) verifier: Secret,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual("2026-10-30T09:00:00Z".parse().expect("an instant"));
        let options = Options::loopback(clock.clone(), Entropy::seeded(7));
        let (client_id, client_secret) = (options.client_id.clone(), options.client_secret.clone());
        let emulator = emulator::start(options).await.expect("a free port");
        emulator.register_redirect_uri(REDIRECT);
        let base = emulator.base_url();
        let google = client(&base, &client_id, &client_secret, clock.clone());
        // Fails only when another test was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Self { google, clock, base, http: http.expect("the provider is installed"), _emulator: emulator }
    }

    /// The same emulator under a client whose secret is wrong.
    pub(crate) fn misconfigured(&self) -> Google {
        let client_id = Options::loopback(self.clock.clone(), Entropy::seeded(7)).client_id;
        client(&self.base, &client_id, "wrong", self.clock.clone())
    }

    /// Steers the emulator, or reads what it shows.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}/emulator/{path}", self.base));
        let answer = request.json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    pub(crate) async fn fault(&self, operation: &str, fault: Value) {
        self.control(Method::POST, "faults", json!({"operation": operation, "times": 1, "fault": fault})).await;
    }

    /// Makes the next call of an operation fail with a reason.
    pub(crate) async fn refuse(&self, operation: &str, code: u16, reason: &str) {
        self.fault(operation, json!({"kind": "error", "code": code, "reason": reason})).await;
    }

    /// The calendars of an account, page by page, as they are shown.
    pub(crate) async fn calendars(&self, token: &Secret) -> Result<Vec<CalendarAccess>, CalendarError> {
        let (mut calendars, mut next) = (Vec::new(), None);
        loop {
            let page = self.google.calendars(token, false, next.as_deref()).await?;
            calendars.extend(page.calendars);
            next = page.next_page_token;
            if next.is_none() {
                return Ok(in_order(calendars));
            }
        }
    }

    /// A calendar, by its events where the list is not permitted.
    pub(crate) async fn calendar(&self, token: &Secret, id: &str) -> Result<CalendarAccess, CalendarError> {
        match self.google.calendar(token, id).await? {
            Some(access) => Ok(access),
            None => self.google.calendar_by_events(token, id, ACCOUNT).await,
        }
    }

    /// The journal's entries of one operation.
    pub(crate) async fn journal(&self, operation: &str) -> Vec<Value> {
        let journal = self.control(Method::GET, &format!("journal?operation={operation}"), json!({})).await;
        journal["calls"].as_array().expect("a list").clone()
    }

    /// An access token with these scopes, without a browser.
    pub(crate) async fn token(&self, scopes: &[&str]) -> Secret {
        self.grant(scopes).await.0
    }

    /// An access and a refresh token.
    pub(crate) async fn grant(&self, scopes: &[&str]) -> (Secret, Secret) {
        let grant = self.control(Method::POST, &format!("accounts/{ACCOUNT}/grants"), json!({"scopes": scopes})).await;
        let token = |name: &str| Secret::from(grant[name].as_str().expect("a token"));
        (token("access_token"), token("refresh_token"))
    }

    /// Gives the consent as a person would, with these scopes ticked.
    pub(crate) async fn consent(&self, ticked: &[&str]) -> Consent {
        let verifier = pkce_verifier(&Entropy::system());
        let url = self.google.authorize_url("state-1", verifier.expose_secret(), NONCE, None);
        let mut form = vec![("decision", "allow"), ("account", ACCOUNT)];
        form.extend(ticked.iter().map(|scope| ("scope", *scope)));
        let answer = self.http.post(url).form(&form).send().await.expect("an answer");
        let back = answer.headers()["location"].to_str().expect("text");
        let back = Url::parse(back).expect("an address");
        let value = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(value("state").as_deref(), Some("state-1"));
        Consent { code: value("code").expect("a code"), verifier }
    }

    /// The one event that the emulator holds under an id, in whichever calendar.
    pub(crate) async fn event(&self, id: &str) -> Value {
        let events = self.control(Method::GET, &format!("accounts/{ACCOUNT}/events"), json!({})).await;
        let events = events.as_array().or_else(|| events["events"].as_array()).expect("a list").clone();
        let is_live = |event: &Value| body(event)["id"] == id && body(event)["status"] != "cancelled";
        let live: Vec<_> = events.into_iter().filter(is_live).collect();
        assert_eq!(live.len(), 1, "one live event of that id");
        live[0].clone()
    }
}

/// The event itself, out of what the control shows around it.
pub(crate) fn body(shown: &Value) -> &Value {
    shown.get("event").unwrap_or(shown)
}

/// A client of whatever listens at `base`.
pub(crate) fn client(base: &str, client_id: &str, client_secret: &str, clock: Clock) -> Google {
    let [auth_url, token_url, revoke_url, calendar_url, issuer] = emulator::addresses(base).map(|(_, address)| address);
    let url = |address: String| address.parse::<Url>().expect("an address");
    let endpoints = Endpoints {
        auth_url: url(auth_url),
        token_url: url(token_url),
        revoke_url: url(revoke_url),
        calendar_url: url(calendar_url),
        issuer,
    };
    let scopes = ["openid", "email", EVENTS, LIST].map(str::to_owned).to_vec();
    let redirect_url = REDIRECT.parse().expect("an address");
    Google::new(endpoints, client_id.to_owned(), client_secret.into(), redirect_url, scopes, clock)
}

pub(crate) fn place(calendar: &str, event: &str) -> Place {
    Place { calendar: CalendarId::new(calendar), event: EventId::new(event), generation: Generation::FIRST }
}

pub(crate) fn appointment_event() -> Event {
    Event {
        summary: "[Cassius] Contrôle — Camille Exemple".to_owned(),
        description: "Praticien : Dr Modèle".to_owned(),
        location: "Cabinet 2".to_owned(),
        start_at: "2026-11-02T08:00:00Z".parse().expect("an instant"),
        end_at: "2026-11-02T08:30:00Z".parse().expect("an instant"),
        time_zone: "Europe/Paris".to_owned(),
        source_url: Some("https://cassius.example/rdv/42".to_owned()),
        organisation: OrganisationId::parse("org-1").expect("an id"),
        appointment: AppointmentId::parse("rdv-42").expect("an id"),
        revision: Revision::new(7).expect("a revision"),
    }
}
