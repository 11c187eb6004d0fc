//! The settings that are read again while the service runs.
//!
//! Owns which of them are whole. Never hands out one that has a fault, or that stands only with another one that has.
//! Invariant: a fault of one keeps no other from being read.

use secrecy::SecretString;

use super::access::read_access;
use super::reader::Reader;
use super::{ApiKey, Database, Faults, Google, Log, Tls, open_files, read_encryption_keys};

/// What was read again. `None`: it has a fault, or is not set.
#[derive(Debug)]
pub struct Reread {
    /// `ENCRYPTION_KEYS`.
    pub encryption_keys: Option<SecretString>,
    /// `API_KEYS`.
    pub api_keys: Option<Vec<ApiKey>>,
    /// `TLS_CERT` and `TLS_KEY`, with `TLS_CLIENT_CA` where it is set.
    pub tls: Option<Tls>,
    /// What is logged, and how.
    pub log: Option<Log>,
    /// Where the database is; it stays where it is.
    pub database: Option<Database>,
    /// A sentence for each file of a secret that any user of the system may read or write.
    pub open_files: Vec<String>,
    /// What is wrong with any of them; `None`: nothing.
    pub faults: Option<Faults>,
}

impl Reread {
    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let database = Database::read(&mut reader);
        // For its faults alone.
        let _ = Google::read(&mut reader);
        let encryption_keys = read_encryption_keys(&mut reader).map(SecretString::from);
        let (_, api_keys, tls) = read_access(&mut reader);
        let log = Log::read(&mut reader);
        let open_files = open_files(&reader, tls.as_ref(), database.as_ref());
        // A key that is bound to a client is worth what vouches for that client.
        let is_bound = api_keys.iter().any(|key| key.client_name.is_some());
        let at_fault: &[&str] = if is_bound { &["API_KEYS", "TLS_CLIENT_CA"] } else { &["API_KEYS"] };
        let api_keys = (!reader.is_at_fault(at_fault)).then_some(api_keys);
        // Without its authority, clients would come in that nobody vouches for.
        let wants_authority = reader.is_set("TLS_CLIENT_CA");
        let tls = tls.filter(|tls| tls.client_ca.is_some() || !wants_authority);
        Self { encryption_keys, api_keys, tls, log, database, open_files, faults: reader.finish(Some(())).err() }
    }
}
