//! The gRPC side of the service.
//!
//! Owns the wire: who may call, what a request must look like, what an answer and an error look like. Never decides
//! anything about calendars or appointments, which is `connection`'s and `delivery`'s. The generated types stop at this
//! room.
//!
//! A call comes over a connection of `server`, passes the auth layer (`auth_layer`: who calls, in which language), is noted
//! if it is of those that change something (`audit_layer`; the appointments that are sent have their history instead), is
//! taken in whole (`arrival`: how large, how long), checked (`validate`: all violations at once), and goes through one room
//! below and `convert`; or `status`, the only place that names a gRPC code.
//!
//! Invariant: nothing is looked up for a caller before it is known and may act for the organisation that it names, and
//! nothing is read of its request before it is known. Health and reflection answer everybody, and say nothing of an
//! organisation.

pub mod pb;

mod appointment_sync;
mod arrival;
mod audit_layer;
mod auth;
mod auth_layer;
mod calendar_integration;
mod context;
mod convert;
mod departure;
mod health;
mod messages;
mod server;
mod status;
mod validate;
mod violations;
mod wrong_keys;

use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::clock::{Clock, Entropy};
use crate::connection::{self, Audit, Consents};
use crate::delivery::Delivery;
use appointment_sync::Appointments;
use arrival::{Arriving, Needs};
use audit_layer::AuditLayer;
use auth_layer::{Auth, AuthLayer};
use calendar_integration::Integrations;
use pb::appointment_sync_server::AppointmentSyncServer;
use pb::calendar_integration_server::CalendarIntegrationServer;
use wrong_keys::WrongKeys;

pub use auth::{ApiKey, Callers, Organisations};
pub use health::Health;
pub use server::{Limits, Tls, TlsFault, serve, validity};

/// What the decoder takes at most; a message of any method is held to its own limit before.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// What the services work with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Behind `BeginConnect` and `ConfirmAccount`.
    pub consents: Consents,
    /// Behind the rest of `CalendarIntegration`, but for what shows or compares events, or tells who did what.
    pub integrations: connection::Integrations,
    /// Behind `AppointmentSync`, `PreviewEvent` and `SyncNow`.
    pub delivery: Delivery,
    /// Who may call.
    pub callers: Callers,
    /// Who did what: behind `ListAuditEvents`, and told by every call that changes something.
    pub audit: Audit,
    /// Where incidents get their ids.
    pub entropy: Entropy,
    /// What calls are measured by, and how often the log tells of wrong keys.
    pub clock: Clock,
    /// Cancelled when the service drains: streams and waits end then, with a word to their callers.
    pub drain: CancellationToken,
}

/// Says why the services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The description of the wire, which is compiled in.
    #[error("the description of the wire cannot be served")]
    Reflection(#[source] tonic_reflection::server::Error),
}

/// Both services, their health, and reflection if asked for: for callers within this process, and to be served.
///
/// There is no time limit on calls: streams last, a wait is bounded by its request, and a caller's own deadline
/// (`grpc-timeout`) is kept.
pub fn routes(services: Services, reflection: bool) -> Result<(Routes, Health), Error> {
    let Services { consents, integrations, delivery, callers, audit, entropy, clock, drain } = services;
    let (health, health_service) = Health::new();
    let (needs, wrong_keys) = (Needs::described(pb::DESCRIPTORS), WrongKeys::new(clock.clone()));
    let integrations =
        Integrations { consents, integrations, delivery: delivery.clone(), audit: audit.clone(), drain: drain.clone() };
    let integrations = CalendarIntegrationServer::new(integrations)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let appointments = AppointmentSyncServer::new(Appointments { delivery, drain });
    let appointments =
        appointments.accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let auth = Auth { callers, wrong_keys, needs: needs.clone(), entropy: entropy.clone(), clock };
    let integrations = AuditLayer::new(Arriving::new(integrations, needs.clone(), entropy.clone()), audit.clone());
    let appointments = AuditLayer::new(Arriving::new(appointments, needs, entropy.clone()), audit);
    let health_service = Arriving::new(health_service, Needs::open(false), entropy.clone());
    let routes = Routes::new(AuthLayer::new(integrations, auth.clone()))
        .add_service(AuthLayer::new(appointments, auth))
        .add_service(health_service);
    let routes = if reflection { with_reflection(routes, &entropy)? } else { routes };
    Ok((routes, health))
}

/// Reflection in both versions: older clients speak the alpha alone.
fn with_reflection(routes: Routes, entropy: &Entropy) -> Result<Routes, Error> {
    let configure = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // With these a client such as grpcurl can show the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = configure().build_v1().map_err(Error::Reflection)?;
    let v1alpha = configure().build_v1alpha().map_err(Error::Reflection)?;
    Ok(routes.add_service(Arriving::new(v1, Needs::open(true), entropy.clone())).add_service(Arriving::new(
        v1alpha,
        Needs::open(true),
        entropy.clone(),
    )))
}
