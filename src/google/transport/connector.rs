//! How a connection to Google is opened: straight, or through a proxy.
//!
//! Owns whom a connection is opened to. Never speaks TLS, which is between here and Google either way. Invariant:
//! what is on this machine is never asked of a proxy.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::util::MapErr;
use tower::{Service, ServiceExt as _};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A proxy that opens no way, whatever it said.
#[derive(Debug, thiserror::Error)]
#[error("the proxy opens no way")]
pub(super) struct NoTunnel(#[source] Failed);

/// A host that no name server knows, or that none was there to be asked for.
#[derive(Debug, thiserror::Error)]
#[error("the host is not found")]
pub(super) struct NoHost(#[source] std::io::Error);

/// The system's name servers, whose faults are known among others.
type Names = MapErr<GaiResolver, fn(std::io::Error) -> NoHost>;

/// Opens connections.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Names>,
    proxy: std::sync::Arc<Matcher>,
}

impl Connector {
    /// Takes so long for one connection at most; `proxy` and `no_proxy` as in `HTTPS_PROXY` and `NO_PROXY`.
    pub(super) fn new(connect_timeout: Duration, proxy: Option<&str>, no_proxy: Option<&str>) -> Self {
        let names: Names = MapErr::new(GaiResolver::new(), NoHost);
        let mut tcp = HttpConnector::new_with_resolver(names);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        let matcher = Matcher::builder().https(proxy.unwrap_or_default().to_owned());
        let matcher = matcher.no(no_proxy.unwrap_or_default().to_owned()).build();
        Self { tcp, proxy: std::sync::Arc::new(matcher) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Failed;
    type Future = BoxFuture<'static, Result<Self::Response, Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let tcp = self.tcp.clone();
        let is_here = to.host().is_some_and(super::is_loopback);
        match self.proxy.intercept(&to).filter(|_| !is_here) {
            None => async move { Ok(tcp.oneshot(to).await?) }.boxed(),
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                let tunnel = match proxy.basic_auth() {
                    Some(auth) => tunnel.with_auth(auth.clone()),
                    None => tunnel,
                };
                async move { tunnel.oneshot(to).await.map_err(|fault| NoTunnel(fault.into()).into()) }.boxed()
            }
        }
    }
}
