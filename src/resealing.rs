//! The keys that are in use, and the exchange of those that are to go.
//!
//! Owns which stored value is opened and sealed anew with the first key, and what is told of the keyring. Never changes
//! what a value holds. What lasts for a day at most is counted and left as it is: it ends before an operator takes the
//! old key away. Invariant: a value is exchanged whole or not at all, and whatever was written meanwhile stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use zeroize::Zeroizing;

use crate::clock::{Clock, Entropy};
use crate::crypto::{Cell, Keyring, OpenError, Sealed, TokenColumn};
use crate::model::{AppointmentId, CalendarId};
use crate::store::{self, SealedColumn, SealedValue, Store};

/// How many values are exchanged together.
const TOGETHER: i64 = 200;

/// How often the exchange of a handful is tried where somebody holds what it needs, or the database is away for a moment,
/// and how long it waits between two tries.
const TRIES: usize = 10;
const RETRY: SignedDuration = SignedDuration::from_secs(1);

/// How many values of each key and column are opened to see whether it is what its id says.
const SAMPLE: i64 = 50;

/// How the stored values stand to the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// How many values each key has sealed that the keyring holds, the first key before all others.
    pub held: Vec<(String, i64)>,
    /// How many values each key has sealed that the keyring lacks.
    pub missing: BTreeMap<String, i64>,
    /// The keys of the keyring that have other bytes than those which their ids stand for, as a sample shows.
    pub mistaken: Vec<String>,
    /// How many values of that sample a key does not open that opens others: they were altered, or sealed with other bytes
    /// under its id.
    pub unopened: BTreeMap<String, usize>,
}

impl Census {
    /// The keys beside the first that no value needs.
    pub fn needless(&self) -> impl Iterator<Item = &str> {
        self.held.iter().skip(1).filter(|(_, count)| *count == 0).map(|(id, _)| id.as_str())
    }
}

/// Counts the stored values by the key that has sealed them.
pub async fn census(store: &Store, keyring: &Keyring) -> Result<Census, store::Error> {
    let mut missing = store.key_counts().await?;
    let held = keyring.ids().into_iter().map(|id| {
        let count = missing.remove(&id).unwrap_or_default();
        (id, count)
    });
    let mut census = Census { held: held.collect(), missing, ..Census::default() };
    let first = first_id(keyring);
    let used = census.held.iter().filter(|(_, count)| *count > 0).map(|(id, _)| id.clone()).collect();
    for (id, opens) in sample(store, keyring, used).await? {
        match opens.iter().filter(|opens| !**opens).count() {
            0 => {}
            _ if is_mistaken(&opens, id == first) => census.mistaken.push(id),
            some => drop(census.unopened.insert(id, some)),
        }
    }
    Ok(census)
}

/// The keys of the keyring that have other bytes than those which their ids stand for, as a sample shows.
pub async fn mistaken_keys(store: &Store, keyring: &Keyring) -> Result<Vec<String>, store::Error> {
    let first = first_id(keyring);
    let sample = sample(store, keyring, keyring.ids()).await?.into_iter();
    Ok(sample.filter(|(id, opens)| is_mistaken(opens, *id == first)).map(|(id, _)| id).collect())
}

/// The first key of the keyring, where it is a mistaken one: whatever it seals would be lost once the right one is back.
pub async fn mistaken_first_key(store: &Store, keyring: &Keyring) -> Result<Option<String>, store::Error> {
    let first = first_id(keyring);
    let sample = sample(store, keyring, vec![first.clone()]).await?;
    Ok(sample.get(&first).is_some_and(|opens| is_mistaken(opens, true)).then_some(first))
}

/// Whether a key that opens these of a sample is another one than its id stands for. Of one that only opens, whatever it
/// opens is worth having. One that seals has to open half of them: a few that were altered keep no service from starting,
/// and a few that a mistaken one has sealed do not make it the right one.
fn is_mistaken(opens: &[bool], seals: bool) -> bool {
    let opened = opens.iter().filter(|opens| **opens).count();
    match seals {
        true => 2 * opened < opens.len(),
        false => opened == 0,
    }
}

