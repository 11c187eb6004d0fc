//! The composition root: puts the rooms together, serves, and drains.
//!
//! Owns the order of starting and stopping, and the background tasks beside the worker. Never decides anything that a room
//! below could. Invariant: when [`App::stop`] has returned, this process writes nothing to Google any more, and nothing is
//! under a lease of its own that could be given back. What else it had begun (a refresh, a step of a disconnect) ends with
//! the process, and is begun again from what is stored.

mod certificates;
mod database;
mod database_clock;
mod descriptors;
mod housekeeping;
mod keyring;
mod keys;
mod ledger;
mod lock;
mod replicas;
mod rooms;
mod sealing;
mod start_error;
mod traces;

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::connection::{Consents, Integrations};
use crate::delivery::Worker;
use crate::google::{Endpoints, Google};
use crate::grpc::{self, Health};
use crate::http;
use crate::metrics;
use crate::roots::roots;
use keys::Unproven;
use rooms::Rooms;

pub use certificates::tls_fault;
pub use database::{FOREIGN_LANGUAGE, NO_WRITES, migrate, open_beside, reach, reach_or_make};
pub use keys::Keys;
pub use start_error::StartError;

/// How long calls under way may take to end when the service stops. Together with the worker's own patience it stays
/// under the fifteen seconds after which an orchestrator would kill.
const DRAIN: Duration = Duration::from_secs(10);

/// The service, running.
#[derive(Debug)]
pub struct App {
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where the sidecar is served.
    pub http_address: SocketAddr,
    /// Where metrics are served; `None`: nowhere.
    pub metrics_address: Option<SocketAddr>,
    /// What is served at `grpc_address`, for callers within this process.
    pub grpc: Routes,
    /// What is served at `http_address`, for callers within this process.
    pub sidecar: http::Router,
    /// The consents, for `dev`, which begins one itself.
    pub consents: Consents,
    /// The integrations, for `dev`, which shows the status of its sample.
    pub integrations: Integrations,
    /// What can be exchanged while it runs.
    pub keys: Keys,
    health: Health,
    /// Streams and waits end.
    drain: CancellationToken,
    /// Nothing new is accepted.
    close: CancellationToken,
    servers: Vec<JoinHandle<()>>,
    worker: JoinHandle<()>,
    comparing: JoinHandle<()>,
    housekeeping: Vec<JoinHandle<()>>,
    /// What sends spans; `None`: nobody collects them.
    spans: Option<SdkTracerProvider>,
    _lock: Option<lock::Locks>,
}

/// Starts the service: it is serving when this returns.
pub async fn start(config: Config, clock: Clock, entropy: Entropy) -> Result<App, StartError> {
    let google = google(&config, &clock)?;
    start_with(config, google, clock, entropy).await
}

/// The same with another client of Google than the settings ask for.
pub async fn start_with(config: Config, google: Google, clock: Clock, entropy: Entropy) -> Result<App, StartError> {
    let spans = exported_spans(&config)?;
    let keys = Unproven::read(&config, clock.now()).await?;
    let (store, lock) = database::open(&config, &entropy).await?;
    let keys = keys.held_against(&store).await?;
    database_clock::follow(&store, &clock).await?;
    let is_begun = housekeeping::begin_probes(&store, &clock).await;
    let rooms = Rooms::new(&config, store, google, &keys.keyring, clock.clone(), entropy);
    let (drain, close) = (CancellationToken::new(), CancellationToken::new());
    let (routes, health) = grpc::routes(rooms.services(&keys, &drain), config.reflection).map_err(StartError::Grpc)?;
    // The database has just answered; a probe that comes before the first look at it must not find nobody.
    health.tell(true).await;
    // Both addresses are taken before anything is served at one of them.
    let (grpc_listener, grpc_address) = listen("GRPC_ADDR", config.listen.grpc).await?;
    let (http_listener, http_address) = listen("HTTP_ADDR", config.listen.http).await?;
    let sidecar = rooms.sidecar(&config);
    let (grpc_limits, http_limits) = descriptors::limits();
    let mut servers = vec![
        tokio::spawn(grpc::serve(
            grpc_listener,
            routes.clone(),
            keys.tls.clone(),
            grpc_limits,
            clock.clone(),
            close.clone(),
        )),
        tokio::spawn(http::serve(http_listener, sidecar.clone(), http_limits, clock.clone(), close.clone())),
    ];
    let (mut measuring, mut metrics_address) = (None, None);
    if let Some(address) = config.listen.metrics {
        let limits = http::Limits { connections: descriptors::METRICS_CONNECTIONS, ..http_limits };
        let (server, address) = serve_metrics(address, limits, &config, &clock, &close).await?;
        servers.push(server);
        metrics_address = Some(address);
        measuring = Some(tokio::spawn(housekeeping::measure(rooms.store.clone(), clock.clone(), close.clone())));
    }
    let worker = tokio::spawn(Worker::run(rooms.delivery.clone(), close.clone()));
    let comparing = tokio::spawn(housekeeping::compare(rooms.delivery.clone(), close.clone()));
    let (consents, integrations) = (rooms.consents.clone(), rooms.integrations.clone());
    let mut housekeeping = background_tasks(rooms, is_begun, &config, &keys, &health, &close);
    housekeeping.extend(measuring);
    tracing::info!(grpc.address = %grpc_address, http.address = %http_address, "serving");
    Ok(App {
        grpc_address,
        http_address,
        metrics_address,
        grpc: routes,
        sidecar,
        consents,
        integrations,
        keys,
        health,
        drain,
        close,
        servers,
        worker,
        comparing,
        housekeeping,
        spans,
        _lock: lock,
    })
}

