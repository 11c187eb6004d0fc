//! Makes keys.
//!
//! Owns how a key is printed. Never stores one: it is shown once. Invariant: the entry of an API key holds nothing of
//! the key but its digest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cassius_calendar::clock::Entropy;
use cassius_calendar::crypto::{Keyring, digest};
use cassius_calendar::model::OrganisationId;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;

use super::{say, warn};

/// What `generate-key` is told.
#[derive(Debug, Args)]
pub(crate) struct GenerateKey {
    #[command(subcommand)]
    kind: Option<Kind>,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// An entry for ENCRYPTION_KEYS (what `generate-key` alone makes).
    Encryption,
    /// An API key, and its entry for API_KEYS.
    Api {
        /// The name of the caller, for the log.
        name: String,
        /// The organisations that it stands for; none: every one.
        organisations: Vec<String>,
        /// The name in the certificate of the one client that may show it (with TLS_CLIENT_CA).
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
    },
}

impl GenerateKey {
    /// Prints the key; what is to be configured on standard output, what explains it on standard error.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let entropy = Entropy::system();
        match self.kind.unwrap_or(Kind::Encryption) {
            Kind::Encryption => say(Keyring::generate(&entropy))?,
            Kind::Api { name, organisations, client } => {
                anyhow::ensure!(
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
                    "a caller's name is made of letters, digits, `-`, `_` and `.`"
                );
                for organisation in &organisations {
                    OrganisationId::parse(organisation)
                        .map_err(|fault| anyhow::anyhow!("the organisation {organisation:?} {fault}"))?;
                    anyhow::ensure!(
                        !organisation.contains([',', '|', ':']),
                        "the organisation {organisation:?} holds a character that separates entries"
                    );
                }
                let key = URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
                let whom = if organisations.is_empty() { "*".to_owned() } else { organisations.join("|") };
                warn("Give the key to the caller, and add the entry to API_KEYS. The key is shown this once.");
                say(format_args!("key:   {key}"))?;
                let bound = client.map(|client| format!("@{client}")).unwrap_or_default();
                let digest = HEXLOWER.encode(&digest(key.as_bytes()));
                say(format_args!("entry: {name}{bound}:{digest}:{whom}"))?;
            }
        }
        Ok(())
    }
}
