//! What probes are told: `grpc.health.v1`, for each service and for the whole.
//!
//! Owns the status that probes see, and tells a change of it once. Never finds it out: `app` says when the service can
//! work and when it drains. Invariant: all names have the same status.

use std::sync::Arc;

use tokio::sync::Mutex;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthApi, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use super::appointment_sync::Appointments;
use super::calendar_integration::Integrations;
use super::pb::appointment_sync_server::AppointmentSyncServer;
use super::pb::calendar_integration_server::CalendarIntegrationServer;

/// The whole service, and each of its parts.
const NAMES: [&str; 3] =
    ["", CalendarIntegrationServer::<Integrations>::NAME, AppointmentSyncServer::<Appointments>::NAME];

/// Tells probes how the service stands. A clone speaks for the same service.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    /// What was told last: whoever watches hears of changes alone, and a reporter repeats whatever it is given.
    told: Arc<Mutex<Option<bool>>>,
}

impl Health {
    pub(super) fn new() -> (Self, HealthServer<impl HealthApi>) {
        let (reporter, service) = health_reporter();
        (Self { reporter, told: Arc::default() }, service)
    }

    /// Says whether calls can be served: SERVING, or NOT_SERVING.
    pub async fn tell(&self, is_serving: bool) {
        let mut told = self.told.lock().await;
        if told.replace(is_serving) == Some(is_serving) {
            return;
        }
        let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in NAMES {
            self.reporter.set_service_status(name, status).await;
        }
    }

    /// Says NOT_SERVING and ends the streams of those who watch, which would outlast a graceful shutdown.
    pub async fn close(mut self) {
        self.tell(false).await;
        for name in NAMES {
            self.reporter.clear_service_status(name).await;
        }
    }
}
