//! Where the servers listen, and who may call.
//!
//! Owns the settings that keep others out, and the rules that hold between them. Never holds a key itself, only its
//! digest. Invariant: a `GRPC_ADDR` that others reach has keys, and TLS or somebody's word that it is not needed.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::api_key::ApiKey;
use super::parse;
use super::reader::{Reader, text_fault};

/// Where the servers listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// `GRPC_ADDR`.
    pub grpc: SocketAddr,
    /// `HTTP_ADDR`.
    pub http: SocketAddr,
    /// `METRICS_ADDR`.
    pub metrics: Option<SocketAddr>,
}

/// The files of server TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `TLS_CERT`.
    pub cert: PathBuf,
    /// `TLS_KEY`.
    pub key: PathBuf,
    /// `TLS_CLIENT_CA`.
    pub client_ca: Option<PathBuf>,
}

/// The keys; `None`: they do not read. None at all are no fault here.
pub(super) fn read_api_keys(reader: &mut Reader<'_>) -> Option<Vec<ApiKey>> {
    match reader.text("API_KEYS") {
        None => Some(Vec::new()),
        Some(text) => parse::api_keys(&text).map_err(|fault| reader.fault("API_KEYS", fault)).ok(),
    }
}

/// Where to listen and who may call: an address that others reach wants keys, and TLS or somebody's word that it is not
/// needed.
pub(super) fn read_access(reader: &mut Reader<'_>) -> (Option<Listen>, Vec<ApiKey>, Option<Tls>) {
    let grpc = reader.value("GRPC_ADDR", parse::address);
    let http = reader.value("HTTP_ADDR", parse::address);
    let metrics = reader.value("METRICS_ADDR", parse::address);
    let listen = grpc.zip(http).map(|(grpc, http)| Listen { grpc, http, metrics });
    let api_keys = read_api_keys(reader).unwrap_or_default();
    let (has_cert, has_key) = (reader.is_set("TLS_CERT"), reader.is_set("TLS_KEY"));
    let cert = reader.value("TLS_CERT", parse::file);
    let key = reader.value("TLS_KEY", parse::file);
    let client_ca = reader.value("TLS_CLIENT_CA", parse::file);
    let allow_plaintext = reader.value("ALLOW_PLAINTEXT", parse::switch).unwrap_or_default();
    if has_cert != has_key {
        let (missing, other) = if has_cert { ("TLS_KEY", "TLS_CERT") } else { ("TLS_CERT", "TLS_KEY") };
        reader.fault(missing, text_fault(&format!("is not set, but {other} is"), "set both or neither"));
    }
    if client_ca.is_some() && !has_cert && !has_key {
        reader.fault(
            "TLS_CLIENT_CA",
            text_fault("is set, but TLS_CERT is not", "set TLS_CERT and TLS_KEY, or leave it out"),
        );
    }
    if client_ca.is_none()
        && !reader.is_at_fault(&["TLS_CLIENT_CA"])
        && api_keys.iter().any(|key| key.client_name.is_some())
    {
        let remedy = "name the authority of the clients' certificates there, or leave @ and the name out of the entry";
        reader.fault("TLS_CLIENT_CA", text_fault("is not set, but API_KEYS binds a key to a client", remedy));
    }
    let taken = [("GRPC_ADDR", grpc), ("HTTP_ADDR", http), ("METRICS_ADDR", metrics)];
    for (index, (name, address)) in taken.iter().enumerate() {
        let shares =
            |(_, other): &&(&str, Option<SocketAddr>)| address.is_some_and(|it| it.port() != 0 && *other == Some(it));
        if let Some((other, _)) = taken[..index].iter().find(shares) {
            reader.fault(name, text_fault(&format!("is the address of {other}"), "give each its own port"));
        }
    }
    if grpc.is_some_and(|grpc| !grpc.ip().to_canonical().is_loopback()) {
        if api_keys.is_empty() && !reader.is_at_fault(&["API_KEYS"]) {
            let remedy = "set it, or serve on loopback";
            reader.fault("API_KEYS", text_fault("is not set, but GRPC_ADDR can be reached by others", remedy));
        }
        if (cert.is_none() || key.is_none()) && !allow_plaintext && !reader.is_at_fault(&["TLS_CERT", "TLS_KEY"]) {
            let remedy = "set TLS_CERT and TLS_KEY, or ALLOW_PLAINTEXT=true behind a mesh that encrypts";
            reader.fault("TLS_CERT", text_fault("is not set, but GRPC_ADDR can be reached by others", remedy));
        }
    }
    (listen, api_keys, cert.zip(key).map(|(cert, key)| Tls { cert, key, client_ca }))
}
