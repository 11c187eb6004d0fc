//! Every setting: from the environment, from the files that it names, and the keyring from a command, too.
//!
//! Owns the names of the settings, their defaults, and the rules they must keep, alone and together. Never echoes a
//! value: a fault names the variable, what is wrong and what to do.
//!
//! Invariant: a [`Config`] that exists is fit to start with.

mod access;
mod api_key;
mod command;
mod fault;
mod near_miss;
mod parse;
mod reader;
mod reread;
mod return_urls;
mod settings;
mod sidecar;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use jiff::SignedDuration;
use secrecy::SecretString;
use url::Url;

pub use access::{Listen, Tls};
pub use api_key::{ApiKey, Organisations};
pub use fault::{Fault, Faults};
pub use near_miss::{near_misses, perhaps_meant};
pub use reader::is_open_to_all;
pub use reread::Reread;
pub use return_urls::ReturnUrls;
pub use settings::{SETTINGS, Setting, settings_table};
pub use sidecar::{CALLBACK_PATH, CONNECT_PATH, sidecar_url};

use access::read_access;
use reader::Reader;

/// Few enough for others to have their turn soon.
const LINKS_AT_ONCE: usize = 1_000;

/// Says which defaults hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Those of production.
    Serve,
    /// Those of development. The rules are the same: what development makes up (keys, Google's addresses) comes from the
    /// source, below what the environment says.
    Dev,
}

/// A rule for one variable that another room has: says what is wrong with a text, without repeating it.
pub type Check<'a> = (&'static str, &'a dyn Fn(&str) -> Result<(), String>);

/// Every setting, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `DATABASE_URL`, and what a connection to it takes beside.
    pub database: Database,
    /// `MIGRATE`.
    pub migrate: bool,
    /// Where the servers listen.
    pub listen: Listen,
    /// `PUBLIC_URL`.
    pub public_url: Url,
    /// `CASSIUS_APP_URL`.
    pub cassius_app_url: Option<Url>,
    /// `RETURN_URL_ALLOWED`.
    pub return_urls: ReturnUrls,
    /// Google, and who we are there.
    pub google: Google,
    /// `ENCRYPTION_KEYS`.
    pub encryption_keys: SecretString,
    /// `API_KEYS`; empty only if gRPC is served on loopback.
    pub api_keys: Vec<ApiKey>,
    /// `TLS_CERT` and `TLS_KEY`.
    pub tls: Option<Tls>,
    /// What may be spent of Google's quota.
    pub quota: Quota,
    /// `WRITE_SPACING`.
    pub write_spacing: SignedDuration,
    /// How many links one transaction changes at most, where a change concerns all links of a practice. No setting: a
    /// simulation makes it smaller.
    pub links_at_once: usize,
    /// `SNAPSHOT_RETENTION`.
    pub snapshot_retention: SignedDuration,
    /// `AUDIT_RETENTION`.
    pub audit_retention: SignedDuration,
    /// `UNCONNECTED_RETENTION`.
    pub unconnected_retention: SignedDuration,
    /// `KEPT_EVENTS_RETENTION`.
    pub kept_events_retention: SignedDuration,
    /// `REFLECTION`.
    pub reflection: bool,
    /// `TICKET_IN_URL`.
    pub ticket_in_url: bool,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otlp_endpoint: Option<Url>,
    /// What is logged, and how.
    pub log: Log,
    /// A sentence for each file of a secret that any user of the system may read or write.
    pub open_files: Vec<String>,
    /// The files that hold settings which may change while the service runs.
    pub files: Vec<PathBuf>,
}

/// Where the database is, and how it is reached.
#[derive(Debug, Clone)]
pub struct Database {
    /// `DATABASE_URL`.
    pub url: SecretString,
    /// `DATABASE_CA`.
    pub ca: Option<PathBuf>,
    /// `PGPASSWORD`.
    pub password: Option<SecretString>,
    /// `PGPASSFILE`.
    pub passfile: Option<PathBuf>,
}

