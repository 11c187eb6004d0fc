//! Google, emulated in this process and called over loopback.

use anyhow::{Context as _, bail};
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::CALLBACK_PATH;
use cassius_calendar::emulator::{self, Emulator};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// How often it is looked for calls before nobody waits for them any more.
const LONGEST_WAIT: u32 = 240;

pub(crate) struct Google {
    emulator: Emulator,
    http: reqwest::Client,
}

/// How many units a minute Google gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// To the project.
    pub(crate) project: u32,
    /// To one account.
    pub(crate) user: u32,
}

impl Quota {
    /// What Google gives unasked: the default of the service and of the emulator alike.
    pub(crate) const GIVEN: Self = Self { project: 10_000, user: 600 };
    /// More than anybody spends.
    pub(crate) const BOUNDLESS: Self = Self { project: 10_000_000, user: 10_000_000 };
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

    async fn control(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let answer = self.http.post(self.url(&format!("/emulator/{path}"))).json(&body).send().await?;
        let answer = answer.error_for_status().with_context(|| format!("the control {path}"))?;
        Ok(answer.json().await?)
    }

    /// A fresh Google that gives `quota`: no account but the samples, nothing spent, an empty journal.
    pub(crate) async fn begin(&self, quota: Quota) -> anyhow::Result<()> {
        self.control("reset", json!({})).await?;
        let limits = json!({"project_units_per_minute": quota.project, "user_units_per_minute": quota.user});
        self.control("settings", limits).await.map(drop)
    }

    /// Lets every call take so long from now on.
    pub(crate) async fn latency(&self, latency_ms: u64) -> anyhow::Result<()> {
        self.control("settings", json!({"latency_ms": latency_ms})).await.map(drop)
    }

    pub(crate) async fn add_account(&self, email: &str) -> anyhow::Result<()> {
        self.control("accounts", json!({"email": email})).await.map(drop)
    }

    /// An access token of an account, which gave it without a consent.
    pub(crate) async fn token(&self, email: &str) -> anyhow::Result<String> {
        let scopes = json!({"scopes": ["https://www.googleapis.com/auth/calendar.events"]});
        let granted = self.control(&format!("accounts/{email}/grants"), scopes).await?;
        granted["access_token"].as_str().map(str::to_owned).context("a grant without an access token")
    }

    /// All calls since the journal was forgotten.
    pub(crate) async fn all_calls(&self) -> anyhow::Result<Vec<Call>> {
        #[derive(Deserialize)]
        struct Journal {
            calls: Vec<Call>,
        }
        let answer = self.http.get(self.url("/emulator/journal")).send().await?.error_for_status()?;
        Ok(answer.json::<Journal>().await?.calls)
    }

    /// Those about events.
    pub(crate) async fn calls(&self) -> anyhow::Result<Vec<Call>> {
        let calls = self.all_calls().await?;
        Ok(calls.into_iter().filter(|call| call.operation.starts_with("events.")).collect())
    }

    /// Waits until so many calls about events were carried out, and answers them. The service is asked nothing meanwhile.
    pub(crate) async fn carried_out(&self, clock: &Clock, count: usize) -> anyhow::Result<Vec<Call>> {
        for _ in 0..LONGEST_WAIT {
            let calls = self.calls().await?;
            if calls.iter().filter(|call| call.status == Some(200)).count() >= count {
                return Ok(calls);
            }
            clock.sleep(SignedDuration::from_millis(500)).await;
        }
        bail!("there were not {count} calls within {} s", LONGEST_WAIT / 2)
    }

    pub(crate) async fn forget_calls(&self) -> anyhow::Result<()> {
        self.http.delete(self.url("/emulator/journal")).send().await?.error_for_status()?;
        Ok(())
    }
}
