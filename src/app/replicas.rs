//! Hears what other replicas change, and tells the notifier; and whether there are others, which the quota has to know.
//!
//! Owns the one connection that listens, and when it is made again. Never believes a silence: a word of its own has to
//! come back now and then. Invariant: while there is no such connection, or its silence proves nothing, the notifier
//! misses what other processes change, and whoever waits looks now and then.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::error_chain::error_chain;
use crate::model::Change;
use crate::notifier::Notifier;
use crate::quota::Quota;
use crate::store::{self, Changes, Heard, Store};

/// How often the process tries whether a word comes through.
const ECHO: SignedDuration = SignedDuration::from_secs(15);
/// How long that word may take.
const ECHO_TIME_OUT: SignedDuration = SignedDuration::from_secs(5);
/// How long a replica is believed to be there since it was heard.
const NEIGHBOUR: SignedDuration = SignedDuration::from_secs(45);
/// The longest time between two attempts to listen.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Listens for as long as the process runs. Returns at once on SQLite, which has no replicas.
pub(super) async fn hear(store: Store, notifier: Notifier, quota: Arc<Quota>, clock: Clock) {
    let mut pause = SignedDuration::ZERO;
    loop {
        if store.is_shared() {
            // Whoever hears nothing does not know whether there are others.
            quota.share_for(NEIGHBOUR);
        }
        match store.listen().await {
            Ok(None) if !store.is_shared() => return,
            // A pooler hands no notifications on: there may be others for as long as it stands there. They hear this one.
            Ok(None) => {
                pause = ECHO;
                if let Err(error) = store.echo().await {
                    tracing::debug!(error = %error_chain(&error), "other replicas cannot be told of this one");
                }
            }
            Ok(Some(mut changes)) => {
                if let Err(fault) = hear_on(&store, &mut changes, &notifier, &quota, &clock, &mut pause).await {
                    tracing::warn!(
                        error = %error_chain(&fault),
                        "other replicas are not heard: what they change is found by looking now and then"
                    );
                }
            }
            Err(error) if pause.is_zero() => {
                tracing::warn!(error = %error_chain(&error), "other replicas cannot be listened to");
            }
            Err(_) => {}
        }
        notifier.set_misses_remote_changes(true);
        clock.sleep(pause).await;
        pause = (pause * 2).clamp(SignedDuration::from_secs(1), LONGEST_PAUSE);
    }
}

/// Why a connection no longer listens.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the connection that listens was lost")]
    Lost,
    #[error("notifications do not come through: is there a pooler before the database?")]
    Silent,
    #[error("the store failed")]
    Store(#[from] store::Error),
}

/// Tells what is heard, until the connection is lost or its silence proves nothing.
async fn hear_on(
    store: &Store,
    changes: &mut Changes,
    notifier: &Notifier,
    quota: &Quota,
    clock: &Clock,
    pause: &mut SignedDuration,
) -> Result<(), Fault> {
    let mut heard_at: Option<SignedDuration> = None;
    let mut react = async |heard: Heard| -> Result<bool, Fault> {
        match heard {
            Heard::Change(change) => {
                // Whoever changes something may be a replica that sends no other word.
                quota.share_for(NEIGHBOUR);
                tell(notifier, &change);
            }
            Heard::Neighbour => {
                quota.share_for(NEIGHBOUR);
                let now = clock.elapsed();
                let is_new = heard_at.replace(now).is_none_or(|at| now - at > NEIGHBOUR);
                // One that has just started has to know as well.
                if is_new {
                    store.echo().await?;
                }
            }
            Heard::Echo => return Ok(true),
        }
        Ok(false)
    };
    loop {
        store.echo().await?;
        let mut is_echoed = false;
        let time_out = clock.sleep(ECHO_TIME_OUT);
        tokio::pin!(time_out);
        while !is_echoed {
            tokio::select! {
                heard = changes.next() => is_echoed = react(heard.ok_or(Fault::Lost)?).await?,
                () = &mut time_out => return Err(Fault::Silent),
            }
        }
        if notifier.misses_remote_changes() {
            *pause = SignedDuration::ZERO;
            // What was committed before the connection listened was not heard: everybody looks.
            notifier.set_misses_remote_changes(false);
        }
        let next_echo = clock.sleep(ECHO);
        tokio::pin!(next_echo);
        loop {
            tokio::select! {
                heard = changes.next() => {
                    react(heard.ok_or(Fault::Lost)?).await?;
                }
                () = &mut next_echo => break,
            }
        }
    }
}

fn tell(notifier: &Notifier, change: &Change) {
    notifier.notify(change);
    match change {
        Change::Integration(_) | Change::Links(_) => notifier.notify_due(),
        Change::Settled(..) => {}
    }
}
