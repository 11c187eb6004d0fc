//! Several replicas on one PostgreSQL, and what each hears of the others.

use cassius_calendar::app::App;
use cassius_calendar::clock::Clock;

use crate::harness::app::{Appointments, Integrations, TestApp, clients_at, serve};

mod accounts;
mod clocks;
mod hearing;
mod pooler;
mod quota;
mod watching;

/// Another replica of the service under test: on its database and its Google, with a memory of its own.
struct Replica {
    integrations: Integrations,
    appointments: Appointments,
    app: App,
}

impl Replica {
    /// Starts it; `clock` is what it takes for the time.
    async fn start(app: &TestApp, clock: &Clock) -> Self {
        let replica = serve(&app.settings, clock).await;
        let (integrations, appointments) = clients_at(replica.grpc_address).await;
        Self { integrations, appointments, app: replica }
    }
}
