//! An emulator with everything a test does to it from outside.

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::emulator::{self, Emulator, Options};
use jiff::Timestamp;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;

use super::super::subject::{ACCOUNT, Got, http, send};

/// The redirect URI of the tests.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
/// A verifier, and its S256 challenge, from RFC 7636.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// See [`VERIFIER`].
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Scopes as the service asks for them.
pub(crate) const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
/// See [`EVENTS`].
pub(crate) const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";

/// The emulator and the means to reach it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
    pub(crate) http: Client,
    options: Options,
}

impl Stage {
    /// On a clock that stands still.
    pub(crate) async fn new() -> Self {
        let noon: Timestamp = "2026-11-24T12:00:00Z".parse().expect("an instant");
        Self::with(Options::loopback(Clock::manual(noon), Entropy::seeded(11))).await
    }

    /// With options of the test's own.
    pub(crate) async fn with(options: Options) -> Self {
        let emulator = emulator::start(options.clone()).await.expect("a free port is there");
        emulator.register_redirect_uri(REDIRECT);
        Self { emulator, clock: options.clock.clone(), http: http(), options }
    }

    /// An address of the emulator.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    /// A control that reads.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let got = send(self.http.get(self.at(&format!("/emulator/{path}")))).await;
        assert_eq!(got.status, 200, "GET {path}: {}", got.text);
        got.body
    }

    /// A control that acts.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let got = send(self.http.request(method.clone(), self.at(&format!("/emulator/{path}"))).json(&body)).await;
        assert_eq!(got.status, 200, "{method} {path}: {}", got.text);
        got.body
    }

    /// Sets a fault and answers its id.
    pub(crate) async fn fault(&self, fault: Value) -> u64 {
        self.control(Method::POST, "faults", fault).await["id"].as_u64().expect("a fault has an id")
    }

    /// The calls of the journal.
    pub(crate) async fn calls(&self) -> Vec<Value> {
        self.read("journal").await["calls"].as_array().cloned().expect("the journal is a list")
    }

    /// An access token of `account` for `scopes`.
    pub(crate) async fn token_of(&self, account: &str, scopes: &[&str]) -> String {
        let body = json!({"scopes": scopes});
        let grant = self.control(Method::POST, &format!("accounts/{account}/grants"), body).await;
        grant["access_token"].as_str().expect("a grant has an access token").to_owned()
    }

    /// An access token of the first sample account.
    pub(crate) async fn token(&self, scopes: &[&str]) -> String {
        self.token_of(ACCOUNT, scopes).await
    }

    /// A call of the Calendar API.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.call_by(&self.http, token, method, path, body).await.expect("an answer comes back")
    }

    /// The same by another client, which may get no answer.
    pub(crate) async fn call_by(
        &self,
        http: &Client,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Got, reqwest::Error> {
        let request = http.request(method, self.at(&format!("/calendar/v3/{path}"))).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            None => request.header("content-length", 0),
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Got { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
    }

    /// The address of a consent for the service's scopes, with `changes` to its parameters.
    pub(crate) fn consent_url(&self, changes: &[(&str, Option<&str>)]) -> Url {
        let scope = format!("openid email {EVENTS} {LIST}");
        let mut parameters = vec![
            ("client_id", self.options.client_id.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", &scope),
            ("state", "st&te"),
            ("nonce", "once"),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            parameters.retain(|(key, _)| key != name);
            parameters.extend(value.map(|value| (*name, value)));
        }
        Url::parse_with_params(&self.at("/o/oauth2/v2/auth"), parameters).expect("an address with a query")
    }

    /// Decides on the page at `address`, and answers the parameters of the address it leads back to.
    pub(crate) async fn decide(&self, address: Url, form: &[(&str, &str)]) -> Vec<(String, String)> {
        let response = self.http.post(address).form(form).send().await.expect("an answer comes back");
        assert_eq!(response.status(), 303, "a decision leads back");
        let back = response.headers()["location"].to_str().expect("an address is text").to_owned();
        assert!(back.starts_with(REDIRECT), "{back}");
        Url::parse(&back).expect("an address").query_pairs().into_owned().collect()
    }

    /// Consents to everything and answers the code.
    pub(crate) async fn code(&self, changes: &[(&str, Option<&str>)]) -> String {
        let form = [("account", ACCOUNT), ("scope", EVENTS), ("scope", LIST), ("decision", "allow")];
        value(&self.decide(self.consent_url(changes), &form).await, "code").expect("a code comes back")
    }

    /// Exchanges a code, with `changes` to the form.
    pub(crate) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Got {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_id", self.options.client_id.as_str()),
            ("client_secret", self.options.client_secret.as_str()),
        ];
        for (name, value) in changes {
            form.retain(|(key, _)| key != name);
            form.push((name, value));
        }
        send(self.http.post(self.at("/token")).form(&form)).await
    }

    /// Trades a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Got {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", self.options.client_id.as_str()),
            ("client_secret", self.options.client_secret.as_str()),
        ];
        send(self.http.post(self.at("/token")).form(&form)).await
    }
}

/// A value among pairs.
pub(crate) fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

/// An event's body as the API takes it.
pub(crate) fn event(id: &str) -> Value {
    super::super::subject::event(id)
}
