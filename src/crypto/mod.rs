//! Sealing: what may not stand in the database as plain text goes through here.
//!
//! Owns the keyring, the envelope of a sealed value, the keyed fingerprint of content and the plain digest of one-time
//! words. Never stores, logs or shows key material, and never draws a nonce but from the [`Entropy`] it is handed.
//!
//! A sealed value is bound to the cell it was sealed for: table, row, column and key id are authenticated with it, so
//! that a value copied to another row or column does not open. The envelope is
//! `version (1) · length of key id (1) · key id · nonce (12) · ciphertext and tag`, by AES-256-GCM-SIV, which keeps its
//! promise even if a nonce were drawn twice.
//!
//! Invariant: what opens is exactly what was sealed, in the very cell it was sealed for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A text that `Debug` withholds and that is wiped when dropped; [`ExposeSecret`] shows it where it is needed.
///
/// It is the type of the crate `secrecy`: that one already withholds, wipes, refuses `==` and `Display`, and makes each
/// exposure a word that can be searched for.
pub use secrecy::{ExposeSecret, SecretString as Secret};

use crate::clock::Entropy;
use crate::model::{AppointmentId, CalendarId, Fingerprint, OrganisationId, Provider};

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const MAX_KEY_ID_BYTES: usize = 16;
/// Keeps the key of fingerprints apart from the key that seals.
const FINGERPRINT_LABEL: &[u8] = b"cassius-calendar fingerprint v1";

/// Bytes that only a [`Keyring`] can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes bytes as they came from the database; whether they are genuine shows when they are opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, fit to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the key that has sealed it; `None`: it is no sealed value.
    pub fn key_id(&self) -> Option<&str> {
        split(&self.0).map(|(id, ..)| id)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(withheld, {} bytes)", self.0.len())
    }
}

/// Names the place in the database that a value is sealed for.
///
/// What it says is authenticated with the value: a cell that is named otherwise no longer opens what was stored.
#[derive(Debug, Clone)]
pub struct Cell<'a> {
    table: &'static str,
    /// The key of the row, part by part.
    row: Vec<Cow<'a, str>>,
    column: &'static str,
}

/// Names a column of `calendar_integrations` that holds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenColumn {
    /// The access token.
    AccessToken,
    /// The refresh token.
    RefreshToken,
}

impl<'a> Cell<'a> {
    /// The appointment as it was accepted.
    pub fn snapshot(organisation: &'a OrganisationId, appointment: &'a AppointmentId) -> Self {
        let row = [organisation.as_str(), appointment.as_str(), Provider::Google.as_str()];
        Self { table: "appointment_external_links", row: row.map(Cow::Borrowed).into(), column: "snapshot" }
    }

    /// A token of an organisation's integration.
    pub fn token(organisation: &'a OrganisationId, column: TokenColumn) -> Self {
        let column = match column {
            TokenColumn::AccessToken => "access_token",
            TokenColumn::RefreshToken => "refresh_token",
        };
        let row = [organisation.as_str(), Provider::Google.as_str()];
        Self { table: "calendar_integrations", row: row.map(Cow::Borrowed).into(), column }
    }

    /// A calendar of an organisation that is not connected, which has this alias meanwhile.
    pub fn calendar(organisation: &'a OrganisationId, alias: &'a CalendarId) -> Self {
        let row = [organisation.as_str(), Provider::Google.as_str(), alias.as_str()];
        Self { table: "sealed_calendars", row: row.map(Cow::Borrowed).into(), column: "calendar" }
    }

    /// The PKCE verifier of the consent whose state has this digest.
    pub fn verifier(state_hash: &[u8]) -> Self {
        let row = vec![Cow::Owned(HEXLOWER.encode(state_hash))];
        // The column is `pkce_verifier`; what is stored was sealed under this shorter name.
        Self { table: "oauth_consents", row, column: "verifier" }
    }

    /// What was granted in the consent whose person is asked under the state of this digest.
    pub fn granted(state_hash: &[u8]) -> Self {
        let row = vec![Cow::Owned(HEXLOWER.encode(state_hash))];
        Self { table: "oauth_consents", row, column: "granted" }
    }

    /// What is authenticated beside a value: every part behind its length, so that no two cells look alike.
    fn associated(&self, key_id: &str) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        let mut part = |part: &str| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        };
        part(key_id);
        part(self.table);
        part(self.column);
        self.row.iter().for_each(|key| part(key));
        bytes
    }
}

