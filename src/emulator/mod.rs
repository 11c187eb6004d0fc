//! Google on loopback: Calendar v3 and OAuth 2.0, for `dev`, tests and benches.
//!
//! Owns an emulation that is as strict as Google wherever this project relies on Google: ids, etags, deleted events,
//! scopes, expiring tokens, quotas in units, consent. It is steered and watched over HTTP under `/emulator/` (see
//! `control`), and what it claims about Google is the contract suite in `tests/contract`, which also runs against
//! Google itself. Of this project it imports the room `clock` and the path of the callback alone, and it never
//! calls anybody.
//!
//! Invariant: one mutex holds the whole state, nothing awaits while holding it, and an answer leaves only after its
//! call stands in the journal, and what it has changed in the state file, where there is one.

mod batch;
mod calendar;
mod call;
mod control;
mod fault;
mod file;
mod journal;
mod oauth;
mod pages;
mod quota;
mod refusal;
mod response;
mod scope;
mod selection;
mod server;
mod settings;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use crate::clock::{Clock, Entropy};
use crate::config::CALLBACK_PATH;
use fault::Faults;
use file::StateFile;
use journal::Journal;
use quota::Quota;
use settings::Settings;
use world::World;

/// How an emulator is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Tells the time for token expiry, quota windows and timestamps. Emulated latency is real time all the same.
    pub clock: Clock,
    /// Draws tokens, codes and calendar ids.
    pub entropy: Entropy,
    /// Keeps accounts, calendars, events and grants over restarts; without it nothing is written to disk.
    pub state_file: Option<PathBuf>,
    /// The one OAuth client that Google knows.
    pub client_id: String,
    /// The secret of that client.
    pub client_secret: String,
    /// The redirect URIs of that client. What a consent names is compared with them byte by byte.
    pub redirect_uris: Vec<String>,
}

impl Options {
    /// A free port on 127.0.0.1, no state file, and the sample client `emulated-client`, which has the redirect URI of a
    /// service with its default `PUBLIC_URL`.
    pub fn loopback(clock: Clock, entropy: Entropy) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock,
            entropy,
            state_file: None,
            client_id: "emulated-client.apps.googleusercontent.com".to_owned(),
            client_secret: "emulated-secret".to_owned(),
            redirect_uris: vec![format!("http://127.0.0.1:8080{CALLBACK_PATH}")],
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours: choose another.
    #[error("the emulator cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The state file is there but cannot be used: repair or remove it.
    #[error("the emulator cannot use its state file {path}")]
    StateFile {
        /// The state file's path.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
}

/// Answers requests within this process.
pub type InProcess = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, io::Error>;

/// A running emulator; dropping it ends it.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    routes: Router,
    client_id: String,
    client_secret: String,
    ending: CancellationToken,
    tasks: TaskTracker,
}

impl Emulator {
    /// The origin under which everything is served, without a slash at the end; the issuer of its id tokens as well.
    pub fn base_url(&self) -> String {
        base_url(self.address)
    }

    /// The same routes without a socket, for a caller in this process: a request that the caller drops is one that it hung
    /// up on, and an answer that is lost is an error.
    pub fn in_process(&self) -> InProcess {
        let routes = self.routes.clone();
        BoxCloneSyncService::new(service_fn(move |request: Request<Bytes>| {
            let routes = routes.clone();
            async move {
                let (head, body) = server::answer(routes, request.map(Body::from)).await?.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.map_err(io::Error::other)?;
                Ok(Response::from_parts(head, body))
            }
        }))
    }

