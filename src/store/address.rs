//! Where a PostgreSQL is, and how safe the road to it has to be.
//!
//! Owns how `DATABASE_URL` reads, beside what the driver knows of it: `sslmode` in libpq's words, `sslrootcert`,
//! `passfile`; and a word of our own, `pooler`. Never connects. Invariant: off loopback, the server is verified before it
//! is told a password, unless somebody has written `sslmode=disable`.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::passfile::Passfile;
use super::servers::Servers;
use crate::roots::roots;

/// What the address leaves open.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The authorities that vouch for the server, a PEM file; `None`: the system's and the built-in ones.
    pub ca: Option<PathBuf>,
    /// The password, where the address has none.
    pub password: Option<SecretString>,
    /// A file of passwords in libpq's form, where neither has one.
    pub passfile: Option<PathBuf>,
}

/// A PostgreSQL that can be connected to.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) servers: Servers,
    /// `None`: plain text.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Whether a pooler stands before it that gives each transaction whichever session is free.
    pub(super) is_pooled: bool,
}

/// Says what is wrong with an address, as the end of a sentence that its name begins. Repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct AddressFault(String);

fn fault(problem: impl Into<String>) -> AddressFault {
    AddressFault(problem.into())
}

/// How the server is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    /// Not at all, and nothing is encrypted.
    Plain,
    /// An authority vouches for it, whatever its name.
    Authority,
    /// An authority vouches for it under the name that it was called by.
    Full,
}

impl Address {
    pub(super) fn parse(url: &str, credentials: &Credentials) -> Result<Self, AddressFault> {
        let TakenOut { mode, root_cert, passfile, pooler, rest } = taken_out(url)?;
        let is_pooled = match pooler.as_deref() {
            None | Some("session") => false,
            Some("transaction") => true,
            Some(_) => return Err(fault("has a pooler that is neither session nor transaction")),
        };
        // The driver's own words may hold a part of the address.
        let mut config: Config =
            rest.parse().map_err(|_| fault("is no address of PostgreSQL: see its host, port and options"))?;
        check_hosts(&config)?;
        let verification = match mode.as_deref() {
            Some("disable") => Verification::Plain,
            Some("verify-ca") => Verification::Authority,
            // libpq verifies nothing there; a certificate that nobody looks at keeps nobody out.
            Some("require" | "verify-full") => Verification::Full,
            None | Some("prefer" | "allow") => match is_on_this_machine(&config) {
                true => Verification::Plain,
                false => Verification::Full,
            },
            Some(_) => return Err(fault("has an sslmode that is none of disable, require, verify-ca and verify-full")),
        };
        let is_usual = root_cert.as_deref() == Some("system");
        let ca = root_cert.filter(|_| !is_usual).map(PathBuf::from);
        let ca = ca.or_else(|| credentials.ca.clone().filter(|_| !is_usual));
        let tls = match verification {
            Verification::Plain => {
                // What is named is looked at, though nothing is verified by it here: elsewhere it would be.
                if let Some(ca) = &ca {
                    roots(Some(ca)).map_err(|error| fault(format!("cannot be verified: {error}")))?;
                }
                config.ssl_mode(SslMode::Disable);
                None
            }
            Verification::Authority | Verification::Full => {
                config.ssl_mode(SslMode::Require);
                if config.get_hosts().is_empty() {
                    return Err(fault(
                        "names the address of a host and not its name, which its certificate is held against",
                    ));
                }
                let roots = roots(ca.as_deref()).map_err(|error| fault(format!("cannot be verified: {error}")))?;
                Some(Arc::new(client(roots, verification)?))
            }
        };
        let mut servers = Servers::of(&config);
        if config.get_password().is_none() {
            let file = passfile.or_else(|| credentials.passfile.clone());
            let passfile = match (&credentials.password, file) {
                (None, Some(file)) => {
                    Passfile::read(&file).ok_or_else(|| fault("names a passfile that cannot be read"))?
                }
                _ => Passfile::default(),
            };
            servers.change(|server| {
                let set = credentials.password.as_ref().map(|password| password.expose_secret().to_owned());
                if let Some(password) = set.or_else(|| passfile.password(server)) {
                    server.password(password);
                }
            });
        }
        Ok(Self { servers, tls, is_pooled })
    }
}