/// Says why a text is no keyring. Never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// There is no entry.
    #[error("holds no key; make one with `cassius-calendar generate-key`")]
    Empty,
    /// An entry has no colon.
    #[error("entry {position} is not of the form `id:base64`")]
    NotAnEntry {
        /// Which entry, from 1.
        position: usize,
    },
    /// The part before the colon is no key id.
    #[error("entry {position}: the id must be 1 to 16 characters of a-z, 0-9 and -")]
    BadId {
        /// Which entry, from 1.
        position: usize,
    },
    /// Two entries have one id.
    #[error("the id {id:?} stands twice")]
    DuplicateId {
        /// The id that stands twice.
        id: String,
    },
    /// The part behind the colon is not base64.
    #[error("the key of {id:?} is not base64")]
    NotBase64 {
        /// The entry's id.
        id: String,
    },
    /// The key is of zeros alone.
    #[error("the key of {id:?} is nothing but zeros")]
    Zero {
        /// The entry's id.
        id: String,
    },
    /// Two entries have one key.
    #[error("{id:?} and {other:?} are one key")]
    SameKey {
        /// The one entry's id.
        id: String,
        /// The other entry's id.
        other: String,
    },
    /// The key is too short or too long.
    #[error("the key of {id:?} has {bytes} bytes; it must have 32")]
    WrongLength {
        /// The entry's id.
        id: String,
        /// The bytes that it has.
        bytes: usize,
    },
}

/// Says why a sealed value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed with a key that the keyring lacks: the operator has to add that key.
    #[error("it was sealed with the key {0:?}, which is not in the keyring")]
    UnknownKey(String),
    /// It was altered, or sealed for another cell or with another key of the same id.
    #[error("it was altered, or sealed for another place")]
    Forged,
    /// It is no sealed value at all.
    #[error("it is not a sealed value")]
    Malformed,
    /// It opens, but what it holds was not written by this version of the service, nor by one before it.
    #[error("it opens, but holds what this version cannot read")]
    Unreadable,
}

struct Key {
    id: String,
    cipher: Aes256GcmSiv,
    /// Tells it from the others.
    digest: [u8; 32],
}

impl Key {
    fn identity(&self) -> (&str, &[u8; 32]) {
        (&self.id, &self.digest)
    }
}

/// The keys: the first seals, all open. They can be exchanged while others hold the keyring.
pub struct Keyring(RwLock<Arc<Keys>>);

struct Keys {
    first: Key,
    others: Vec<Key>,
    fingerprint_key: Zeroizing<[u8; KEY_BYTES]>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let ids: Vec<_> = keys.all().map(|key| &key.id).collect();
        f.debug_struct("Keyring").field("ids", &ids).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Reads `id:base64,id2:base64`: ids of 1 to 16 characters of `a-z0-9-`, each once, and keys of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyringFault> {
        let mut keys: Vec<Key> = Vec::new();
        let mut fingerprint_key = None;
        let entries = text.split(',').map(str::trim).enumerate();
        for (index, entry) in entries.filter(|(_, entry)| !entry.is_empty()) {
            let position = index + 1;
            let (id, base64) = entry.split_once(':').ok_or(KeyringFault::NotAnEntry { position })?;
            if !is_key_id(id) {
                return Err(KeyringFault::BadId { position });
            }
            let id = id.to_owned();
            if keys.iter().any(|key| key.id == id) {
                return Err(KeyringFault::DuplicateId { id });
            }
            let Ok(bytes) = STANDARD.decode(base64).map(Zeroizing::new) else {
                return Err(KeyringFault::NotBase64 { id });
            };
            let Ok(cipher) = Aes256GcmSiv::new_from_slice(&bytes) else {
                return Err(KeyringFault::WrongLength { id, bytes: bytes.len() });
            };
            if bytes.iter().all(|byte| *byte == 0) {
                return Err(KeyringFault::Zero { id });
            }
            let digest = digest(&bytes);
            if let Some(other) = keys.iter().find(|key| key.digest == digest) {
                return Err(KeyringFault::SameKey { id: other.id.clone(), other: id });
            }
            fingerprint_key.get_or_insert_with(|| Zeroizing::new(mac(&bytes, FINGERPRINT_LABEL)));
            keys.push(Key { id, cipher, digest });
        }
        let mut keys = keys.into_iter();
        match (keys.next(), fingerprint_key) {
            (Some(first), Some(fingerprint_key)) => {
                let keys = Keys { first, others: keys.collect(), fingerprint_key };
                Ok(Self(RwLock::new(Arc::new(keys))))
            }
            _ => Err(KeyringFault::Empty),
        }
    }

