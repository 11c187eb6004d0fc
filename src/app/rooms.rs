//! The rooms between the wire and the database, put together.
//!
//! Owns what each of them is made of. Never starts anything but the two writers and the reader of `Delivery`: nothing else
//! is asked of any of them here. Invariant: what several of them share, such as the database, the clock and the quota, is
//! one and the same.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Keys;
use super::ledger::StoredLedger;
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::connection::{self, Audit, Consents, Grants, Integrations};
use crate::crypto::Keyring;
use crate::delivery::{self, Delivery};
use crate::google::Google;
use crate::grpc::Services;
use crate::http;
use crate::notifier::Notifier;
use crate::quota::{Ledger, Quota};
use crate::store::Store;

/// The rooms, and what all of them go by. A clone is another handle.
#[derive(Clone)]
pub(super) struct Rooms {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) notifier: Notifier,
    pub(super) quota: Arc<Quota>,
    pub(super) audit: Audit,
    pub(super) consents: Consents,
    pub(super) integrations: Integrations,
    pub(super) delivery: Delivery,
}

impl Rooms {
    /// Puts them together on this database, before this Google.
    pub(super) fn new(
        config: &Config,
        store: Store,
        google: Google,
        keyring: &Arc<Keyring>,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let notifier = Notifier::default();
        // An SQLite file has no other replicas to be heard.
        notifier.set_misses_remote_changes(store.is_shared());
        let quota = quota(config, &store, &clock);
        let settings = connection::ConsentSettings {
            public_url: config.public_url.clone(),
            return_urls: config.return_urls.clone(),
            ticket_in_url: config.ticket_in_url,
        };
        let grants = Grants::new(
            store.clone(),
            google.clone(),
            keyring.clone(),
            clock.clone(),
            entropy.clone(),
            notifier.clone(),
            quota.clone(),
        );
        let audit = Audit::new(store.clone(), clock.clone(), entropy.clone());
        let consents =
            Consents::new(store.clone(), google.clone(), grants.clone(), clock.clone(), settings, audit.clone());
        let integrations = Integrations::new(store.clone(), grants.clone(), clock.clone(), notifier.clone());
        let delivery = Delivery::new(delivery::Parts {
            store: store.clone(),
            google,
            grants,
            keyring: keyring.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            notifier: notifier.clone(),
            quota: quota.clone(),
            app_url: config.cassius_app_url.clone(),
            write_spacing: config.write_spacing,
        });
        Self { store, clock, entropy, notifier, quota, audit, consents, integrations, delivery }
    }

    /// What the gRPC services work with; their streams and waits end with `drain`.
    pub(super) fn services(&self, keys: &Keys, drain: &CancellationToken) -> Services {
        Services {
            consents: self.consents.clone(),
            integrations: self.integrations.clone(),
            delivery: self.delivery.clone(),
            callers: keys.callers.clone(),
            audit: self.audit.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            drain: drain.clone(),
        }
    }

    /// The sidecar's routes.
    pub(super) fn sidecar(&self, config: &Config) -> http::Router {
        http::router(http::Sidecar {
            consents: self.consents.clone(),
            ticket_in_url: config.ticket_in_url,
            is_https: config.public_url.scheme() == "https",
            app_url: config.cassius_app_url.clone(),
        })
    }
}

fn quota(config: &Config, store: &Store, clock: &Clock) -> Arc<Quota> {
    let ledger: Option<Arc<dyn Ledger>> = match store.is_shared() {
        true => Some(Arc::new(StoredLedger(store.clone()))),
        false => None,
    };
    let quota = &config.quota;
    Arc::new(Quota::new(quota.project_per_minute, quota.user_per_minute, clock.clone(), ledger))
}
