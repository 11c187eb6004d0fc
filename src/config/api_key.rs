//! A key that may call, as the settings name it.
//!
//! Owns whom it stands for. Never holds the key itself, only its digest. Invariant: `Debug` shows its name alone.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::OrganisationId;

/// A key that may call.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name, for the log.
    pub name: String,
    /// The SHA-256 of the key.
    pub hash: [u8; 32],
    /// For whom it may call.
    pub organisations: Organisations,
    /// The name of the one client that may show it, as its certificate has it; `None`: it is not bound to one.
    pub client_name: Option<String>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The organisations that an API key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Organisations {
    /// Every organisation, also those that come later.
    All,
    /// The organisations that the entry lists, and no others.
    Only(BTreeSet<OrganisationId>),
}

impl Organisations {
    /// Whether this one is among them.
    pub fn allow(&self, organisation: &OrganisationId) -> bool {
        match self {
            Self::All => true,
            Self::Only(organisations) => organisations.contains(organisation),
        }
    }
}
