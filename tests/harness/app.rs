//! The service under test, whole: started as `serve` starts it, on a clock that the test moves.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;

use cassius_calendar::app::{self, App};
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::{Config, Mode};
use cassius_calendar::crypto::{Keyring, digest};
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::grpc::pb::{
    Appointment, AppointmentLink, ConfirmAccountRequest, GetAppointmentLinkRequest, GetStatusRequest,
    IntegrationStatus, SyncAppointmentRequest, WatchStatusRequest,
};
use cassius_calendar::store;
use jiff::{SignedDuration, Timestamp};
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::browser::Browser;
use super::database::Database;
use super::google::Google;
use super::logs;

/// The instant at which every test begins.
pub(crate) const START: &str = "2026-03-02T08:00:00Z";
/// The key that the harness calls with; it stands for every organisation.
pub(crate) const API_KEY: &str = "canary-api-key-Zx81";

/// How long a test waits, in real time, for what it expects.
pub(crate) const BOUND: std::time::Duration = std::time::Duration::from_secs(180);
/// How long nothing has moved, in real time, when nothing is going to move by itself.
const STILL: std::time::Duration = std::time::Duration::from_secs(3);
/// The same for a second of simulated time: where a slow machine needs longer, one more second passes than would have to.
const A_WHILE: std::time::Duration = std::time::Duration::from_millis(500);
/// The longest time between two looks of the worker.
const POLL: SignedDuration = SignedDuration::from_secs(5);

