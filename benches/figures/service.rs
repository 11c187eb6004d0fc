//! The service that is measured: its own process, on a database of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus};

use anyhow::{Context as _, bail, ensure};
use cassius_calendar::clock::{Clock, Deadline, Entropy};
use cassius_calendar::crypto::Keyring;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{BeginConnectRequest, GetStatusRequest, IntegrationStatus, LinkCounts};
use jiff::SignedDuration;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::Stage;
use crate::database::{BackEnd, Database};
use crate::google::{Google, Quota};
use crate::process;

/// For so long after its start a replica takes for granted that others spend the quota as well.
const ALONE_AFTER: SignedDuration = SignedDuration::from_secs(46);
/// How long it may take until nothing is left to do after a start.
const LONGEST_UNREST: i64 = 300;
/// What a service and its database spend at most of a core, in seconds a second, when nothing is left to do.
const AT_REST: f64 = 0.03;

/// The process; killed where it is not stopped.
pub(crate) struct Service {
    child: Child,
    channel: Channel,
    pub(crate) back_end: BackEnd,
    pub(crate) database: Database,
    pub(crate) integrations: CalendarIntegrationClient<Channel>,
    pub(crate) appointments: AppointmentSyncClient<Channel>,
    /// What replicas share of the settings.
    shared: Vec<(&'static str, String)>,
    alone_at: Deadline,
    pub(crate) grpc: SocketAddr,
    folder: TempDir,
}

impl Service {
    /// Starts it on an empty database, and Google anew with the quota that it gives a project; it is serving when this
    /// returns.
    pub(crate) async fn start(stage: &Stage, back_end: BackEnd) -> anyhow::Result<Self> {
        Self::start_within(stage, back_end, Quota::GIVEN).await
    }

    /// The same where Google gives `quota`, and the service keeps to it.
    pub(crate) async fn start_within(stage: &Stage, back_end: BackEnd, quota: Quota) -> anyhow::Result<Self> {
        stage.google.begin(quota).await?;
        let database = Database::empty(back_end, "figures").await?;
        let shared = shared_settings(&stage.google, &database, quota);
        Self::serve(stage, database, shared).await
    }

    /// The same as [`Service::start`] with one more setting.
    pub(crate) async fn start_with(
        stage: &Stage,
        back_end: BackEnd,
        setting: (&'static str, String),
    ) -> anyhow::Result<Self> {
        stage.google.begin(Quota::GIVEN).await?;
        let database = Database::empty(back_end, "figures").await?;
        let mut shared = shared_settings(&stage.google, &database, Quota::GIVEN);
        shared.push(setting);
        Self::serve(stage, database, shared).await
    }

    /// Starts another one beside it, on the same database.
    pub(crate) async fn replica(&self, stage: &Stage) -> anyhow::Result<Self> {
        Self::serve(stage, self.database.clone(), self.shared.clone()).await
    }

    /// Stops it, lets `change` change its database, and starts it again.
    pub(crate) async fn restart_after(
        self,
        stage: &Stage,
        change: impl AsyncFnOnce(&Database) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let (database, shared) = (self.database.clone(), self.shared.clone());
        self.stop().await?;
        change(&database).await?;
        Self::serve(stage, database, shared).await
    }

    async fn serve(stage: &Stage, database: Database, shared: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (grpc, http) = (free_address()?, free_address()?);
        let public_url = format!("http://{http}");
        stage.google.register(&public_url);
        let own = [("GRPC_ADDR", grpc.to_string()), ("HTTP_ADDR", http.to_string()), ("PUBLIC_URL", public_url)];
        let child = Command::new(binary())
            .arg("serve")
            .env_clear()
            .envs(shared.iter().cloned().chain(own))
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .context("the service cannot be started: is MEASURED_SERVICE its binary?")?;
        let channel = connect(&stage.clock, grpc).await?;
        Ok(Self {
            child,
            back_end: database.back_end,
            database,
            integrations: CalendarIntegrationClient::new(channel.clone()),
            appointments: AppointmentSyncClient::new(channel.clone()),
            channel,
            shared,
            alone_at: stage.clock.after(ALONE_AFTER),
            grpc,
            folder,
        })
    }

    /// Connections of their own, as so many processes of the caller would have.
    pub(crate) async fn connections(&self, count: usize) -> anyhow::Result<Vec<Channel>> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(endpoint(self.grpc)?.connect().await?);
        }
        Ok(connections)
    }

    /// Callers with connections of their own.
    pub(crate) async fn callers(&self, count: usize) -> anyhow::Result<Vec<AppointmentSyncClient<Channel>>> {
        Ok(self.connections(count).await?.into_iter().map(AppointmentSyncClient::new).collect())
    }

    /// Connects so many organisations, and answers what they are called.
    pub(crate) async fn connect_many(&self, google: &Google, name: &str, count: usize) -> anyhow::Result<Vec<String>> {
        let organisations: Vec<_> = (0..count).map(|number| format!("{name}-{number}")).collect();
        for organisation in &organisations {
            self.connect(google, organisation).await?;
        }
        Ok(organisations)
    }

