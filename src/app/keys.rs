//! The keys and certificates of a service that runs.
//!
//! Owns what can be exchanged without a restart: the certificate and whom clients' certificates come from, the API keys,
//! the keyring. Never keeps a part of something that is not whole. Invariant: what has a fault stays as it was, and keeps
//! nothing else from being exchanged; an API key that is withdrawn is withdrawn whatever is at fault.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;

use super::StartError;
use super::sealing::{may_follow, may_seal};
use crate::config::{self, Config, Reread};
use crate::crypto::Keyring;
use crate::grpc::{self, ApiKey, Callers, Organisations, Tls, TlsFault};
use crate::store::Store;

/// The keys and certificates in use. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Keys {
    pub(super) tls: Option<Tls>,
    pub(super) callers: Callers,
    pub(super) keyring: Arc<Keyring>,
    /// Told when the keyring was exchanged.
    pub(super) reloaded: Arc<Notify>,
    /// What a keyring is held against before it seals.
    store: Store,
}

/// Keys and certificates that were read, and not held against what is stored yet.
pub(super) struct Unproven {
    tls: Option<Tls>,
    callers: Callers,
    keyring: Keyring,
}

impl Unproven {
    /// Reads them as the settings say.
    pub(super) async fn read(config: &Config, now: Timestamp) -> Result<Self, StartError> {
        let tls = match Pem::read(config.tls.as_ref()).await? {
            None => None,
            Some(pem) => {
                let tls = pem.greet_with(Tls::new)?;
                pem.tell_validity(now);
                Some(tls)
            }
        };
        Ok(Self { tls, callers: callers(config), keyring: keyring(&config.encryption_keys)? })
    }

    /// Holds the keyring against what is stored: the first key may not be a mistaken one.
    pub(super) async fn held_against(self, store: &Store) -> Result<Keys, StartError> {
        may_seal(store, &self.keyring).await?;
        let Self { tls, callers, keyring } = self;
        Ok(Keys { tls, callers, keyring: Arc::new(keyring), reloaded: Arc::default(), store: store.clone() })
    }
}

impl Keys {
    /// Uses from now on what was read again, each as far as it is whole; answers what is wrong with the others, which stay as
    /// they were. The streams of a key that is no longer there end.
    pub async fn reload(&self, settings: &Reread, now: Timestamp) -> Vec<StartError> {
        let tls = self.reload_tls(settings.tls.as_ref(), now).await;
        if let Some(keys) = &settings.api_keys {
            self.callers.replace(api_keys(keys));
        }
        // At the end: it is held against the database, which may take its time.
        let keyring = match &settings.encryption_keys {
            Some(text) => self.reload_keyring(text).await,
            None => Ok(()),
        };
        [tls, keyring].into_iter().filter_map(Result::err).collect()
    }

    async fn reload_tls(&self, files: Option<&config::Tls>, now: Timestamp) -> Result<(), StartError> {
        if let (Some(tls), Some(pem)) = (&self.tls, Pem::read(files).await?) {
            pem.greet_with(|cert, key, client_ca| tls.replace(cert, key, client_ca))?;
            pem.tell_validity(now);
        }
        Ok(())
    }

    async fn reload_keyring(&self, text: &SecretString) -> Result<(), StartError> {
        let keyring = keyring(text)?;
        // Nothing that is stored has to be looked at for the sake of another file.
        if !keyring.is_same_as(&self.keyring) {
            may_follow(&self.store, &self.keyring, &keyring).await?;
            self.keyring.replace(keyring);
            self.reloaded.notify_one();
        }
        Ok(())
    }

    /// Forgets the keys that are not among these, or not with the same rights. Their streams end.
    pub fn withdraw_others(&self, keys: &[config::ApiKey]) {
        self.callers.keep(api_keys(keys));
    }
}

fn keyring(text: &SecretString) -> Result<Keyring, StartError> {
    Keyring::parse(text.expose_secret()).map_err(StartError::Keyring)
}

fn callers(config: &Config) -> Callers {
    let is_alone = config.listen.grpc.ip().to_canonical().is_loopback();
    let callers = match config.api_keys.is_empty() && is_alone {
        true => Callers::anybody(),
        false => Callers::new(api_keys(&config.api_keys)),
    };
    match config.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
        true => callers.with_certificate(),
        false => callers,
    }
}

fn api_keys(keys: &[config::ApiKey]) -> impl Iterator<Item = ApiKey> {
    keys.iter().map(|key| ApiKey {
        name: key.name.clone(),
        hash: key.hash,
        organisations: match &key.organisations {
            config::Organisations::All => Organisations::All,
            config::Organisations::Only(only) => Organisations::Only(only.clone()),
        },
        client_name: key.client_name.clone(),
    })
}

/// The files of TLS.
struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Pem {
    async fn read(tls: Option<&config::Tls>) -> Result<Option<Self>, StartError> {
        let Some(tls) = tls else { return Ok(None) };
        let client_ca = match &tls.client_ca {
            None => None,
            Some(file) => Some(read("TLS_CLIENT_CA", file).await?),
        };
        let (cert, key) = (read("TLS_CERT", &tls.cert).await?, read("TLS_KEY", &tls.key).await?);
        Ok(Some(Self { cert, key, client_ca }))
    }

    fn greet_with<T>(
        &self,
        greet: impl FnOnce(&[u8], &[u8], Option<&[u8]>) -> Result<T, TlsFault>,
    ) -> Result<T, StartError> {
        greet(&self.cert, &self.key, self.client_ca.as_deref()).map_err(StartError::Tls)
    }

    /// Tells of a certificate that no caller takes at `now`. It is shown all the same: the clock may be what is wrong.
    fn tell_validity(&self, now: Timestamp) {
        match grpc::validity(&self.cert) {
            Some((_, until)) if until <= now => {
                tracing::error!("TLS_CERT names a certificate that has expired: callers refuse it until it is renewed");
            }
            Some((from, _)) if from > now => {
                tracing::error!(
                    "TLS_CERT names a certificate that is not valid yet: callers refuse it; look at the clock, too"
                );
            }
            Some(_) | None => {}
        }
    }
}

async fn read(variable: &'static str, file: &Path) -> Result<Vec<u8>, StartError> {
    tokio::fs::read(file).await.map_err(|source| StartError::TlsFile { variable, source })
}