/// Google, and who we are there.
#[derive(Debug, Clone)]
pub struct Google {
    /// `GOOGLE_CLIENT_ID`.
    pub client_id: String,
    /// `GOOGLE_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// `GOOGLE_AUTH_URL`.
    pub auth_url: Url,
    /// `GOOGLE_TOKEN_URL`.
    pub token_url: Url,
    /// `GOOGLE_REVOKE_URL`.
    pub revoke_url: Url,
    /// `GOOGLE_CALENDAR_URL`.
    pub calendar_url: Url,
    /// `GOOGLE_ISSUER`.
    pub issuer: String,
    /// `GOOGLE_SCOPES`.
    pub scopes: Vec<String>,
    /// `GOOGLE_CA`.
    pub ca: Option<PathBuf>,
    /// `HTTPS_PROXY`.
    pub proxy: Option<SecretString>,
    /// `NO_PROXY`.
    pub no_proxy: Option<String>,
}

/// What may be spent of Google's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// `QUOTA_PROJECT_PER_MINUTE`.
    pub project_per_minute: NonZeroU32,
    /// `QUOTA_USER_PER_MINUTE`.
    pub user_per_minute: NonZeroU32,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `LOG`.
    pub filter: String,
    /// `LOG_FORMAT`.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for a person to read.
    Text,
    /// An object of JSON a line.
    Json,
}

