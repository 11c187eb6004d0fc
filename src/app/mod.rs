//! The composition root: puts the rooms together, serves, and drains.
//!
//! Owns the order of starting and stopping, and the standing tasks beside the worker. Never decides anything that a room
//! below could. Invariant: when [`App::stop`] has returned, no call is under way, and no lease is held that this process
//! could give back.

mod database_clock;
mod descriptors;
mod housekeeping;
mod keyring;
mod keys;
mod ledger;
mod lock;
mod replicas;
mod start_error;
mod traces;

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::clock::{Clock, Entropy};
use crate::config::{Config, Database};
use crate::connection::{self, Audit, Consents, Grants, Integrations};
use crate::crypto::Keyring;
use crate::delivery::{Delivery, Worker};
use crate::google::{Endpoints, Google};
use crate::grpc::{self, Health, Services};
use crate::http;
use crate::metrics;
use crate::notifier::Notifier;
use crate::quota::{Ledger, Quota};
use crate::resealing::mistaken_first_key;
use crate::roots::roots;
use crate::store::{self, Schema, Store};
use ledger::StoredLedger;

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
    housekeeping: Vec<JoinHandle<()>>,
    /// What sends spans; `None`: nobody collects them.
    spans: Option<SdkTracerProvider>,
    _lock: Option<File>,
}

/// Starts the service: it is serving when this returns.
pub async fn start(config: Config, clock: Clock, entropy: Entropy) -> Result<App, StartError> {
    let google = google(&config, &clock)?;
    start_with(config, google, clock, entropy).await
}

/// The same with another client of Google than the settings ask for.
pub async fn start_with(config: Config, google: Google, clock: Clock, entropy: Entropy) -> Result<App, StartError> {
    let spans = match &config.otlp_endpoint {
        Some(endpoint) => {
            Some(traces::export(endpoint, roots(None).map_err(StartError::GoogleCa)?).map_err(StartError::Traces)?)
        }
        None => None,
    };
    let keys = Keys::read(&config).await?;
    let (store, lock) = open_store(&config, &entropy).await?;
    if let Some(key) = mistaken_first_key(&store, &keys.keyring).await? {
        return Err(StartError::MistakenKey(key));
    }
    database_clock::follow(&store, &clock).await?;
    let notifier = Notifier::default();
    // An SQLite file has no other replicas to be heard.
    notifier.set_misses_remote_changes(store.is_shared());
    let (consents, integrations, delivery, quota) =
        assemble(&config, &store, google, &keys.keyring, &clock, &entropy, &notifier);
    let audit = Audit::new(store.clone(), clock.clone(), entropy.clone());
    let (drain, close) = (CancellationToken::new(), CancellationToken::new());
    let resealing = keyring::resealing(&store, &keys, &entropy, &clock);
    let services = Services {
        consents: consents.clone(),
        integrations: integrations.clone(),
        delivery: delivery.clone(),
        callers: keys.callers.clone(),
        audit: audit.clone(),
        entropy,
        clock: clock.clone(),
        drain: drain.clone(),
    };
    let (routes, health) = grpc::routes(services, config.reflection).map_err(StartError::Grpc)?;
    // The database has just answered; a probe that comes before the first look at it must not find nobody.
    health.tell(true).await;
    // Both addresses are taken before anything is served at one of them.
    let (grpc_listener, grpc_address) = listen("GRPC_ADDR", config.listen.grpc).await?;
    let (http_listener, http_address) = listen("HTTP_ADDR", config.listen.http).await?;
    let sidecar = http::router(http::Sidecar {
        consents: consents.clone(),
        ticket_in_url: config.ticket_in_url,
        is_https: config.public_url.scheme() == "https",
        app_url: config.cassius_app_url.clone(),
    });
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
        let (listener, address) = listen("METRICS_ADDR", address).await?;
        let router = http::metrics_router(metrics::gather().map_err(StartError::Metrics)?);
        let limits = http::Limits { connections: 8, ..http_limits };
        servers.push(tokio::spawn(http::serve(listener, router, limits, clock.clone(), close.clone())));
        metrics::quota(config.quota.project_per_minute.get());
        metrics_address = Some(address);
        tracing::info!(metrics.address = %address, "serving metrics");
        measuring = Some(tokio::spawn(housekeeping::measure(store.clone(), clock.clone(), close.clone())));
    }
    let worker = tokio::spawn(Worker::run(delivery.clone(), close.clone()));
    let mut housekeeping = vec![
        tokio::spawn(housekeeping::end_unkept_grants(integrations.clone(), clock.clone(), close.clone())),
        tokio::spawn(housekeeping::finish_disconnects(integrations.clone(), close.clone())),
        tokio::spawn(housekeeping::compare(delivery.clone(), close.clone())),
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
        tokio::spawn(housekeeping::tell_health(store.clone(), health.clone(), clock.clone(), close.clone())),
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
    ];
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
        housekeeping,
        spans,
        _lock: lock,
    })
}

