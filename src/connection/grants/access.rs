//! Access tokens: opened once, refreshed once for all who wait.
//!
//! Owns the tokens that this process has opened, and when one is refreshed. Never keeps a refresh token open. Invariant:
//! however many callers wait for a token of one organisation, this process refreshes it once.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::Grants;
use crate::connection::Error;
use crate::crypto::{ExposeSecret, OpenError, Sealed, Secret, TokenColumn};
use crate::google::RefreshError;
use crate::model::{Epoch, GoogleUserId, OrganisationId, Reason};
use crate::store::{self, Guarded};

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

impl Access {
    /// Whether it can be used at `now`: it lives on for a while, and is not the one that Google has just `rejected`.
    fn is_fit(&self, now: Timestamp, rejected: Option<&Self>) -> bool {
        let is_rejected = rejected.is_some_and(|it| it.token.expose_secret() == self.token.expose_secret());
        self.expires_at > now + LEEWAY && !is_rejected
    }
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
        /// How long Google asked to wait; `None`: it did not say.
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
        self.0.lock().entry(organisation.clone()).or_default().clone()
    }

    /// Forgets an organisation's token: it was disconnected.
    pub(super) fn forget(&self, organisation: &OrganisationId) {
        self.0.lock().remove(organisation);
    }
}

/// A grant that is not known to be dead, as it is stored.
struct LiveGrant {
    organisation: OrganisationId,
    epoch: Epoch,
    google_user_id: GoogleUserId,
    refresh_token: Sealed,
    /// The latest access token and when it expires.
    access_token: Option<(Sealed, Timestamp)>,
}

impl Grants {
    /// The right to call Google; refreshed first if it expires soon, or if `rejected` is still the latest.
    ///
    /// Any number of callers cause one refresh: the first refreshes, the others find its result.
    pub async fn access(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        rejected: Option<&Access>,
    ) -> Result<Access, AccessError> {
        let now = self.clock.now();
        let slot = self.tokens.slot(organisation);
        let mut slot = slot.lock().await;
        if let Some((of, access)) = slot.as_ref()
            && *of == epoch
            && access.is_fit(now, rejected)
        {
            return Ok(access.clone());
        }
        *slot = None;
        let grant = self.live_grant(organisation, epoch).await?;
        // Another replica may have refreshed it meanwhile.
        let access = match self.stored(&grant)?.filter(|access| access.is_fit(now, rejected)) {
            Some(access) => access,
            None => self.refresh(grant).await?,
        };
        *slot = Some((epoch, access.clone()));
        Ok(access)
    }

    /// The grant of this epoch. A dead one is final: Google is not asked about it again.
    async fn live_grant(&self, organisation: &OrganisationId, epoch: Epoch) -> Result<LiveGrant, AccessError> {
        let integration = self.store.integration(organisation).await?;
        // A disconnect deletes with the grant that it ends, in an epoch of its own.
        let integration = integration.filter(|it| it.epoch == epoch).ok_or(AccessError::Fenced)?;
        if integration.problem.is_some_and(|problem| problem.reason == Reason::ReconnectRequired) {
            return Err(AccessError::ReconnectRequired);
        }
        let (Some(refresh_token), Some(google_user_id)) = (integration.refresh_token, integration.google_user_id)
        else {
            return Err(AccessError::Fenced);
        };
        let access_token = integration.access_token.zip(integration.token_expires_at);
        Ok(LiveGrant { organisation: organisation.clone(), epoch, google_user_id, refresh_token, access_token })
    }

    /// The access token that is stored with the grant.
    fn stored(&self, grant: &LiveGrant) -> Result<Option<Access>, OpenError> {
        let Some((sealed, expires_at)) = &grant.access_token else { return Ok(None) };
        let token = self.secrets.open_token(&grant.organisation, TokenColumn::AccessToken, sealed)?;
        Ok(Some(Access { token, google_user_id: grant.google_user_id.clone(), expires_at: *expires_at }))
    }

    /// Asks Google for another access token, and stores it for the other replicas. What Google refuses is noted.
    async fn refresh(&self, grant: LiveGrant) -> Result<Access, AccessError> {
        let LiveGrant { organisation, epoch, google_user_id, refresh_token, access_token: _ } = grant;
        let refresh_token = self.secrets.open_token(&organisation, TokenColumn::RefreshToken, &refresh_token)?;
        let refreshed = match self.google.refresh(&refresh_token).await {
            Ok(refreshed) => refreshed,
            Err(RefreshError::GrantDead) => {
                self.note_problem(&organisation, epoch, Reason::ReconnectRequired, None).await?;
                return Err(AccessError::ReconnectRequired);
            }
            Err(RefreshError::Misconfigured) => {
                self.note_problem(&organisation, epoch, Reason::GoogleMisconfigured, None).await?;
                return Err(AccessError::Misconfigured);
            }
            Err(RefreshError::Unavailable { retry_after }) => return Err(AccessError::Unavailable { retry_after }),
        };
        let sealed = self.secrets.seal_token(&organisation, TokenColumn::AccessToken, &refreshed.access_token);
        let renewed = refreshed.refresh_token.as_ref();
        let renewed = renewed.map(|token| self.secrets.seal_token(&organisation, TokenColumn::RefreshToken, token));
        let saved =
            self.store.save_tokens(&organisation, epoch, sealed, refreshed.expires_at, renewed, self.clock.now());
        match saved.await? {
            Guarded::Done => {}
            Guarded::Fenced => return Err(AccessError::Fenced),
        }
        Ok(Access { token: refreshed.access_token, google_user_id, expires_at: refreshed.expires_at })
    }
}
