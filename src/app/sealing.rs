//! Which keyring may seal.
//!
//! Owns what a keyring is refused for, at the start and in the place of another one. Never exchanges one. Invariant: no key
//! seals under an id that stands for another one, as far as what is in use and what is stored can show.

use super::StartError;
use crate::crypto::Keyring;
use crate::resealing::{mistaken_first_key, mistaken_keys};
use crate::store::Store;

/// Refuses a keyring that would seal under an id which stands for another key.
pub(super) async fn may_seal(store: &Store, keyring: &Keyring) -> Result<(), StartError> {
    match mistaken_first_key(store, keyring).await? {
        Some(key) => Err(StartError::MistakenKey(key)),
        None => Ok(()),
    }
}

/// Refuses a keyring that may not take the place of `before`, which is in use.
pub(super) async fn may_follow(store: &Store, before: &Keyring, keyring: &Keyring) -> Result<(), StartError> {
    let clashes = before.clashes(keyring);
    if !clashes.is_empty() {
        // One that only opens, and opens nothing, is put right; the one that seals has sealed.
        let mistaken = match before.ids().first().is_some_and(|first| clashes.contains(first)) {
            true => Vec::new(),
            false => mistaken_keys(store, before).await?,
        };
        if let Some(id) = clashes.into_iter().find(|id| !mistaken.contains(id)) {
            return Err(StartError::OtherBytes(id));
        }
    }
    // A database that is away keeps nobody from taking keys that only open.
    match keyring.seals_as(before) {
        true => Ok(()),
        false => may_seal(store, keyring).await,
    }
}