    /// Connects an organisation with an account of its own, through the consent page.
    pub(crate) async fn connect(&self, google: &Google, organisation: &str) -> anyhow::Result<()> {
        let email = format!("{organisation}@figures.example");
        google.add_account(&email).await?;
        let request = BeginConnectRequest {
            organisation_id: organisation.into(),
            return_url: String::new(),
            ..Default::default()
        };
        let begun = self.integrations.clone().begin_connect(request).await?.into_inner();
        let browser = reqwest::Client::builder().cookie_store(true).build()?;
        let consent = browser.get(&begun.connect_url).send().await?.error_for_status()?.url().clone();
        let scopes = [
            "https://www.googleapis.com/auth/calendar.events",
            "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        ];
        let form = [("account", &*email), ("decision", "allow"), ("scope", scopes[0]), ("scope", scopes[1])];
        browser.post(consent).form(&form).send().await?.error_for_status()?;
        let status = self.status(organisation).await?;
        ensure!(status.google_email == email, "{organisation} was not connected");
        Ok(())
    }

    pub(crate) async fn status(&self, organisation: &str) -> anyhow::Result<IntegrationStatus> {
        let request = GetStatusRequest { organisation_id: organisation.into() };
        let answer = self.integrations.clone().get_status(request).await?.into_inner();
        answer.status.context("an answer without a status")
    }

    /// The counts of these organisations together.
    pub(crate) async fn counts(&self, organisations: &[String]) -> anyhow::Result<LinkCounts> {
        let mut all = LinkCounts::default();
        for organisation in organisations {
            let counts = self.status(organisation).await?.counts.unwrap_or_default();
            all.pending += counts.pending;
            all.synced += counts.synced;
            all.error += counts.error;
        }
        Ok(all)
    }

    /// The memory that is resident now, in mebibytes.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        process::mib(self.child.id(), "VmRSS")
    }

    /// The most memory that was ever resident, in mebibytes.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        process::mib(self.child.id(), "VmHWM")
    }

    /// The time of a processor that it has spent so far, in seconds.
    pub(crate) fn spent_seconds(&self) -> anyhow::Result<f64> {
        process::spent_seconds(self.child.id())
    }

    /// Waits until it has done what it does after a start.
    pub(crate) async fn rests(&self, stage: &Stage) -> anyhow::Result<()> {
        let spent = || anyhow::Ok(self.spent_seconds()? + self.database.spent_seconds()?);
        let mut quiet = 0;
        for _ in 0..LONGEST_UNREST {
            let before = spent()?;
            stage.clock.sleep(SignedDuration::from_secs(1)).await;
            quiet = if spent()? - before <= AT_REST { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(());
            }
        }
        bail!("it has not come to rest within {LONGEST_UNREST} s")
    }

    /// Waits until it rests, and knows that there is no other replica.
    pub(crate) async fn rests_alone(&self, stage: &Stage) -> anyhow::Result<()> {
        match self.back_end {
            BackEnd::Sqlite => {}
            BackEnd::Postgres => stage.clock.sleep_until(self.alone_at).await,
        }
        self.rests(stage).await
    }

    /// Lets it do nothing until it is told to go on.
    pub(crate) fn freeze(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let process = self.child.id().to_string();
        ensure!(Command::new("kill").args([signal, &process]).status()?.success(), "it had ended by itself");
        Ok(())
    }

    /// Stops it as an operator would, and shows what it complained about.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(std::mem::replace(&mut self.channel, Endpoint::from_static("http://127.0.0.1").connect_lazy()));
        self.signal("-TERM")?;
        let ended: ExitStatus = self.child.wait()?;
        let log = fs::read_to_string(self.folder.path().join("log"))?;
        log.lines().take(20).for_each(|line| eprintln!("{line}"));
        ensure!(ended.success(), "the service ended with {ended}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already, or the measurement failed and nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The production build where one is named, otherwise the one that was built beside this bench.
fn binary() -> String {
    std::env::var("MEASURED_SERVICE").unwrap_or_else(|_| env!("CARGO_BIN_EXE_cassius-calendar").to_owned())
}

fn shared_settings(google: &Google, database: &Database, quota: Quota) -> Vec<(&'static str, String)> {
    let own = [
        ("DATABASE_URL", database.url.clone()),
        ("QUOTA_PROJECT_PER_MINUTE", quota.project.to_string()),
        ("QUOTA_USER_PER_MINUTE", quota.user.to_string()),
        ("CASSIUS_APP_URL", "http://127.0.0.1:3000".to_owned()),
        ("ENCRYPTION_KEYS", Keyring::generate(&Entropy::system())),
        ("TICKET_IN_URL", "true".to_owned()),
        ("LOG", "warn".to_owned()),
    ];
    own.into_iter().chain(google.service_settings()).collect()
}

fn endpoint(grpc: SocketAddr) -> anyhow::Result<Endpoint> {
    Ok(Endpoint::from_shared(format!("http://{grpc}"))?.tcp_nodelay(true))
}

async fn connect(clock: &Clock, grpc: SocketAddr) -> anyhow::Result<Channel> {
    for _ in 0..200 {
        if let Ok(channel) = endpoint(grpc)?.connect().await {
            return Ok(channel);
        }
        clock.sleep(SignedDuration::from_millis(50)).await;
    }
    bail!("the service did not come up within ten seconds")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