    /// Seals and opens with the keys of another keyring from now on.
    pub fn replace(&self, other: Self) {
        *self.0.write() = other.0.into_inner();
    }

    /// Whether it is the very same keys in the same order.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (own, others) = (self.keys(), other.keys());
        own.all().map(Key::identity).eq(others.all().map(Key::identity))
    }

    /// Whether one and the same key seals in both.
    pub fn seals_as(&self, other: &Self) -> bool {
        self.keys().first.identity() == other.keys().first.identity()
    }

    /// The ids that stand for one key here and for another one there.
    pub fn clashes(&self, other: &Self) -> Vec<String> {
        let others = other.keys();
        let is_other = |key: &&Key| others.all().any(|it| it.id == key.id && it.digest != key.digest);
        self.keys().all().filter(is_other).map(|key| key.id.clone()).collect()
    }

    /// The ids of the keys, that of the one that seals first.
    pub fn ids(&self) -> Vec<String> {
        self.keys().all().map(|key| key.id.clone()).collect()
    }

    /// A new entry `id:base64` with a key of its own, for `ENCRYPTION_KEYS`.
    pub fn generate(entropy: &Entropy) -> String {
        let key = Zeroizing::new(entropy.bytes::<KEY_BYTES>());
        format!("k{:08x}:{}", entropy.number() as u32, STANDARD.encode(*key))
    }

    /// Seals a value for one cell, with the first key.
    pub fn seal(&self, cell: &Cell<'_>, value: &[u8], entropy: &Entropy) -> Sealed {
        let keys = self.keys();
        let Key { id, cipher, .. } = &keys.first;
        let nonce = entropy.bytes::<NONCE_BYTES>();
        let payload = Payload { msg: value, aad: &cell.associated(id) };
        let ciphertext = cipher
            .encrypt(&Nonce::from(nonce), payload)
            .expect("a value in memory is shorter than the cipher's 64 GiB");
        let mut bytes = Vec::with_capacity(2 + id.len() + NONCE_BYTES + ciphertext.len());
        bytes.push(VERSION);
        bytes.push(u8::try_from(id.len()).expect("a key id has at most 16 bytes"));
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&ciphertext);
        Sealed(bytes)
    }

    /// Opens a value that was sealed for this very cell, with whichever key sealed it. The plain value is wiped when
    /// dropped.
    pub fn open(&self, cell: &Cell<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, nonce, ciphertext) = split(&sealed.0).ok_or(OpenError::Malformed)?;
        let keys = self.keys();
        let key = keys.all().find(|key| key.id == id).ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: ciphertext, aad: &cell.associated(id) };
        let value = key.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| OpenError::Forged)?;
        Ok(Zeroizing::new(value))
    }

    /// A keyed digest of content: equal for equal content, and of no use to whoever lacks the key. It changes with the
    /// first key, which costs one needless call an event and nothing else.
    pub fn fingerprint(&self, content: &[u8]) -> Fingerprint {
        Fingerprint(mac(self.keys().fingerprint_key.as_slice(), content).to_vec())
    }

    fn keys(&self) -> Arc<Keys> {
        self.0.read().clone()
    }
}

/// The SHA-256 of a word that is only ever compared: tickets, states, API keys.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn is_key_id(id: &str) -> bool {
    (1..=MAX_KEY_ID_BYTES).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Key id, nonce and ciphertext of an envelope.
fn split(bytes: &[u8]) -> Option<(&str, [u8; NONCE_BYTES], &[u8])> {
    let (&[version, id_bytes], rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_at_checked(usize::from(id_bytes))?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    let id = str::from_utf8(id).ok().filter(|id| is_key_id(id))?;
    (version == VERSION && ciphertext.len() >= TAG_BYTES).then_some((id, *nonce, ciphertext))
}

#[cfg(test)]
mod tests;
