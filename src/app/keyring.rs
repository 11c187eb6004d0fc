//! The keyring of a service that runs, held against what is stored.
//!
//! Owns when it is looked: at the start, when other keys were read, and once a day. Never parks anything itself: what
//! does not open waits with its own reason, and is tried again from here. Invariant: a key that is missing is named in
//! the log.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::keys::Keys;
use crate::clock::{Clock, Entropy};
use crate::error_chain::error_chain;
use crate::notifier::Notifier;
use crate::resealing::{Resealing, census};
use crate::store::{self, Store};

/// How often it is looked without being asked.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long it waits until it looks again where the database was away.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// How long a run pauses between two handfuls of values: a million take some hours, and nobody notices.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// What seals with the first key, at the pace of a service that has other things to do.
pub(super) fn resealing(store: &Store, keys: &Keys, entropy: &Entropy, clock: &Clock) -> Resealing {
    Resealing {
        store: store.clone(),
        keyring: keys.keyring.clone(),
        entropy: entropy.clone(),
        clock: clock.clone(),
        pause: PAUSE,
    }
}

/// Looks, tries again what waited for its key, and seals with the first key what another one has sealed.
pub(super) async fn look_after(
    resealing: Resealing,
    reloaded: Arc<Notify>,
    notifier: Notifier,
    clock: Clock,
    close: CancellationToken,
) {
    while !close.is_cancelled() {
        let looked = async {
            let next = match look(&resealing, &notifier, &clock).await {
                Ok(()) => DAY,
                Err(error) => {
                    tracing::warn!(error = %error_chain(&error), "the keyring could not be held against what is stored");
                    AGAIN
                }
            };
            clock.sleep(next).await;
        };
        // A run that is broken off goes on with what is left.
        tokio::select! {
            biased;
            () = reloaded.notified() => {}
            () = looked => {}
        }
    }
}

async fn look(resealing: &Resealing, notifier: &Notifier, clock: &Clock) -> Result<(), store::Error> {
    let census = census(&resealing.store, &resealing.keyring).await?;
    for (key, count) in &census.missing {
        tracing::error!(
            key,
            count,
            "ENCRYPTION_KEYS lacks a key that stored values were sealed with: what they are needed for waits until it is there"
        );
    }
    for key in &census.mistaken {
        tracing::error!(
            key,
            "a key of ENCRYPTION_KEYS does not open what was sealed under its id: put its right bytes back, and give a new key an \
             id of its own"
        );
    }
    resealing.store.try_unopened_again(clock.now()).await?;
    notifier.notify_due();
    let resealed = resealing.run(|_| {}).await?;
    if resealed.exchanged > 0 {
        tracing::info!(count = resealed.exchanged, "stored values are sealed with the first key now");
    }
    Ok(())
}
