//! Appointments on their way to Google.
//!
//! Owns the accepts, the catch-up, the changes of all links, the erasure of appointments, the comparison with Google, the
//! worker that brings each link in step and deletes what is owed, and whose turn it is. Never decides what an attempt for a
//! link calls (that is `sync`), never speaks gRPC.
//!
//! Invariant: what was accepted is durable before the answer. Where an integration is connected and on, it stays due until
//! Google shows it, refuses it for good, or a person has to act; elsewhere it rests until somebody connects or switches on.

mod accept;
mod accept_batch;
mod accept_batcher;
mod attempt;
mod batcher;
mod catch_up;
mod comparison;
mod erasure;
mod history;
mod link_reader;
mod links;
mod locked_out_accepts;
mod missing_keys;
mod preview;
mod reach;
mod replacement;
mod settler;
mod snapshot;
mod throttle_counter;
mod turns;
mod waiters;
mod worker;

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use url::Url;

use crate::clock::{Clock, Entropy};
use crate::connection::{Grants, ReadError};
use crate::crypto::Keyring;
use crate::google::Google;
use crate::notifier::Notifier;
use crate::quota::Quota;
use crate::store::{self, Store};
pub use crate::store::{CallMade, Link, LinkError, Retry};
pub use crate::sync::Event;
use accept_batcher::AcceptBatcher;
pub use comparison::ComparisonCounts;
pub use erasure::Erased;
use link_reader::LinkReader;
pub use links::Differing;
use missing_keys::MissingKeys;
pub use replacement::Replacement;
use settler::Settler;
use throttle_counter::ThrottleCounter;
use waiters::Waiters;
pub use worker::Worker;

/// Says why a call about appointments could not be served, by what its caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is connected.
    #[error("no Google account is connected")]
    NotConnected,
    /// The grant is dead, or lacks a scope.
    #[error("the Google account has to be connected again")]
    ReconnectRequired,
    /// The calendar is gone, or may not be written to.
    #[error("the calendar is not available")]
    CalendarUnavailable,
    /// Google could not be asked.
    #[error("Google could not be asked")]
    Google(#[source] ReadError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

/// Accepts appointments and tells of their links. A clone is another handle.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

/// What deliveries are made with.
#[derive(Debug)]
pub struct Parts {
    /// Where links and what is owed are kept.
    pub store: Store,
    /// Whom calls are made of.
    pub google: Google,
    /// Where access to an account comes from.
    pub grants: Grants,
    /// What opens the snapshots.
    pub keyring: Arc<Keyring>,
    /// What time it is.
    pub clock: Clock,
    /// Where lease tokens, and the spread of waits, come from.
    pub entropy: Entropy,
    /// Who is told of changes.
    pub notifier: Notifier,
    /// What calls may cost.
    pub quota: Arc<Quota>,
    /// Where Cassius is: the base of deep links; `None`: events have none.
    pub app_url: Option<Url>,
    /// How long an edit waits after a write of the same event.
    pub write_spacing: SignedDuration,
}

struct Inner {
    store: Store,
    google: Google,
    grants: Grants,
    keyring: Arc<Keyring>,
    clock: Clock,
    entropy: Entropy,
    notifier: Notifier,
    quota: Arc<Quota>,
    /// Where Cassius is: the base of deep links.
    app_url: Option<Url>,
    /// How long an edit waits after a write of the same event.
    write_spacing: SignedDuration,
    accept_batcher: AcceptBatcher,
    missing_keys: MissingKeys,
    throttle_counter: ThrottleCounter,
    settler: Settler,
    link_reader: LinkReader,
    waiters: Arc<Waiters>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

impl Delivery {
    /// Puts the parts together and starts the two writers and the reader; the worker is started by [`Worker::run`].
    pub fn new(parts: Parts) -> Self {
        let Parts { store, google, grants, keyring, clock, entropy, notifier, quota, app_url, write_spacing } = parts;
        let accept_batcher = AcceptBatcher::start(store.clone(), clock.clone());
        let waiters = Arc::new(Waiters::default());
        let settler = Settler::start(store.clone(), clock.clone(), waiters.clone());
        let link_reader = LinkReader::start(store.clone(), clock.clone());
        let throttle_counter = ThrottleCounter::default();
        Self(Arc::new(Inner {
            store,
            google,
            grants,
            keyring,
            clock,
            entropy,
            notifier,
            quota,
            app_url,
            write_spacing,
            accept_batcher,
            missing_keys: MissingKeys::default(),
            throttle_counter,
            settler,
            link_reader,
            waiters,
        }))
    }
}
