//! Seals everything that is stored with the first key of the keyring.
//!
//! Owns what is printed of it. Never prints a key or a value, only ids and counts. Invariant: broken off at any moment,
//! it goes on with what is left when it is run again.

use std::sync::Arc;

use anyhow::Context as _;
use cassius_calendar::app::{self, StartError};
use cassius_calendar::clock::{Clock, Entropy};
use cassius_calendar::config::Mode;
use cassius_calendar::crypto::{ExposeSecret, Keyring};
use cassius_calendar::resealing::{Census, Resealing, census};
use cassius_calendar::store::Error as StoreError;
use jiff::SignedDuration;

use super::{environment, load, say};

/// After how many values it says how far it is.
const TOLD: u64 = 10_000;

/// Runs to the end.
pub(super) async fn reseal() -> anyhow::Result<()> {
    let config = load(&environment, Mode::Serve)?;
    let keyring = Arc::new(Keyring::parse(config.encryption_keys.expose_secret())?);
    let store = app::open_beside(&config.database).await?;
    let before = census(&store, &keyring).await.map_err(StartError::Store)?;
    if let Some(key) = before.mistaken.first() {
        return Err(StartError::MistakenKey(key.clone()).into());
    }
    let run = async {
        let total: i64 = before.held.iter().skip(1).map(|(_, count)| count).sum();
        let (clock, entropy, pause) = (Clock::system(), Entropy::system(), SignedDuration::ZERO);
        let resealing = Resealing { store: store.clone(), keyring: keyring.clone(), entropy, clock, pause };
        let mut next = TOLD;
        let resealed = resealing.run(|so_far| {
            if so_far.exchanged >= next {
                // Where it cannot be said, the work goes on: what it came to is said at the end.
                let _ = say(format_args!("Sealed {} of {total} anew.", so_far.exchanged));
                next += TOLD;
            }
        });
        let resealed = resealed.await?;
        store.truncate_log().await?;
        Ok::<_, StoreError>((resealed, census(&store, &keyring).await?))
    };
    let (resealed, after) = run.await.context("the database at DATABASE_URL is not usable")?;
    say(format_args!("Sealed {} values anew; {} could not be opened.", resealed.exchanged, resealed.unopened))?;
    for sentence in sentences(&after) {
        say(sentence)?;
    }
    Ok(())
}

/// What is said of the keys.
pub(super) fn sentences(census: &Census) -> Vec<String> {
    let mut sentences = Vec::new();
    let (mut needed, needless) = (Vec::new(), census.needless().collect::<Vec<_>>());
    for (id, count) in census.held.iter().filter(|(id, _)| !needless.contains(&id.as_str())) {
        needed.push(format!("{id} ({count} values)"));
    }
    sentences.push(format!("Keys in use: {}.", needed.join(", ")));
    if !needless.is_empty() {
        sentences.push(format!("No value needs these keys any more: {}.", needless.join(", ")));
    }
    for (id, count) in &census.unopened {
        sentences.push(format!(
            "Beware: {count} values of a sample do not open with the key {id} that they name: they were altered, or sealed with \
             other bytes under its id."
        ));
    }
    for (id, count) in &census.missing {
        sentences.push(format!("Beware: {count} values were sealed with the key {id}, which ENCRYPTION_KEYS lacks."));
    }
    sentences
}
