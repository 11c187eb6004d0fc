//! The gRPC side of the service.
//!
//! Owns the wire: who may call, what a request must look like, what an answer and an error look like. Decides nothing
//! about calendars or appointments, which is `connection`'s and `delivery`'s. The generated types stop at this room.
//!
//! A call passes the auth layer (`auth_layer`: who calls, in which language), its check (`validate`: all violations at once), one
//! room below, and `convert`; or `status`, the only place that names a gRPC code.
//!
//! Invariant: nothing is looked up for a caller before it is known and may act for the organisation that it names.

pub mod pb;

mod appointment_sync;
mod auth;
mod auth_layer;
mod calendar_integration;
mod context;
mod convert;
mod health;
mod messages;
mod status;
mod validate;
mod violations;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::transport::server::Router;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::clock::Entropy;
use crate::connection::{self, Consents};
use crate::delivery::Delivery;
use appointment_sync::Appointments;
use auth_layer::AuthLayer;
use calendar_integration::Integrations;
use pb::appointment_sync_server::AppointmentSyncServer;
use pb::calendar_integration_server::CalendarIntegrationServer;

pub use auth::{Callers, Organisations};
pub use health::Health;

/// The largest message that is read, inflated where it was compressed.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The largest message to health and reflection, which anybody may call.
const MAX_OPEN_MESSAGE_BYTES: usize = 16 * 1024;
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The calls and streams that one connection may have open.
const MAX_STREAMS: u32 = 512;
/// The streams that a peer may open and reset before the connection is closed on it.
const MAX_RESETS: usize = 20;
/// What one stream may send before it is read: small, so that one import cannot fill a connection.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// What one connection may send before it is read. The HTTP/2 library also counts the frames that wait to be read against
/// half of it, each as 256 bytes at least: an import of small messages, one a frame, must stay below that however slowly
/// it is read, or the whole connection is closed on it.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the services work with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Behind `BeginConnect`.
    pub consents: Consents,
    /// Behind the rest of `CalendarIntegration`.
    pub integrations: connection::Integrations,
    /// Behind `AppointmentSync`.
    pub delivery: Delivery,
    /// Who may call.
    pub callers: Callers,
    /// Where incidents get their ids.
    pub entropy: Entropy,
    /// Cancelled when the service drains: streams and waits end then, with a word to their callers.
    pub drain: CancellationToken,
}

/// Says why the services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate or its key.
    #[error("the TLS certificate or its key is not usable")]
    Tls(#[source] tonic::transport::Error),
    /// The description of the wire, which is compiled in.
    #[error("the description of the wire cannot be served")]
    Reflection(#[source] tonic_reflection::server::Error),
}

/// Both services, their health, and reflection if asked for: for callers within this process, and to be served.
///
/// There is no time limit on calls: streams last, a wait is bounded by its request, and a caller's own deadline
/// (`grpc-timeout`) is kept.
pub fn routes(services: Services, reflection: bool) -> Result<(Routes, Health), Error> {
    let Services { consents, integrations, delivery, callers, entropy, drain } = services;
    let (health, health_service) = Health::new();
    let integrations = Integrations { consents, integrations, delivery: delivery.clone(), drain: drain.clone() };
    // The limit holds for what a message inflates to.
    let integrations = CalendarIntegrationServer::new(integrations)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let appointments = AppointmentSyncServer::new(Appointments { delivery, drain });
    let appointments =
        appointments.accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let routes = Routes::new(AuthLayer::new(integrations, callers.clone(), entropy.clone()))
        .add_service(AuthLayer::new(appointments, callers, entropy))
        .add_service(health_service.max_decoding_message_size(MAX_OPEN_MESSAGE_BYTES));
    let routes = if reflection { with_reflection(routes)? } else { routes };
    Ok((routes, health))
}

/// A server of the routes, under the limits that every peer is held to. `tls` is the certificate chain and its key, in
/// PEM; `None`: plain text.
pub fn server(routes: Routes, tls: Option<Identity>) -> Result<Router, Error> {
    let server = Server::builder()
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .initial_stream_window_size(Some(STREAM_WINDOW_BYTES))
        .initial_connection_window_size(Some(CONNECTION_WINDOW_BYTES))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(MAX_RESETS))
        .max_concurrent_streams(MAX_STREAMS);
    let mut server = match tls {
        Some(identity) => {
            let tls = ServerTlsConfig::new().identity(identity).timeout(TLS_HANDSHAKE_TIMEOUT);
            server.tls_config(tls).map_err(Error::Tls)?
        }
        None => server,
    };
    Ok(server.add_routes(routes))
}

/// Reflection in both versions: older clients speak the alpha alone.
fn with_reflection(routes: Routes) -> Result<Routes, Error> {
    let configure = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // With these a client such as grpcurl can show the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = configure().build_v1().map_err(Error::Reflection)?;
    let v1alpha = configure().build_v1alpha().map_err(Error::Reflection)?;
    Ok(routes
        .add_service(v1.max_decoding_message_size(MAX_OPEN_MESSAGE_BYTES))
        .add_service(v1alpha.max_decoding_message_size(MAX_OPEN_MESSAGE_BYTES)))
}
