//! Why the service did not start.
//!
//! Owns the sentence for each cause: it names the setting to look at or the command to run, where there is one. Never
//! ends the process: `cli` does. Invariant: what lies behind a cause is its source, and is not repeated in the
//! sentence.

use std::net::SocketAddr;

use crate::crypto::KeyringFault;
use crate::grpc::{self, TlsFault};
use crate::metrics::GatherError;
use crate::roots::RootsFault;
use crate::store;

/// Says why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keyring of `ENCRYPTION_KEYS` cannot be read, or two of its keys contradict each other.
    #[error("ENCRYPTION_KEYS is not usable")]
    Keyring(#[source] KeyringFault),
    /// A key has other bytes than the one that had its id before.
    #[error(
        "the key {0} of ENCRYPTION_KEYS does not open what was sealed under its id: put its right bytes back, and give a \
         new key an id of its own"
    )]
    MistakenKey(String),
    /// A key that is read again has other bytes than the one that is in use.
    #[error(
        "the key {0} of ENCRYPTION_KEYS has other bytes than the one in use under its id: put its right bytes back, and \
         give a new key an id of its own"
    )]
    OtherBytes(String),
    /// The database cannot be reached, read or migrated.
    #[error("the database at DATABASE_URL is not usable")]
    Store(#[from] store::Error),
    /// The authorities that vouch for Google.
    #[error("GOOGLE_CA is not usable")]
    GoogleCa(#[source] RootsFault),
    /// The SQLite file.
    #[error(
        "the SQLite file at DATABASE_URL is served by another process: stop that one, or use PostgreSQL for more than \
         one replica"
    )]
    Locked,
    /// The SQLite file, which has its log beside each of its names.
    #[error(
        "the SQLite file at DATABASE_URL has more than one name (hard links, or a mount of the file alone), each with a log \
         of its own: leave it one name"
    )]
    ManyNames,
    /// A folder, where the SQLite file should be.
    #[error("DATABASE_URL names a folder: name the file in it, such as sqlite:<folder>/cassius-calendar.db")]
    Folder,
    /// The folder that the SQLite file should be in is not there.
    #[error("the folder of the SQLite file at DATABASE_URL is not there: make it, or correct the path")]
    NoFolder,
    /// The SQLite file, where only `serve` and `migrate` make one.
    #[error("there is no SQLite file at DATABASE_URL: look at its path; `serve` or `migrate` makes it")]
    NoFile,
    /// A pooler takes sessions away between two statements.
    #[error("DATABASE_URL leads to a pooler in transaction mode: add pooler=transaction to its options")]
    Pooled,
    /// There are no tables, and none are made here.
    #[error("the database has no tables yet: run `cassius-calendar migrate` first")]
    NoSchema,
    /// The tables are those of an earlier version, and are not changed here.
    #[error("the database lacks migrations: run `cassius-calendar migrate` first")]
    OlderSchema,
    /// The tables are those of a later version.
    #[error("the database was migrated by a newer version than this one: start that version, or restore a backup")]
    NewerSchema,
    /// An address is taken, or is not this machine's.
    #[error("{variable} ({address}) cannot be listened on")]
    Listen {
        /// The setting that names the address.
        variable: &'static str,
        /// What it says.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the TLS settings.
    #[error("{variable} cannot be read")]
    TlsFile {
        /// The setting that names the file.
        variable: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// What the files of the TLS settings hold.
    #[error("the TLS certificate or its key is not usable")]
    Tls(#[source] TlsFault),
    /// The recorder of the metrics cannot be set up.
    #[error("metrics cannot be served at METRICS_ADDR")]
    Metrics(#[source] GatherError),
    /// The exporter of the spans cannot be built from its endpoint.
    #[error("traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT")]
    Traces(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The gRPC server.
    #[error("gRPC cannot be served")]
    Grpc(#[source] grpc::Error),
}