fn first_id(keyring: &Keyring) -> String {
    keyring.ids().into_iter().next().unwrap_or_default()
}

/// Of each of these keys of the keyring, whether it opens some of the values that were sealed under its id, wherever they
/// stand among those of others.
async fn sample(
    store: &Store,
    keyring: &Keyring,
    ids: Vec<String>,
) -> Result<BTreeMap<String, Vec<bool>>, store::Error> {
    let mut sample = BTreeMap::new();
    for id in ids {
        let mut opens = Vec::new();
        for column in SealedColumn::ALL {
            let values = store.sealed_by(column, &id, SAMPLE).await?;
            opens.extend(values.iter().map(|value| open(keyring, column, value).is_ok()));
        }
        if !opens.is_empty() {
            sample.insert(id, opens);
        }
    }
    Ok(sample)
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// How many values are sealed with the first key now that were not before.
    pub exchanged: u64,
    /// How many do not open: their key is missing, or they were altered. They stay as they are.
    pub unopened: u64,
}

/// Seals with the first key of the keyring whatever another one has sealed. Whoever breaks it off begins anew with what is
/// left.
#[derive(Debug, Clone)]
pub struct Resealing {
    /// Where the values are.
    pub store: Store,
    /// The keys that open; the first of them seals.
    pub keyring: Arc<Keyring>,
    /// What nonces are drawn from.
    pub entropy: Entropy,
    /// By which it pauses.
    pub clock: Clock,
    /// How long it pauses between two handfuls.
    pub pause: SignedDuration,
}

impl Resealing {
    /// Runs to the end, and tells `told` after each handful.
    pub async fn run(&self, mut told: impl FnMut(Resealed)) -> Result<Resealed, store::Error> {
        let first = first_id(&self.keyring);
        let mut resealed = Resealed::default();
        for column in SealedColumn::ALL {
            let mut after = None;
            loop {
                let values = self.store.sealed_by_others(column, &first, after.take(), TOGETHER).await?;
                let Some(last) = values.last().map(|value| value.row.clone()) else { break };
                for of_one in values.chunk_by(|one, other| one.row.0 == other.row.0) {
                    let exchanges: Vec<_> = of_one
                        .iter()
                        .filter_map(|value| Some((value.clone(), self.exchanged(column, value).ok()?)))
                        .collect();
                    resealed.unopened += (of_one.len() - exchanges.len()) as u64;
                    resealed.exchanged += self.exchange(column, exchanges).await?;
                }
                told(resealed);
                after = Some(last);
                if self.pause.is_positive() {
                    self.clock.sleep(self.pause).await;
                }
            }
        }
        Ok(resealed)
    }

    async fn exchange(&self, column: SealedColumn, exchanges: Vec<(SealedValue, Sealed)>) -> Result<u64, store::Error> {
        let mut tries = 1;
        loop {
            match self.store.exchange_sealed(column, exchanges.clone()).await {
                Err(store::Error::Unavailable(_)) if tries < TRIES => {
                    tries += 1;
                    self.clock.sleep(RETRY).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn exchanged(&self, column: SealedColumn, value: &SealedValue) -> Result<Sealed, OpenError> {
        let plain = open(&self.keyring, column, value)?;
        Ok(in_its_cell(column, value, |cell| self.keyring.seal(cell, &plain, &self.entropy)))
    }
}

fn open(keyring: &Keyring, column: SealedColumn, value: &SealedValue) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    in_its_cell(column, value, |cell| keyring.open(cell, &value.sealed))
}

fn in_its_cell<T>(column: SealedColumn, value: &SealedValue, with: impl FnOnce(&Cell<'_>) -> T) -> T {
    let (organisation, name) = &value.row;
    let (appointment, alias) = (AppointmentId::as_stored(name.clone()), CalendarId::new(name.clone()));
    with(&match column {
        SealedColumn::Snapshot => Cell::snapshot(organisation, &appointment),
        SealedColumn::AccessToken => Cell::token(organisation, TokenColumn::AccessToken),
        SealedColumn::RefreshToken => Cell::token(organisation, TokenColumn::RefreshToken),
        SealedColumn::Calendar => Cell::calendar(organisation, &alias),
    })
}
