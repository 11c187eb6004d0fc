//! The grants of all organisations: what lets the service call Google in somebody's name.
//!
//! Owns the access tokens, what is noted against an integration, and the end of a grant. Never decides what Google is
//! called for. Invariant: a token is given out for the epoch that it was asked for and for no other.

mod access;
mod problems;

use std::sync::Arc;

use crate::clock::{Clock, Entropy};
use crate::crypto::{Keyring, Secret, TokenColumn};
use crate::error_chain::error_chain;
use crate::google::{CalendarError, Google, Granted};
use crate::model::{Calendar, OrganisationId};
use crate::notifier::Notifier;
use crate::store::{self, Grant, Integration, Store};
use crate::sync::ThrottleScope;

use super::Error;
use super::secrets::Secrets;
use access::Tokens;
pub use access::{Access, AccessError};

/// The grants. A clone is another handle.
#[derive(Debug, Clone)]
pub struct Grants {
    store: Store,
    google: Google,
    secrets: Secrets,
    clock: Clock,
    notifier: Notifier,
    tokens: Arc<Tokens>,
}

impl Grants {
    /// Puts the parts together; nothing is asked of any of them yet.
    pub fn new(
        store: Store,
        google: Google,
        keyring: Arc<Keyring>,
        clock: Clock,
        entropy: Entropy,
        notifier: Notifier,
    ) -> Self {
        Self { store, google, secrets: Secrets::new(keyring, entropy), clock, notifier, tokens: Arc::default() }
    }

    /// How this object seals and opens, for its neighbours.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Stores a grant with its target calendar, in place of the one before; revokes that one if it was of another
    /// account. `false`: a disconnect began meanwhile, and nothing was stored.
    pub(super) async fn connect(
        &self,
        organisation: &OrganisationId,
        granted: Granted,
        calendar: Calendar,
    ) -> Result<bool, store::Error> {
        let before = self.store.integration(organisation).await?;
        let google_user_id = granted.google_user_id.clone();
        let grant = Grant {
            organisation: organisation.clone(),
            google_user_id: granted.google_user_id,
            google_email: granted.google_email,
            access_token: self.secrets.seal_token(organisation, TokenColumn::AccessToken, &granted.access_token),
            refresh_token: self.secrets.seal_token(organisation, TokenColumn::RefreshToken, &granted.refresh_token),
            token_expires_at: granted.expires_at,
            granted_scopes: granted.scopes,
            calendar,
        };
        if !self.store.connect(grant, self.clock.now()).await?.is_connected() {
            return Ok(false);
        }
        tracing::info!(organisation.id = %organisation, "a Google account is connected");
        self.notifier.notify_changed(organisation);
        self.notifier.notify_due();
        if let Some(before) = before.filter(|it| it.google_user_id.as_ref() != Some(&google_user_id)) {
            self.revoke(&before).await?;
        }
        Ok(true)
    }

    /// Forgets the access token that this process holds: the organisation is being disconnected.
    pub(super) fn forget(&self, organisation: &OrganisationId) {
        self.tokens.forget(organisation);
    }

    /// Revokes the grant of `integration` at Google, unless there is none or another organisation shares the account.
    /// What fails is logged and holds nothing up.
    pub(super) async fn revoke(&self, integration: &Integration) -> Result<(), store::Error> {
        let organisation = &integration.organisation;
        let (Some(google_user_id), Some(refresh_token)) = (&integration.google_user_id, &integration.refresh_token)
        else {
            return Ok(());
        };
        if self.store.others_share(google_user_id, organisation).await? {
            return Ok(());
        }
        let token = match self.secrets.open_token(organisation, TokenColumn::RefreshToken, refresh_token) {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(
                    organisation.id = %organisation, error = %error_chain(&error),
                    "a grant could not be revoked"
                );
                return Ok(());
            }
        };
        if let Err(error) = self.google.revoke(&token).await {
            tracing::warn!(
                organisation.id = %organisation, error = %error_chain(&error),
                "a grant could not be revoked; it ends by itself, or in the account's own settings"
            );
        }
        Ok(())
    }

    /// Makes a reading call of Google: with an access token, and once more with a fresh one if that is refused.
    pub async fn call_with_token_retry<T, Calling: Future<Output = Result<T, CalendarError>> + Send>(
        &self,
        integration: &Integration,
        call: impl Fn(Google, Secret) -> Calling,
    ) -> Result<T, Error> {
        let organisation = &integration.organisation;
        let access = self.access(organisation, integration.epoch, None).await?;
        let answer = match call(self.google.clone(), access.token.clone()).await {
            Err(CalendarError::Unauthorized) => {
                let access = self.access(organisation, integration.epoch, Some(&access)).await?;
                call(self.google.clone(), access.token).await
            }
            answer => answer,
        };
        answer.map_err(Error::from)
    }
}

impl From<CalendarError> for Error {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::ScopeMissing => Self::ReconnectRequired,
            CalendarError::AccountRefused => Self::AccountUnavailable,
            // The refresh between has proven the grant: that a token is not honoured passes.
            CalendarError::Unauthorized => Self::GoogleUnavailable { retry_after: None },
            CalendarError::NotFound | CalendarError::NotPermitted | CalendarError::Refused { .. } => {
                Self::CalendarUnavailable
            }
            CalendarError::Throttled { scope: ThrottleScope::Account, retry_after } => {
                Self::GoogleThrottled { retry_after }
            }
            CalendarError::Throttled { scope: ThrottleScope::Project | ThrottleScope::User, retry_after }
            | CalendarError::Unavailable { retry_after } => Self::GoogleUnavailable { retry_after },
            CalendarError::Misconfigured => Self::GoogleMisconfigured,
        }
    }
}
