//! The server's side of TLS.
//!
//! Owns the certificate that is shown, and whose clients' certificates are believed. Never reads a file. Invariant: a
//! connection is greeted with what was set last, and a fault of a new certificate leaves the one before in use.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Says why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// No certificate, or no private key, in PEM.
    #[error("a file holds no PEM of what it should")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The two do not fit each other, or are of a kind that is not spoken.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The clients' authority.
    #[error("the clients' authority cannot be used")]
    ClientCa(#[source] rustls::server::VerifierBuilderError),
}

/// What new connections are greeted with. A clone is the same.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

impl Tls {
    /// A certificate chain, its key, and the authority whose clients are believed, in PEM.
    pub fn new(cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<Self, TlsFault> {
        Ok(Self(Arc::new(RwLock::new(config(cert, key, client_ca)?))))
    }

    /// Greets new connections with these from now on.
    pub fn replace(&self, cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<(), TlsFault> {
        let config = config(cert, key, client_ca)?;
        *self.0.write() = config;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.read().clone().into()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(withheld)")
    }
}

fn config(cert: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<Arc<ServerConfig>, TlsFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(cert)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsFault::Pem)?;
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
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsFault::Pem)?;
    match certificates.is_empty() {
        true => Err(TlsFault::Pem(rustls::pki_types::pem::Error::NoItemsFound)),
        false => Ok(certificates),
    }
}

/// The names that the peer's certificate is made out to: DNS names and URIs, and the common name. It was verified
/// during the handshake; none: it has shown no certificate.
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
    alternatives.chain(common).collect()
}
