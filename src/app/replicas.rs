//! Hears what other replicas change, and tells the notifier.
//!
//! Owns the one connection that listens, and when it is made again. While there is none, or its silence proves nothing,
//! the notifier is deaf, and whoever waits looks now and then.

use std::time::Duration;

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::error_chain::error_chain;
use crate::model::Change;
use crate::notifier::Notifier;
use crate::store::{self, Changes, Heard, Store};

/// How often it is tried whether a word comes through.
const ECHO: SignedDuration = SignedDuration::from_secs(15);
/// How long that word may take.
const ECHO_TIME_OUT: Duration = Duration::from_secs(5);
/// The longest time between two attempts to listen.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Listens for as long as the process runs. Returns at once on SQLite, which has no replicas.
pub(super) async fn hear(store: Store, notifier: Notifier, clock: Clock) {
    let mut pause = SignedDuration::ZERO;
    loop {
        match store.listen().await {
            Ok(None) => return,
            Ok(Some(mut changes)) => {
                if let Err(fault) = heard(&store, &mut changes, &notifier, &clock, &mut pause).await {
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
        notifier.set_deaf(true);
        clock.sleep_until(clock.now() + pause).await;
        pause = (pause * 2).clamp(SignedDuration::from_secs(1), LONGEST_PAUSE);
    }
}

/// Why a connection listens no more.
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
async fn heard(
    store: &Store,
    changes: &mut Changes,
    notifier: &Notifier,
    clock: &Clock,
    pause: &mut SignedDuration,
) -> Result<(), Fault> {
    loop {
        store.echo().await?;
        let echo = clock.within(ECHO_TIME_OUT, until_echo(changes, notifier)).await;
        echo.ok_or(Fault::Silent)??;
        if notifier.is_deaf() {
            *pause = SignedDuration::ZERO;
            // What was committed before the connection listened was not heard: everybody looks.
            notifier.set_deaf(false);
        }
        let next_echo = clock.sleep_until(clock.now() + ECHO);
        tokio::pin!(next_echo);
        loop {
            tokio::select! {
                heard = changes.next() => match heard.ok_or(Fault::Lost)? {
                    Heard::Change(change) => tell(notifier, &change),
                    Heard::Echo => {}
                },
                () = &mut next_echo => break,
            }
        }
    }
}

async fn until_echo(changes: &mut Changes, notifier: &Notifier) -> Result<(), Fault> {
    loop {
        match changes.next().await.ok_or(Fault::Lost)? {
            Heard::Change(change) => tell(notifier, &change),
            Heard::Echo => return Ok(()),
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