/// Sends spans where the settings say; `None`: nowhere.
fn exported_spans(config: &Config) -> Result<Option<SdkTracerProvider>, StartError> {
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
    let roots = roots(None).map_err(StartError::GoogleCa)?;
    traces::export(endpoint, roots).map(Some).map_err(StartError::Traces)
}

/// Serves the metrics, and says where.
async fn serve_metrics(
    address: SocketAddr,
    limits: http::Limits,
    config: &Config,
    clock: &Clock,
    close: &CancellationToken,
) -> Result<(JoinHandle<()>, SocketAddr), StartError> {
    let (listener, address) = listen("METRICS_ADDR", address).await?;
    let router = http::metrics_router(metrics::gather().map_err(StartError::Metrics)?);
    let server = tokio::spawn(http::serve(listener, router, limits, clock.clone(), close.clone()));
    metrics::quota(config.quota.project_per_minute.get());
    tracing::info!(metrics.address = %address, "serving metrics");
    Ok((server, address))
}

/// Begins what goes on beside calls and deliveries.
fn background_tasks(
    rooms: Rooms,
    is_begun: bool,
    config: &Config,
    keys: &Keys,
    health: &Health,
    close: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let resealing = keyring::resealing(&rooms.store, keys, &rooms.entropy, &rooms.clock);
    let Rooms { store, clock, notifier, quota, audit, consents, integrations, delivery, .. } = rooms;
    vec![
        tokio::spawn(housekeeping::end_unkept_grants(consents, clock.clone(), close.clone())),
        tokio::spawn(housekeeping::note_incomplete(integrations.clone(), clock.clone(), close.clone())),
        tokio::spawn(housekeeping::finish_disconnects(integrations.clone(), close.clone())),
        tokio::spawn(housekeeping::reach_links(delivery, close.clone())),
        tokio::spawn(database_clock::keep_following(store.clone(), clock.clone(), notifier.clone(), close.clone())),
        tokio::spawn(keyring::look_after(
            resealing,
            keys.reloaded.clone(),
            notifier.clone(),
            clock.clone(),
            close.clone(),
        )),
        tokio::spawn(replicas::hear(store.clone(), notifier, quota, clock.clone())),
        tokio::spawn(housekeeping::tell_health(store.clone(), is_begun, health.clone(), clock.clone(), close.clone())),
        tokio::spawn(housekeeping::recount(store.clone(), clock.clone(), close.clone())),
        tokio::spawn(housekeeping::sweep_audit(audit, config.audit_retention, clock.clone(), close.clone())),
        tokio::spawn(housekeeping::go_on_erasing(store.clone(), integrations.clone(), clock.clone(), close.clone())),
        tokio::spawn(housekeeping::forget(
            store.clone(),
            config.unconnected_retention,
            config.kept_events_retention,
            clock.clone(),
            close.clone(),
        )),
        tokio::spawn(housekeeping::erase_snapshots(store, config.snapshot_retention, clock, close.clone())),
    ]
}

impl App {
    /// Stops: says NOT_SERVING, ends streams, lets calls under way end, gives leases back. Takes 15 seconds at most.
    pub async fn stop(self) {
        tracing::info!("draining");
        self.housekeeping.iter().for_each(JoinHandle::abort);
        self.health.close().await;
        self.drain.cancel();
        self.close.cancel();
        let servers = futures_util::future::join_all(self.servers.into_iter().map(at_most));
        let (_, worker, comparing) = tokio::join!(servers, self.worker, self.comparing);
        if worker.is_err() || comparing.is_err() {
            tracing::error!("the worker, or who compares, panicked");
        }
        if let Some(spans) = self.spans {
            traces::finish(spans).await;
        }
        tracing::info!("stopped");
    }
}

/// Waits for a server to drain; one that does not is cut off.
async fn at_most(mut server: JoinHandle<()>) {
    #[expect(clippy::disallowed_methods, reason = "the time of a shutdown is real time, whatever clock is used")]
    let time_out = tokio::time::sleep(DRAIN);
    tokio::select! {
        _ = &mut server => {}
        () = time_out => {
            tracing::warn!("calls were still under way at the end of the drain; they are cut off");
            server.abort();
        }
    }
}

/// The client of Google that the settings ask for.
pub fn google(config: &Config, clock: &Clock) -> Result<Google, StartError> {
    let roots = roots(config.google.ca.as_deref()).map_err(StartError::GoogleCa)?;
    let proxy = config.google.proxy.as_ref().map(ExposeSecret::expose_secret);
    let endpoints = Endpoints {
        auth_url: config.google.auth_url.clone(),
        token_url: config.google.token_url.clone(),
        revoke_url: config.google.revoke_url.clone(),
        calendar_url: config.google.calendar_url.clone(),
        issuer: config.google.issuer.clone(),
    };
    let google = Google::new(
        endpoints,
        config.google.client_id.clone(),
        config.google.client_secret.clone(),
        config.redirect_url(),
        config.google.scopes.clone(),
        clock.clone(),
    );
    Ok(google.reached_by(roots, proxy, config.google.no_proxy.as_deref()))
}

async fn listen(variable: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { variable, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
