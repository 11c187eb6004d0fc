//! Whom the contract is held against: an emulator or Google, behind the same few calls.

use std::collections::HashMap;

use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::emulator::{self, Emulator, Options};
use data_encoding::BASE64URL_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

/// The scope of everything.
pub(crate) const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
/// The owner of the sample calendars.
pub(crate) const ACCOUNT: &str = "accueil@cabinet-des-lilas.example";

/// An HTTP client; the TLS provider is set once for all of them.
pub(crate) fn http() -> Client {
    // Fails only when another test was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("the provider is installed")
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Got {
    /// Status and reason, `-` when there is none.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        let reason = self.body["error"]["errors"][0]["reason"].as_str().or(self.body["error"].as_str());
        (self.status, reason.unwrap_or("-"))
    }

    /// A text of the body.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

/// Sends, and reads the answer whole.
pub(crate) async fn send(request: RequestBuilder) -> Got {
    let response = request.send().await.expect("an answer comes back");
    let status = response.status().as_u16();
    let text = response.text().await.expect("the answer is text");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Got { status, body, text }
}

/// Whether `token` bears an RS256 signature of the key in `keys` that its header names.
pub(crate) fn is_signed(token: &str, keys: &Value) -> bool {
    let decoded = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let header = signed.split('.').next().map(decoded).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    let key = keys["keys"].as_array().and_then(|keys| keys.iter().find(|key| key["kid"] == header["kid"]));
    let Some(key) = key.filter(|_| header["alg"] == "RS256") else { return false };
    let part = |name: &str| decoded(key[name].as_str().unwrap_or_default());
    RsaPublicKeyComponents { n: part("n"), e: part("e") }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decoded(signature))
        .is_ok()
}

/// Whom the cases speak to.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) http: Client,
    pub(crate) calendar_url: String,
    pub(crate) token_url: String,
    pub(crate) revoke_url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) refresh_token: String,
    pub(crate) access_token: String,
    /// A calendar to write to.
    pub(crate) calendar: String,
    /// Another one.
    pub(crate) other: String,
    /// Calendars that were made for the run, to be deleted after it.
    made: Vec<String>,
    entropy: Entropy,
}

impl Subject {
    /// An emulator, with a grant for everything.
    pub(crate) async fn emulated(emulator: &Emulator) -> Self {
        let base = emulator.base_url();
        let http = http();
        let grant = send(
            http.post(format!("{base}/emulator/accounts/{ACCOUNT}/grants"))
                .json(&json!({"scopes": ["openid", CALENDAR]})),
        )
        .await;
        let settings: HashMap<_, _> = emulator.settings().into();
        let mut subject = Self {
            http,
            calendar_url: settings["GOOGLE_CALENDAR_URL"].clone(),
            token_url: settings["GOOGLE_TOKEN_URL"].clone(),
            revoke_url: settings["GOOGLE_REVOKE_URL"].clone(),
            client_id: settings["GOOGLE_CLIENT_ID"].clone(),
            client_secret: settings["GOOGLE_CLIENT_SECRET"].clone(),
            refresh_token: grant.text("refresh_token").to_owned(),
            access_token: grant.text("access_token").to_owned(),
            calendar: String::new(),
            other: String::new(),
            made: Vec::new(),
            entropy: Entropy::system(),
        };
        subject.choose_calendars(None).await;
        subject
    }