type WithKey = fn(tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status>;
pub(crate) type Integrations = CalendarIntegrationClient<InterceptedService<Channel, WithKey>>;
pub(crate) type Appointments = AppointmentSyncClient<InterceptedService<Channel, WithKey>>;

pub(crate) struct TestApp {
    pub(crate) clock: Clock,
    pub(crate) google: Google,
    pub(crate) database: Database,
    pub(crate) integrations: Integrations,
    pub(crate) appointments: Appointments,
    pub(crate) browser: Browser,
    pub(crate) settings: HashMap<String, String>,
    looks: i64,
    app: Option<App>,
}

impl TestApp {
    /// Starts the emulated Google and the service, with its API key required.
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_with(database, &[]).await
    }

    /// The same, with settings besides the harness's own.
    pub(crate) async fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::start_by(Clock::manual(START.parse::<Timestamp>().unwrap()), database, settings).await
    }

    /// The same, by another clock.
    pub(crate) async fn start_by(clock: Clock, database: Database, settings: &[(&str, &str)]) -> Self {
        logs::start();
        let google = Google::start(&clock).await;
        let mut all: HashMap<String, String> = [
            ("DATABASE_URL", database.url.clone()),
            ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
            ("HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("CASSIUS_APP_URL", "http://127.0.0.1:3000".to_owned()),
            ("ENCRYPTION_KEYS", Keyring::generate(&Entropy::system())),
            ("API_KEYS", format!("tests:{}:*", data_encoding::HEXLOWER.encode(&digest(API_KEY.as_bytes())))),
            ("REFLECTION", "true".to_owned()),
            // The clock stands still: an edit that waits would wait for ever.
            ("WRITE_SPACING", "0".to_owned()),
        ]
        .into_iter()
        .chain(google.service_settings())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let app = serve(&all, &clock).await;
        let (integrations, appointments) = clients_at(app.grpc_address).await;
        let browser = Browser::new(app.http_address);
        Self { clock, google, database, integrations, appointments, browser, settings: all, looks: 0, app: Some(app) }
    }

    /// Stops the service as an operator would, and starts it again on the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let app = serve(&self.settings, &self.clock).await;
        (self.integrations, self.appointments) = clients_at(app.grpc_address).await;
        self.browser = Browser::new(app.http_address);
        self.app = Some(app);
    }

    /// The same, with time passing while it is stopped: no call is under way that the time would count against.
    pub(crate) async fn restart_after(&mut self, seconds: i64) {
        self.stop().await;
        self.advance(seconds);
        self.restart().await;
    }

    /// Stops the service; the database, the emulated Google and the clock stay.
    pub(crate) async fn stop(&mut self) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
    }

    pub(crate) fn running(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    /// Ends the test: stops the service, and asserts what holds at the end of every test.
    pub(crate) async fn end(mut self) {
        self.stop().await;
        self.google.no_write_invites_or_notifies().await;
        self.google.no_two_calls_for_one_event_at_a_time().await;
        self.google.no_event_is_doubled().await;
        for table in ["appointment_external_links", "owed_deletions"] {
            let leased = format!("SELECT COUNT(*) FROM {table} WHERE lease_token IS NOT NULL");
            assert_eq!(self.database.number(&leased).await, 0, "rows of {table} are still leased");
        }
        logs::hold_nothing_secret();
        if self.database.is_postgres() {
            self.database.drop().await;
        }
    }

    /// Connects an organisation with the emulated account `email`, through the consent page.
    pub(crate) async fn connect_as(&mut self, organisation: &str, email: &str) {
        let outcome = self.browser.consent(&mut self.integrations, organisation, email).await;
        if outcome == "other_account" {
            self.confirm_account(organisation, true).await;
        } else {
            assert_eq!(outcome, "connected");
        }
    }

    /// Takes the account that waits to be confirmed, or drops it.
    pub(crate) async fn confirm_account(&mut self, organisation: &str, accept: bool) -> IntegrationStatus {
        let request = ConfirmAccountRequest { organisation_id: organisation.into(), accept };
        self.integrations.confirm_account(request).await.unwrap().into_inner().status.unwrap()
    }

    /// Connects an organisation with the first sample account.
    pub(crate) async fn connect(&mut self, organisation: &str) {
        self.connect_as(organisation, super::google::ACCOUNT).await;
    }

    /// Syncs an appointment and waits until it is settled; time goes on only where an attempt failed.
    pub(crate) async fn sync(&mut self, organisation: &str, appointment: Appointment) -> AppointmentLink {
        let wait = Some(prost_types::Duration { seconds: 30, nanos: 0 });
        let request =
            SyncAppointmentRequest { organisation_id: organisation.into(), appointment: Some(appointment), wait };
        let mut appointments = self.appointments.clone();
        let settled = self.while_time_goes_on(appointments.sync_appointment(request)).await;
        settled.expect("the appointment is settled").unwrap().into_inner().link.unwrap()
    }

    /// Syncs an appointment without waiting for Google.
    pub(crate) async fn accept(&mut self, organisation: &str, appointment: Appointment) -> AppointmentLink {
        let request =
            SyncAppointmentRequest { organisation_id: organisation.into(), appointment: Some(appointment), wait: None };
        self.appointments.sync_appointment(request).await.unwrap().into_inner().link.unwrap()
    }

    pub(crate) async fn link(&mut self, organisation: &str, appointment: &str) -> AppointmentLink {
        let request =
            GetAppointmentLinkRequest { organisation_id: organisation.into(), appointment_id: appointment.into() };
        self.appointments.get_appointment_link(request).await.unwrap().into_inner().link.unwrap()
    }

    pub(crate) async fn status(&mut self, organisation: &str) -> IntegrationStatus {
        let request = GetStatusRequest { organisation_id: organisation.into() };
        self.integrations.get_status(request).await.unwrap().into_inner().status.unwrap()
    }

    /// Watches an organisation until its status is as wanted; the stream tells each change, so nothing is polled. Where
    /// nothing is told for long, time goes on to what is due next: a call that time has jumped over is made again by
    /// nobody else.
    pub(crate) async fn until(
        &mut self,
        organisation: &str,
        is_wanted: impl Fn(&IntegrationStatus) -> bool,
    ) -> IntegrationStatus {
        let request = WatchStatusRequest { organisation_id: organisation.into() };
        let mut statuses = self.integrations.watch_status(request).await.unwrap().into_inner();
        let mut latest = None;
        let watch = async {
            loop {
                // Where a call hangs because a test wants it to, time stands, and what is told is heard all the same.
                let go_on = async {
                    let _ = tokio::time::timeout(2 * STILL, std::future::pending::<()>()).await;
                    self.go_on_to_what_is_due().await;
                };
                let message = tokio::select! {
                    message = statuses.message() => message,
                    () = go_on => continue,
                };
                let status = message.unwrap().unwrap().status.unwrap();
                if is_wanted(&status) {
                    return status;
                }
                latest = Some(status);
            }
        };
        // A bound for a test that would hang; none that a passing test comes near.
        match tokio::time::timeout(BOUND, watch).await {
            Ok(status) => status,
            Err(_) => panic!("the status never became what was wanted; it is {latest:?}"),
        }
    }

    /// Asks for a link until it is as wanted: no stream tells of one. Where it does not become so for long, time goes on.
    pub(crate) async fn until_link(
        &mut self,
        organisation: &str,
        appointment: &str,
        is_wanted: impl Fn(&AppointmentLink) -> bool,
    ) -> AppointmentLink {
        let ask = async {
            loop {
                let still = async {
                    loop {
                        let link = self.link(organisation, appointment).await;
                        if is_wanted(&link) {
                            return link;
                        }
                    }
                };
                if let Ok(link) = tokio::time::timeout(2 * STILL, still).await {
                    return link;
                }
                // Where a call hangs because a test wants it to, time stands.
                let _ = tokio::time::timeout(STILL, self.go_on_to_what_is_due()).await;
            }
        };
        tokio::time::timeout(BOUND, ask).await.expect("the link never became what was wanted")
    }

    /// Watches until nothing is to be sent any more; time goes on where something is due later.
    pub(crate) async fn at_rest(&mut self, organisation: &str) -> IntegrationStatus {
        let mut integrations = self.integrations.clone();
        let request = WatchStatusRequest { organisation_id: organisation.into() };
        let mut statuses = integrations.watch_status(request).await.unwrap().into_inner();
        let mut latest = None;
        loop {
            let Some(message) = self.while_time_goes_on(statuses.message()).await else {
                panic!("something stays to be sent: {latest:?}");
            };
            let status = message.unwrap().unwrap().status.unwrap();
            if status.counts.is_some_and(|counts| counts.pending == 0) {
                return status;
            }
            latest = Some(status);
        }
    }

    /// Watches until nothing is to be sent any more; a second passes whenever nothing moves. Answers how many passed.
    pub(crate) async fn seconds_to_rest(&mut self, organisation: &str) -> u32 {
        let request = WatchStatusRequest { organisation_id: organisation.into() };
        let mut statuses = self.integrations.watch_status(request).await.unwrap().into_inner();
        let mut seconds = 0;
        let watch = async {
            loop {
                match tokio::time::timeout(A_WHILE, statuses.message()).await {
                    Ok(message) => {
                        let status = message.unwrap().unwrap().status.unwrap();
                        if status.counts.is_some_and(|counts| counts.pending == 0) {
                            return;
                        }
                    }
                    Err(_) => {
                        self.google.until_idle().await;
                        self.advance(1);
                        seconds += 1;
                    }
                }
            }
        };
        tokio::time::timeout(BOUND, watch).await.expect("something stays to be sent");
        seconds
    }

    /// Waits for what the service answers. Where nothing moves for a while, time goes on to what is due next: a slow
    /// machine may have let an attempt fail, and nobody else would wake the next one. `None`: it never answers.
    pub(crate) async fn while_time_goes_on<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = std::pin::pin!(answer);
        // A bound for a test that would hang; none that a passing test comes near.
        let waiting = async {
            loop {
                if let Ok(answer) = tokio::time::timeout(STILL, &mut answer).await {
                    return answer;
                }
                // An answer that comes late is taken, even where a call hangs that would have to end first.
                tokio::select! {
                    biased;
                    answer = &mut answer => return answer,
                    () = self.go_on_to_what_is_due() => {}
                }
            }
        };
        tokio::time::timeout(BOUND, waiting).await.ok()
    }

    /// Moves the clock to the next instant at which something becomes due. A call of Google that is under way is waited
    /// for: the time would count against it.
    async fn go_on_to_what_is_due(&self) {
        self.google.until_idle().await;
        let now = self.clock.now();
        let store = &self.database.store;
        let next = match store.look(Timestamp::UNIX_EPOCH, 100, 1, now).await {
            Ok(_) => store.next_due_at(now, Timestamp::MAX).await,
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => self.clock.advance(next.map_or(POLL, |next| next.duration_since(now))),
            // A busy machine's database did not answer in time: whoever waits comes here again.
            Err(store::Error::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Lets the worker look at whatever is due now, and whatever it began come to its end: what was not called for by
    /// then is not called for. An organisation of its own shows that it has looked. Time stands, however slow the machine is:
    /// what is due later stays so.
    pub(crate) async fn worker_looks(&mut self) {
        const LANDMARK: (&str, &str) = ("repère", "repere@example.com");
        self.looks += 1;
        if self.looks == 1 {
            self.google.control("accounts", serde_json::json!({"email": LANDMARK.1})).await;
            self.connect_as(LANDMARK.0, LANDMARK.1).await;
        }
        let request = SyncAppointmentRequest {
            organisation_id: LANDMARK.0.into(),
            appointment: Some(super::samples::appointment(&format!("repère {}", self.looks), 1)),
            wait: Some(prost_types::Duration { seconds: 30, nanos: 0 }),
        };
        let looked = tokio::time::timeout(BOUND, self.appointments.sync_appointment(request)).await;
        let link = looked.expect("the worker looks").unwrap().into_inner().link.unwrap();
        assert_eq!(link.synced_revision, 1);
        self.restart().await;
    }

    /// Lets time pass. A call of Google that is under way is given up where that is longer than its deadline.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

pub(crate) async fn serve(settings: &HashMap<String, String>, clock: &Clock) -> App {
    let source = |name: &str| settings.get(name).map(OsString::from);
    let config = Config::load(&source, Mode::Serve, &[]).unwrap();
    app::start(config, clock.clone(), Entropy::system()).await.unwrap()
}

/// Clients of a service at an address of loopback, with the harness's key.
pub(crate) async fn clients_at(address: SocketAddr) -> (Integrations, Appointments) {
    clients(Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap())
}

/// Clients over a channel.
pub(crate) fn clients(channel: Channel) -> (Integrations, Appointments) {
    (
        CalendarIntegrationClient::with_interceptor(channel.clone(), WITH_KEY),
        AppointmentSyncClient::with_interceptor(channel, WITH_KEY),
    )
}

/// What a client calls a service through that is in the same process.
type Within = InterceptedService<Routes, WithKey>;

/// Clients that call a service without a network between.
pub(crate) fn clients_within(app: &TestApp) -> (CalendarIntegrationClient<Within>, AppointmentSyncClient<Within>) {
    let routes = &app.running().grpc;
    (
        CalendarIntegrationClient::with_interceptor(routes.clone(), WITH_KEY),
        AppointmentSyncClient::with_interceptor(routes.clone(), WITH_KEY),
    )
}

const WITH_KEY: WithKey = |mut request| {
    request.metadata_mut().insert("authorization", format!("Bearer {API_KEY}").parse().unwrap());
    Ok(request)
};