impl Config {
    /// Reads all settings from `source` (variable to text), holds them against their rules and `checks`, and names every
    /// fault there is.
    pub fn load(source: &dyn Fn(&str) -> Option<OsString>, mode: Mode, checks: &[Check<'_>]) -> Result<Self, Faults> {
        let mut reader = Reader::new(source, mode, checks);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    /// Reads what leads to the database alone: whoever migrates it holds no other secret.
    pub fn load_database(source: &dyn Fn(&str) -> Option<OsString>, checks: &[Check<'_>]) -> Result<Database, Faults> {
        let mut reader = Reader::new(source, Mode::Serve, checks);
        let database = Database::read(&mut reader);
        reader.finish(database)
    }

    /// Reads the keyring alone: what is wrong with other settings keeps nobody from holding it against what is stored.
    pub fn load_encryption_keys(
        source: &dyn Fn(&str) -> Option<OsString>,
        checks: &[Check<'_>],
    ) -> Result<SecretString, Faults> {
        let mut reader = Reader::new(source, Mode::Serve, checks);
        let encryption_keys = read_encryption_keys(&mut reader).map(SecretString::from);
        reader.finish(encryption_keys)
    }

    /// Reads `API_KEYS` alone: what is wrong with other settings keeps nobody from withdrawing one. An empty file holds
    /// none.
    pub fn load_api_keys(source: &dyn Fn(&str) -> Option<OsString>) -> Result<Vec<ApiKey>, Faults> {
        let mut reader = Reader::new(source, Mode::Serve, &[]);
        if reader.is_emptied("API_KEYS") {
            return Ok(Vec::new());
        }
        let api_keys = access::read_api_keys(&mut reader);
        reader.finish(api_keys)
    }

    /// Reads what leads to the files of TLS alone, as far as it can be read.
    pub fn load_tls(source: &dyn Fn(&str) -> Option<OsString>) -> Option<Tls> {
        read_access(&mut Reader::new(source, Mode::Serve, &[])).2
    }

    /// Reads what may change while the service runs, and what else stands in files: whoever exchanges one of those hears of
    /// its faults before the next start.
    pub fn reread(source: &dyn Fn(&str) -> Option<OsString>, checks: &[Check<'_>]) -> Reread {
        Reread::read(Reader::new(source, Mode::Serve, checks))
    }

    /// Where Google sends the browser back to.
    pub fn redirect_url(&self) -> Url {
        sidecar_url(&self.public_url, CALLBACK_PATH)
    }

    /// Everything is read before anything is given up, so that no fault hides another.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let database = Database::read(reader);
        let migrate = reader.value("MIGRATE", parse::switch);
        let public_url = reader.value("PUBLIC_URL", parse::url);
        let cassius_app_url = reader.value("CASSIUS_APP_URL", parse::url);
        let return_urls = reader.value("RETURN_URL_ALLOWED", parse::urls);
        let google = Google::read(reader);
        let encryption_keys = read_encryption_keys(reader);
        let project_per_minute = reader.value("QUOTA_PROJECT_PER_MINUTE", parse::quota);
        let user_per_minute = reader.value("QUOTA_USER_PER_MINUTE", parse::quota);
        let write_spacing = reader.value("WRITE_SPACING", parse::spacing);
        let snapshot_retention = reader.value("SNAPSHOT_RETENTION", parse::days);
        let audit_retention = reader.value("AUDIT_RETENTION", parse::days);
        let unconnected_retention = reader.value("UNCONNECTED_RETENTION", parse::days);
        let kept_events_retention = reader.value("KEPT_EVENTS_RETENTION", parse::days);
        let reflection = reader.value("REFLECTION", parse::switch);
        let ticket_in_url = reader.value("TICKET_IN_URL", parse::switch);
        let otlp_endpoint = reader.value("OTEL_EXPORTER_OTLP_ENDPOINT", parse::url_in_clear);
        let log = Log::read(reader);
        let (listen, api_keys, tls) = read_access(reader);
        let of_tls = tls.iter().flat_map(|tls| [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()]);
        let of_settings = reader.setting_files();
        let files = of_tls.flatten().cloned().chain(of_settings).collect();
        let open_files = open_files(reader, tls.as_ref(), database.as_ref());
        Some(Self {
            database: database?,
            migrate: migrate?,
            listen: listen?,
            public_url: public_url?,
            return_urls: ReturnUrls::new(return_urls.unwrap_or_else(|| cassius_app_url.iter().cloned().collect())),
            cassius_app_url,
            google: google?,
            encryption_keys: encryption_keys?.into(),
            api_keys,
            tls,
            quota: Quota { project_per_minute: project_per_minute?, user_per_minute: user_per_minute? },
            write_spacing: write_spacing?,
            links_at_once: LINKS_AT_ONCE,
            snapshot_retention: snapshot_retention?,
            audit_retention: audit_retention?,
            unconnected_retention: unconnected_retention?,
            kept_events_retention: kept_events_retention?,
            reflection: reflection?,
            ticket_in_url: ticket_in_url?,
            otlp_endpoint,
            log: log?,
            files,
            open_files,
        })
    }
}

fn read_encryption_keys(reader: &mut Reader<'_>) -> Option<String> {
    let remedy = "make one with `cassius-calendar generate-key`, and keep a copy of it in a safe place";
    match reader.value("ENCRYPTION_KEYS_COMMAND", command::printed) {
        Some(printed) => reader.printed("ENCRYPTION_KEYS_COMMAND", "ENCRYPTION_KEYS", printed),
        None if reader.is_set("ENCRYPTION_KEYS_COMMAND") => None,
        None => reader.required("ENCRYPTION_KEYS", remedy),
    }
}

/// A sentence for each file of a secret that any user of the system may read or write.
fn open_files(reader: &Reader<'_>, tls: Option<&Tls>, database: Option<&Database>) -> Vec<String> {
    let tls_key = tls.map(|tls| tls.key.as_path());
    let passfile = database.and_then(|database| database.passfile.as_deref());
    reader.open_files([("TLS_KEY", tls_key), ("PGPASSFILE", passfile)])
}

impl Log {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let filter = reader.value("LOG", parse::log);
        let format = reader.value("LOG_FORMAT", parse::log_format);
        Some(Self { filter: filter?, format: format? })
    }
}

impl Database {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.value("DATABASE_URL", parse::database);
        let ca = reader.value("DATABASE_CA", parse::file);
        let password = reader.text("PGPASSWORD").map(SecretString::from);
        let passfile = reader.value("PGPASSFILE", parse::file);
        Some(Self { url: url?, ca, password, passfile })
    }
}

impl Google {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let remedy = "put the OAuth client of your Google Cloud project there";
        let client_id = reader.required("GOOGLE_CLIENT_ID", remedy);
        let client_secret = reader.required("GOOGLE_CLIENT_SECRET", remedy);
        let auth_url = reader.value("GOOGLE_AUTH_URL", parse::url);
        let token_url = reader.value("GOOGLE_TOKEN_URL", parse::url);
        let revoke_url = reader.value("GOOGLE_REVOKE_URL", parse::url);
        let calendar_url = reader.value("GOOGLE_CALENDAR_URL", parse::url);
        let issuer = reader.text("GOOGLE_ISSUER");
        let scopes = reader.value("GOOGLE_SCOPES", parse::scopes);
        let ca = reader.value("GOOGLE_CA", parse::file);
        let proxy = reader.value("HTTPS_PROXY", parse::proxy);
        let no_proxy = reader.text("NO_PROXY");
        Some(Self {
            client_id: client_id?,
            client_secret: client_secret?.into(),
            auth_url: auth_url?,
            token_url: token_url?,
            revoke_url: revoke_url?,
            calendar_url: calendar_url?,
            issuer: issuer?,
            scopes: scopes?,
            ca,
            proxy,
            no_proxy,
        })
    }
}

#[cfg(test)]
mod tests;