/// Refuses what the driver takes, and then cannot connect to.
fn check_hosts(config: &Config) -> Result<(), AddressFault> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let is_name = |host: &Host| match host {
        Host::Tcp(name) => !name.is_empty() && !name.contains(|sign: char| sign.is_whitespace() || sign.is_control()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    if hosts.is_empty() && addresses.is_empty() {
        Err(fault("names no host"))
    } else if !hosts.iter().all(is_name) {
        Err(fault("names a host that is empty or holds a blank"))
    } else if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        Err(fault("has a hostaddr for some of its hosts alone"))
    } else if ports.len() > 1 && ports.len() != hosts.len().max(addresses.len()) {
        Err(fault("has a port for some of its hosts alone"))
    } else if ports.contains(&0) {
        Err(fault("names port 0, on which nobody listens"))
    } else {
        Ok(())
    }
}

/// What the driver does not know of an address, and the address without it.
#[derive(Default)]
struct TakenOut {
    mode: Option<String>,
    root_cert: Option<String>,
    passfile: Option<PathBuf>,
    pooler: Option<String>,
    rest: String,
}

fn taken_out(url: &str) -> Result<TakenOut, AddressFault> {
    if percent_decode_str(url).any(|byte| byte == 0) {
        return Err(fault("holds a zero byte"));
    }
    let Some((address, query)) = url.split_once('?') else {
        return Ok(TakenOut { rest: url.to_owned(), ..TakenOut::default() });
    };
    let (mut taken_out, mut rest, mut names) = (TakenOut::default(), Vec::new(), HashSet::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| fault("has an option without a value"))?;
        if !names.insert(name) {
            return Err(fault("has an option twice"));
        }
        let value = percent_decode_str(value).decode_utf8().map_err(|_| fault("has an option that is not UTF-8"))?;
        match name {
            "sslmode" => taken_out.mode = Some(value.into_owned()),
            "sslrootcert" => taken_out.root_cert = Some(value.into_owned()),
            "passfile" => taken_out.passfile = Some(PathBuf::from(value.into_owned())),
            "pooler" => taken_out.pooler = Some(value.into_owned()),
            _ => rest.push(pair),
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    Ok(TakenOut { rest: format!("{address}{query}"), ..taken_out })
}

/// The files that an address names: the database itself, or one of passwords.
pub fn files_of_address(url: &str) -> Vec<PathBuf> {
    match url.strip_prefix("sqlite:") {
        Some(path) => vec![PathBuf::from(path.strip_prefix("//").unwrap_or(path))],
        None => taken_out(url).ok().and_then(|taken_out| taken_out.passfile).into_iter().collect(),
    }
}

/// Whether nothing that is sent there leaves this machine.
fn is_on_this_machine(config: &Config) -> bool {
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    let by_name = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(is_loopback),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    // Where both are given, the number is connected to.
    match config.get_hostaddrs() {
        [] => by_name,
        addresses => addresses.iter().copied().all(is_loopback),
    }
}

fn client(roots: RootCertStore, verification: Verification) -> Result<ClientConfig, AddressFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |_| fault("cannot be verified: TLS cannot be set up");
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    if verification == Verification::Full {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|_| fault("cannot be verified: there is no authority to do it"))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName(verifier))).with_no_client_auth())
}