    /// The service's settings under which this emulator is its Google: the addresses and the OAuth client, by variable.
    pub fn settings(&self) -> [(&'static str, String); 7] {
        let [auth, token, revoke, calendar, issuer] = addresses(&self.base_url());
        let id = ("GOOGLE_CLIENT_ID", self.client_id.clone());
        [auth, token, revoke, calendar, issuer, id, ("GOOGLE_CLIENT_SECRET", self.client_secret.clone())]
    }

    /// Registers one more redirect URI of the OAuth client, as its owner does in Google's console.
    pub fn register_redirect_uri(&self, uri: &str) {
        self.shared.lock().redirect_uris.push(uri.to_owned());
    }

    /// Drops every connection, writes what is unwritten, and returns when all is over.
    pub async fn shutdown(self) {
        self.ending.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

/// Where its consent page is.
const CONSENT_PATH: &str = "/o/oauth2/v2/auth";
/// Where its token endpoint is.
const TOKEN_PATH: &str = "/token";
/// Where its revocation endpoint is.
const REVOKE_PATH: &str = "/revoke";
/// Below what Calendar v3 is.
const CALENDAR_PATH: &str = "/calendar/v3";

/// The addresses under which an emulator at `base` is Google, by the variables of the service's settings.
pub fn addresses(base: &str) -> [(&'static str, String); 5] {
    [
        ("GOOGLE_AUTH_URL", format!("{base}{CONSENT_PATH}")),
        ("GOOGLE_TOKEN_URL", format!("{base}{TOKEN_PATH}")),
        ("GOOGLE_REVOKE_URL", format!("{base}{REVOKE_PATH}")),
        ("GOOGLE_CALENDAR_URL", format!("{base}{CALENDAR_PATH}")),
        ("GOOGLE_ISSUER", base.to_owned()),
    ]
}

/// Starts an emulator: it listens and serves when this returns. A fresh one has two sample accounts.
///
/// # Errors
///
/// [`Error::Listen`] and [`Error::StateFile`].
pub async fn start(options: Options) -> Result<Emulator, Error> {
    let Options { listen, clock, entropy, state_file, client_id, client_secret, redirect_uris } = options;
    let world = match &state_file {
        Some(path) => file::load(path).map_err(|source| Error::StateFile { path: path.clone(), source })?,
        None => None,
    };
    let world = world.unwrap_or_else(world::samples);
    let failed = |source| Error::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let shared = Arc::new(Shared {
        google: Mutex::new(Google::new(world, redirect_uris)),
        clock,
        entropy,
        base_url: base_url(address),
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        file: state_file.map(StateFile::new),
    });
    let (ending, tasks) = (CancellationToken::new(), TaskTracker::new());
    if shared.file.is_some() {
        tasks.spawn(file::keep(Arc::clone(&shared), ending.clone()));
    }
    let routes = server::routes(Arc::clone(&shared));
    tasks.spawn(server::serve(listener, routes.clone(), ending.clone(), tasks.clone()));
    tasks.close();
    Ok(Emulator { address, shared, routes, client_id, client_secret, ending, tasks })
}

fn base_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// What every route is handed.
#[derive(Debug)]
struct Shared {
    google: Mutex<Google>,
    clock: Clock,
    entropy: Entropy,
    base_url: String,
    client_id: String,
    client_secret: String,
    file: Option<StateFile>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Google> {
        self.google.lock()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Counts a change of the world, which [`Shared::saved`] can then wait for.
    fn changed(&self, google: &mut Google) -> u64 {
        google.version += 1;
        if let Some(file) = &self.file {
            file.want(google.version);
        }
        google.version
    }

    /// Waits until `version` of the world is on disk; at once where nothing is kept.
    async fn saved(&self, version: u64) {
        if let Some(file) = &self.file {
            file.saved(version).await;
        }
    }
}

/// Everything on Google's side.
#[derive(Debug)]
struct Google {
    world: World,
    redirect_uris: Vec<String>,
    settings: Settings,
    faults: Faults,
    journal: Journal,
    quota: Quota,
    version: u64,
}

impl Google {
    fn new(world: World, redirect_uris: Vec<String>) -> Self {
        Self {
            world,
            redirect_uris,
            settings: Settings::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            quota: Quota::default(),
            version: 0,
        }
    }
}