    /// Google, with the credentials of the environment.
    pub(crate) async fn google() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let mut subject = Self {
            http: http(),
            calendar_url: "https://www.googleapis.com/calendar/v3".to_owned(),
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            revoke_url: "https://oauth2.googleapis.com/revoke".to_owned(),
            client_id: variable("CONTRACT_GOOGLE_CLIENT_ID"),
            client_secret: variable("CONTRACT_GOOGLE_CLIENT_SECRET"),
            refresh_token: variable("CONTRACT_GOOGLE_REFRESH_TOKEN"),
            access_token: String::new(),
            calendar: String::new(),
            other: String::new(),
            made: Vec::new(),
            entropy: Entropy::system(),
        };
        let refreshed = subject.refresh(&subject.refresh_token).await;
        assert_eq!(refreshed.status, 200, "the refresh token of the environment works");
        refreshed.text("access_token").clone_into(&mut subject.access_token);
        subject.choose_calendars(std::env::var("CONTRACT_GOOGLE_CALENDAR").ok()).await;
        subject
    }

    /// Makes two calendars; where the scope does not allow it, takes the one that is named, and the primary one.
    async fn choose_calendars(&mut self, named: Option<String>) {
        for name in ["Cassius contract", "Cassius contract, other"] {
            let body = json!({"summary": name, "timeZone": "Europe/Paris"});
            let made = self.call(Method::POST, &["calendars"], &[], Some(&body)).await;
            if made.status == 200 {
                self.made.push(made.text("id").to_owned());
            }
        }
        match self.made.as_slice() {
            [calendar, other] => (self.calendar, self.other) = (calendar.clone(), other.clone()),
            _ => {
                self.calendar = named.expect("the token may not make calendars: name one in CONTRACT_GOOGLE_CALENDAR");
                "primary".clone_into(&mut self.other);
            }
        }
    }

    /// Deletes the calendars that were made.
    pub(crate) async fn tidy(&self) {
        for calendar in &self.made {
            self.call(Method::DELETE, &["calendars", calendar], &[], None).await;
        }
    }

    /// Whether the token may do more than write events.
    pub(crate) fn may_make_calendars(&self) -> bool {
        !self.made.is_empty()
    }

    /// A request to the Calendar API, unsent.
    pub(crate) fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let path: Vec<String> =
            path.iter().map(|segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()).collect();
        self.http
            .request(method, format!("{}/{}", self.calendar_url, path.join("/")))
            .query(query)
            .bearer_auth(&self.access_token)
    }

    /// A call to the Calendar API.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Got {
        let empty = method == Method::POST && body.is_none();
        let request = self.request(method, path, query);
        send(match body {
            Some(body) => request.json(body),
            None if empty => request.header("content-length", 0),
            None => request,
        })
        .await
    }

    /// `events.insert` into the test calendar.
    pub(crate) async fn insert(&self, event: &Value) -> Got {
        self.call(Method::POST, &["calendars", &self.calendar, "events"], &[("sendUpdates", "none")], Some(event)).await
    }

    /// A call on one event of the test calendar.
    pub(crate) async fn event(&self, method: Method, id: &str, body: Option<&Value>) -> Got {
        self.call(method, &["calendars", &self.calendar, "events", id], &[], body).await
    }

    /// The same under `If-Match`.
    pub(crate) async fn event_if(&self, method: Method, id: &str, etag: &str, body: Option<&Value>) -> Got {
        let request = self.request(method, &["calendars", &self.calendar, "events", id], &[]).header("if-match", etag);
        send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Trades a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Got {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        send(self.http.post(&self.token_url).form(&form)).await
    }

    /// An address beside that of the Calendar API.
    pub(crate) fn beside(&self, path: &str) -> String {
        self.calendar_url.replace("/calendar/v3", path)
    }

    /// A fresh event id.
    pub(crate) fn new_id(&self) -> String {
        data_encoding::BASE32HEX_NOPAD.encode(&self.entropy.bytes::<20>()).to_lowercase()
    }
}

/// An event of half an hour, under `id`.
pub(crate) fn event(id: &str) -> Value {
    json!({
        "id": id,
        "summary": "[Cassius] Contrôle — Camille Essai",
        "start": {"dateTime": "2031-03-12T10:00:00+01:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2031-03-12T10:30:00+01:00", "timeZone": "Europe/Paris"},
        "visibility": "private",
    })
}

/// `event` with these fields over its own.
pub(crate) fn event_with(id: &str, fields: &Value) -> Value {
    let mut event = event(id);
    for (name, value) in fields.as_object().expect("fields are an object") {
        event[name] = value.clone();
    }
    event
}

/// An emulator with fixed chance, on the system's clock.
pub(crate) async fn emulator() -> Emulator {
    emulator::start(Options::loopback(Clock::system(), Entropy::seeded(7))).await.expect("a free port is there")
}
