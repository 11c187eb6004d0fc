//! The server's side of TLS.
//!
//! Owns the certificate that is shown, and whose clients' certificates are believed. Never reads a file. Invariant: a
//! connection is greeted with what was set last, and a fault of a new certificate leaves the one before in use. Where other
//! authorities vouch for clients, the connections that were greeted before end.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Says why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// No certificate in PEM.
    #[error("TLS_CERT, or TLS_CLIENT_CA, names a file without a certificate in PEM")]
    NoCertificate(#[source] rustls::pki_types::pem::Error),
    /// No private key in PEM.
    #[error("TLS_KEY names a file without a private key in PEM")]
    NoKey(#[source] rustls::pki_types::pem::Error),
    /// A private key that wants a password.
    #[error("TLS_KEY names a key that is encrypted: decrypt it, with `openssl pkey` for instance")]
    EncryptedKey,
    /// The two do not fit each other, or are of a kind that is not spoken.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The clients' authority.
    #[error("the clients' authority cannot be used")]
    ClientCa(#[source] rustls::server::VerifierBuilderError),
}

/// What new connections are greeted with. A clone is the same.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Greeting>>);

/// What a connection is greeted with.
#[derive(Clone)]
struct Greeting {
    config: Arc<ServerConfig>,
    client_ca: Option<Vec<u8>>,
    /// Cancelled once other authorities vouch for clients.
    outdated: CancellationToken,
}

impl Tls {
    /// A certificate chain, its key, and the authority whose clients are believed, in PEM.
    pub fn new(cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<Self, TlsFault> {
        let config = config(cert, key, client_ca)?;
        let client_ca = client_ca.map(<[u8]>::to_vec);
        Ok(Self(Arc::new(RwLock::new(Greeting { config, client_ca, outdated: CancellationToken::new() }))))
    }

    /// Greets new connections with these from now on.
    pub fn replace(&self, cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<(), TlsFault> {
        let config = config(cert, key, client_ca)?;
        let mut greeting = self.0.write();
        greeting.config = config;
        if greeting.client_ca.as_deref() != client_ca {
            greeting.client_ca = client_ca.map(<[u8]>::to_vec);
            std::mem::replace(&mut greeting.outdated, CancellationToken::new()).cancel();
        }
        Ok(())
    }

    /// Greets a connection, and says when that is no longer valid.
    pub(super) fn acceptor(&self) -> (TlsAcceptor, CancellationToken) {
        let greeting = self.0.read();
        (greeting.config.clone().into(), greeting.outdated.clone())
    }
}

/// From when until when the first certificate of a chain in PEM is valid; `None`: that cannot be read.
pub fn validity(cert: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let chain = certificates(cert).ok()?;
    let validity = Certificate::from_der(chain.first()?).ok()?.tbs_certificate.validity;
    let at = |time: x509_cert::time::Time| Timestamp::try_from(time.to_system_time()).ok();
    Some((at(validity.not_before)?, at(validity.not_after)?))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(withheld)")
    }
}

fn config(cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<Arc<ServerConfig>, TlsFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(cert)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|fault| {
        let is_encrypted = String::from_utf8_lossy(key).contains("ENCRYPTED");
        if is_encrypted { TlsFault::EncryptedKey } else { TlsFault::NoKey(fault) }
    })?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsFault::Unusable)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(ca)? {
                roots.add(certificate).map_err(TlsFault::Unusable)?;
            }
            // Probes have no certificate. Whoever calls for an organisation has to have one, which is seen to where
            // keys are.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = verifier.allow_unauthenticated().build().map_err(TlsFault::ClientCa)?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsFault::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsFault::NoCertificate)?;
    match certificates.is_empty() {
        true => Err(TlsFault::NoCertificate(rustls::pki_types::pem::Error::NoItemsFound)),
        false => Ok(certificates),
    }
}

/// The names that the peer's certificate is made out to: DNS names and URIs, or the common name where it has none of both.
/// It was verified during the handshake; none: it has shown no certificate.
pub(super) fn client_names(connection: &ServerConnection) -> Vec<String> {
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    let Some(certificate) = leaf.and_then(|leaf| Certificate::from_der(leaf).ok()) else { return Vec::new() };
    let certificate = certificate.tbs_certificate;
    let alternatives = certificate.get::<SubjectAltName>().ok().flatten();
    let alternatives = alternatives.into_iter().flat_map(|(_, names)| names.0).filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
        _ => None,
    });
    const COMMON_NAME: &str = "2.5.4.3";
    let attributes = certificate.subject.0.iter().flat_map(|name| name.0.iter());
    let common = attributes.filter(|attribute| attribute.oid.to_string() == COMMON_NAME).filter_map(|attribute| {
        let value = &attribute.value;
        let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
        let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned());
        let ia5 = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.as_str().to_owned());
        utf8.or_else(|_| printable()).or_else(|_| ia5()).ok()
    });
    let common: Vec<_> = common.collect();
    let alternatives: Vec<_> = alternatives.collect();
    if alternatives.is_empty() { common } else { alternatives }
}
