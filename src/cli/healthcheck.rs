//! Asks a running service for its health, for containers that have no other tool.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What `healthcheck` is told.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    /// Where gRPC is served; https where TLS is on. Default: GRPC_ADDR, by http.
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
        let url = self.url.unwrap_or_else(|| {
            let address = std::env::var("GRPC_ADDR").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
            // What listens on every address is reached on loopback.
            format!("http://{}", address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]"))
        });
        let mut endpoint = Channel::from_shared(url.clone()).context("--url is no URL")?;
        endpoint = endpoint.connect_timeout(TIMEOUT).timeout(TIMEOUT);
        if url.starts_with("https://") {
            let mut tls = ClientTlsConfig::new().with_enabled_roots();
            if let Some(ca) = self.ca {
                let pem = std::fs::read(&ca).with_context(|| format!("{} cannot be read", ca.display()))?;
                tls = tls.ca_certificate(Certificate::from_pem(pem));
            }
            endpoint = endpoint.tls_config(tls).context("TLS cannot be set up")?;
        }
        let channel = endpoint.connect().await.with_context(|| format!("nothing serves gRPC at {url}"))?;
        let request = HealthCheckRequest { service: self.service };
        let status = HealthClient::new(channel).check(request).await.context("the service does not tell its health")?;
        let status = status.into_inner().status();
        anyhow::ensure!(status == ServingStatus::Serving, "the service says {}", status.as_str_name());
        println!("{}", status.as_str_name());
        Ok(())
    }
}
