//! Google, emulated in this process and called over loopback.

use anyhow::Context as _;
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::CALLBACK_PATH;
use cassius_calendar::emulator::{self, Emulator};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) struct Google {
    emulator: Emulator,
    http: reqwest::Client,
}

/// One call, as the journal has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) units: u64,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    body: Value,
}

impl Call {
    /// Which appointment it is about, where the body says so.
    pub(crate) fn appointment(&self) -> Option<&str> {
        self.body["extendedProperties"]["private"]["cassiusAppointmentId"].as_str()
    }
}

impl Google {
    pub(crate) async fn start(clock: &Clock) -> anyhow::Result<Self> {
        // The HTTP client wants a provider of TLS even where it speaks plain HTTP; a second call is no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = emulator::Options::loopback(clock.clone(), Entropy::system());
        let emulator = emulator::start(options).await?;
        Ok(Self { emulator, http: reqwest::Client::new() })
    }

    /// Lets consents come back to the sidecar at `public_url`.
    pub(crate) fn register(&self, public_url: &str) {
        self.emulator.register_redirect_uri(&format!("{public_url}{CALLBACK_PATH}"));
    }

    /// The settings of a service before this Google.
    pub(crate) fn service_settings(&self) -> [(&'static str, String); 7] {
        self.emulator.settings()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    async fn control(&self, path: &str, body: Value) -> anyhow::Result<()> {
        let answer = self.http.post(self.url(&format!("/emulator/{path}"))).json(&body).send().await?;
        answer.error_for_status().map(drop).with_context(|| format!("the control {path}"))
    }

    /// A fresh Google: no account but the samples, nothing spent, an empty journal.
    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        self.control("reset", json!({})).await
    }

    /// Lets every call take so long from now on.
    pub(crate) async fn latency(&self, latency_ms: u64) -> anyhow::Result<()> {
        self.control("settings", json!({"latency_ms": latency_ms})).await
    }

    pub(crate) async fn add_account(&self, email: &str) -> anyhow::Result<()> {
        self.control("accounts", json!({"email": email})).await
    }

    /// The calls of the Calendar API since the journal was forgotten.
    pub(crate) async fn calls(&self) -> anyhow::Result<Vec<Call>> {
        #[derive(Deserialize)]
        struct Journal {
            calls: Vec<Call>,
        }
        let answer = self.http.get(self.url("/emulator/journal")).send().await?.error_for_status()?;
        let journal: Journal = answer.json().await?;
        Ok(journal.calls.into_iter().filter(|call| call.operation.starts_with("events.")).collect())
    }

    pub(crate) async fn forget_calls(&self) -> anyhow::Result<()> {
        self.http.delete(self.url("/emulator/journal")).send().await?.error_for_status()?;
        Ok(())
    }
}
