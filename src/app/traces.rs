//! Sends spans to whoever collects them, by OTLP over HTTP.
//!
//! Owns the way to the collector, and what of a span names the service. Never decides what is traced (that is
//! `crate::traces`). Invariant: no call and no delivery waits for the collector; what it does not take is dropped, and told
//! once for as long as that lasts.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use url::Url;

use crate::error_chain::error_chain;
use crate::traces;

/// How long an export may take, and the last one at the end of the process.
const TIME_OUT: Duration = Duration::from_secs(3);
/// The most of an answer that is read: a collector has little to say.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Collects spans for the collector at `endpoint`, and sends them every few seconds, within the runtime that this is called
/// in. What it answers is shut down at the end, so that the last ones are sent.
pub(super) fn export(endpoint: &Url, roots: RootCertStore) -> Result<SdkTracerProvider, ExporterBuildError> {
    let mut address = endpoint.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(["v1", "traces"]);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new(roots))
        .with_endpoint(address)
        .with_timeout(TIME_OUT)
        .build()?;
    let resource = Resource::builder().with_service_name("cassius-calendar").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    traces::collect(&provider);
    Ok(provider)
}

/// Sends what is left; one who does not take it is waited for but a moment.
pub(super) async fn finish(provider: SdkTracerProvider) {
    let finished = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(TIME_OUT)).await;
    if !matches!(finished, Ok(Ok(()))) {
        tracing::warn!("the last spans could not be sent");
    }
}

/// The way to the collector. The library waits for it on a thread of its own, which knows no runtime.
#[derive(Debug)]
struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    is_refusing: Arc<AtomicBool>,
}

impl Collector {
    fn new(roots: RootCertStore) -> Self {
        let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring speaks the protocol versions that rustls defaults to")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            runtime: Handle::current(),
            is_refusing: Arc::default(),
        }
    }
}

impl HttpClient for Collector {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes();
            Ok::<_, HttpError>(http::Response::from_parts(head, body))
        };
        let exchange = self.runtime.spawn(async move { tokio::time::timeout(TIME_OUT, exchange).await });
        let is_refusing = self.is_refusing.clone();
        Box::pin(async move {
            let answer = match exchange.await? {
                Ok(answer) => answer,
                Err(elapsed) => Err(elapsed.into()),
            };
            let fault = match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(answer.status().to_string()),
                Err(error) => Some(error_chain(&**error).to_string()),
            };
            match (fault, is_refusing.load(Ordering::Relaxed)) {
                (Some(fault), false) => {
                    tracing::warn!(
                        fault,
                        "spans are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not take them"
                    );
                    is_refusing.store(true, Ordering::Relaxed);
                }
                (None, true) => {
                    tracing::info!("the collector takes spans again");
                    is_refusing.store(false, Ordering::Relaxed);
                }
                (Some(_), true) | (None, false) => {}
            }
            answer
        })
    }
}
