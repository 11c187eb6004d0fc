//! One life of the service: from its start to a crash, on a runtime of one thread.
//!
//! Nothing reaches it but through this thread: no socket, no other thread, no time of its own. What it does between two
//! operations has one order, so a seed has one trace.

use std::collections::HashMap;
use std::ffi::OsString;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use cassius_calendar::app::{self, App};
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::{Config, Mode};
use cassius_calendar::google::InProcess;
use cassius_calendar::grpc::pb::appointment_sync_client::AppointmentSyncClient;
use cassius_calendar::grpc::pb::calendar_integration_client::CalendarIntegrationClient;
use cassius_calendar::store::{Options, Store};
use jiff::SignedDuration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tonic::service::Routes;

pub(super) type Integrations = CalendarIntegrationClient<Routes>;
pub(super) type Appointments = AppointmentSyncClient<Routes>;

pub(super) struct Life {
    pub(super) integrations: Integrations,
    pub(super) appointments: Appointments,
    pub(super) sidecar: axum::Router,
    pub(super) store: Store,
    idle: Arc<Idle>,
    app: App,
    // The last to be dropped: with it goes whatever is under way.
    runtime: Runtime,
}

/// Tells when every task waits for something that only the driver can bring about.
#[derive(Default)]
struct Idle {
    is_awaited: AtomicBool,
    reached: Notify,
}

impl Life {
    /// Starts the service on its database, with `google` in place of the network.
    pub(super) fn begin(
        settings: &HashMap<String, String>,
        clock: &Clock,
        entropy: &Entropy,
        google: InProcess,
    ) -> Self {
        let idle = Arc::new(Idle::default());
        let parked = idle.clone();
        let runtime = Builder::new_current_thread()
            .enable_all()
            // The driver gets its turn after each step of a task, so that a crash can fall between any two.
            .event_interval(1)
            .on_thread_park(move || {
                if parked.is_awaited.swap(false, Ordering::Relaxed) {
                    parked.reached.notify_one();
                }
            })
            .build()
            .unwrap();
        let source = |name: &str| settings.get(name).map(OsString::from);
        let mut config = Config::load(&source, Mode::Serve, &[]).unwrap();
        // A practice has few appointments, and its changes are to be seen half done.
        config.links_at_once = 1;
        let url = settings["DATABASE_URL"].clone();
        let (app, store) = runtime.block_on(async {
            let client = app::google(&config, clock).unwrap().in_process(google);
            let app = app::start_with(config, client, clock.clone(), entropy.clone()).await.unwrap();
            (app, Store::open(&url, &Options::default()).await.unwrap())
        });
        Self {
            integrations: Integrations::new(app.grpc.clone()),
            appointments: Appointments::new(app.grpc.clone()),
            sidecar: app.sidecar.clone(),
            store,
            idle,
            app,
            runtime,
        }
    }

    /// Runs until `work` is done; the service goes on meanwhile.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Lets `work` go on beside whatever comes.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Lets the service take so many steps.
    pub(super) fn steps(&self, count: u64) {
        self.run(steps(count));
    }

    /// Lets the service go on until it waits for time to pass.
    pub(super) fn settle(&self) {
        self.run(self.idle.wait());
    }

    /// Stops the service as an operator would; time passes for what is under way.
    pub(super) fn stop(self, clock: &Clock) {
        let stopped = self.runtime.spawn(self.app.stop());
        while !stopped.is_finished() {
            self.runtime.block_on(self.idle.wait());
            clock.advance(SignedDuration::from_secs(1));
        }
    }
}

impl Idle {
    async fn wait(&self) {
        self.is_awaited.store(true, Ordering::Relaxed);
        self.reached.notified().await;
    }
}

/// Gives the others so many turns.
pub(super) async fn steps(count: u64) {
    for _ in 0..count {
        Step(false).await;
    }
}

struct Step(bool);

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
