//! The service that is measured: its own process, on a database of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus};

use anyhow::{Context as _, bail, ensure};
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::crypto::Keyring;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{BeginConnectRequest, GetStatusRequest, IntegrationStatus, LinkCounts};
use jiff::SignedDuration;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::Stage;
use crate::google::Google;

/// Where the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackEnd {
    Sqlite,
    Postgres,
}

impl BackEnd {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// The process; killed where it is not stopped.
pub(crate) struct Service {
    child: Child,
    channel: Channel,
    pub(crate) back_end: BackEnd,
    pub(crate) integrations: CalendarIntegrationClient<Channel>,
    pub(crate) appointments: AppointmentSyncClient<Channel>,
    grpc: SocketAddr,
    folder: TempDir,
}

impl Service {
    /// Starts it on an empty database, and Google anew; it is serving when this returns.
    pub(crate) async fn start(stage: &Stage, back_end: BackEnd) -> anyhow::Result<Self> {
        stage.google.begin().await?;
        let folder = tempfile::tempdir()?;
        let database = match back_end {
            BackEnd::Sqlite => format!("sqlite:{}", folder.path().join("figures.db").display()),
            BackEnd::Postgres => empty_on_postgres().await?,
        };
        let (grpc, http) = (free_address()?, free_address()?);
        let child = Command::new(binary())
            .arg("serve")
            .env_clear()
            .envs(settings(&stage.google, &database, grpc, http))
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .context("the service cannot be started: is MEASURED_SERVICE its binary?")?;
        let channel = connect(&stage.clock, grpc).await?;
        Ok(Self {
            child,
            back_end,
            integrations: CalendarIntegrationClient::new(channel.clone()),
            appointments: AppointmentSyncClient::new(channel.clone()),
            channel,
            grpc,
            folder,
        })
    }

    /// Another connection, as another process of the caller would have.
    pub(crate) async fn another_caller(&self) -> anyhow::Result<AppointmentSyncClient<Channel>> {
        Ok(AppointmentSyncClient::new(endpoint(self.grpc)?.connect().await?))
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
        self.mib_of("VmRSS:")
    }

    /// The most memory that was ever resident, in mebibytes.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        self.mib_of("VmHWM:")
    }

    fn mib_of(&self, name: &str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// The time of a processor that it has spent so far, in seconds.
    pub(crate) fn spent_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(')').next().context("no name")?;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / 100.0)
    }

    /// Stops it as an operator would, and shows what it complained about.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(std::mem::replace(&mut self.channel, Endpoint::from_static("http://127.0.0.1").connect_lazy()));
        ensure!(Command::new("kill").arg(self.child.id().to_string()).status()?.success(), "it had ended by itself");
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

fn settings(google: &Google, database: &str, grpc: SocketAddr, http: SocketAddr) -> Vec<(&'static str, String)> {
    let public_url = format!("http://{http}");
    google.register(&public_url);
    let own = [
        ("DATABASE_URL", database.to_owned()),
        ("GRPC_ADDR", grpc.to_string()),
        ("HTTP_ADDR", http.to_string()),
        ("PUBLIC_URL", public_url),
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

async fn empty_on_postgres() -> anyhow::Result<String> {
    let server =
        std::env::var("TEST_POSTGRES_URL").context("TEST_POSTGRES_URL names no PostgreSQL: use benches/run")?;
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute("DROP DATABASE IF EXISTS figures WITH (FORCE)").await?;
    client.batch_execute("CREATE DATABASE figures").await?;
    drop(client);
    connection.await??;
    let mut url = url::Url::parse(&server)?;
    url.set_path("figures");
    Ok(url.into())
}