/// Verifies all but the name: what `sslmode=verify-ca` asks for.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressFault> {
        Address::parse(url, &Credentials::default())
    }

    #[test]
    fn off_this_machine_the_server_is_verified_unless_disable_is_written_out() {
        for (url, is_verified) in [
            ("postgres://u@db.internal/x", true),
            ("postgresql://u:p@10.0.0.7:5433/x?application_name=a", true),
            ("postgres://u@db.internal/x?sslmode=prefer", true),
            ("postgres://u@a,b:5433/x?sslmode=require&target_session_attrs=read-write", true),
            ("postgres://u@db.internal/x?sslmode=verify-ca", true),
            ("postgres://u@127.0.0.1/x?hostaddr=10.0.0.7", true),
            ("postgres://u@localhost,db.internal/x", true),
            ("postgres://u@db.internal/x?sslmode=disable", false),
            ("postgres://u@localhost/x", false),
            ("postgres://u@[::1]:5432/x", false),
            ("postgres://u@%2Fvar%2Frun/x", false),
            ("postgres://u@127.0.0.1/x?sslmode=verify-full", true),
        ] {
            let address = parse(url).expect("an address");
            assert_eq!(address.tls.is_some(), is_verified, "{url}");
            let mode = if is_verified { SslMode::Require } else { SslMode::Disable };
            assert!(address.servers.turns().all(|turn| turn.server.get_ssl_mode() == mode), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        for (url, problem) in [
            ("postgres://u:canary@h/x?sslmode=canary", "has an sslmode that is none of"),
            (
                "postgres://u:canary@h/x?sslrootcert=/canary",
                "cannot be verified: the file of authorities cannot be read",
            ),
            (
                "postgres://u:canary@localhost/x?sslrootcert=/canary",
                "cannot be verified: the file of authorities cannot be read",
            ),
            ("postgres://u@h/x?passfile=/canary", "names a passfile that cannot be read"),
            ("postgres://u:canary@h/x?sslmode=verify-full&sslmode=disable", "has an option twice"),
            ("postgres://u:canary@h/x?pooler=canary", "has a pooler that is neither session nor transaction"),
            ("postgres://u:canary@h/x?canary=1", "is no address of PostgreSQL"),
            ("postgres://u:canary@h:canary/x", "is no address of PostgreSQL"),
            ("postgres://u:canary@h/x?canary", "has an option without a value"),
            ("postgres:///x?user=canary", "names no host"),
            ("postgres://u:canary%00@h/x", "holds a zero byte"),
            ("postgres://u:canary@h:0/x", "names port 0"),
            ("postgres://u:canary@h%20canary/x", "names a host that is empty or holds a blank"),
            ("postgres://u:canary@h,,canary/x", "names a host that is empty or holds a blank"),
            ("postgres://u:canary@/x?hostaddr=10.0.0.7", "names the address of a host and not its name"),
            ("postgres://u:canary@a,b/x?hostaddr=10.0.0.7", "has a hostaddr for some of its hosts alone"),
            ("postgres://u:canary@a,b,c:1,c:2/x?port=5432,5433", "has a port for some of its hosts alone"),
        ] {
            let told = parse(url).err().expect("a fault").to_string();
            assert!(told.starts_with(problem) && !told.contains("canary"), "{url}: {told}");
        }
    }

    #[test]
    fn the_password_comes_from_the_address_else_the_setting_else_the_passfile() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = "# a comment\nother:*:*:*:no\nh:5432:x:u:from\\:file\\\\\n10.0.0.7:*:*:*:number\n/run/pg:*:*:*:socket\n\
            *:*:*:*:last\n";
        std::fs::write(file.path(), lines).expect("it is written");
        let password = |url: &str, credentials: &Credentials| {
            let address = Address::parse(url, credentials).expect("an address");
            let mut told = address
                .servers
                .turns()
                .map(|turn| turn.server.get_password().map(|password| String::from_utf8_lossy(password).into_owned()));
            told.next().flatten().map(|first| told.flatten().fold(first, |told, next| format!("{told}, {next}")))
        };
        let passfile = Credentials { passfile: Some(file.path().to_owned()), ..Credentials::default() };
        let both = Credentials { password: Some("set".into()), ..passfile.clone() };
        assert_eq!(password("postgres://u:own@h/x", &both).as_deref(), Some("own"));
        assert_eq!(password("postgres://u@h/x", &both).as_deref(), Some("set"));
        assert_eq!(password("postgres://u@h/x", &passfile).as_deref(), Some("from:file\\"));
        assert_eq!(password("postgres://u@h:5433/x", &passfile).as_deref(), Some("last"));
        // Each server is told its own.
        assert_eq!(password("postgres://u@h,other/x", &passfile).as_deref(), Some("from:file\\, no"));
        let drawn = password("postgres://u@h,other/x?load_balance_hosts=random", &passfile);
        assert_eq!(drawn.map(|told| told.split(", ").count()), Some(2));
        assert_eq!(password("postgres://u@%2Frun%2Fpg/x", &passfile).as_deref(), Some("socket"));
        assert_eq!(password("postgres://u@/x?hostaddr=10.0.0.7&sslmode=disable", &passfile).as_deref(), Some("number"));
        let named = format!("postgres://u@h/x?passfile={}", file.path().display());
        assert_eq!(password(&named, &Credentials::default()).as_deref(), Some("from:file\\"));
        assert_eq!(password("postgres://u@h/x", &Credentials::default()), None);
    }
}