/// Opens the database, whose tables are this version's. An SQLite file stays locked for as long as the second part
/// lives.
async fn open_store(config: &Config, entropy: &Entropy) -> Result<(Store, Option<File>), StartError> {
    let lock = lock::take(config.database.url.expose_secret())?;
    let replica = data_encoding::HEXLOWER.encode(&entropy.bytes::<4>());
    let options = store::Options { replica, links_at_once: config.links_at_once, ..store::Options::default() };
    let store = reach_with(&config.database, options).await?;
    if config.migrate {
        for migration in migrate(&store).await? {
            tracing::info!(%migration, "applied a migration");
        }
    }
    tables_are_current(&store).await?;
    if lock.is_some() {
        // Nobody else serves this file: whoever held a lease is gone.
        store.release_all().await?;
    }
    Ok((store, lock))
}

/// Opens the database, whose tables are this version's, for a command that works beside those who serve it.
pub async fn open_beside(database: &Database) -> Result<Store, StartError> {
    let store = reach(database).await?;
    tables_are_current(&store).await?;
    Ok(store)
}

/// Opens the database, and waits for an answer as long as its address says.
pub async fn reach(database: &Database) -> Result<Store, StartError> {
    reach_with(database, store::Options::default()).await
}

async fn reach_with(database: &Database, options: store::Options) -> Result<Store, StartError> {
    let credentials = store::Credentials {
        ca: database.ca.clone(),
        password: database.password.clone(),
        passfile: database.passfile.clone(),
    };
    let store = Store::open(database.url.expose_secret(), &store::Options { credentials, ..options }).await?;
    // Before anything is prepared.
    if store.is_pooled_unsaid().await? {
        return Err(StartError::Pooled);
    }
    store.connect_patiently().await?;
    Ok(store)
}

/// Applies what is pending, and answers its names. Tables of a later version are left as they are.
pub async fn migrate(store: &Store) -> Result<Vec<String>, StartError> {
    match store.schema().await? {
        Schema::Newer => Err(StartError::NewerSchema),
        Schema::Current | Schema::None | Schema::Older => Ok(store.migrate().await?),
    }
}

async fn tables_are_current(store: &Store) -> Result<(), StartError> {
    match store.schema().await? {
        Schema::Current => Ok(()),
        Schema::None => Err(StartError::NoSchema),
        Schema::Older => Err(StartError::OlderSchema),
        Schema::Newer => Err(StartError::NewerSchema),
    }
}

/// Puts the rooms between the wire and the database together. Nothing is asked of any of them yet.
fn assemble(
    config: &Config,
    store: &Store,
    google: Google,
    keyring: &Arc<Keyring>,
    clock: &Clock,
    entropy: &Entropy,
    notifier: &Notifier,
) -> (Consents, Integrations, Delivery, Arc<Quota>) {
    let quota = quota(config, store, clock);
    let settings = connection::Settings {
        public_url: config.public_url.clone(),
        return_urls: config.return_urls.clone(),
        ticket_in_url: config.ticket_in_url,
    };
    let grants = Grants::new(
        store.clone(),
        google.clone(),
        keyring.clone(),
        clock.clone(),
        entropy.clone(),
        notifier.clone(),
        quota.clone(),
    );
    let audit = Audit::new(store.clone(), clock.clone(), entropy.clone());
    let consents = Consents::new(store.clone(), google.clone(), grants.clone(), clock.clone(), settings, audit);
    let integrations = Integrations::new(store.clone(), grants.clone(), clock.clone(), notifier.clone());
    let delivery = Delivery::new(
        store.clone(),
        google,
        grants,
        keyring.clone(),
        clock.clone(),
        entropy.clone(),
        notifier.clone(),
        quota.clone(),
        config.cassius_app_url.clone(),
        config.write_spacing,
    );
    (consents, integrations, delivery, quota)
}

fn quota(config: &Config, store: &Store, clock: &Clock) -> Arc<Quota> {
    let ledger: Option<Arc<dyn Ledger>> = match store.is_shared() {
        true => Some(Arc::new(StoredLedger(store.clone()))),
        false => None,
    };
    let quota = &config.quota;
    Arc::new(Quota::new(quota.project_per_minute, quota.user_per_minute, clock.clone(), ledger))
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
        let (_, worker) = tokio::join!(servers, self.worker);
        if worker.is_err() {
            tracing::error!("the worker panicked");
        }
        if let Some(spans) = self.spans {
            traces::finish(spans).await;
        }
        tracing::info!("stopped");
    }
}

/// Waits for a server to drain; one that does not is cut off.
async fn at_most(mut server: JoinHandle<()>) {
    #[expect(clippy::disallowed_methods, reason = "the patience of a shutdown is real time, whatever clock is used")]
    let patience = tokio::time::sleep(DRAIN);
    tokio::select! {
        _ = &mut server => {}
        () = patience => {
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
