//! Access tokens: opened once, refreshed once for all who wait.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::{Connections, Error};
use crate::crypto::{ExposeSecret, OpenError, Secret};
use crate::google::RefreshError;
use crate::model::{Epoch, GoogleUserId, OrganisationId, Reason};
use crate::store;

/// A token that expires sooner than this is refreshed before it is used.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// The right to call Google for one organisation, in one epoch.
#[derive(Debug, Clone)]
pub struct Access {
    /// The access token.
    pub token: Secret,
    /// Whose quota the calls count against.
    pub google_user_id: GoogleUserId,
    expires_at: Timestamp,
}

/// Says why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The account was disconnected, or connected anew, since the work began.
    #[error("the integration is in another epoch")]
    Fenced,
    /// The grant is dead. It is noted.
    #[error("the Google account has to be connected again")]
    ReconnectRequired,
    /// Google is away.
    #[error("Google is unavailable")]
    Unavailable {
        /// How long to wait.
        retry_after: Option<SignedDuration>,
    },
    /// The operator's OAuth client is wrong. It is noted.
    #[error("the service's Google project is not set up")]
    Misconfigured,
    /// The database.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// The stored token does not open.
    #[error("a stored secret does not open")]
    Sealed(#[from] OpenError),
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Fenced => Self::NotConnected,
            AccessError::ReconnectRequired => Self::ReconnectRequired,
            AccessError::Unavailable { retry_after } => Self::GoogleUnavailable { retry_after },
            AccessError::Misconfigured => Self::GoogleMisconfigured,
            AccessError::Store(error) => Self::Store(error),
            AccessError::Sealed(error) => Self::Sealed(error),
        }
    }
}

/// The token of one organisation; whoever holds the lock is the one that refreshes.
type Slot = Arc<tokio::sync::Mutex<Option<(Epoch, Access)>>>;

/// The opened tokens of this process.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<OrganisationId, Slot>>);

impl Tokens {
    fn slot(&self, organisation: &OrganisationId) -> Slot {
        let mut slots = self.0.lock();
        slots.entry(organisation.clone()).or_default().clone()
    }

    /// Forgets an organisation's token: it was disconnected.
    pub(super) fn forget(&self, organisation: &OrganisationId) {
        self.0.lock().remove(organisation);
    }
}

impl Connections {
    /// The right to call Google; refreshed first if it expires soon, or if `rejected` is still the latest.
    ///
    /// Any number of callers cause one refresh: the first refreshes, the others find its result.
    pub async fn access(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        rejected: Option<&Access>,
    ) -> Result<Access, AccessError> {
        let now = self.0.clock.now();
        let is_fit = |access: &Access| {
            let is_rejected =
                rejected.is_some_and(|rejected| rejected.token.expose_secret() == access.token.expose_secret());
            access.expires_at > now + LEEWAY && !is_rejected
        };
        let slot = self.0.tokens.slot(organisation);
        let mut slot = slot.lock().await;
        if let Some((of, access)) = slot.as_ref()
            && *of == epoch
            && is_fit(access)
        {
            return Ok(access.clone());
        }
        *slot = None;
        let integration = self.0.store.integration(organisation).await?;
        let integration = integration.filter(|it| it.is_connected() && it.epoch == epoch).ok_or(AccessError::Fenced)?;
        let (Some(refresh_token), Some(google_user_id)) = (&integration.refresh_token, &integration.google_user_id)
        else {
            return Err(AccessError::Fenced);
        };
        // A dead grant is final: Google is not asked about it again.
        if integration.problem.as_ref().is_some_and(|problem| problem.reason == Reason::ReconnectRequired) {
            return Err(AccessError::ReconnectRequired);
        }
        // Another replica may have refreshed it meanwhile.
        if let (Some(sealed), Some(expires_at)) = (&integration.access_token, integration.token_expires_at) {
            let token = self.open(organisation, "access_token", sealed)?;
            let access = Access { token, google_user_id: google_user_id.clone(), expires_at };
            if is_fit(&access) {
                *slot = Some((epoch, access.clone()));
                return Ok(access);
            }
        }
        let refresh_token = self.open(organisation, "refresh_token", refresh_token)?;
        let refreshed = match self.0.google.refresh(&refresh_token).await {
            Ok(refreshed) => refreshed,
            Err(RefreshError::GrantDead) => {
                self.note_problem(organisation, epoch, Reason::ReconnectRequired, None).await?;
                return Err(AccessError::ReconnectRequired);
            }
            Err(RefreshError::Misconfigured) => {
                self.note_problem(organisation, epoch, Reason::GoogleMisconfigured, None).await?;
                return Err(AccessError::Misconfigured);
            }
            Err(RefreshError::Unavailable { retry_after }) => return Err(AccessError::Unavailable { retry_after }),
        };
        let sealed = self.seal(organisation, "access_token", refreshed.access_token.expose_secret());
        let renewed = refreshed
            .refresh_token
            .as_ref()
            .map(|token| self.seal(organisation, "refresh_token", token.expose_secret()));
        let saved =
            self.0.store.save_tokens(organisation, epoch, sealed, refreshed.expires_at, renewed, self.0.clock.now());
        if !saved.await? {
            return Err(AccessError::Fenced);
        }
        let access = Access {
            token: refreshed.access_token,
            google_user_id: google_user_id.clone(),
            expires_at: refreshed.expires_at,
        };
        *slot = Some((epoch, access.clone()));
        Ok(access)
    }
}
