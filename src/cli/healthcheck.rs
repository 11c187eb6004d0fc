//! Asks a running service for its health, for containers that have no other tool.
//!
//! Owns where the service is looked for, and what its answer means. Never sends a secret. Invariant: whatever is not
//! SERVING is a failure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What `healthcheck` is told.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    /// Where gRPC is served; https where TLS is on. Default: GRPC_ADDR on this machine, with TLS where TLS_CERT is set.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The certificate (PEM) that signed the server's, where it is not a public one.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// One service instead of all, such as cassius.calendar.v1.AppointmentSync.
    #[arg(long, default_value = "")]
    service: String,
}

impl Healthcheck {
    /// Asks, and fails unless the answer is SERVING.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let channel = match self.url {
            Some(url) => at(url, self.ca).await?,
            None => here().await?,
        };
        let request = HealthCheckRequest { service: self.service };
        let status = HealthClient::new(channel).check(request).await.context("the service does not tell its health")?;
        let status = status.into_inner().status();
        anyhow::ensure!(status == ServingStatus::Serving, "the service says {}", status.as_str_name());
        super::say(status.as_str_name())?;
        Ok(())
    }
}

/// A connection to `url`, whose certificate is verified where it is https.
async fn at(url: String, ca: Option<PathBuf>) -> anyhow::Result<Channel> {
    let mut endpoint = endpoint(&url).context("--url is no URL")?;
    if url.starts_with("https://") {
        let mut tls = ClientTlsConfig::new().with_enabled_roots();
        if let Some(ca) = ca {
            let pem = std::fs::read(&ca).with_context(|| format!("{} cannot be read", ca.display()))?;
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        endpoint = endpoint.tls_config(tls).context("TLS cannot be set up")?;
    }
    endpoint.connect().await.with_context(|| format!("nothing serves gRPC at {url}"))
}

/// A connection to the service on this machine, found by its own settings.
async fn here() -> anyhow::Result<Channel> {
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let address = setting("GRPC_ADDR").unwrap_or_else(|| "127.0.0.1:50051".to_owned());
    // What listens on every address is reached on loopback.
    let address = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]");
    let address: SocketAddr = address.parse().context("GRPC_ADDR is not an address")?;
    let url = format!("http://{address}");
    let endpoint = endpoint(&url).context("GRPC_ADDR is not an address")?;
    let channel = match setting("TLS_CERT") {
        None => endpoint.connect().await,
        Some(_) => {
            let connector = unverified_tls()?;
            let connect = move |_: Uri| {
                let connector = connector.clone();
                async move {
                    let stream = TcpStream::connect(address).await?;
                    connector.connect(address.ip().into(), stream).await.map(TokioIo::new)
                }
            };
            endpoint.connect_with_connector(tower::service_fn(connect)).await
        }
    };
    channel.with_context(|| format!("nothing serves gRPC at {url}"))
}

fn endpoint(url: &str) -> anyhow::Result<Endpoint> {
    Ok(Channel::from_shared(url.to_owned())?.connect_timeout(TIMEOUT).timeout(TIMEOUT))
}

fn unverified_tls() -> anyhow::Result<TlsConnector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(AnyCertificate(provider.signature_verification_algorithms));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config).into())
}

/// Takes whatever certificate is shown: the question goes to this machine and holds no secret, and the file that
/// TLS_CERT names may be newer than what is served, and made out to another name than an address of this machine.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
